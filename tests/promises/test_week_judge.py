"""The judge of a week can fail: each way in which pages go wrong is found in a week that was perfect but for that."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bot.sandbox.record import Seen
from tests.promises.pages_due import Act, Page
from tests.promises.week_company import DUTY, HOUR, KEYS, LADDERS, MINUTE, SECOND
from tests.promises.week_judge import judge
from tests.promises.week_story import Diary, Spell, Told, pages_of

FRIDAY = datetime(2026, 11, 20, 15, 7, 3, 250, tzinfo=UTC)
"""A Friday afternoon in Berlin, 53 minutes before the office closes."""


@dataclass
class Ledgers:
    """What PagerDuty and the mail server saw, as the bot should have made them see it."""

    diary: Diary
    seen: list[Seen]
    letters: list[tuple[float, str]]

    def wrongs(self) -> list[str]:
        """The judge's verdict."""
        return judge(self.diary, self.seen, self.letters, {key: service for service, key in KEYS.items()})

    def of(self, at: int, kind: str = "") -> list[int]:
        """Places of what was seen of the incident number `at`."""
        incidents = [one.data["incident_id"] for one in self.seen if one.kind == "opened"]
        found = [place for place, one in enumerate(self.seen) if one.data["id"] == incidents[at]]
        return [place for place in found if kind in ("", self.seen[place].kind)]

    def shift(self, at: int, by: timedelta, kinds: tuple[str, ...] = ("event", "opened")) -> None:
        """All of an incident that was seen of these kinds, some time later."""
        for place in self.of(at):
            if self.seen[place].kind in kinds:
                self.seen[place] = replace(self.seen[place], at=self.seen[place].at + by.total_seconds())


def perfect(*told: Told, spells: tuple[Spell, ...] = ()) -> Ledgers:
    """Everything at its time."""
    diary = Diary(list(told), list(spells), FRIDAY + timedelta(days=5))
    ledgers, ids = Ledgers(diary, [], []), count(1)
    for one in told:
        for page in pages_of(one, diary):
            rung = LADDERS[one.ladder].rungs[page.tier]
            if rung.service:
                ledgers.seen += rung_for(one, page, rung.service, f"Q{next(ids)}")
            if rung.mail and (rung.every is not None or not rung.service):
                ledgers.letters.append((page.at.timestamp(), f"<{one.id}.{page.tier + 1}.{page.round}.7@northwind.example>"))
    return ledgers


def rung_for(told: Told, page: Page, service: str, incident: str) -> list[Seen]:
    """An incident from its beginning to its end."""
    key = f"demo/{told.id}/{page.tier + 1}/{page.round}"

    def seen(kind: str, at: datetime, **data: object) -> Seen:
        return Seen("pagerduty", kind, at.timestamp(), {"id": incident, "incident_id": incident, "key": key, **data})

    routing_key = KEYS[service]
    opened = [seen("event", page.at, action="trigger", joined=None, routing_key=routing_key), seen("opened", page.at)]
    if page.over is None:
        return opened
    ended = [seen("event", page.over, action="resolve", joined=incident, routing_key=routing_key), seen("resolved", page.over)]
    return opened + ended


def a_case(*acts: Act, ladder: str = "desk", grave: bool = False) -> Told:
    """A case of that Friday."""
    return Told("c_1", ladder, grave, FRIDAY, list(acts))


def test_the_deadlines_are_those_of_the_policy() -> None:
    """15 minutes later tier 2 has it and is paged again where nobody answers, then the executives four times, at last somebody every 20 h;
    a grave case goes when the office closes; on Monday the office has its time.
    """
    at = [page.at - FRIDAY for page in pages_of(a_case(), Diary(end=FRIDAY + timedelta(days=2)))]
    assert at == [minutes * MINUTE for minutes in (15, 30, 35, 40, 45)] + [50 * MINUTE + 20 * HOUR, 50 * MINUTE + 40 * HOUR]
    closes = datetime(2026, 11, 20, 16, tzinfo=UTC)
    worked_on = [Act(FRIDAY + MINUTE + number * 14 * MINUTE, "claim") for number in range(4 * 24 * 4)]
    [grave, *_] = pages_of(a_case(*worked_on, ladder="watched", grave=True), Diary(end=FRIDAY + timedelta(days=2)))
    assert (grave.at, grave.tier) == (closes, 1)
    [slight, *_] = pages_of(a_case(*worked_on, ladder="watched"), Diary(end=FRIDAY + timedelta(days=4)))
    assert slight.at == datetime(2026, 11, 23, 15, 7, 3, 250, tzinfo=UTC), "eight hours of the office"
    [idle, *_] = pages_of(a_case(worked_on[0], ladder="watched"), Diary(end=FRIDAY + timedelta(days=4)))
    assert idle.at == FRIDAY + (1 + 15 + 30) * MINUTE, "a claim with which nothing was done, and the time to take it"


def drop(week: Ledgers) -> None:
    """A page is never made."""
    week.seen = [one for place, one in enumerate(week.seen) if place not in week.of(1)]


def late(week: Ledgers) -> None:
    """A page comes 40 seconds late."""
    week.shift(1, timedelta(seconds=40))


def early(week: Ledgers) -> None:
    """A page comes before it is due."""
    week.shift(1, -MINUTE, ("event", "opened"))


def twice(week: Ledgers) -> None:
    """A page opens two incidents."""
    again = [week.seen[place] for place in week.of(1)]
    week.seen += [replace(one, data={**one.data, "incident_id": "Q99", "id": "Q99"}) for one in again]


def after_the_end(week: Ledgers) -> None:
    """Somebody is rung when the page is over."""
    [resolve] = [place for place in week.of(1, "event") if week.seen[place].data["action"] == "resolve"]
    week.seen.append(replace(week.seen[resolve], at=week.seen[resolve].at + 5, data={**week.seen[resolve].data, "action": "trigger"}))


def left_open(week: Ledgers) -> None:
    """What is over rings on."""
    week.seen = [one for place, one in enumerate(week.seen) if place not in week.of(1, "resolved")]


def resolved_late(week: Ledgers) -> None:
    """What is over rings for another 40 seconds."""
    week.shift(1, timedelta(seconds=40), ("resolved",))


def nobody_asked(week: Ledgers) -> None:
    """Somebody is rung for a tier that nobody has come to."""
    week.seen += rung_for(week.diary.cases[0], Page(2, 77, FRIDAY, FRIDAY), DUTY, "Q98")


def another_way(week: Ledgers) -> None:
    """The second service is rung although the first took the page."""
    page = pages_of(week.diary.cases[0], week.diary)[0]
    week.seen += rung_for(week.diary.cases[0], page, SECOND, "Q97")


def no_letter(week: Ledgers) -> None:
    """A mail to the executives is lost."""
    week.letters.pop()


def two_letters(week: Ledgers) -> None:
    """A mail is sent twice."""
    week.letters.append(week.letters[-1])


def taken_before(week: Ledgers) -> None:
    """Somebody took it just before it rang."""
    page = pages_of(week.diary.cases[0], week.diary)[0]
    week.shift(0, timedelta(seconds=9))
    week.diary.cases[0].acts.append(Act(page.at + timedelta(seconds=8), "claim"))


WRONGS = (
    drop,
    late,
    early,
    twice,
    after_the_end,
    left_open,
    resolved_late,
    nobody_asked,
    another_way,
    no_letter,
    two_letters,
    taken_before,
)


@pytest.mark.parametrize("wrong", WRONGS, ids=lambda wrong: wrong.__name__)
def test_whatever_goes_wrong_is_found(wrong: Callable[[Ledgers], None]) -> None:
    """In a week that was perfect but for that."""
    week = perfect(a_case())
    assert week.wrongs() == []
    wrong(week)
    assert week.wrongs()


def gone(minutes: float, what: str = "gone") -> tuple[Spell, ...]:
    """PagerDuty takes nothing from a minute before the first page on, for so long."""
    begin = FRIDAY + 14 * MINUTE
    return (Spell(what, begin, begin + minutes * MINUTE),)  # type: ignore[arg-type]  # each is a trouble


@pytest.mark.parametrize(("back_after_s", "found"), [(58, False), (65, True)])
def test_a_minute_after_it_came_back(back_after_s: float, *, found: bool) -> None:
    """Is what a page has, and no more."""
    week = perfect(a_case(Act(FRIDAY + 20 * MINUTE, "approve")), spells=gone(2))
    week.shift(0, MINUTE + timedelta(seconds=back_after_s))
    assert bool(week.wrongs()) is found


@pytest.mark.parametrize(
    ("what", "by_s", "found"), [("gone", 350, False), ("gone", 370, True), ("refusing", 50, False), ("refusing", 70, True)]
)
def test_somebody_is_reached_another_way(what: str, by_s: float, *, found: bool) -> None:
    """By mail, after five minutes and a little where PagerDuty is gone, at once where it refuses."""
    week = perfect(a_case(Act(FRIDAY + 26 * MINUTE, "approve")), spells=gone(60, what))
    first = pages_of(week.diary.cases[0], week.diary)[0]
    week.seen = []
    week.letters = [((first.at + timedelta(seconds=by_s)).timestamp(), "<c_1.2.1.7@northwind.example>")]
    assert bool(week.wrongs()) is found


def test_one_that_is_switched_off_is_no_excuse_for_the_other() -> None:
    """The second key has to ring at once where the first service is switched off."""
    week = perfect(a_case(Act(FRIDAY + 26 * MINUTE, "approve")), spells=gone(60, "disabled"))
    first = pages_of(week.diary.cases[0], week.diary)[0]
    week.seen = rung_for(week.diary.cases[0], first, SECOND, "Q1")
    assert week.wrongs() == []
    week.shift(0, timedelta(minutes=2))
    assert week.wrongs()
