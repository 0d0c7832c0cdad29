"""Business time for somebody who trusts no arithmetic: it goes through time quarter by quarter, and looks at the wall.

What it takes of a `Calendar` are its words, with each day by name. Slow, and obvious.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import holidays

from routing.clock import Calendar

QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
"""Whatever opens, closes or changes here, does so on a quarter of an hour."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone as the pinned package has it: a machine's own files may be older, and governments change their minds."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


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


def slow_after(calendar: Calendar | None, start: datetime, seconds: float) -> datetime:
    """The moment by which so much of the calendar's time has passed; None counts all time."""
    left = timedelta(seconds=seconds)
    if calendar is None:
        return start + left
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


def slow_opens(calendar: Calendar, at: datetime) -> datetime:
    """The first moment from `at` on at which somebody is there."""
    return next(max(quarter, at) for quarter, there in walk(calendar, at) if there and quarter + QUARTER > at)


def slow_closes(calendar: Calendar, at: datetime) -> datetime:
    """The first moment from `at` on at which nobody is there."""
    return next(max(quarter, at) for quarter, there in walk(calendar, at) if not there and quarter + QUARTER > at)
