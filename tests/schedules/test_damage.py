"""Files that were cut off or damaged on their way: named, and never a crash."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schedules.errors import UnreadableSchedule
from app.schedules.legs import Entry, FlightLeg, Refusal, Refused, Window, dated
from app.schedules.lines import LONGEST, Lines
from app.schedules.service import FORMATS, recognised
from tests.schedules.support import Ssim, entries, pieces, row, table
from tests.support.client import in_days

WINDOW = Window(in_days(-1), in_days(361))
SSIM = (
    Ssim()
    .header()
    .padding(2)
    .carrier()
    .leg(number="1")
    .data("010", "KL 2562 /AF    1")
    .leg(number="2", variation=1, sequence=1, days="1 3 5 7", rate="2")
    .leg(number="2", variation=1, sequence=2, origin="BGO", destination="TRD", date_variation="11")
    .data("050", "KL 2562")
    .trailer(end="C")
    .carrier("YY", "U")
    .leg(carrier="YY", date_variation="  ", last=None)
    .trailer("YY")
    .encoded()
)
CSV = table(
    row(number="1", codeshares='"KL2562 AF1"'), row(number="2", arrives="10:55-1"), row(to="", days="1")
)
FILES = {"ssim": SSIM, "csv": CSV}


def understood(kind: str, content: bytes) -> list[Entry]:
    """What is made of a file, up to the dates of its legs; no file may cost more than a refusal."""
    try:
        found = entries(kind, content)
    except UnreadableSchedule:
        return []
    for entry in found:
        if isinstance(entry, FlightLeg):
            try:
                dated(entry, WINDOW)
            except Refused:
                continue
    return found


def test_a_data_set_cut_anywhere_is_incomplete() -> None:
    """What was whole before the cut is read; that something is missing is said."""
    whole = understood("ssim", SSIM)
    for length in range(200, len(SSIM) - 1):
        reader = FORMATS["ssim"]()
        found: list[Entry] = []
        for number, line in enumerate(SSIM[:length].split(b"\n"), 1):
            found += reader.feed(number, line)
        found += reader.end()

        assert not reader.complete
        assert isinstance(found[-1], Refusal)
        assert found[-1].code == "no_trailer"
        read = [entry for entry in found if isinstance(entry, FlightLeg)]
        # A leg that was cut off from its data is read without them.
        assert [leg.line for leg in read] == [e.line for e in whole if isinstance(e, FlightLeg)][: len(read)]


def test_a_table_cut_anywhere_is_read_as_far_as_it_goes() -> None:
    """A table has no end of its own, so the last line may be short of something."""
    for length in range(len(CSV)):
        understood("csv", CSV[:length])


@pytest.mark.parametrize("kind", sorted(FILES))
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_bytes_are_refused_or_read(kind: str, data: st.DataObject) -> None:
    """Wherever they are and whatever they became."""
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    understood(kind, bytes(content))


@pytest.mark.parametrize("kind", sorted(FILES))
@settings(max_examples=300, deadline=None)
@given(first=st.sampled_from("1345 "), record=st.text(alphabet="0123456789 AZLUXJK/+-:;,\"'é", max_size=210))
def test_any_line_in_the_middle_is_refused_or_read(kind: str, first: str, record: str) -> None:
    """Of any length, with any characters; the one after it is read as if nothing had been."""
    lines = FILES[kind].split(b"\n")
    lines.insert(-2, record.encode())
    lines[-3] = (first + record[:199].ljust(199)).encode("latin-1")
    assert understood(kind, b"\n".join(lines))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_recognised_or_refused(content: bytes) -> None:
    """Before anything of the file is kept."""
    try:
        assert recognised(None, content) in FORMATS
    except UnreadableSchedule:
        return


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b""))),
    st.sampled_from([b"\n", b"\r\n"]),
    st.integers(1, 50),
)
async def test_lines_are_the_same_in_any_pieces(content: list[bytes], end: bytes, size: int) -> None:
    """Numbered from 1, wherever a piece ends."""
    file = end.join(content)

    found = [pair async for pair in Lines(pieces(file, size))]

    expected = list(enumerate(content, 1))
    assert found == (expected[:-1] if expected and not expected[-1][1] else expected)


async def test_a_line_without_end_fills_no_memory() -> None:
    """Of a line that goes on and on only the beginning is kept, and the next one is found."""
    file = b"x" * 500_000 + b"\nnext\n"

    found = [pair async for pair in Lines(pieces(file, 1000))]

    assert [(number, len(line)) for number, line in found] == [(1, LONGEST + 1), (2, 4)]
