"""Text from outside becomes one printable line in one Unicode form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text import line


def test_composed_and_decomposed_letters_become_the_same() -> None:
    """So that two spellings of one name compare equal."""
    assert line("Zoe\u0308") == line("Zo\u00eb") == "Zo\u00eb"


@pytest.mark.parametrize("text", ["O'Brien-Núñez", "山田 太郎", "Ὀδυσσεύς", "نور", ""])
def test_names_of_the_world_pass(text: str) -> None:
    """Nothing but the form is changed."""
    assert line(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "character", ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"]
)
def test_what_would_break_a_line_or_a_database_is_refused(character: str) -> None:
    """Control characters, line separators and half surrogates."""
    with pytest.raises(ValueError, match="control characters"):
        line(f"Ada{character}Lovelace")


@given(st.text())
def test_an_accepted_text_is_one_storable_line(text: str) -> None:
    """Whatever comes, and accepting it again changes nothing."""
    try:
        accepted = line(text)
    except ValueError:
        return
    assert accepted.encode().decode() == accepted
    assert "\0" not in accepted
    assert len(accepted.splitlines()) <= 1
    assert line(accepted) == accepted
