"""Text from outside becomes one printable line in one Unicode form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text import holds_card_number, line


def test_composed_and_decomposed_letters_become_the_same() -> None:
    """So that two spellings of one name compare equal."""
    assert line("Zoe\u0308") == line("Zo\u00eb") == "Zo\u00eb"


@pytest.mark.parametrize("text", ["O'Brien-Núñez", "山田 太郎", "Ὀδυσσεύς", "نور", ""])
def test_names_of_the_world_pass(text: str) -> None:
    """Nothing but the form is changed."""
    assert line(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "character",
    ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800", "\u202e", "\u2067"],
)
def test_what_would_break_a_line_or_a_database_is_refused(character: str) -> None:
    """Control characters, line separators, half surrogates, and what turns the text around it."""
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


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "3782.822463.10005",
        "card 4222222222222, please",
        "4111 1111 1111 1111 12/29 123",
        "6304000000000000000",
        "\uff14111111111111111",
        "\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
    ],
)
def test_a_card_number_is_recognised(text: str) -> None:
    """13 to 19 digits that pass Luhn's test, in groups, among other words, in any script's digits."""
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    ["", "Ada", "4111111111111112", "411111111111", "X4111111", "2026-12-10"],
)
def test_other_numbers_are_not_card_numbers(text: str) -> None:
    """Too short, or of another sum."""
    assert not holds_card_number(text)


@given(st.text(st.characters(categories=["Nd"]), min_size=12, max_size=18))
def test_one_of_ten_last_digits_makes_a_card_number(digits: str) -> None:
    """Luhn's test is a check digit, whatever the digits before it are."""
    number = "".join(str(unicodedata.digit(digit)) for digit in digits)

    assert sum(holds_card_number(f"{number}{last}") for last in range(10)) == 1
