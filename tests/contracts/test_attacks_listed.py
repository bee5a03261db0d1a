"""The list of attacks is the tests themselves."""

from tests.attacks import __main__ as listing
from tests.support.stack import ROOT


def test_the_list_is_what_is_tried() -> None:
    """Made anew by `python -m tests.attacks > docs/security/attacks.md`."""
    assert (ROOT / "docs/security/attacks.md").read_text() == listing.text()
