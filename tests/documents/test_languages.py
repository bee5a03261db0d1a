"""Documents speak the traveller's language."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from app.core import money
from app.documents import languages, receipt
from app.documents.languages import TAGS, Language, Tag, language, zone
from tests.documents import papers
from tests.documents.support import STOPS, at, booking

FOLDER = Path(languages.__file__).parent
FIELD = re.compile(r"{(\w+)}")


def test_every_text_is_there_in_every_language() -> None:
    """With the same facts in it."""
    english = Language("en").texts

    for tag in TAGS:
        texts = Language(tag).texts
        assert all(texts.values())
        assert {key: sorted(FIELD.findall(text)) for key, text in texts.items()} == {
            key: sorted(FIELD.findall(text)) for key, text in english.items()
        }


def test_templates_use_texts_that_exist() -> None:
    """In pages, where a missing one would fail, and on paper."""
    used = {
        key
        for template in (FOLDER / "templates").iterdir()
        for key in re.findall(r"\bt\.([a-z_]+)", template.read_text())
    }

    assert len(used) > 10
    assert used - {"page"} <= Language("en").texts.keys()


@pytest.mark.parametrize("tag", TAGS)
def test_a_receipt_is_made_in_every_language(tag: Tag) -> None:
    """Its title and language are those of the document, too."""
    made = receipt.pdf(booking(), Language(tag))

    assert Language(tag).say("receipt") in papers.text(made)
    assert f'<html lang="{tag}">' in receipt.html(booking(), Language(tag))


@pytest.mark.parametrize(
    ("tag", "amount", "currency", "written"),
    [
        ("en", "1512.40", "USD", "US$1,512.40"),
        ("en-US", "1512.40", "USD", "$1,512.40"),
        ("de", "1512.40", "EUR", "1.512,40 €"),
        ("de-CH", "1512.40", "CHF", "CHF 1’512.40"),  # noqa: RUF001
        ("fr", "1512.40", "EUR", "1 512,40 €"),
        ("es", "51240", "JPY", "51.240 JPY"),
        ("en", "1.500", "IQD", "IQD1.500"),
        ("en", "12.50", "RSD", "RSD12.50"),
        ("en", "0.05", "GBP", "£0.05"),
    ],
)
def test_money_is_written_as_there(tag: Tag, amount: str, currency: str, written: str) -> None:
    """With all decimals of the currency, whatever the language's habit."""
    assert len(amount.partition(".")[2]) == money.exponent(currency)
    said = Language(tag).money({"amount": amount, "currency": currency})
    assert plain(said) == plain(written)


def plain(text: str) -> str:
    """Without the differences between blanks and between apostrophes, which languages' data change."""
    return re.sub(r"[’']", "'", re.sub(r"\s", " ", text))  # noqa: RUF001


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "Tue, 1 Dec 2026 20:05 7 hrs 5 mins"),
        ("en-US", "Tue, Dec 1, 2026 8:05 PM 7 hr 5 min"),
        ("de", "Di., 1. Dez. 2026 20:05 7 Std. 5 Min."),
        ("es", "mar, 1 dic 2026 20:05 7 h 5 min"),
        ("fr", "mar. 1 déc. 2026 20:05 7 h 5 min"),
    ],
)
def test_dates_and_times_are_written_as_there(tag: Tag, written: str) -> None:
    """The airport's clock is never moved."""
    spoken, reading = Language(tag), at("2026-12-01 20:05", "JFK")

    assert plain(f"{spoken.day(reading)} {spoken.time(reading)} {spoken.duration('PT7H5M')}") == written


@pytest.mark.parametrize(
    ("reading", "time_zone", "written"),
    [
        ("2026-12-01T20:05:00-05:00", STOPS["JFK"][2], "EST, UTC−5"),  # noqa: RUF001
        ("2026-07-01T20:05:00-04:00", STOPS["JFK"][2], "EDT, UTC−4"),  # noqa: RUF001
        ("2026-12-01T20:05:00+00:00", STOPS["LHR"][2], "GMT, UTC+0"),
        ("2026-12-01T20:05:00+05:45", "Asia/Kathmandu", "UTC+5:45"),
        ("2026-12-01T20:05:00-03:30", "America/St_Johns", "NST, UTC−3:30"),  # noqa: RUF001
    ],
)
def test_a_clock_reading_says_whose_it_is(reading: str, time_zone: str, written: str) -> None:
    """By the zone's letters where it has some, and always by its difference from UTC."""
    assert zone(datetime.fromisoformat(reading), time_zone) == written


@pytest.mark.parametrize(
    ("asked", "accepted", "tag"),
    [
        (None, None, "en"),
        ("de", "fr", "de"),
        (None, "fr-BE, de;q=0.7", "fr"),
        (None, "pt;q=0.9, de;q=0.7, es;q=0.8", "es"),
        (None, "en-US,en;q=0.9", "en-US"),
        (None, "DE-ch", "de-CH"),
        (None, "fr;q=0, de;q=0.1", "de"),
        (None, "*", "en"),
        (None, "de;q=nonsense, es;q=0.1", "es"),
        (None, "," * 5000, "en"),
    ],
)
def test_the_language_is_what_was_asked_for_or_liked_best(
    asked: Tag | None, accepted: str | None, tag: str
) -> None:
    """English where nothing fits."""
    assert language(asked, accepted).tag == tag
