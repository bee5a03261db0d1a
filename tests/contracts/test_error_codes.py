"""Every code that the product refuses with is documented."""

from pathlib import Path

from app import (
    api,  # noqa: F401  A refusal is known once its feature is loaded.
    openapi,
)


def test_the_page_of_error_codes_is_what_the_code_refuses_with() -> None:
    """`python -m app error-codes > docs/errors.md` was run after the last change."""
    assert Path("docs/errors.md").read_text() == openapi.error_codes() + "\n"


def test_no_code_has_two_statuses() -> None:
    """A client decides by the code alone."""
    codes = [line.split("`")[1] for line in openapi.error_codes().splitlines() if line.startswith("| `")]
    assert len(codes) == len(set(codes))
