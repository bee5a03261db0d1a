"""A cursor is opaque, and only ours are accepted."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import cursors
from app.core.errors import Unprocessable


@given(st.integers(0, 1_000_000))
def test_a_cursor_leads_back_to_its_position(position: int) -> None:
    """And survives being put into a URL."""
    cursor = cursors.encode(position)

    assert cursors.decode(cursor) == position
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_no_cursor_is_no_position() -> None:
    """The caller decides where a list begins."""
    assert cursors.decode(None) is None


def forged(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


@pytest.mark.parametrize(
    "cursor",
    ["", "!", "ä", "%00", "a" * 200]
    + [forged(c) for c in (b"-1", b"1.5", b"true", b"null", b'"1"', b"[1]", b"1000001", b"1 OR 1=1")],
)
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    """422, pointing at the parameter."""
    with pytest.raises(Unprocessable) as refused:
        cursors.decode(cursor)

    assert refused.value.errors == [
        {"pointer": "cursor", "code": "invalid_cursor", "message": "Not a cursor of ours"}
    ]


def test_a_position_can_be_limited_further() -> None:
    """Where a list is known to be short."""
    assert cursors.decode(cursors.encode(10), last=10) == 10
    with pytest.raises(Unprocessable):
        cursors.decode(cursors.encode(11), last=10)


@given(st.text(max_size=200))
def test_whatever_comes_is_a_position_or_a_refusal(cursor: str) -> None:
    """Never another exception."""
    try:
        position = cursors.decode(cursor)
    except Unprocessable:
        return
    assert type(position) is int
    assert 0 <= position <= 1_000_000
