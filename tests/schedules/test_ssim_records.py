"""Records of SSIM chapter 7: which there must be, in what order, how long, and how they are numbered."""

import pytest

from app.schedules.errors import UnreadableSchedule
from tests.schedules.support import Ssim, codes, entries, leg, legs, one_leg, put
from tests.support.client import in_days


def two_legs() -> Ssim:
    return Ssim().header().carrier().leg(number="1").leg(number="2")


def test_a_leg_is_read_from_its_positions() -> None:
    """Each from its own."""
    [found] = legs(
        "ssim",
        one_leg(
            carrier="9W",
            number="12",
            suffix="B",
            origin="OSL",
            destination="TRD",
            departs="0700",
            arrives="0755",
            first=in_days(3),
            last=in_days(9),
            days="1 3 5 7",
            rate="2",
            terminals=("1", "A2"),
            aircraft="320",
        ),
    )

    assert (found.carrier, found.number, found.line) == ("9W", "12B", 3)
    assert (found.origin.iata, found.destination.iata) == ("OSL", "TRD")
    assert (found.departs.seconds, found.arrives.seconds) == (7 * 3600, 7 * 3600 + 55 * 60)
    assert (found.first, found.last) == (in_days(3), in_days(9))
    assert (found.days, found.every_weeks) == ({1, 3, 5, 7}, 2)
    assert (found.departure_terminal, found.arrival_terminal, found.aircraft) == ("1", "A2", "A320")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_padding_and_line_ends_mean_nothing(end: str) -> None:
    """Zeros and blank lines may stand between any two records."""
    padded = Ssim().header().padding(4).carrier().padding(4).leg().padding(2).trailer().padding(4)
    content = padded.encoded(end) + end.encode() + b"   " + end.encode() + b"\x1a"

    assert len(legs("ssim", content)) == 1
    assert codes("ssim", content) == {}


def test_a_file_without_an_end_of_line_at_its_end_is_whole() -> None:
    """The last record counts."""
    content = one_leg().removesuffix(b"\n")

    assert len(legs("ssim", content)) == 1
    assert codes("ssim", content) == {}


@pytest.mark.parametrize("length", [1, 72, 199, 201])
def test_a_record_of_another_length_is_refused(length: int) -> None:
    """And costs the legs around it nothing."""
    lines = two_legs().trailer().encoded().split(b"\n")
    lines[2] = (lines[2] + b" ")[:length]
    content = b"\n".join(lines)

    assert [found.number for found in legs("ssim", content)] == ["2"]
    assert codes("ssim", content) == {3: "wrong_length", 4: "serial_gap"}


def test_missing_numbers_are_named_where_they_are() -> None:
    """The record after the gap is as good as any."""
    made = two_legs().add(leg(number="3"), serial=7).trailer()

    assert [found.number for found in legs("ssim", made.encoded())] == ["1", "2", "3"]
    assert codes("ssim", made.encoded()) == {5: "serial_gap"}


def test_a_number_that_is_none_is_named() -> None:
    """It is counted as the next."""
    content = two_legs().trailer().encoded().replace(b"000003\n", b"00000x\n")

    assert codes("ssim", content) == {3: "serial_gap"}


def test_numbers_begin_again_after_the_highest() -> None:
    """Six digits are too few for some files."""
    made = two_legs().add(leg(number="3"), serial=999_999)
    made.add(leg(number="4"), serial=2).trailer()

    assert codes("ssim", made.encoded()) == {5: "serial_gap"}


def test_a_trailer_that_counts_otherwise_is_named() -> None:
    """Its reference is the number of the record before it."""
    assert codes("ssim", two_legs().trailer(check=3).encoded()) == {5: "trailer_check"}


@pytest.mark.parametrize(("records", "line"), [(1, 2), (2, 3), (3, 4), (4, 5)])
def test_a_file_without_its_trailer_is_truncated(records: int, line: int) -> None:
    """It is named after its last line, and what was there is read."""
    content = two_legs().encoded()
    cut = b"".join(part + b"\n" for part in content.split(b"\n")[:records])

    assert codes("ssim", cut) == {line: "no_trailer"}
    assert len(legs("ssim", cut)) == max(0, records - 2)


def test_a_trailer_that_announces_more_ends_no_file() -> None:
    """Continuation is another code than end."""
    made = two_legs().trailer(end="C")

    assert codes("ssim", made.encoded()) == {6: "no_trailer"}


def test_several_carriers_follow_each_other() -> None:
    """Each with records and numbers of its own, in one numbering."""
    made = two_legs().trailer(end="C").carrier("YY").leg(carrier="YY").trailer("YY")

    assert [found.carrier for found in legs("ssim", made.encoded())] == ["ZZ", "ZZ", "YY"]
    assert codes("ssim", made.encoded()) == {}


def test_a_carrier_without_trailer_before_the_next_is_named() -> None:
    """A part of the file is missing between the two."""
    made = two_legs().carrier("YY").leg(carrier="YY").trailer("YY")

    assert codes("ssim", made.encoded()) == {5: "no_trailer"}
    assert len(legs("ssim", made.encoded())) == 3


def test_legs_need_their_carrier() -> None:
    """Without it nobody knows what time they are in."""
    no_carrier = Ssim().header().leg().trailer()
    other = Ssim().header().carrier("YY").leg(carrier="ZZ").trailer("YY")
    bad = Ssim().header().carrier(mode="X").leg().trailer()

    assert codes("ssim", no_carrier.encoded()) == {2: "no_carrier", 3: "no_carrier", 4: "no_trailer"}
    assert codes("ssim", other.encoded()) == {3: "other_carrier"}
    assert codes("ssim", bad.encoded()) == {
        2: "bad_time_mode", 3: "no_carrier", 4: "no_carrier", 5: "no_trailer"
    }  # fmt: skip


def test_data_belong_to_the_leg_before_them() -> None:
    """Of data elsewhere it is said where they are; data of a refused leg go with it."""
    orphan = Ssim().header().carrier().add(put((1, "4"), (3, "ZZ")))
    other = Ssim().header().carrier().leg(number="1").data("010", "KL 2562").leg(number="2")
    other.records[4], other.records[3] = other.records[3], other.records[4]
    refused = Ssim().header().carrier().leg(origin="QQQ").data("010", "KL 2562").trailer()

    assert codes("ssim", orphan.trailer().encoded()) == {3: "no_leg"}
    assert codes("ssim", other.trailer().encoded())[5] == "other_leg"
    assert codes("ssim", refused.encoded()) == {3: "unknown_airport"}


def test_a_record_of_no_type_is_refused() -> None:
    """There are five."""
    made = two_legs().add(put((1, "7")))

    assert codes("ssim", made.trailer().encoded()) == {5: "unknown_record"}


@pytest.mark.parametrize("content", [b"", b"\n\n", b"hello\n", b"2LZZ\n", one_leg().split(b"\n", 1)[1]])
def test_a_file_that_does_not_begin_with_the_header_is_no_schedule(content: bytes) -> None:
    """Nothing of it is read."""
    with pytest.raises(UnreadableSchedule):
        entries("ssim", content)
