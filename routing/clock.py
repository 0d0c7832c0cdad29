"""Business time: opening hours, holidays, how long something takes in them. Owns calendars and the arithmetic; never asks the time.

Elapsed time is counted in UTC, opening hours are read on the wall of their time zone: a day on which the clocks change
is an hour longer or shorter, and opens and closes at the usual hours. A time that the wall shows twice counts the first time; one that
it skips counts as the moment of the change.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import holidays
from pydantic import BaseModel, ConfigDict, Field, field_validator

from routing.problems import did_you_mean

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})", re.ASCII)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_YEAR = timedelta(days=366)


class Calendar(BaseModel):
    """When somebody is there. Keeps the words of the policy file, so that a snapshot reads like it.

    Every calendar opens: days and hours that name no time are refused, and public holidays and closed days end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    timezone: str = Field(description="IANA name, for example Europe/Berlin")
    days: str = Field(default="mon-fri", description="Days and ranges of days: mon-fri, or mon-thu, sat")
    hours: str = Field(default="09:00-17:00", description="One or more spans, 09:00-12:30, 13:30-18:00; 22:00-06:00 ends the next day")
    holidays: str | None = Field(default=None, description="Country or country and subdivision whose public holidays are closed: DE-BE")
    closed: tuple[date, ...] = Field(default=(), max_length=366, description="Further closed days, 2026-12-24")

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        if name not in _zones():
            near = did_you_mean(name, _zones())
            raise ValueError(f'no time zone "{name}"{near if "did you mean" in near else "; expected an IANA name like Europe/Berlin"}')
        return name

    @field_validator("days")
    @classmethod
    def _days_read(cls, text: str) -> str:
        _weekdays(text)
        return text

    @field_validator("hours")
    @classmethod
    def _hours_read(cls, text: str) -> str:
        _spans(text)
        return text

    @field_validator("holidays")
    @classmethod
    def _holidays_known(cls, code: str | None) -> str | None:
        if code is not None:
            _holidays(code, 2026)
        return code

    def openings(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The spans in UTC in which somebody is there, in order, from the first that ends after `since`."""
        zone, weekdays, spans = _zone(self.timezone), _weekdays(self.days), _spans(self.hours)
        day = since.astimezone(zone).date() - _DAY  # yesterday's last span may reach into today
        before = since.astimezone(UTC)
        while True:
            if day.weekday() in weekdays and day not in self.closed and not (self.holidays and day in _holidays(self.holidays, day.year)):
                for opens, closes in spans:
                    start = _on_the_wall(day, opens, zone)
                    end = _on_the_wall(day if closes > opens else day + _DAY, closes, zone)
                    if end > max(start, before):
                        yield max(start, before), end
                        before = end
            day += _DAY


def after(calendar: Calendar | None, start: datetime, seconds: float) -> datetime:
    """The first moment (UTC) by which `seconds` of the calendar's time have passed since `start`; None counts elapsed time."""
    left = timedelta(seconds=seconds)
    if calendar is None or left <= timedelta(0):
        return start.astimezone(UTC) + max(left, timedelta(0))
    for opens, closes in calendar.openings(start):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    raise AssertionError("openings never end")


def after_each(calendar: Calendar | None, start: datetime, seconds: Sequence[float]) -> list[datetime]:
    """As `after` for each of these, at least one and ascending, in one walk through the calendar."""
    found, passed, left = list[datetime](), timedelta(0), [timedelta(seconds=one) for one in seconds]
    if calendar is None or min(left) <= passed:
        return [after(calendar, start, one) for one in seconds]
    for opens, closes in calendar.openings(start):
        while left[len(found)] - passed <= closes - opens:
            found.append(opens + (left[len(found)] - passed))
            if len(found) == len(left):
                return found
        passed += closes - opens
    raise AssertionError("openings never end")


def between(calendar: Calendar | None, start: datetime, end: datetime) -> float:
    """Seconds of the calendar's time from `start` to `end`; 0 when `end` is not later. None counts elapsed time."""
    if end <= start:
        return 0.0
    if calendar is None:
        return (end - start).total_seconds()
    passed = timedelta(0)
    for opens, closes in calendar.openings(start):
        if opens >= end:
            break
        passed += min(closes, end) - opens
    return passed.total_seconds()


def opens(calendar: Calendar, at: datetime) -> datetime:
    """The first moment (UTC) from `at` on at which somebody is there: `at` itself while it is open."""
    return next(calendar.openings(at))[0]


def closes(calendar: Calendar, at: datetime) -> datetime | None:
    """The first moment (UTC) from `at` on at which nobody is there: `at` itself while it is closed; None where that is over a year away."""
    end = at.astimezone(UTC)
    for opening, closing in calendar.openings(at):
        if opening > end:
            return end
        end = closing
        if end - at > _YEAR:
            return None
    raise AssertionError("openings never end")


@lru_cache(maxsize=4_096)  # the clocks of a tier ask for the same few days again and again
def _on_the_wall(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The first UTC moment at which a clock on the wall shows this, or what comes after it; minute 1440 is the next midnight."""
    if minutes == 1440:
        day, minutes = day + _DAY, 0
    wall = datetime.combine(day, time(minutes // 60, minutes % 60))
    at = wall.replace(tzinfo=zone).astimezone(UTC)
    while (at - _MINUTE).astimezone(zone).replace(tzinfo=None) >= wall:  # the clocks went over it: it is read an hour late
        at -= _MINUTE
    return at


@cache
def _zones() -> tuple[str, ...]:
    """The names of the tzdata package, so that opening hours are the same whatever zone files the machine has."""
    return tuple(files("tzdata").joinpath("zones").read_text("utf-8").split())


@cache
def _zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@lru_cache(maxsize=256)
def _weekdays(text: str) -> frozenset[int]:
    """Day numbers, Monday 0, of `mon-fri` or `mon, wed-fri`; `sat-mon` goes over the week's end."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().lower().partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise ValueError(f'expected days like mon-fri or "mon, wed", found "{part.strip()}"')
        start, length = _DAYS.index(first), (_DAYS.index(last or first) - _DAYS.index(first)) % 7
        found.update((start + step) % 7 for step in range(length + 1))
    return frozenset(found)


@lru_cache(maxsize=256)
def _spans(text: str) -> tuple[tuple[int, int], ...]:
    """Minutes after midnight, opening and closing, in order; a closing that is not later is on the next day."""
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        match = _HOURS.fullmatch(part.strip())
        if match is None:
            raise ValueError(f'expected hours like 09:00-18:00, found "{part.strip()}"')
        hours = [int(figure) for figure in match.groups()]
        opens, closes = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if hours[1] > 59 or hours[3] > 59 or opens >= 1440 or closes > 1440:
            raise ValueError(f'"{part.strip()}" is no time of day')
        if opens == closes:
            raise ValueError(f'"{part.strip()}" never opens; the whole day is 00:00-24:00')
        found.append((opens, closes))
    return tuple(sorted(found))


@lru_cache(maxsize=512)
def _holidays(code: str, year: int) -> frozenset[date]:
    country, _, subdivision = code.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        raise ValueError(f'no holidays known for "{code}"; expected an ISO 3166 code like DE or DE-BE')
    if subdivision and subdivision not in known[country]:
        raise ValueError(f'{country} has no subdivision "{subdivision}"{did_you_mean(subdivision, known[country])}')
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
