"""Business time against an oracle that nobody can get wrong: it goes through time quarter by quarter, and looks at the wall.

Generated over nights on which clocks change (both hemispheres, half hours, midnights), holidays, closed days, night shifts and pauses.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.case.case import Case, Clocks
from routing.change import Change, Subject
from routing.clock import Calendar, after, after_each, between, closes, opens
from routing.review.timing import on_time
from routing.review.verbs import step_of
from tests.examples_drawn import examples
from tests.routing.factory import a_case, a_press, a_route

QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
"""Whatever opens, closes or changes here, does so on a quarter of an hour."""

ZONES = (
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Pacific/Auckland"),
    *("Africa/Cairo", "Asia/Beirut", "Asia/Kathmandu", "UTC"),
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIMES = st.sampled_from(
    ["00:00", "00:30", "01:00", "01:45", "02:00", "02:15", "02:45", "03:00", "06:00", "09:00", "17:30", "22:00", "23:30"]
)


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone as the pinned package has it: a machine's own files may be older, and governments change their minds."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def changes(zone: str) -> tuple[date, ...]:
    """The days of two years on which the clocks of a zone change; a plain day where they never do."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=count) for count in range(0, 2 * 365 * 24, 3)]
    walls = [at.astimezone(zone_of(zone)) for at in hours]
    return tuple(one.date() for one, other in pairwise(walls) if one.utcoffset() != other.utcoffset()) or (date(2026, 6, 17),)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """A calendar, and a moment near a night on which its clocks change, or near Christmas."""
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.sampled_from([*changes(zone), date(2026, 12, 24)]))
    spans = draw(st.lists(st.tuples(TIMES, TIMES | st.just("24:00")).filter(lambda span: span[0] != span[1]), min_size=1, max_size=2))
    calendar = Calendar(
        timezone=zone,
        days=", ".join(draw(st.sets(st.sampled_from(DAYS), min_size=3))),
        hours=", ".join("-".join(span) for span in spans),
        holidays=draw(st.sampled_from([None, "DE-BE"])),
        closed=tuple(draw(st.sets(st.sampled_from([day + DAY * step for step in (-1, 0, 1)]), max_size=1))),
    )
    seconds = draw(st.integers(-30 * 3_600, 30 * 3_600))
    return calendar, datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(seconds=seconds)


def walk(calendar: Calendar, since: datetime) -> Iterator[tuple[datetime, bool]]:
    """Quarter by quarter from the one of `since` on: when it begins and whether somebody is there. The wall is read from two days before,
    and counts only forwards: an hour that it shows twice is over the first time.
    """
    zone, at = zone_of(calendar.timezone), since.replace(minute=since.minute // 15 * 15, second=0, microsecond=0) - 2 * DAY
    shown = at.astimezone(zone).replace(tzinfo=None)
    while True:
        shown = max(shown, at.astimezone(zone).replace(tzinfo=None))
        if at >= since - QUARTER:
            yield at, is_open(calendar, shown)
        at += QUARTER


@cache
def public(year: int) -> holidays.HolidayBase:
    """The public holidays of Berlin."""
    return holidays.country_holidays("DE", subdiv="BE", years=year)


def is_open(calendar: Calendar, wall: datetime) -> bool:
    """Whether somebody is there when the clock on the wall shows this: by today's spans, or by one of yesterday that ends today."""
    minute = wall.hour * 60 + wall.minute

    def works(day: date) -> bool:
        free = day in calendar.closed or (calendar.holidays is not None and day in public(day.year))
        return DAYS[day.weekday()] in calendar.days and not free

    for span in calendar.hours.split(", "):
        begins, ends = (int(time[:2]) * 60 + int(time[3:]) for time in span.split("-"))
        today = begins <= minute < ends if ends > begins else begins <= minute
        if (today and works(wall.date())) or (ends <= begins and minute < ends and works(wall.date() - DAY)):
            return True
    return False


def slow_after(calendar: Calendar, start: datetime, seconds: float) -> datetime:
    """The moment by which so much of the calendar's time has passed."""
    left = timedelta(seconds=seconds)
    if left <= timedelta(0):
        return start
    for quarter, there in walk(calendar, start):
        begin = max(quarter, start)
        if there and quarter + QUARTER > begin:
            if left <= quarter + QUARTER - begin:
                return begin + left
            left -= quarter + QUARTER - begin
    raise AssertionError


def slow_between(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Seconds of the calendar's time between two moments."""
    passed = timedelta(0)
    for quarter, there in walk(calendar, start):
        if quarter >= end:
            return passed.total_seconds()
        passed += max(min(quarter + QUARTER, end) - max(quarter, start), timedelta(0)) if there else timedelta(0)
    raise AssertionError


OPENS_SKIPPED = Calendar(timezone="Europe/Berlin", days=", ".join(DAYS), hours="02:15-06:00")
CLOSES_SKIPPED = Calendar(timezone="Australia/Lord_Howe", days=", ".join(DAYS), hours="22:00-02:15")
TWICE = Calendar(timezone="America/New_York", days=", ".join(DAYS), hours="01:45-06:00, 22:00-01:00")


@example((OPENS_SKIPPED, datetime(2027, 3, 27, 20, 30, tzinfo=UTC)), [3_600, 4 * 3_600, 5 * 3_600])
@example((CLOSES_SKIPPED, datetime(2026, 10, 3, 9, 30, tzinfo=UTC)), [3_600, 4 * 3_600, 5 * 3_600])
@example((TWICE, datetime(2026, 11, 1, 1, 30, tzinfo=UTC)), [3_600, 4 * 3_600, 5 * 3_600])
@settings(max_examples=examples(60))
@given(situations(), st.lists(st.integers(0, 5 * 3_600), min_size=1, max_size=3).map(sorted))
def test_what_a_clock_gives_is_what_the_wall_shows(situation: tuple[Calendar, datetime], spans: list[int]) -> None:
    """When so much time has passed, for one wait and for several at once; how much passed; when it opens and closes."""
    calendar, start = situation
    ends = [slow_after(calendar, start, seconds) for seconds in spans]
    assert [after(calendar, start, seconds) for seconds in spans] == ends
    assert after_each(calendar, start, spans) == ends
    assert between(calendar, start, ends[-1]) == slow_between(calendar, start, ends[-1])
    assert between(calendar, start, start + DAY) == slow_between(calendar, start, start + DAY)
    there, again = opens(calendar, start), closes(calendar, start)
    assert there == next(max(quarter, start) for quarter, one in walk(calendar, start) if one and quarter + QUARTER > start)
    if again is not None and again < start + 3 * DAY:
        assert again == next(max(quarter, start) for quarter, one in walk(calendar, start) if not one and quarter + QUARTER > start)


@settings(max_examples=examples(25))
@given(situations(), st.lists(st.integers(60, 8 * 3_600), min_size=2, max_size=4))
def test_a_pause_takes_nothing_from_the_time_to_decide(situation: tuple[Calendar, datetime], waits: list[int]) -> None:
    """Asked and timed out again and again: what is left goes on where it stopped, and what was paused is the sum of all pauses."""
    calendar, now = situation
    decide_s = 4 * 3_600
    route = a_route(information_s=waits[-1])
    tier = route.tiers[0].model_copy(update={"calendar": calendar, "ack_s": None, "decide_s": decide_s})
    route = route.model_copy(update={"tiers": (tier, *route.tiers[1:])})
    left, paused = float(decide_s), 0.0
    case = a_case(route=route, tier_since=now, created_at=now, clocks=Clocks(decide=slow_after(calendar, now, left)))
    for wait in waits[:-1]:
        asked = now + timedelta(seconds=wait)
        if case.clocks.decide is None or asked >= case.clocks.decide:
            return
        left -= slow_between(calendar, now, asked)
        case = done(step_of(a_press(case, "ask"))(Subject(case), asked))
        assert case.clocks.left_s == pytest.approx(left)
        now = asked + timedelta(seconds=waits[-1])
        paused += slow_between(calendar, asked, now)
        case = done(on_time(Subject(case), now))
        assert case.clocks.decide == slow_after(calendar, now, left)
        assert case.clocks.paused_s == pytest.approx(paused)


def done(result: object) -> Case:
    """The case after a step that was not refused."""
    assert isinstance(result, Change)
    return result.case
