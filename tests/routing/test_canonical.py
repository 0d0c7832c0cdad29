"""One spelling of every value: our quick way gives the bytes of the reference library."""

import math
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from routing.canonical import canonical

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_every_value_has_the_bytes_of_the_reference(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Numbers, keys beyond the first plane, control characters: all alike."""
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [1.0, -0.0, 1e16, 1e-7, 1.5e300, 123456789.5, 0.1, "\u2028\x7f\x00", {"\U0001f600": 1, "\ufb33": 2}])
def test_what_python_spells_otherwise(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """The known differences between Python's JSON and RFC 8785."""
    assert canonical([value]) == rfc8785.dumps([value])


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, "\ud800"])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Rather refused than written inexactly."""
    with pytest.raises((rfc8785.CanonicalizationError, UnicodeEncodeError)):
        canonical([value])
