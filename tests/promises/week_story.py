"""A week of a company, drawn from a seed and lived: cases come, people answer or do not, PagerDuty has its troubles, the bot is down now
and then. Keeps a diary of what those outside the bot did, for the judge; it never asks the bot anything.
"""

import heapq
import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Literal

from bot.demo.pressing import offered_by, place_of
from bot.sandbox.faults import Fault, Mode
from bot.sandbox.record import Seen
from tests.promises.pages_due import Act, Page, Verb, Waiting
from tests.promises.week_company import HOUR, LADDERS, MINUTE, TIER2, TIERS, Company
from tests.world import a_case, listeners_end

DAY = timedelta(days=1)
WEEKS = {
    "ordinary": datetime(2026, 11, 16, tzinfo=UTC),
    "autumn": datetime(2026, 10, 22, tzinfo=UTC),  # the clocks go back on Sunday the 25th
    "easter": datetime(2027, 3, 25, tzinfo=UTC),  # Good Friday, the clocks go forward on the 28th, Easter Monday
    "christmas": datetime(2026, 12, 22, tzinfo=UTC),  # two holidays, then a weekend
}
GRAVE = {"impact": "high", "likelihood": 0.5, "recoverability": "easy"}
SECOND = timedelta(seconds=1)

Trouble = Literal["gone", "failing", "throttled", "refusing", "disabled", "lost", "late", "down"]
"""Of PagerDuty: no connection, 503, 429, 4xx, one service switched off, answers lost, requests applied late; `down`: no bot runs."""

TROUBLES: tuple[Trouble, ...] = ("gone", "failing", "throttled", "refusing", "disabled", "lost", "late", "down")


@dataclass(frozen=True)
class Spell:
    """A time in which something was amiss."""

    what: Trouble
    since: datetime
    until: datetime


@dataclass
class Told:
    """One case and what people did about it."""

    id: str
    ladder: str
    grave: bool
    opened: datetime
    acts: list[Act] = field(default_factory=list)


@dataclass
class Diary:
    """What those outside the bot know of the week."""

    cases: list[Told] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
    end: datetime = datetime(9999, 1, 1, tzinfo=UTC)

    def awake(self, at: datetime) -> datetime:
        """Then, or once the bot runs again."""
        return next((spell.until for spell in self.spells if spell.what == "down" and spell.since <= at < spell.until), at)


def pages_of(told: Told, diary: Diary) -> list[Page]:
    """Every page that is due for a case until the end of the diary, by what it says."""
    acts = sorted(told.acts, key=lambda act: act.at)
    return Waiting(LADDERS[told.ladder], told.grave, diary.awake).live(told.opened, acts, diary.end)


class Week:
    """Lives one week with so many cases, in which no trouble lasts longer than `longest`."""

    def __init__(self, company: Company, seed: str, cases: int, *, longest: timedelta) -> None:
        self.company = company
        self.diary = Diary()
        self.begin = WEEKS[seed.split("-", maxsplit=1)[0]]
        self.end = self.begin + 7 * DAY
        self._draw = Random(seed)  # noqa: S311 - no secret
        self._cases = cases
        self._longest = longest
        self._agenda: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = []
        self._numbers = itertools.count()
        self._news: list[Seen] = []

    # How it is told

    async def live(self) -> Diary:
        """The whole week, and an hour in which everything gets well and whoever can decides what is left."""
        company = self.company
        company.sandbox.pagerduty.record.watch(self._hear)
        for at in self._arrivals():
            self._at(at, self._open)
        for _ in range(3):
            self._spell("down", self.begin + self._draw.random() * 6 * DAY)
            self._at(self.begin + self._draw.random() * 6 * DAY, self._leave)
        await self._until(self.end)
        for told in self.diary.cases:
            await self._until(company.clock.now + 3 * SECOND)
            for verb in ("resume", "approve"):
                await self._press(told, verb)
        await self._until(company.clock.now + 10 * MINUTE)
        self.diary.end = company.clock.now
        return self.diary

    async def _until(self, end: datetime) -> None:
        """Everything happens at its time, what people do as what the bot does."""
        company = self.company
        await self._turn()
        while True:
            at, act_at = await company.happening(), self._agenda[0][0] if self._agenda else None
            if act_at is not None and act_at <= min(end, at or end):
                _, _, act = heapq.heappop(self._agenda)
                company.clock.now = max(act_at, company.clock.now)
                await act()
            elif at is not None and at <= end:
                company.clock.now = max(at, company.clock.now + timedelta(milliseconds=50))
            else:
                break
            await self._turn()
        company.clock.now = max(company.clock.now, end)

    async def _turn(self) -> None:
        await self.company.turn()
        self._react()

    def _at(self, at: datetime, act: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._agenda, (at, next(self._numbers), act))

    def _between(self, least: timedelta, most: timedelta) -> timedelta:
        return least + self._draw.random() * (most - least)

    # What is drawn

    def _arrivals(self) -> Iterator[datetime]:
        """Half of them when offices open and close and on nights when clocks change, the others at any time of six days."""
        for _ in range(self._cases):
            day = self.begin + self._draw.randrange(6) * DAY
            edge = day + self._draw.choice([0.5, 1, 2, 7.5, 8, 15.75, 16]) * HOUR + self._between(timedelta(0), HOUR)
            yield edge if self._draw.random() < 0.5 else self.begin + self._draw.random() * 6 * DAY

    def _spell(self, what: Trouble, since: datetime) -> None:
        """Something goes wrong then, for seconds, minutes, or as long as troubles last at most."""
        draw = self._draw
        longest = [self._between(SECOND, MINUTE), self._between(SECOND, 2 * MINUTE), self._between(MINUTE, self._longest)]
        lasts = draw.choice(longest)
        self._at(since, partial(self._trouble, Spell(what, since, since + lasts)))

    # What happens

    async def _open(self) -> None:
        draw, number = self._draw, next(self._numbers)
        if not self.company.bots:
            self._at(self.company.clock.now + MINUTE, self._open)
            return
        ladder, grave = draw.choice(list(LADDERS)), draw.random() < 0.4
        risk = {"risk": GRAVE} if grave else {}
        status, answer = await self.company.sandbox.customer.post(a_case(number, workflow=ladder, **risk), f"week-{number}")
        assert status == 202, answer
        told = Told(str(answer["id"]), ladder, grave, self.company.clock.now)
        self.diary.cases.append(told)
        intents: Sequence[Verb] = draw.choice(
            [(), ("approve",), ("claim",), ("claim", "approve"), ("escalate", "approve"), ("withdraw",), ("approve", "resume", "approve")]
        )
        at = self.company.clock.now
        for verb in intents:
            at += draw.choice([self._between(SECOND, 30 * MINUTE), self._between(MINUTE, 10 * HOUR), self._between(HOUR, 2.5 * DAY)])
            self._at(at, partial(self._press, told, verb))
        self._foresee(told)

    def _foresee(self, told: Told) -> None:
        """Often something goes wrong about the time at which a case is paged next, as things stand."""
        draw, now = self._draw, self.company.clock.now
        due = [page.at for page in pages_of(told, replace(self.diary, end=now + 2 * DAY)) if page.at > now]
        if due and draw.random() < 0.5:
            self._spell(draw.choice(TROUBLES), max(now, due[0] + self._between(-MINUTE, 10 * SECOND)))

    async def _press(self, told: Told, verb: Verb) -> None:
        """Somebody of the tier that has the case presses, or its service takes it back; nothing where that is not offered."""
        company, slack = self.company, self.company.sandbox.slack
        if not company.bots:
            return
        if verb == "withdraw":
            status, _ = await company.sandbox.customer.withdraw(told.id, "no longer wanted")
            if status == 200:
                told.acts.append(Act(company.clock.now, verb))
            return
        cards = company.cards(told.id)
        if not cards or f"tierline:{verb}" not in offered_by(cards[-1]):
            return
        channel = next(one.name for one in company.sandbox.config.slack.channels if one.id == cards[-1]["channel"])
        person = next(who for name, _, who, _ in TIERS if name == channel)
        await slack.click(person, channel, cards[-1]["ts"], *place_of(cards[-1], verb))
        await listeners_end()
        if verb == "escalate":
            await company.fill_in(person, {"reason": "unsure"})
        told.acts.append(Act(company.clock.now, verb))
        self._foresee(told)

    async def _leave(self) -> None:
        """An owner is away for a while."""
        if self.company.bots:
            who = self._draw.choice(["U0GRACE0001", "U0HUGO00001"])
            await self.company.sandbox.slack.command(who, "review-ops", "/review", f"away {self._draw.randint(1, 3)}d")
            await listeners_end()

    # PagerDuty

    def _hear(self, seen: Seen) -> None:
        if seen.kind == "opened":
            self._news.append(seen)

    def _react(self) -> None:
        """Whoever is rung answers some time later, or does not."""
        draw, now = self._draw, self.company.clock.now
        news, self._news = self._news, []
        for seen in news:
            answers: Sequence[Verb] = draw.choice(
                [(), (), ("acknowledged",), ("acknowledged",), ("resolved",), ("acknowledged", "resolved")]
            )
            if any(spell.what == "lost" and spell.until > now for spell in self.diary.spells):
                answers = ("resolved",)  # while our next try is out
            self._foresee(self._told(seen.data["key"].split("/")[1]))
            at = now
            for verb in answers:
                at += draw.choice([self._between(SECOND, 28 * SECOND), self._between(MINUTE, 25 * MINUTE), self._between(MINUTE, 4 * HOUR)])
                self._at(at, partial(self._answer, seen.data["incident_id"], verb))

    def _told(self, case_id: str) -> Told:
        return next(one for one in self.diary.cases if one.id == case_id)

    async def _answer(self, incident_id: str, verb: Verb) -> None:
        """Somebody answers in PagerDuty; the bot hears of it at once, or when it runs again."""
        pagerduty, now = self.company.sandbox.pagerduty, self.company.clock.now
        incident = pagerduty.incident(incident_id)
        if incident is None or not incident.is_open or incident.status == verb:
            return
        _, case_id, tier, number, *_ = incident.key.split("/")
        act = pagerduty.acknowledge if verb == "acknowledged" else pagerduty.resolve
        await act(incident_id, TIERS[int(tier) - 1][3])
        told = self._told(case_id)
        told.acts.append(Act(self.diary.awake(now), verb, int(number)))
        self._foresee(told)

    async def _trouble(self, spell: Spell) -> None:
        """One of PagerDuty's at a time; of several replicas mostly one alone is started anew, and that is no trouble."""
        company, pagerduty = self.company, self.company.sandbox.pagerduty
        down = spell.what == "down"
        if any(one.until > spell.since and (one.what == "down") == down for one in self.diary.spells) or spell.until > self.end - HOUR:
            return
        if down and len(company.bots) > 1 and self._draw.random() < 0.7:
            await company.bots.pop().stop()
            company.bots.append(await company.one_more())
            return
        spell = replace(spell, since=company.clock.now)
        self.diary.spells.append(spell)
        faults = [company.sandbox.faults.add(one) for one in self._faults(spell.what)]
        if down:
            await company.stop()
        if spell.what == "disabled":
            pagerduty.disable(TIER2)

        async def over() -> None:
            for fault in faults:
                company.sandbox.faults.remove(fault)
            if spell.what == "disabled":
                pagerduty.disable(TIER2, disabled=False)
            if down:
                await company.start()
                await pagerduty.webhooks.settled()

        self._at(spell.until, over)

    def _faults(self, what: Trouble) -> list[Fault]:
        """What the sandbox's PagerDuty does meanwhile."""
        draw = self._draw
        modes: dict[Trouble, tuple[Mode, dict[str, Any]]] = {
            "gone": (Mode.UNREACHABLE, {}),
            "failing": (Mode.SERVER_ERROR, {"status": 503}),
            "throttled": (Mode.RATE_LIMITED, {"retry_after_s": draw.choice([10, 30, 50])}),
            "refusing": (Mode.SERVER_ERROR, {"status": draw.choice([400, 403, 404])}),
            "lost": (Mode.DROP_REPLY, {}),
            "late": (Mode.APPLY_LATE, {"seconds": draw.uniform(3, 25)}),
        }
        if what not in modes:
            return []
        mode, more = modes[what]
        return [Fault("pagerduty", method, mode, times=None, **more) for method in ("enqueue", *(("incidents",) if what == "gone" else ()))]
