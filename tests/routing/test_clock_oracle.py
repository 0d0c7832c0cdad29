"""Business time against an oracle that nobody can get wrong: `tests.business_time`.

Generated over nights on which clocks change (both hemispheres, half hours, midnights), holidays, closed days, night shifts and pauses.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.case.case import Case, Clocks
from routing.change import Change, Subject
from routing.clock import Calendar, after, after_each, between, closes, opens
from routing.review.timing import on_time
from routing.review.verbs import step_of
from tests.business_time import DAY, DAYS, slow_after, slow_between, slow_closes, slow_opens, zone_of
from tests.examples_drawn import examples
from tests.routing.factory import a_case, a_press, a_route

ZONES = (
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Pacific/Auckland"),
    *("Africa/Cairo", "Asia/Beirut", "Asia/Kathmandu", "UTC"),
)
TIMES = st.sampled_from(
    ["00:00", "00:30", "01:00", "01:45", "02:00", "02:15", "02:45", "03:00", "06:00", "09:00", "17:30", "22:00", "23:30"]
)


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
    assert there == slow_opens(calendar, start)
    if again is not None and again < start + 3 * DAY:
        assert again == slow_closes(calendar, start)


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
