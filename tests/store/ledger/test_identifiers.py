"""Names that the ledger gives are in order of time and spelled as their formats have it."""

from datetime import UTC, datetime
from uuid import RFC_4122, UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from store.ledger.identifiers import event_id
from tests.examples_drawn import examples


@settings(max_examples=examples(50))
@given(st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1)), st.binary(min_size=10, max_size=10))  # noqa: DTZ001 - in UTC, below
def test_an_event_has_a_uuid_of_version_7(at: datetime, noise: bytes) -> None:
    """As Python reads and writes it, with the milliseconds in front."""
    at = at.replace(tzinfo=UTC)
    name = event_id(at, noise)
    read = UUID(name)
    assert (str(read), read.version, read.variant) == (name, 7, RFC_4122)
    assert read.int >> 80 == (at - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution * 1000)
