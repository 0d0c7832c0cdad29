"""What two JSON readers could understand differently never gets in."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import SubmissionError
from routing.strict_json import loads


@pytest.mark.parametrize(
    ("body", "pointer", "message"),
    [
        (b'{"a": {"b": 1, "b": 2}}', "/a/b", "twice"),
        (b'{"a": NaN}', "", "NaN"),
        (b'{"a": -Infinity}', "", "Infinity"),
        (b'{"a": [1e999]}', "/a/0", "2^53"),
        (b'{"a": 9007199254740992}', "/a", "2^53"),
        (b'{"a": "x\\u0000"}', "/a", "NUL"),
        (b'{"a": "\\ud800"}', "/a", "surrogate"),
        (b'{"\\udc00": 1}', "", "surrogate"),
        (b'{"a~/b": {"\\u0000": 1}}', "/a~0~1b", "NUL"),
        (b"[1]", "", "object"),
        (b"", "", "not JSON"),
        (b'{"a": 1} {"b": 2}', "", "not JSON"),
        (b'{"a": "\xff"}', "", "UTF-8"),
        (b"[" * 200_000, "", "32 levels"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "/a", "2^53"),
        (b'{"a": {"x": 1, "x": 2}, "a": 1}', "/a", "twice"),
    ],
)
def test_an_ambiguous_body_is_refused_with_its_place(body: bytes, pointer: str, message: str) -> None:
    """The sender learns where and why."""
    with pytest.raises(SubmissionError) as refused:
        loads(body)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert message in refused.value.problems[0].message


def test_every_problem_is_named_at_once() -> None:
    """Nobody repairs one field at a time."""
    with pytest.raises(SubmissionError) as refused:
        loads(b'{"a": 1e999, "b": ["\\u0000", 99999999999999999], "c": {"d": 1, "d": 1}}')
    assert [problem.pointer for problem in refused.value.problems] == ["/a", "/b/0", "/b/1", "/c/d"]


def test_depth_counts_objects_and_lists() -> None:
    """Exactly 32 levels are fine, 33 are not."""
    assert loads(b'{"a":' + b"[" * 31 + b"]" * 31 + b"}")
    with pytest.raises(SubmissionError):
        loads(b'{"a":' + b"[" * 32 + b"]" * 32 + b"}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_sound_json_comes_through_unchanged(document: dict[str, Any]) -> None:
    """Strictness costs an honest sender nothing but NUL."""
    body = json.dumps(document)
    if "\\u0000" in body:
        with pytest.raises(SubmissionError):
            loads(body.encode())
    else:
        assert loads(body.encode()) == document


@given(st.binary(max_size=60))
def test_no_bytes_do_worse_than_a_submission_error(body: bytes) -> None:
    """A hostile body is a refusal, never a crash."""
    with suppress(SubmissionError):
        assert isinstance(loads(body), dict)
