"""Business time pauses at night, on holidays and nowhere else."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from routing.clock import Calendar, after, after_each, between

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Calendar(timezone="Europe/Berlin", days="mon-fri", hours="09:00-18:00", holidays="DE-BE")
NIGHT = Calendar(timezone="America/New_York", days="fri-mon", hours="22:00-06:00, 12:00-13:00")
ALWAYS = Calendar(timezone="Europe/Berlin", days="mon-sun", hours="00:00-24:00")
HOUR = 3_600


def berlin(*parts: int) -> datetime:
    """A moment on the wall of the office."""
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[misc, arg-type]


def test_four_hours_from_christmas_eve_end_on_monday() -> None:
    """Half an hour on Thursday; Friday is a holiday; the rest on Monday morning."""
    assert after(OFFICE, berlin(2026, 12, 24, 17, 30), 4 * HOUR) == berlin(2026, 12, 28, 12, 30)


def test_a_full_day_ends_when_the_office_closes() -> None:
    """Nine hours from opening are over at closing, not on the next morning."""
    assert after(OFFICE, berlin(2026, 11, 20, 9), 9 * HOUR) == berlin(2026, 11, 20, 18)
    assert after(OFFICE, berlin(2026, 11, 20, 9), 9 * HOUR + 1) == berlin(2026, 11, 23, 9, 0, 1)


def test_a_case_of_the_night_starts_in_the_morning() -> None:
    """Fifteen minutes from midnight are 09:15."""
    assert after(OFFICE, berlin(2026, 11, 20, 0), 900) == berlin(2026, 11, 20, 9, 15)


def test_the_night_the_clocks_change_is_counted_as_it_passes() -> None:
    """On the last Sunday of October a day has 25 hours, in March 23."""
    assert between(ALWAYS, berlin(2026, 10, 25), berlin(2026, 10, 26)) == 25 * HOUR
    assert between(ALWAYS, berlin(2027, 3, 28), berlin(2027, 3, 29)) == 23 * HOUR
    assert after(None, berlin(2026, 10, 24, 12), 24 * HOUR) == berlin(2026, 10, 25, 11)


def test_a_night_shift_belongs_to_the_day_it_begins() -> None:
    """Monday's shift ends on Tuesday morning, and Tuesday night nobody comes."""
    assert after(NIGHT, datetime(2026, 11, 24, 10, 59, 59, tzinfo=UTC), 1) == datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert after(NIGHT, datetime(2026, 11, 24, 11, tzinfo=UTC), 1) == datetime(2026, 11, 27, 17, 0, 1, tzinfo=UTC)


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001  # made aware


@given(st.sampled_from([None, OFFICE, NIGHT, ALWAYS]), MOMENTS, st.integers(0, 20 * 24 * HOUR), st.integers(0, 20 * 24 * HOUR))
def test_after_and_between_agree(calendar: Calendar | None, start: datetime, first: int, second: int) -> None:
    """What `after` adds, `between` counts; two waits in a row are one long one."""
    end = after(calendar, start, first)
    assert between(calendar, start, end) == first
    assert after(calendar, end, second) == after(calendar, start, first + second) or second == 0
    assert between(calendar, end, start - timedelta(seconds=1)) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Europe/Berln"},
        {"days": ""},
        {"days": "mon-fry"},
        {"hours": "09:00-09:00"},
        {"hours": "25:00-26:00"},
        {"hours": "09:60-10:00"},
        {"hours": "9-5"},
        {"hours": ""},
        {"holidays": "XX"},
        {"holidays": "DE-XX"},
    ],
)
def test_a_calendar_that_never_opens_or_does_not_exist_is_refused(wrong: dict[str, str]) -> None:
    """No clock waits for an office that is never there."""
    with pytest.raises(ValidationError):
        Calendar(**({"timezone": "UTC"} | wrong))  # type: ignore[arg-type]


def test_a_calendar_survives_the_snapshot() -> None:
    """The route of a case keeps the calendar it started with."""
    assert Calendar.model_validate_json(OFFICE.model_dump_json()) == OFFICE


@given(
    st.sampled_from([None, OFFICE, NIGHT, ALWAYS]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - they get their zone
    st.lists(st.integers(0, 60 * HOUR) | st.floats(0, 3 * HOUR), min_size=1, max_size=4).map(sorted),
)
def test_several_spans_at_once_end_as_each_alone(calendar: Calendar | None, start: datetime, spans: list[float]) -> None:
    """One walk through the calendar gives what one walk each gives."""
    assert after_each(calendar, start, spans) == [after(calendar, start, span) for span in spans]
