"""When somebody has to be paged about a case: worked out from its ladder and from what people did, with business time counted quarter by
quarter. It reads `docs/policy.md` and nothing of the bot: neither its code, nor its database, nor what it says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from routing.clock import Calendar
from tests.business_time import slow_after, slow_closes, slow_opens

WEIGHT = ("decide", "closed", "ack", "hold", "page", "idle")
"""Of clocks that run out while nobody looks, the first of these acts."""

IDLE = timedelta(minutes=15)
"""How long a claim lasts with which nothing is done."""

Verb = Literal["claim", "approve", "escalate", "resume", "withdraw", "acknowledged", "resolved"]


@dataclass(frozen=True)
class Rung:
    """One tier: how long it has, when it is there, and the services (first and second key) that page it."""

    decide: timedelta
    ack: timedelta | None = None
    hours: Calendar | None = None
    closed_to: int | None = None
    """The tier (0-based) that has what is grave while this one is closed."""
    service: str = ""
    second: str = ""
    mail: bool = False
    every: timedelta | None = None
    most: int = 0

    @property
    def patience(self) -> timedelta:
        """How long the first route has before another is taken beside it."""
        ack = self.every * self.most if self.every is not None else self.ack
        return timedelta(minutes=5) if ack is None else min(timedelta(minutes=5), max(timedelta(seconds=30), ack / 2))


@dataclass(frozen=True)
class Ladder:
    """Tiers, and what a case comes to above them: `held` is asked about again after `hold`."""

    rungs: tuple[Rung, ...]
    ends: Literal["held", "expired"]
    hold: timedelta


@dataclass(frozen=True)
class Act:
    """What somebody did and from when on it counted; `round`: of the page, where it was done in PagerDuty."""

    at: datetime
    verb: Verb
    round: int = 0


@dataclass
class Page:
    """A page that has to be made at `at`, unless it is `over` before; whom it reached has `taken` it."""

    tier: int
    round: int
    at: datetime
    since: datetime
    """When its tier was first paged, where it is one of several in a row."""
    taken: datetime | None = None
    over: datetime | None = None


@dataclass
class Waiting:
    """A case as it waits. `awake`: when what is due at a moment can be done: then, or once somebody runs the bot again."""

    ladder: Ladder
    grave: bool
    awake: Callable[[datetime], datetime]
    pages: list[Page] = field(default_factory=list)
    state: Literal["open", "held", "over"] = "open"
    tier: int = 0
    taken: bool = False
    claimed: bool = False
    """Whether it is taken by whoever claimed it."""
    clocks: dict[str, datetime] = field(default_factory=dict)

    def live(self, opened: datetime, acts: Sequence[Act], end: datetime) -> list[Page]:
        """Every page that was ever due, oldest first."""
        self._enter(0, opened, page=False)
        for act in acts:
            self._pass(act.at)
            self._do(act)
        self._pass(end)
        return self.pages

    @property
    def _rung(self) -> Rung:
        return self.ladder.rungs[self.tier]

    def _pass(self, until: datetime) -> None:
        while self.clocks:
            at, _, clock = min((self.awake(at), WEIGHT.index(clock), clock) for clock, at in self.clocks.items())
            if at >= until:
                return
            self._ring(clock, at)

    def _ring(self, clock: str, at: datetime) -> None:
        rung = self._rung
        match clock:
            case "closed":
                self._enter(self._landing(self.tier, at), at, page=True)
            case "hold":
                self._end_pages(at)
                self._page(at)
                self.clocks["hold"] = at + self.ladder.hold
            case "idle":
                self._is_free_again(at)
            case "page" if rung.every is not None:
                self._page(at)
                again = slow_after(rung.hours, at, rung.every.total_seconds())
                del self.clocks["page"]
                if again < self.clocks["ack"]:
                    self.clocks["page"] = again
            case "page":
                self._page(at)
                del self.clocks["page"]
            case "ack" if rung.every is None and rung.ack is not None and rung.service and not self._open(self.tier):
                self._page(at)
                self.clocks["ack"] = slow_after(rung.hours, at, rung.ack.total_seconds())
            case _:
                self._climb(at)

    def _do(self, act: Act) -> None:
        at, page = act.at, next((one for one in self.pages if one.round == act.round and one.over is None), None)
        match act.verb:
            case "claim":
                self._take(at)
                self.claimed, self.clocks["idle"] = True, at + IDLE
            case "approve" | "withdraw":
                self._end_pages(at)
                self.state, self.clocks = "over", {}
            case "escalate":
                self._climb(at)
            case "resume":
                self._end_pages(at)
                self._enter(self.tier, at, page=False)
                self._take(at)
            case "acknowledged" if page is not None:
                page.taken = page.taken or at
                if self.state == "open" and page.tier == self.tier:
                    self._take(at)
            case "resolved" if page is not None:
                page.over = at
                if self.state == "open" and page.tier == self.tier:
                    self._ask_again(at)

    def _ask_again(self, at: datetime) -> None:
        """Resolved in PagerDuty, and nobody has decided: the tier is paged anew."""
        rung, taken = self._rung, self.taken
        self.taken = self.claimed = False
        if rung.every is None:
            self.clocks.pop("ack", None)
            self.clocks["page"] = slow_after(rung.hours, at, (rung.ack or rung.decide).total_seconds())
        elif taken:
            self._begin(at)

    def _is_free_again(self, at: datetime) -> None:
        """Whoever claimed it did nothing with it: somebody has to take it up, in the time that the tier has for that."""
        del self.clocks["idle"]
        if not self.claimed:
            return
        self.taken = self.claimed = False
        runs = dict(self.clocks)
        self._begin(at)
        self.clocks = {name: at for name, at in self.clocks.items() if name in ("ack", "page")} | runs

    def _enter(self, tier: int, at: datetime, *, page: bool) -> None:
        there = self._landing(tier, at)
        self._end_pages(at)
        self.tier, self.state, self.taken, self.claimed = there, "open", False, False
        self._begin(at)
        if page or there != tier or self._rung.every is not None:
            self._page(at)

    def _begin(self, at: datetime) -> None:
        rung = self._rung
        self.clocks = {"decide": slow_after(rung.hours, at, rung.decide.total_seconds())}
        if rung.every is not None:
            self.clocks["ack"] = slow_after(rung.hours, at, rung.every.total_seconds() * rung.most)
            self.clocks["page"] = slow_after(rung.hours, at, rung.every.total_seconds())
        elif rung.ack is not None:
            self.clocks["ack"] = slow_after(rung.hours, at, rung.ack.total_seconds())
        if self.grave and rung.closed_to is not None and rung.hours is not None:
            self.clocks["closed"] = slow_closes(rung.hours, at)

    def _landing(self, tier: int, at: datetime) -> int:
        rung = self.ladder.rungs[tier]
        while self.grave and rung.closed_to is not None and rung.hours is not None and slow_opens(rung.hours, at) > at:
            tier = rung.closed_to
            rung = self.ladder.rungs[tier]
        return tier

    def _climb(self, at: datetime) -> None:
        if self.tier + 1 < len(self.ladder.rungs):
            self._enter(self.tier + 1, at, page=True)
            return
        self._end_pages(at)
        self.state, self.taken = ("held" if self.ladder.ends == "held" else "over"), False
        self.clocks = {"hold": at + self.ladder.hold} if self.state == "held" else {}

    def _take(self, at: datetime) -> None:
        if self.taken:
            return
        self.taken = True
        self.clocks.pop("ack", None)
        self.clocks.pop("page", None)
        for page in self._open(self.tier):
            page.taken = page.taken or at

    def _page(self, at: datetime) -> None:
        rung, since = self._rung, at
        if not rung.service and not rung.mail:
            return
        if rung.every is not None:
            for before in self._open(self.tier):
                before.over, since = at, before.since
        self.pages.append(Page(self.tier, len(self.pages) + 1, at, since))

    def _open(self, tier: int) -> list[Page]:
        return [page for page in self.pages if page.tier == tier and page.over is None]

    def _end_pages(self, at: datetime) -> None:
        for page in self.pages:
            page.over = page.over or at
