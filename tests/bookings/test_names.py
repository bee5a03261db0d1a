"""Names are kept as people write them and printed as tickets need them."""

import unicodedata

import pytest
import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st

from app.bookings.names import LONGEST, latin, ticket_name
from tests.support.client import Answer, Client, adult
from tests.support.fleet import Fleet

LETTERS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ ")


@pytest_asyncio.fixture
async def offer_id(traveller: Client, fleet: Fleet) -> str:
    """For one adult, on a flight with many seats."""
    found: str = (await fleet.offer(traveller, await fleet.flight(100)))["id"]
    return found


def refusal(answer: Answer) -> tuple[int, str | None, str]:
    return answer.status, answer.code, answer.body["errors"][0]["pointer"]


@pytest.mark.parametrize(
    ("given_name", "family_name", "printed"),
    [
        ("Élodie", "Muñoz", "MUNOZ/ELODIE"),
        ("Jürgen", "Größe-Björk", "GROESSE BJOERK/JUERGEN"),
        ("Øystein", "Æsgård", "AESGAARD/OEYSTEIN"),
        ("Yıldız", "İpek", "IPEK/YILDIZ"),  # noqa: RUF001
        ("Łukasz", "Þórðarson", "THORDARSON/LUKASZ"),
        ("Thị Mỹ", "Nguyễn", "NGUYEN/THI MY"),
        ("Юлия", "Щеглова", "SHCHEGLOVA/IULIIA"),
        ("Артём", "Подъячев", "PODIEIACHEV/ARTEM"),
        ("Игорь", "Жданов", "ZHDANOV/IGOR"),
        ("Є́ва", "Їжак", "IZHAK/IEVA"),
        ("Љубица", "Џаџић", "DZADZIC/LJUBITSA"),
        ("Anne-Marie", "O'Brien", "OBRIEN/ANNE MARIE"),
        ("Ka\u02bbimi", "O\u2019Neill", "ONEILL/KAIMI"),
        ("J.R.", "de  la   Cruz", "DE LA CRUZ/JR"),
        ("ﬁona", "Ｋｉｍ", "KIM/FIONA"),  # noqa: RUF001
        ("Min", "O", "OO/MIN"),
        (None, "Suharto", "SUHARTO/FNU"),
    ],
)
async def test_a_name_is_kept_as_written_and_printed_in_latin_letters(
    traveller: Client, offer_id: str, given_name: str | None, family_name: str, printed: str
) -> None:
    """The traveller reads the own name, the airline the ticket's."""
    booked = await traveller.book(offer_id, [adult(given_name=given_name, family_name=family_name)])

    assert booked.status == 201, booked.body
    [passenger] = booked.body["passengers"]
    kept = [name and unicodedata.normalize("NFC", name) for name in (given_name, family_name)]
    assert [passenger["given_name"], passenger["family_name"]] == kept
    assert passenger["ticket_name"] == printed
    again = await traveller.get(f"/bookings/{booked.body['pnr']}")
    assert again.body["passengers"] == [passenger]


@pytest.mark.parametrize("name", ["李", "نور", "Ὀδυσσεύς", "Ada 李", "...", "42", "🛫", "' '"])
async def test_a_name_that_gives_no_letters_needs_its_latin_form(
    traveller: Client, offer_id: str, name: str
) -> None:
    """The refusal says which field is to be filled in, and filled in it is what is printed."""
    family = await traveller.book(offer_id, [adult(family_name=name)])
    given_name = await traveller.book(offer_id, [adult(given_name=name)])

    assert refusal(family) == (422, "invalid_name", "/passengers/0/family_name")
    assert refusal(given_name) == (422, "invalid_name", "/passengers/0/given_name")
    assert "latin_given_name" in given_name.body["detail"]
    booked = await traveller.book(offer_id, [adult(family_name=name, latin_family_name="Li")])
    assert booked.body["passengers"][0]["family_name"] == name
    assert booked.body["passengers"][0]["ticket_name"] == "LI/ADA A"


async def test_the_passports_latin_form_goes_before_ours(traveller: Client, offer_id: str) -> None:
    """Passports of one country write Ü as U, of another as UE."""
    person = adult(given_name="Gülşen", family_name="Öz", latin_given_name="Gulsen", latin_family_name="Oz")

    booked = await traveller.book(offer_id, [person])

    assert booked.body["passengers"][0]["ticket_name"] == "OZ/GULSEN"


@pytest.mark.parametrize("name", ["Lï", "-", "", "李", "A1", "x" * 61])
async def test_a_latin_form_is_plain_letters(traveller: Client, offer_id: str, name: str) -> None:
    """As on the passport's machine-readable lines."""
    answer = await traveller.book(offer_id, [adult(family_name="李", latin_family_name=name)])

    assert refusal(answer) == (422, "validation_error", "/passengers/0/latin_family_name")


async def test_a_missing_given_name_is_said_to_be_missing(traveller: Client, offer_id: str) -> None:
    """With null; who forgets it is asked, and a Latin form of nothing is none."""
    forgotten = {name: value for name, value in adult().items() if name != "given_name"}

    assert refusal(await traveller.book(offer_id, [forgotten])) == (
        422,
        "validation_error",
        "/passengers/0/given_name",
    )
    nothing = adult(given_name=None, latin_given_name="Ada")
    assert refusal(await traveller.book(offer_id, [nothing])) == (
        422,
        "invalid_name",
        "/passengers/0/latin_given_name",
    )


@pytest.mark.parametrize(
    "name", ["", " ", "A\nB", "A\x85B", "A\u200bB", "\u202eadA", "A\u00adB", "A\ue000B", "x" * 61]
)
async def test_a_name_is_one_short_visible_line(traveller: Client, offer_id: str, name: str) -> None:
    """Without control and format characters."""
    answer = await traveller.book(offer_id, [adult(family_name=name)])

    assert refusal(answer) == (422, "validation_error", "/passengers/0/family_name")


@pytest.mark.parametrize(
    ("given_name", "family_name", "printed"),
    [
        ("Anna Bella Carla", "X" * 45, "X" * 45 + "/ANNA BELLA"),
        ("Bartholomew", "X" * 50, "X" * 50 + "/BARTHOL"),
        ("Ada Maria", "X" * 60, "X" * 56 + "/A"),
        ("Ada", "Ж" * 60, "ZH" * 28 + "/A"),
    ],
)
async def test_a_long_name_is_shortened_to_what_tickets_hold(
    traveller: Client, offer_id: str, given_name: str, family_name: str, printed: str
) -> None:
    """Given names first, from the last on; somebody of each name is left."""
    booked = await traveller.book(offer_id, [adult(given_name=given_name, family_name=family_name)])

    assert booked.body["passengers"][0]["ticket_name"] == printed
    assert booked.body["passengers"][0]["family_name"] == family_name


@given(st.text())
def test_the_latin_form_is_a_to_z_and_single_spaces(name: str) -> None:
    """Whatever Unicode holds; and what is Latin stays."""
    printed = latin(name)

    assert set(printed) <= LETTERS
    assert printed == " ".join(printed.split())
    assert latin(printed) == printed
    assert latin(unicodedata.normalize("NFD", name)) == latin(unicodedata.normalize("NFC", name))


NAMES = st.text(st.characters(max_codepoint=0x52F), min_size=1, max_size=60)


@given(NAMES, st.one_of(st.none(), NAMES))
@example("X" * 55 + " " + "Y" * 4, "Ada")
@example("X" * 56, "A B")
def test_a_ticket_name_fits_a_ticket(family_name: str, given_name: str | None) -> None:
    """Two names and a stroke between them in 58 characters, or nothing at all."""
    printed = ticket_name(family_name, given_name)

    if not printed:
        assert not latin(family_name) or (given_name is not None and not latin(given_name))
        return
    family, given_part = printed.split("/")
    assert len(printed) <= LONGEST
    for part in (family, given_part):
        assert part == part.strip() != ""
        assert set(part) <= LETTERS
    assert len(family) > 1


async def test_titles_are_not_printed(traveller: Client, offer_id: str) -> None:
    """They are no part of a passport's name."""
    booked = await traveller.book(offer_id, [adult(title="dr", given_name="Ada")])

    assert booked.body["passengers"][0]["ticket_name"] == "LOVELACE/ADA"
