"""Offers as tokens: read back exactly, refused when altered, foreign or old."""

import string
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.config import settings
from app.offers import token
from app.offers.errors import OfferExpired, OfferNotFound
from app.offers.token import CABINS, Offer
from tests.support.client import Client, in_days

ALPHABET = string.ascii_letters + string.digits + "-_"
slices = st.lists(st.lists(st.integers(1, 10**10), min_size=1, max_size=3).map(tuple), min_size=1, max_size=6)
offers = st.builds(
    Offer,
    slices=slices.map(tuple),
    classes=st.text("YBMHKLJCDFA", min_size=1, max_size=6),
    cabin=st.sampled_from(CABINS),
    brand=st.sampled_from(["Light", "Standard", "Flex"]),
    counts=st.tuples(st.integers(1, 9), st.integers(0, 8), st.integers(0, 9)),
    total=st.integers(0, 10**12),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    fares_version=st.integers(1, 10_000),
    issued_on=st.dates(date(2026, 1, 1), date(2099, 12, 31)),
    expires_at=st.integers(1, 500_000).map(lambda minutes: in_minutes(minutes)),
)


def in_minutes(minutes: int) -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=minutes + 1)


def offer(expires_at: datetime | None = None) -> Offer:
    expires = expires_at or in_minutes(30)
    return Offer(
        ((41,), (42,)), "KL", "economy", "Standard", (2, 1, 1), 51240, "USD", 1, date(2026, 11, 22), expires
    )


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Set `secret_key` and have it used at once; afterwards everything is as before."""
    yield monkeypatch
    monkeypatch.undo()
    token._signer.cache_clear()
    token._opened.cache_clear()


def use(keys: pytest.MonkeyPatch, secret_key: str) -> None:
    keys.setattr(settings(), "secret_key", secret_key)
    token._signer.cache_clear()
    token._opened.cache_clear()


@given(offers)
def test_an_offer_reads_back_as_it_was_signed(signed: Offer) -> None:
    """Nothing is lost, and nothing is stored anywhere."""
    assert token.read(token.sign(signed)) == signed


@given(offers)
def test_a_token_is_short_and_travels_anywhere(signed: Offer) -> None:
    """Six slices of three flights, of which there are ten thousand million, in a path or a JSON string."""
    text = token.sign(signed)

    assert text.startswith("off_")
    assert len(text) <= 512
    assert set(text) <= set(ALPHABET + ".")


def test_no_character_can_be_changed() -> None:
    """At every place, every character; the last one of base64 has two idle bits, which change nothing."""
    text, real = token.sign(offer()), offer()
    for place, character in enumerate(text):
        for other in ALPHABET + ".":
            if other == character:
                continue
            altered = text[:place] + other + text[place + 1 :]
            if place == len(text) - 1 and ALPHABET.find(other) >= 0:
                assert_same_or_refused(altered, real)
            else:
                with pytest.raises(OfferNotFound):
                    token.read(altered)


def assert_same_or_refused(altered: str, real: Offer) -> None:
    with suppress(OfferNotFound):
        assert token.read(altered) == real


def test_no_part_of_a_token_is_enough() -> None:
    """Cut anywhere, or with something behind it; what base64 skips changes nothing."""
    text = token.sign(offer())

    for end in range(len(text)):
        with pytest.raises(OfferNotFound):
            token.read(text[:end])
    for more in ("A", "AAAA", ".", "." + text):
        with pytest.raises(OfferNotFound):
            token.read(text + more)
    for idle in ("=", " ", "\n"):
        assert_same_or_refused(text + idle, offer())


@pytest.mark.parametrize(
    "text", ["", "off_", "off_.", "off_..", "off_é", "OFF_x.y", "off_" + "A" * 600, "null", "\0"]
)
def test_anything_else_is_no_offer(text: str) -> None:
    """Never another exception."""
    with pytest.raises(OfferNotFound):
        token.read(text)


@given(st.text(max_size=100))
def test_arbitrary_text_is_no_offer(text: str) -> None:
    """With our prefix before it or not."""
    for tried in (text, "off_" + text):
        with pytest.raises(OfferNotFound):
            token.read(tried)


def reason(text: str) -> str:
    with pytest.raises(OfferNotFound) as refused:
        token.read(text)
    [problem] = refused.value.errors or []
    assert problem["pointer"] == "/offer_id"
    return problem["code"]


def test_a_refusal_says_what_is_wrong_with_an_offer(keys: pytest.MonkeyPatch) -> None:
    """One code for the contract, and beside it the reason."""
    text = token.sign(offer())

    assert reason("an offer") == reason("off_" + "A" * 600) == "not_an_offer"
    assert {reason(text[:end]) for end in range(4, len(text) - 1)} == {"offer_truncated"}
    assert reason(text[:20] + ("A" if text[20] != "A" else "B") + text[21:]) == "offer_altered"
    keys.setattr(token, "_FORMAT", 1)
    earlier = token.sign(offer())
    keys.setattr(token, "_FORMAT", 2)
    assert reason(earlier) == "offer_outdated"


def test_two_offers_cannot_be_mixed() -> None:
    """The cheap one's payload with the dear one's signature."""
    cheap, dear = token.sign(offer()), token.sign(offer(in_minutes(60)))
    payload, _, signature = cheap.partition(".")

    with pytest.raises(OfferNotFound):
        token.read(f"{payload}.{dear.partition('.')[2]}")
    assert token.read(f"{payload}.{signature}") == offer()


def test_an_offer_expires_on_the_minute() -> None:
    """It can be read until then, and is told apart from a foreign one after."""
    with pytest.raises(OfferExpired) as expired:
        token.read(token.sign(offer(in_minutes(-2))))

    assert (expired.value.status, expired.value.code) == (410, "offer_expired")
    assert token.read(token.sign(offer(in_minutes(0))))


def test_an_expiry_made_now_lies_on_a_full_minute_and_is_never_short() -> None:
    """Equal searches within a minute make equal offers."""
    made = token.expiry()

    assert (made.second, made.microsecond) == (0, 0)
    promised = timedelta(minutes=settings().offer_minutes)
    assert promised <= made - clock.now() + timedelta(seconds=1) <= promised + timedelta(seconds=62)


def test_another_systems_offer_is_refused(keys: pytest.MonkeyPatch) -> None:
    """The same code with another key."""
    use(keys, "another-key-of-another-deployment-0123456789")
    foreign = token.sign(offer())
    use(keys, "our-own-key-which-nobody-else-has-0123456789")

    with pytest.raises(OfferNotFound):
        token.read(foreign)


def test_a_rotated_key_still_honours_offers_under_way(keys: pytest.MonkeyPatch) -> None:
    """The new one signs; once the old one is gone, so are its offers."""
    old, new = "the-old-key-0123456789-0123456789-0123", "the-new-key-0123456789-0123456789-0123"
    use(keys, old)
    before = token.sign(offer())

    use(keys, f"{old},{new}")
    after = token.sign(offer())
    assert token.read(before) == token.read(after) == offer()
    assert before != after

    use(keys, new)
    assert token.read(after) == offer()
    with pytest.raises(OfferNotFound):
        token.read(before)


async def test_over_http_an_expired_offer_is_gone_and_an_altered_one_unknown(traveller: Client) -> None:
    """410 asks for a new search, 404 does not say what was wrong."""
    good = (await traveller.first_offer("FAE", "KEF", in_days(250)))["id"]
    read = token.read(good)
    old = token.sign(
        Offer(**{name: getattr(read, name) for name in Offer.__slots__} | {"expires_at": in_minutes(-5)})
    )

    expired, altered = await traveller.book(old), await traveller.book(good[:-5] + "AAAAA")

    assert (expired.status, expired.code) == (410, "offer_expired")
    assert (altered.status, altered.code) == (404, "offer_not_found")
    assert (await traveller.book(good)).status == 201
