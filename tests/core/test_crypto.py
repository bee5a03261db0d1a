"""Sealed fields: unreadable without the key, worthless in another field, and able to change keys."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import crypto
from app.core.config import Settings

OLD, NEW, OTHER = "o" * 40, "n" * 40, "x" * 40

Sealing = Callable[..., None]


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Sealing:
    """Seal with these from now on: `keys(secret_key, encryption_key)`."""

    def use(secret_key: str, encryption_key: str = "") -> None:
        chosen = Settings(_env_file=None, secret_key=secret_key, encryption_key=encryption_key)  # type: ignore[call-arg]
        monkeypatch.setattr(crypto, "settings", lambda: chosen)

    return use


@given(st.text(), st.text())
def test_what_is_sealed_opens_as_it_was(plain: str, context: str) -> None:
    """Whatever the text, and the sealed text shows nothing of it and is never the same twice."""
    plain, context = (text.encode("utf-8", "ignore").decode() for text in (plain, context))

    sealed = crypto.seal(plain, context)

    assert crypto.open(sealed, context) == plain
    assert sealed != crypto.seal(plain, context)
    assert sealed.isascii()
    assert len(plain) < 4 or plain not in sealed


@given(st.integers(min_value=0), st.sampled_from("AZaz09-_=.!"))
def test_an_altered_text_does_not_open(place: int, letter: str) -> None:
    """Wherever a character was changed."""
    sealed = crypto.seal("X1234567", "here")
    place %= len(sealed)
    altered = sealed[:place] + letter + sealed[place + 1 :]

    if altered != sealed:
        with pytest.raises(crypto.CannotOpen):
            crypto.open(altered, "here")


@pytest.mark.parametrize("sealed", ["", ".", "X1234567", "00000000.AAAA", "é.ü"])
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    """And says so in one way."""
    with pytest.raises(crypto.CannotOpen):
        crypto.open(sealed, "here")
    with pytest.raises(crypto.CannotOpen):
        crypto.open(crypto.newest() + sealed, "here")


def test_a_sealed_text_opens_in_its_own_field_only() -> None:
    """Copied into another row or column it is worth nothing."""
    sealed = crypto.seal("X1234567", "booking K7QX2M passenger 0 document")

    with pytest.raises(crypto.CannotOpen, match="belongs elsewhere"):
        crypto.open(sealed, "booking K7QX2M passenger 1 document")


def test_the_last_key_seals_and_all_of_them_open(keys: Sealing) -> None:
    """So a key can be changed while both are in use."""
    keys(OTHER, OLD)
    before = crypto.seal("X1234567", "here")
    keys(OTHER, f"{OLD},{NEW}")

    after = crypto.seal("X1234567", "here")

    assert crypto.open(before, "here") == crypto.open(after, "here") == "X1234567"
    assert after.startswith(crypto.newest())
    assert not before.startswith(crypto.newest())


def test_without_its_key_nothing_opens(keys: Sealing) -> None:
    """That is what the key is for."""
    keys(OTHER, OLD)
    sealed = crypto.seal("X1234567", "here")
    keys(OTHER, NEW)

    with pytest.raises(crypto.CannotOpen, match="not configured"):
        crypto.open(sealed, "here")


def test_a_default_installation_seals_with_the_secret_key_and_may_get_its_own_later(keys: Sealing) -> None:
    """What was sealed before stays readable."""
    keys(f"{OLD},{OTHER}")
    sealed = crypto.seal("X1234567", "here")
    keys(f"{OLD},{OTHER}", NEW)

    assert crypto.open(sealed, "here") == "X1234567"
    assert not sealed.startswith(crypto.newest())


def test_a_key_named_twice_counts_where_it_is_last(keys: Sealing) -> None:
    """So one can go back to a former key."""
    keys(OTHER, f"{OLD},{NEW}")
    newest = crypto.newest()
    keys(OTHER, f"{NEW},{OLD},{NEW}")

    assert crypto.newest() == newest
