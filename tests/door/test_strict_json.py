"""What one reader takes, any other reader understands in the same way."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.web import strict_json
from app.core.web.problems import MalformedJson

LARGEST = 2**53
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-LARGEST, LARGEST)
    | st.floats(-1e15, 1e15, allow_nan=False)
    | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=30,
)
WRITTEN = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(),
    VALUES,
    st.booleans(),
    st.sampled_from([None, 0, 3]),
)


def refused(body: bytes) -> bool:
    try:
        strict_json.read(body)
    except MalformedJson:
        return True
    return False


@given(WRITTEN)
def test_good_json_is_read_as_the_standard_library_reads_it(body: bytes) -> None:
    """However it is written: escaped or not, with colons and quotes in its texts."""
    assert strict_json.read(body) == json.loads(body)


@given(st.binary(max_size=60) | WRITTEN.map(lambda body: body[:-1]) | TEXT.map(str.encode))
def test_what_is_read_at_all_is_json(body: bytes) -> None:
    """Nothing but MalformedJson is ever raised."""
    if not refused(body):
        assert strict_json.read(body) == json.loads(body)


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4), st.data())
def test_a_name_that_comes_twice_is_refused(members: dict[str, Any], data: st.DataObject) -> None:
    """Wherever the object is, and however the name is written."""
    again = data.draw(st.sampled_from(sorted(members)))
    depth = data.draw(st.integers(0, 5))
    body = json.dumps(members)[:-1] + f", {json.dumps(again, ensure_ascii=data.draw(st.booleans()))}: 1}}"

    assert refused(("[" * depth + body + "]" * depth).encode())


@given(
    st.integers(LARGEST + 1)
    | st.integers(max_value=-LARGEST - 1)
    | st.floats(2**53 + 2, allow_infinity=False)
)
def test_a_number_that_others_would_round_is_refused(number: float) -> None:
    """The largest that is not is taken."""
    assert refused(json.dumps({"a": [number]}).encode())
    assert not refused(json.dumps({"a": [LARGEST, -LARGEST, 0.1]}).encode())


@given(TEXT, TEXT, st.integers(0xD800, 0xDFFF))
def test_half_a_character_is_refused(before: str, after: str, surrogate: int) -> None:
    """As an escape; as bytes it is no UTF-8. So is U+0000."""
    for wrong in (f"\\u{surrogate:04x}", "\\u0000"):
        text = json.dumps(before)[:-1] + wrong + "x" + json.dumps(after)[1:]
        assert refused(text.encode())
        assert refused(f"{{{text}: 1}}".encode())


@pytest.mark.parametrize(
    ("depth", "wrong"), [(1, False), (32, False), (33, True), (500, True), (2000, True), (100_000, True)]
)
def test_depth_has_an_end(depth: int, wrong: bool) -> None:
    """Lists and objects count alike; what is in the deepest is no level."""
    assert refused(b"[" * depth + b"]" * depth) is wrong
    assert refused(b"[" * depth + b"1" + b"]" * depth) is wrong
    assert refused(b'{"a":' * depth + b"null" + b"}" * depth) is wrong
