"""A company for a week: its policy, the same in the judge's words, and a world in which time passes from one happening to the next.

One bot, or several replicas on one database; each turn is everybody's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from bot.app import App
from routing.clock import Calendar
from tests import written
from tests.mail_server import MailServer
from tests.promises.pages_due import Ladder, Rung
from tests.world import World, next_due

WORKDAYS = "mon, tue, wed, thu, fri"
EVERY_DAY = f"{WORKDAYS}, sat, sun"
OFFICE = Calendar(timezone="Europe/Berlin", days=WORKDAYS, hours="09:00-17:00", holidays="DE-BE")
SHIFTS = Calendar(timezone="Europe/Berlin", days=EVERY_DAY, hours="01:30-04:30, 08:00-20:00", closed=(date(2026, 11, 18),))
"""Open in the hour that the wall skips in March and shows twice in October."""

TIER2, DUTY, SECOND = "PSTIER2A", "PSDUTY01", "PSEXPERT"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOLD = 20 * HOUR

LADDERS = {
    "desk": Ladder(
        (
            Rung(4 * HOUR, 15 * MINUTE, OFFICE),
            Rung(2 * HOUR, 15 * MINUTE, service=TIER2, second=SECOND, mail=True),
            Rung(6 * HOUR, service=DUTY, mail=True, every=5 * MINUTE, most=4),
        ),
        "held",
        HOLD,
    ),
    "watched": Ladder(
        (
            Rung(8 * HOUR, 30 * MINUTE, OFFICE, closed_to=1),
            Rung(3 * HOUR, 20 * MINUTE, SHIFTS, closed_to=2, service=TIER2, second=SECOND, mail=True),
            Rung(5 * HOUR, service=DUTY, mail=True, every=5 * MINUTE, most=3),
        ),
        "expired",
        HOLD,
    ),
    "shift": Ladder(
        (Rung(3 * HOUR, 40 * MINUTE, SHIFTS, service=TIER2, second=SECOND), Rung(HOUR, 10 * MINUTE, service=DUTY, mail=True)), "held", HOLD
    ),
    "letters": Ladder((Rung(90 * MINUTE, 30 * MINUTE, OFFICE), Rung(3 * HOUR, 20 * MINUTE, mail=True)), "expired", HOLD),
}
TIERS = (
    ("review-tier1", "frontline", "U0ANNA00001", "PELENA01"),
    ("review-tier2", "seniors", "U0DMITRI001", "PDMITRI1"),
    ("review-owners", "owners", "U0GRACE0001", "PGRACE01"),
)
"""Of each tier its channel, its group, and who presses and who answers there."""

LOOK = timedelta(minutes=1)
"""How often those who look at the clock look when nothing is due."""

KEYS = {TIER2: "${PD_TIER2}", DUTY: "${PD_INCIDENTS}", SECOND: "${PD_SECOND}"}


def _lasts(span: timedelta) -> str:
    return f"{span // timedelta(seconds=1)}s"


def _written(rung: Rung, place: int) -> str:
    channel, group, _, _ = TIERS[place]
    parts = [f"channel: {channel}, group: {group}, owner: U0GRACE0001, backup: U0HUGO00001, decide: {_lasts(rung.decide)}"]
    parts += [f"ack: {_lasts(rung.ack)}"] if rung.ack is not None else []
    parts += [f"calendar: {'office' if rung.hours is OFFICE else 'shifts'}"] if rung.hours is not None else []
    parts += [f"closed: {{to: {rung.closed_to + 1}}}"] if rung.closed_to is not None else []
    second = f', second_key: "{KEYS[rung.second]}"' if rung.second else ""
    parts += [f'pagerduty: {{routing_key: "{KEYS[rung.service]}"{second}}}'] if rung.service else []
    parts += [f"email: [tier{place + 1}@northwind.example]"] if rung.mail else []
    parts += [f"repeat: {{every: {_lasts(rung.every)}, most: {rung.most}}}"] if rung.every is not None else []
    return f"      - {{{', '.join(parts)}}}\n"


def _calendar(calendar: Calendar) -> str:
    free = f", holidays: {calendar.holidays}" if calendar.holidays else ""
    closed = f", closed: [{', '.join(map(str, calendar.closed))}]" if calendar.closed else ""
    return f'{{timezone: {calendar.timezone}, days: "{calendar.days}", hours: "{calendar.hours}"{free}{closed}}}'


POLICY = f"""
version: "week"
changes: "for a week"
owners: [U0GRACE0001, U0HUGO00001]
groups:
  frontline: {{usergroup: review-frontline}}
  seniors: {{usergroup: review-seniors}}
  owners: {{usergroup: review-owners}}
roles: {{supervisor: [owners], duty_officer: [owners], policy_owner: [owners]}}
channels: {{operations: review-ops, owners: review-owners}}
calendars: {{office: {_calendar(OFFICE)}, shifts: {_calendar(SHIFTS)}}}
clocks: [{{clock: hold, lasts: {_lasts(HOLD)}}}]
defaults:
  {{undo: 0s, duplicates: {{tie: false}}, sampling: {{rate: 0}}, checklist: {{steps: []}}, start: {{review: 1, specialist: 1, expert: 1}}}}
ladders:
""" + "".join(
    f"  {name}:\n    exhausted: {'hold' if ladder.ends == 'held' else 'reject'}\n    tiers:\n"
    + "".join(_written(rung, place) for place, rung in enumerate(ladder.rungs))
    for name, ladder in LADDERS.items()
)
POLICY += "workflows:\n" + "".join(f"  {name}: {{ladder: {name}, template: approval, requester: optional}}\n" for name in LADDERS)

SERVICES = written.SERVICES[: written.SERVICES.index("workflows:")] + f"workflows: [{', '.join(LADDERS)}]\n"


@dataclass
class Letters(MailServer):
    """A mail server that looks at the clock when something comes. `came`: unix seconds and the Message-ID."""

    clock: Callable[[], float] = float
    came: list[tuple[float, str]] = field(default_factory=list)

    async def handle_DATA(self, *given: object) -> str:  # noqa: N802 - as aiosmtpd calls it
        """The content came."""
        answer = await super().handle_DATA(*given)  # type: ignore[arg-type]  # handed on
        self.came.append((self.clock(), str(self.taken[-1]["Message-ID"])))
        return answer


class Company(World):
    """A world with replicas, in which nothing happens but at its time."""

    replicas = 1

    def __post_init__(self) -> None:
        """Nobody runs yet."""
        super().__post_init__()
        self.bots = list[App]()
        self._turns, self._looked = 0, self.clock.now
        self.sandbox.pagerduty.webhooks.retry_s = 0.01

    async def start(self) -> None:
        """Start all of them."""
        await super().start()
        self.bots = [self.bot]
        while len(self.bots) < self.replicas:
            self.bots.append(await self.one_more())

    async def one_more(self) -> App:
        """Another replica."""
        environment = self.write_files()
        return await App.start(self.settings(environment), environment, clock=self.clock, background=False, timeouts=self.timeouts)

    async def stop(self) -> None:
        """Stop all of them."""
        while self.bots:
            await self.bots.pop().stop()
        self.app = None

    async def turn(self) -> None:
        """What is due is done and what can be sent is sent: by all at once where a clock ran out, else by whoever's turn it is. That one
        hears what is said to the bot until the next turn.
        """
        self.sandbox.faults.apply_due()
        if not self.bots:
            return
        self._turns += 1
        mine = self.bots[self._turns % len(self.bots)]
        self.sandbox.connect(f"{mine.url}/slack/events", f"{mine.url}/pagerduty/webhooks", mine.url)
        due = await mine.database.read(next_due)
        there = self.bots if due is not None and due <= self.clock.now else [mine]
        if there is self.bots or self.clock.now - self._looked > LOOK:
            self._looked = self.clock.now
            await asyncio.gather(*(bot.tick() for bot in there))
        await self.sandbox.pagerduty.webhooks.settled()
        await mine.signing.tick()
        await asyncio.gather(*(bot.courier.drain_once() for bot in there))
        await self.sandbox.pagerduty.webhooks.settled()

    async def happening(self) -> datetime | None:
        """When something is due next, or tried again, or applied late; None while nobody runs."""
        if not self.bots:
            return None
        moments = [await self.bot.database.read(next_due), await self._next_try()]
        moments += [datetime.fromtimestamp(one.due_at, UTC) for one in self.sandbox.faults._pending]  # noqa: SLF001 - nobody else knows
        return min((at for at in moments if at is not None), default=None)
