"""Two bodies that say the same have one canonical form."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.idempotency import canonical

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def shuffled(value: Any) -> Any:
    """The same value with every object's members the other way round."""
    if isinstance(value, dict):
        return {name: shuffled(inner) for name, inner in reversed(value.items())}
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


@given(values)
def test_neither_order_nor_spaces_nor_escapes_matter(value: Any) -> None:
    """A client may serialise the retry differently."""
    one = json.dumps(value).encode()
    other = json.dumps(shuffled(value), indent=3, ensure_ascii=False).encode()

    assert canonical(one) == canonical(other)


@given(values, values)
def test_different_bodies_stay_different(one: Any, other: Any) -> None:
    """Otherwise a key would replay the wrong answer."""
    first, second = json.dumps(one, sort_keys=True).encode(), json.dumps(other, sort_keys=True).encode()

    assert (canonical(first) == canonical(second)) == (first == second)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'"\\ud800"'])
def test_what_is_not_json_stands_for_itself(body: bytes) -> None:
    """The route refuses it; the fingerprint must not fail before that."""
    assert canonical(body) == body


def test_a_body_nested_too_deep_stands_for_itself() -> None:
    """The parser reads deeper than the writer writes."""
    body = b"[" * 600 + b"]" * 600

    assert canonical(body) == body
