"""Which passwords are good enough."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from app.auth import passwords
from app.auth.errors import WeakPassword

ADA = ("ada.lovelace@analytical-engine.example", "Augusta Ada King")
LEAKED = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= 8]
WORDS = [word for word in LEAKED if word[0].isalpha() and word[-1].isalpha()]
AROUND = st.text("0123456789!?.-_ #", max_size=6)


def reason(password: str, about: tuple[str, ...] = ADA) -> str | None:
    try:
        passwords.require_strong(password, about=about)
    except WeakPassword as refusal:
        return refusal.detail
    return None


def test_the_list_is_long_enough_to_be_worth_it() -> None:
    """And is kept in a quarter of a megabyte."""
    assert len(LEAKED) > 10_000
    assert passwords._common().nbytes <= 250_000


@settings(max_examples=50)
@given(st.sampled_from(WORDS), AROUND, AROUND, st.sampled_from([str.upper, str.title, str]))
def test_what_has_leaked_is_refused_however_it_is_dressed(
    word: str, before: str, after: str, written: type[str]
) -> None:
    """In capitals, with a year behind it, with a mark before it."""
    assert reason(before + written(word) + after) is not None


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "dragon1dragon1dragon1",
        "abcdefghijklmnop",
        "98765432",
        "aaaabbbbcccc",
        "Jetway-2026!",
        "jetwayjetway",
        "ada.lovelace",
        "AdaKing1815",
        "lovelace@analytical",
        "Augusta_Ada_King!!",
        "engine.1234567",
        "x" * 129,
        "k7#Qx2!",
    ],
)
def test_what_says_little_is_refused(password: str) -> None:
    """Repetitions, rows of keys, our name, and the person's own data."""
    assert reason(password) is not None


@pytest.mark.parametrize(
    "password",
    [
        "a window seat, please",
        "correct horse battery staple",
        "lovelace wrote the first program",
        "k7#Qx2!m",
        "Fensterplatz über dem Flügel",
        "窓側の席をお願いします",
        "иллюминатор",
        "🛫🪟💺🧳🛬🌍☁️🌙",
        "8391056237745",
        "y" * 60 + "a window seat, please",
        "7%$#@!^&*(",
    ],
)
def test_what_is_long_and_of_ones_own_is_taken(password: str) -> None:
    """Nobody is asked for capitals, digits or marks."""
    assert reason(password) is None


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=140))
def test_only_the_characters_count_for_the_length(password: str) -> None:
    """Eight to 128 of them, whatever they are; no text is too odd to be judged."""
    said = reason(password)

    if not 8 <= len(password) <= 128:
        assert said is not None
        assert said.startswith("Use at")
    else:
        assert said is None or not said.startswith("Use at")


@settings(max_examples=30)
@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=20))
def test_a_name_with_little_beside_it_is_personal(name: str) -> None:
    """And with a sentence beside it is not."""
    assume(name not in "a window seat, please")

    assert reason(f"{name}{name}12", (name,)) is not None
    assert reason(f"{name} a window seat, please", (name,)) is None


def test_two_ways_to_write_a_letter_are_one_word() -> None:
    """A composed é is known in its two parts as well."""
    assert reason("Zoe\u0301-Brontë!", ("zo\u00e9@example.com", "Zo\u00e9 Bronte\u0308")) is not None
