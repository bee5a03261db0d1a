"""Any passenger's name can be printed."""

import pytest

from app.documents import boarding, receipt
from tests.documents import papers
from tests.documents.support import ENGLISH, boarding_pass, booking, passenger

NAMES = {
    "Vietnamese": "Nguyễn Thị Phương",
    "Polish": "Łukasz Żółć",
    "Turkish": "Işıl Çağlayan",  # noqa: RUF001
    "Icelandic": "Þórður Æðelstan",
    "Yoruba": "Ọláṣẹ́ní Ẹ̀gbẹ́",
    "Greek": "Γιώργος Παπαδόπουλος",
    "Cyrillic": "Дмитрий Щербаков",
    "Ukrainian": "Ґалаґан Їжакевич",
    "Arabic": "محمد عبد الرحمن",
    "Persian": "پژمان گلچین",
    "Urdu": "ٹیپو ڈار",
    "Hebrew": "דוד בן־גוריון",
    "Devanagari": "अमिताभ श्रीवास्तव",
    "Bengali": "সত্যজিৎ রায়",
    "Tamil": "தமிழ்ச்செல்வன்",
    "Telugu": "శ్రీనివాస్",
    "Kannada": "ಕೃಷ್ಣ",
    "Malayalam": "ശ്രീജിത്ത്",
    "Gujarati": "ગાંધી",
    "Gurmukhi": "ਗੁਰਪ੍ਰੀਤ",
    "Sinhala": "ශ්‍රීමාලි",
    "Thai": "สมชาย ใจดี",
    "Lao": "ສົມພອນ",
    "Khmer": "សុខា",
    "Burmese": "အောင်ဆန်း",
    "Georgian": "გიორგი ბერიძე",
    "Armenian": "Հայկ Պետրոսյան",
    "Amharic": "አበበ ቢቂላ",
    "Japanese": "山田 さくら ケンジ",
    "Chinese simplified": "王小明",
    "Chinese traditional": "陳慧嫻",
    "Rare ideographs": "𠮷野家",
    "Korean": "김민준",
}


@pytest.fixture(scope="module")
def paper() -> bytes:
    """One receipt for all of them, so that scripts meet on a page."""
    return receipt.pdf(booking(passengers=[passenger(name, "Ω") for name in NAMES.values()]), ENGLISH)


def test_no_character_of_any_name_is_missing(paper: bytes) -> None:
    """No box stands for a letter that the fonts do not have."""
    drawn = papers.glyphs(paper)

    assert len(drawn) > 1000
    assert drawn.count(0) == 0


def test_a_character_in_no_font_would_be_seen() -> None:
    """Nobody's passport has Cherokee: that the test above can fail is shown with it."""
    assert 0 in papers.glyphs(receipt.pdf(booking(passengers=[passenger("ᏣᎳᎩ")]), ENGLISH))


def test_names_can_be_copied_out_of_the_paper(paper: bytes) -> None:
    """Each letter is text, in whatever order a reader puts scripts that run to the left."""
    copied = papers.letters(paper)

    assert {name: letters for name in NAMES.values() if (letters := set(name) - copied - {"\u200d"})} == {}


def test_letters_are_joined_as_their_script_wants() -> None:
    """An Arabic letter three times in a row begins, continues and ends a word: three shapes, not one."""
    made = receipt.pdf(booking(passengers=[passenger("ممم", "X")]), ENGLISH)

    assert len(set(papers.glyphs(made, font="Arabic"))) == 3


def test_boarding_passes_print_them_too() -> None:
    """By the same fonts."""
    made = boarding.pdf([boarding_pass(name=" ".join(NAMES.values()))], ENGLISH)

    assert papers.glyphs(made).count(0) == 0
