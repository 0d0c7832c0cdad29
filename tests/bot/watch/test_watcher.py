"""When the watcher pages and when it does not, by the ledger of somebody else's PagerDuty, on a clock that tests move."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.faults import Fault, Mode
from bot.sandbox.sandbox import Sandbox
from bot.tls import trusted
from bot.watch.look import RESTART, Look
from bot.watch.page import KEY_MOST, SUMMARY_MOST, key_of, resolve, trigger
from bot.watch.routed_events import RoutedEvents
from bot.watch.watcher import News, Pace, Watcher

URL = "http://10.0.0.5:8080/readyz"
HANGS = Look("it does not answer within 3 s", RESTART)
PACE = Pace()
NIGHT = datetime(2026, 11, 20, 2, 13, tzinfo=UTC)
EVERY_S = int(PACE.every_s)


@dataclass
class Night:
    """A bot, a watcher that is woken as often as it looks, and PagerDuty."""

    sandbox: Sandbox
    at_s: float = 0.0
    seen: Look = field(default_factory=Look)
    news: list[News] = field(default_factory=list)
    routing_key: str = ""
    pace: Pace = PACE

    def watch(self) -> None:
        """The watcher starts, or starts again."""
        key = self.routing_key or self.sandbox.config.pagerduty.services[2].routing_key
        self.events = RoutedEvents(self.sandbox.pagerduty_events_url, key, trusted({}))
        self.watcher = Watcher(
            URL,
            self._see,
            self.events,
            pace=self.pace,
            steady=lambda: self.at_s,
            now=lambda: NIGHT + timedelta(seconds=self.at_s),
            tell=self.news.append,
        )

    async def _see(self) -> Look:
        return self.seen

    async def look_for(self, seconds: float, seen: Look) -> None:
        """Let time pass in which every look sees this."""
        self.seen, end = seen, self.at_s + seconds
        while self.at_s < end:
            await self.watcher.look()
            self.at_s += EVERY_S

    def events_seen(self, action: str) -> int:
        """How many PagerDuty took."""
        return self.sandbox.pagerduty.record.count("event", action=action)

    @property
    def open(self) -> list[str]:
        """Titles of incidents that are open."""
        return [one.title for one in self.sandbox.pagerduty.incidents if one.is_open]


@pytest.fixture
async def night() -> AsyncIterator[Night]:
    """All is well."""
    quiet = Night(Sandbox(NIGHT.timestamp))
    async with quiet.sandbox:
        quiet.watch()
        yield quiet
        quiet.events.close()


pytestmark = pytest.mark.outside


def test_the_figures_add_up_to_a_minute() -> None:
    """The last good answer may have been the last moment of health: a whole round, a slow answer and a slow PagerDuty later it rings."""
    assert PACE.after_s + PACE.every_s + PACE.answer_s + PACE.send_s <= 60.0
    assert PACE.after_s >= 30.0  # a restart does not ring


@pytest.mark.parametrize("within_s", [48.0, 49.0, 60.0, 300.0])
async def test_a_bot_that_catches_up_after_a_restart_is_left_alone(night: Night, within_s: float) -> None:
    """However long it says that it was behind: at the least figure that is taken it has a look's time, and a dead one rings in time."""
    night.events.close()
    night.pace = replace(PACE, within_s=within_s)
    night.watch()
    assert night.pace.unsound() == ""
    await night.look_for(EVERY_S, Look("it catches up", "", 3_600.0))
    await night.look_for(600, Look())
    assert night.events_seen("trigger") == 0
    begun = night.at_s
    while not night.open:
        await night.look_for(EVERY_S, HANGS)
    assert night.at_s - begun <= within_s


@pytest.mark.parametrize("within_s", [0.0, 18.0, 47.9, -1.0, float("inf"), float("nan")])
def test_what_would_ring_for_every_restart_is_refused(within_s: float) -> None:
    """With the least figure, and why."""
    said = replace(PACE, within_s=within_s).unsound()
    assert "48 seconds or more" in said
    assert "18 s to get out" in said
    assert "30 s behind" in said


@pytest.mark.parametrize("seen", [Look(), HANGS, Look("it says so", "", 3_600.0)], ids=["well", "hangs", "unwell for long"])
async def test_a_single_look_sends_nothing(night: Night, seen: Look) -> None:
    """Neither a page nor a resolve, also where an incident is open under its key; only that PagerDuty is there is asked."""
    await night.look_for(PACE.after_s + 2 * EVERY_S, HANGS)
    assert len(night.open) == 1
    before = night.sandbox.pagerduty.record.count("event")
    night.events.close()
    night.watch()
    night.seen = seen
    for _ in range(20):
        await night.watcher.look(page=False)
        night.at_s += EVERY_S
    assert night.sandbox.pagerduty.record.count("event") == before
    assert len(night.open) == 1


async def test_it_rings_once_and_is_resolved(night: Night) -> None:
    """With what is dead, since when, what to do first and where to look; however long it lasts there is one incident."""
    await night.look_for(60, Look())
    assert night.events_seen("trigger") == 0
    await night.look_for(PACE.after_s - EVERY_S, HANGS)
    assert night.open == []
    await night.look_for(3_600, HANGS)
    (title,) = night.open
    assert title == (
        "Tierline at 10.0.0.5:8080 cannot be relied on since 02:13 UTC: it does not answer within 3 s. "
        "First: Restart it: `systemctl restart tierline`. What was accepted is kept."
    )
    (incident,) = night.sandbox.pagerduty.incidents
    assert (incident.severity, incident.links[0]["href"], incident.triggers) == ("critical", URL, 1)
    await night.look_for(10, Look())
    assert (night.open, night.events_seen("trigger")) == ([], 1)
    await night.look_for(120, HANGS)
    assert len(night.open) == 1
    assert [one.kind for one in night.news] == ["ready", "not_ready", "paged", "ready", "resolved", "not_ready", "paged"]


async def test_a_single_look_pages_nobody(night: Night) -> None:
    """However long the bot says that it has been unwell, and however short a time is given."""
    night.watch()
    night.seen = HANGS
    night.at_s += 3_600
    assert (await night.watcher.look(page=False)).wrong
    assert (night.open, [one.kind for one in night.news]) == ([], ["not_ready"])
    await night.watcher.look()
    assert len(night.open) == 1


async def test_a_short_absence_does_not_ring(night: Night) -> None:
    """Restarts, one after the other, with a good look between them."""
    for _ in range(5):
        await night.look_for(5, Look())
        await night.look_for(PACE.after_s - EVERY_S, HANGS)
    assert night.events_seen("trigger") == 0


async def test_what_the_bot_noticed_late_is_counted_but_not_what_it_catches_up(night: Night) -> None:
    """Slack is known to be gone after 30 s: those count. A bot that starts after an hour's absence has some seconds to find its feet."""
    gone = Look("Slack has not answered for 31 s.", "Open the link.", 31.0)
    await night.look_for(5, Look())
    await night.look_for(PACE.after_s - 30 - EVERY_S, gone)
    assert night.open == []
    await night.look_for(EVERY_S * 2, gone)
    assert len(night.open) == 1
    await night.look_for(5, Look())
    await night.look_for(10, Look("A clock ran out 3600 s ago.", "Open the link.", 3_600.0))
    assert night.open == []


async def test_a_restart_of_the_watcher_rings_nobody_twice(night: Night) -> None:
    """PagerDuty joins what has the same key; what was left open is resolved by whoever sees the bot well first."""
    await night.look_for(60, HANGS)
    night.events.close()
    night.watch()
    await night.look_for(120, HANGS)
    assert [(one.triggers, one.is_open) for one in night.sandbox.pagerduty.incidents] == [(2, True)]
    night.events.close()
    night.watch()
    await night.look_for(5, Look())
    assert night.open == []


@pytest.mark.parametrize(
    "trouble",
    [
        Fault("pagerduty", "*", Mode.UNREACHABLE, times=None),
        Fault("pagerduty", "*", Mode.SERVER_ERROR, times=None),
        Fault("pagerduty", "*", Mode.RATE_LIMITED, times=None),
        Fault("pagerduty", "*", Mode.DROP_REPLY, times=None),
    ],
    ids=lambda fault: str(fault.mode),
)
async def test_it_keeps_trying_while_pagerduty_is_gone(night: Night, trouble: Fault) -> None:
    """Said once, with what it means; rung with the next look after it is back, and once; the same with what has to be resolved."""
    faults = night.sandbox.faults
    await night.look_for(5, Look())
    fault = faults.add(trouble)
    await night.look_for(600, HANGS)
    said = [one.sentence for one in night.news if one.failed]
    assert len(said) == 1
    assert "NOBODY IS PAGED YET" in said[0]
    faults.remove(fault)
    await night.look_for(EVERY_S, HANGS)
    assert len(night.open) == 1
    fault = faults.add(trouble)
    await night.look_for(60, Look())
    faults.remove(fault)
    await night.look_for(EVERY_S, Look())
    assert (night.open, len(night.sandbox.pagerduty.incidents)) == ([], 1)


async def test_a_wrong_routing_key_is_known_before_it_is_needed(night: Night) -> None:
    """The first good look already tells PagerDuty something it would refuse."""
    night.events.close()
    night.routing_key = "0" * 32
    night.watch()
    await night.look_for(5, Look())
    assert next(one.sentence for one in night.news if one.failed).startswith("PagerDuty does not take what it is told (HTTP 400)")
    await night.look_for(60, HANGS)
    assert "nobody is paged" in night.news[-1].sentence.lower()


async def test_a_pagerduty_that_is_gone_is_known_before_it_is_needed(night: Night) -> None:
    """Asked every minute while all is well; no event is spent on it."""
    await night.look_for(5, Look())
    spent = night.events_seen("resolve")
    night.sandbox.faults.add(Fault("pagerduty", "reach", Mode.UNREACHABLE))
    await night.look_for(240, Look())
    assert [one.kind for one in night.news] == ["ready", "pagerduty_failing", "pagerduty_back"]
    assert night.events_seen("resolve") == spent


def test_pages_fit_into_pagerduty_whatever_is_said() -> None:
    """Long addresses and long sentences are cut; the key stays one of its own."""
    long = f"https://{'a' * 300}.example/readyz"
    page = trigger(long, Look("x" * 5_000, "y" * 5_000), NIGHT)
    assert len(page["payload"]["summary"]) <= SUMMARY_MOST
    assert len(page["dedup_key"]) <= KEY_MOST
    assert resolve(long)["dedup_key"] == page["dedup_key"] != key_of(URL)
    assert key_of("http://10.0.0.5:8080/readyz") == "tierline/watch/10.0.0.5:8080"
