"""The one way out: takes what is to be sent from the outbox and carries it to its sender, until the peer has it or it is given up.

Owns how much goes out at once, the wait after an unclear reply, retries and giving up. It never draws, never talks to a peer itself, and
sends nothing of which it does not first write down that it is about to.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from bot.delivery.kept_unproven import keep_here
from bot.delivery.page_fates import CASE, PageFates, refused_schedule
from bot.delivery.rate_limits import POSTS, RateLimits
from bot.delivery.retry import MENDING, SCHEDULES, Retry
from bot.failures import failure
from bot.readiness import Pulse
from bot.slack.cards.view import Bulletin, View
from bot.timeouts import REAL, Timeouts
from routing.change import Change, Message, MessageKind, Refused, Subject
from routing.governance.alert import Alert
from routing.governance.digest import Digest, Listed
from routing.review.playbook import Result, came_of, step_of
from routing.vocabulary import CallbackKind, EventKind
from store.audit.stored_tree import DamagedLogError
from store.ledger.items import Step
from store.ledger.ledger import Ledger, NotRecordingError
from store.ledger.writer import CannotRecordError, WriterClosedError
from store.outbox.delivery import Delivered, MessageGoneError, Outgoing, Sender, SendError, UnprovenError
from store.outbox.outbox import Doubt, Outbox
from store.wakeups import Wakeups

SEND_TIMEOUT_S = 15.0
QUIET = timedelta(seconds=30)
"""How long a peer may still apply a request whose reply was lost. A callback needs no such wait: its receiver knows the webhook-id."""

KNOWS_THE_ID = frozenset({"callback", "ticket"})
"""Peers whose receivers tell by the webhook-id what they have already."""

WITHOUT_CONTENT = frozenset({"pagerduty", "email", "ticket"})
"""Peers that are told nothing of what a case contains."""

POLL_S = 1.0
GATHER_S = 0.05
"""After a round that found nothing, what is enqueued within so many seconds is claimed together: every look is a transaction, and while
cases pour in each of their commits would cause one, at the expense of the people who press."""

CLAIM = 32
"""Messages taken up at a time, of each peer."""

REFILL_AT = 32
"""More are taken up once so few are under way: one by one, the claims would cost more than the sending."""

UNREADABLE = timedelta(minutes=1)
"""Until a case is looked at again whose row, events or content somebody damaged: only a restored database changes that."""

GRACE_S = 20.0
LATE_PAGE = timedelta(minutes=5)
"""A page nobody has accepted for so long is an alarm at every try (promise P3)."""

_LOG = structlog.get_logger("tierline.courier")


class Views(Protocol):
    """Reads a case with all there is to show of it."""

    async def to_send(self, case_id: str) -> View | None:
        """The case as it is now, without content where that was erased; None when there is none."""
        ...

    async def to_answer(self, case_id: str) -> View | None:
        """The same as it was sent and said, nothing masked: for the service whose own it is."""
        ...

    async def to_page(self, case_id: str) -> View | None:
        """The same without any content: for those whose messages hold none."""
        ...


class Bulletins(Protocol):
    """Reads what is about more than one case."""

    async def to_send(self, subject: str, event: int, tier: int) -> Bulletin | None:
        """An alert, a proposal, an exception or a workflow's brake as it is now; None when there is none with this id."""
        ...


class Reach(Protocol):
    """Keeps account of where in Slack messages arrive."""

    async def refused(self, destination: str, error: str) -> None:
        """Slack refuses what is sent there, with this code."""
        ...

    async def reached(self, destination: str) -> None:
        """Something arrived there."""
        ...


class Courier:
    """Empties the outbox. `senders` by peer; `tally` counts tries by peer and result; `pulse` is told of each round.

    `passing` names steps, where tests let it die; `reach` is told where messages arrive and where they are refused.
    """

    def __init__(
        self,
        outbox: Outbox,
        rate_limits: RateLimits,
        senders: Mapping[str, Sender[View | Bulletin]],
        *,
        ledger: Ledger,
        wakeups: Wakeups,
        views: Views,
        bulletins: Bulletins,
        reach: Reach | None = None,
        clock: Callable[[], datetime],
        tally: Callable[[str, str], None],
        pulse: Pulse | None = None,
        schedules: Mapping[str, Retry] = SCHEDULES,
        timeouts: Timeouts = REAL,
        passing: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._outbox = outbox
        self._rate_limits = rate_limits
        self._ledger = ledger
        self._pages = PageFates(ledger, outbox, passing)
        self._wakeups = wakeups
        self._views = views
        self._bulletins = bulletins
        self._senders = senders
        self._reach = reach
        self._refusals = Counter[str]()
        self._clock = clock
        self._tally = tally
        self._pulse = pulse
        self._schedules = schedules
        self._timeouts = timeouts
        self._passing = passing
        self._under_way = set[asyncio.Task[None]]()
        self._busy: dict[str, Counter[str]] = {peer: Counter() for peer in senders}
        self._soonest: datetime | None = None

    async def run(self) -> None:
        """Carry until cancelled; then what is under way gets a little time to end."""
        try:
            while True:
                self._wakeups.outbox.clear()
                if await self._start_some():
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s()):
                        await self._wakeups.outbox.wait()
                await asyncio.sleep(GATHER_S)
        finally:
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=GRACE_S)
            for task in tuple(self._under_way):
                task.cancel()

    async def drain_once(self) -> int:
        """Carry everything that can go out now, and what that sets free; gives how many rows were taken up. What has to wait stays."""
        taken = 0
        while started := await self._start_some():
            taken += started
            while self._under_way:
                await asyncio.wait(self._under_way)
        return taken

    def _pause_s(self) -> float:
        """Seconds until something that was put back may be due, a second at most: a hint of another replica may be lost."""
        soonest, self._soonest = self._soonest, None
        return min(POLL_S, max(0.0, (soonest - self._clock()).total_seconds())) if soonest is not None else POLL_S

    async def _start_some(self) -> int:
        try:
            now = self._clock()
            waiting = await self._outbox.waiting(now, {peer: self._rate_limits.paused(peer, now) for peer in self._senders})
            free = [peer for peer in self._senders if peer in waiting and self._moving(peer) <= REFILL_AT]
        except Exception as error:  # noqa: BLE001 - the one way out does not close because the database is away for a while
            self._unreadable(error)
            return 0
        claims = await asyncio.gather(*(self._claim(peer) for peer in free), return_exceptions=True)
        rows = list[Outgoing]()
        for claim in claims:  # what was taken up for one peer goes out, whatever happened to another's
            match claim:
                case Exception():
                    self._unreadable(claim)
                case BaseException():
                    raise claim
                case _:
                    rows += claim
        if self._pulse is not None and not any(isinstance(claim, Exception) for claim in claims):
            self._pulse.came_round()
        for row in rows:
            self._busy[row.peer][row.message.destination] += 1
            task = asyncio.create_task(self._carry(row), name=f"courier {row.id}")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(rows)

    def _unreadable(self, error: Exception) -> None:
        _LOG.warning("outbox not readable", **failure(error))
        if self._pulse is not None:
            self._pulse.failed(error)

    def _moving(self, peer: str) -> int:
        """How much is under way to destinations that may get more: those that hang, however many, keep nothing from the others."""
        return sum(count for count in self._busy[peer].values() if count < self._rate_limits.most(peer))

    async def _claim(self, peer: str) -> list[Outgoing]:
        """Heads of lanes whose destination may get more; to a paused channel only updates, which have a pace of their own."""
        busy = {destination for destination, count in self._busy[peer].items() if count >= self._rate_limits.most(peer)}
        paused = self._rate_limits.paused(peer, self._clock())
        return await self._outbox.claim(peer, CLAIM, skip=busy, only_updates=paused, pace=self._rate_limits.pace(peer))

    async def _carry(self, row: Outgoing) -> None:
        try:
            await self._deliver(row)
        except (CannotRecordError, WriterClosedError, NotRecordingError) as error:
            _LOG.warning("not noted in the outbox; its lease will end", row=row.id, cause=type(error).__name__)
        except Exception:  # noqa: BLE001 - one message must not stop the others; its lease will end and it is looked at again
            _LOG.error("delivery failed", row=row.id, peer=row.peer, **failure())
        finally:
            self._busy[row.peer][row.message.destination] -= 1
            self._wakeups.outbox.set()  # the next message of its lane may go

    async def _deliver(self, row: Outgoing) -> None:
        now = self._clock()
        if (wait := await self._has_to_wait(row, now)) is not None:
            await self._put_back(row, wait)
            return
        try:
            shown = await self._shown(row)
        except (ValueError, DamagedLogError) as error:
            _LOG.error("not sent: what the database has of its case cannot be read", **_named(row), cause=type(error).__name__)
            self._tally(row.peer, "unreadable")
            await self._put_back(row, Doubt(now + UNREADABLE, "its case cannot be read", ambiguous=row.doubtful))
            return
        if shown is None or (needless := _needless(row.message, shown)):
            reason = needless if shown is not None else "there is nothing to show of this any more"
            await self._outbox.cancel(row, reason, _of_playbook(row, shown, "needless", reason))
            return
        if not await self._outbox.trying(row):
            return
        try:
            delivered = await self._send(row, replace(shown, tier=row.message.tier))
        except MessageGoneError as gone:
            _LOG.warning("a message of ours is gone", row=row.id, case=row.case_id, cause=gone.reason, posted_again=gone.again)
            self._tally(row.peer, "gone")
            await self._outbox.lost(row, gone)
            return
        except UnprovenError as error:
            self._tally(row.peer, "unproven")
            await keep_here(self._ledger, self._outbox, row, error, shown.case.workflow if isinstance(shown, View) else "")
            return
        except SendError as error:
            await self._failed(row, error, shown)
            return
        self._passing("courier.sent")
        await self._pages.accepted(row, delivered, _of_playbook(row, shown, "done"), _listed(shown))
        self._tally(row.peer, "delivered")
        if row.peer == "slack" and row.message.kind in POSTS and delivered != Delivered():
            await self._arrived(row.message.destination)
        if isinstance(shown, View) and row.message.kind is MessageKind.CARD and row.message.tier > shown.case.first_tier:
            await self._ledger.change(row.case_id, point_to(row.message.tier))

    async def _has_to_wait(self, row: Outgoing, now: datetime) -> Doubt | None:
        if row.doubtful and row.peer not in KNOWS_THE_ID and row.intent_at is not None and now < row.intent_at + QUIET:
            return Doubt(row.intent_at + QUIET, "waiting for a late reply to show", ambiguous=True)
        if (until := await self._rate_limits.enter(row, now)) is not None:  # first of all, while the rows are in the order of the claim
            return Doubt(until, "waiting for its turn", ambiguous=row.doubtful)
        return None

    async def _shown(self, row: Outgoing) -> View | Bulletin | None:
        if row.case_id.startswith(CASE):
            if row.peer == "callback":
                return await self._views.to_answer(row.case_id)
            return await (self._views.to_page if row.peer in WITHOUT_CONTENT else self._views.to_send)(row.case_id)
        return await self._bulletins.to_send(row.case_id, row.leaf_idx, row.message.tier)

    async def _send(self, row: Outgoing, view: View | Bulletin) -> Delivered:
        """One try. Whatever goes wrong in a way nobody foresaw leaves it open whether the peer has it."""
        self._passing("courier.sending")
        try:
            async with self._timeouts.within(SEND_TIMEOUT_S):
                return await self._senders[row.peer].send(row, view)
        except TimeoutError as error:
            raise SendError(f"no answer within {SEND_TIMEOUT_S:g} s", ambiguous=True) from error
        except SendError:
            raise
        except Exception as error:
            _LOG.error("sender failed", row=row.id, peer=row.peer, **failure())
            raise SendError(f"bug: {type(error).__name__}", ambiguous=True) from error

    async def hasten(self, destinations: Collection[str]) -> None:
        """What keeps Slack from taking messages for these channels may be gone: try them at once."""
        for destination in destinations:
            self._refusals.pop(destination, None)
            self._rate_limits.free(destination)
        await self._outbox.hasten("slack", destinations, self._clock())
        self._wakeups.outbox.set()

    async def _arrived(self, destination: str) -> None:
        """Whatever was refused there before need not wait any longer."""
        if self._refusals.pop(destination, 0):
            self._rate_limits.free(destination)
            await self._outbox.hasten("slack", (destination,), self._clock())
        if self._reach is not None:
            await self._reach.reached(destination)

    async def _refused(self, row: Outgoing, error: SendError, now: datetime) -> bool:
        """Slack refuses this for a cause that a person can mend: the destination waits, longer each time. False once it is given up."""
        destination, posts = row.message.destination, row.message.kind in POSTS
        self._refusals[destination] += posts
        tries = self._refusals[destination] if posts else row.attempts + 1
        again = MENDING.next_at(row.id, tries, now, row.created_at)
        if again is None:
            return False
        _LOG.warning("refused until somebody mends it", row=row.id, case=row.case_id, destination=destination, cause=error.reason)
        self._tally(row.peer, "refused")
        if posts:
            self._rate_limits.hold(destination, again)
        await self._put_back(row, Doubt(again, error.reason, ambiguous=row.doubtful))
        if posts and self._reach is not None:
            await self._reach.refused(destination, error.reason)
        return True

    async def _failed(self, row: Outgoing, error: SendError, shown: View | Bulletin) -> None:
        now = self._clock()
        if error.mendable and await self._refused(row, error, now):
            return
        attempts = row.attempts + 1
        said = {**_named(row), "attempts": attempts, "cause": error.reason}
        refused = error.permanent or error.mendable or (error.ambiguous and row.peer == "email")  # it knows no key that keeps it one
        schedule = refused_schedule(row.message) if refused else self._schedules[row.peer]
        again = schedule.next_at(row.id, attempts, now, row.created_at) if schedule is not None else None
        if again is None:
            _LOG.error("not delivered and given up", **said)
            self._tally(row.peer, "dead")
            await self._outbox.dead(row, error.reason, _of_playbook(row, shown, "failed", error.reason))
            return
        if error.retry_after_s is not None:
            pause_s = min(error.retry_after_s, self._schedules[row.peer].longest_pause_s)
            again = now + timedelta(seconds=pause_s)
            await self._rate_limits.slow_down(row, pause_s, now)
        doubtful = (error.ambiguous or row.doubtful) and row.peer not in KNOWS_THE_ID
        if error.ambiguous and row.peer not in KNOWS_THE_ID:
            again = max(again, now + QUIET)
        late_page = row.peer == "pagerduty" and now - row.created_at > LATE_PAGE
        (_LOG.error if late_page or row.doubtful else _LOG.warning)("not delivered, to be tried again", **said)
        self._tally(row.peer, "unclear" if error.ambiguous else "failed")
        self._look_again_by(again)
        await self._pages.put_back(row, error, Doubt(again, error.reason, ambiguous=doubtful))

    async def _put_back(self, row: Outgoing, doubt: Doubt) -> None:
        self._look_again_by(doubt.until)
        await self._outbox.put_back(row, doubt)

    def _look_again_by(self, at: datetime) -> None:
        self._soonest = min(self._soonest or at, at)


def _named(row: Outgoing) -> dict[str, Any]:
    return {"row": row.id, "case": row.case_id, "peer": row.peer, "kind": row.message.kind.value}


def point_to(tier: int) -> Step:
    """The step that refreshes the cards of the lower tiers once the card of `tier` stands, so that they can link to it."""

    def step(subject: Subject, _now: datetime) -> Change | Refused:
        case = subject.case
        lower = range(case.first_tier, tier)
        return Change(case, (), tuple(Message(MessageKind.CARD_UPDATE, case.route.tiers[one].channel, tier=one) for one in lower))

    return step


def _of_playbook(row: Outgoing, shown: View | Bulletin | None, result: Result, why: str = "") -> Step | None:
    """What became of the step of a playbook that the row carries out; None for every other row."""
    playing = isinstance(shown, View) and step_of(shown.case, row.message) is not None
    return came_of(row.message, result, why) if playing else None


def _listed(shown: View | Bulletin) -> Sequence[Listed]:
    """The pages that a digest listed when it was drawn."""
    return shown.about.listed if isinstance(shown, Bulletin) and isinstance(shown.about, Digest) else ()


def _needless(message: Message, shown: View | Bulletin) -> str:
    """Why a message need not go any more, "" when it does.

    Never a page, nor its acknowledgement, for an incident that is closed here; no page, by whatever route, once somebody has taken the
    case; and no resolve of a page that was given up.
    """
    if isinstance(shown, Bulletin) and isinstance(shown.about, Digest):
        wanted = shown.about.wanted or message.kind not in (MessageKind.PAGE, MessageKind.EMAIL)
        return "" if wanted else "nobody was wanted for it any more before this was sent"
    if isinstance(shown, Bulletin):
        over = isinstance(shown.about, Alert) and shown.about.cleared_at is not None
        return "the alert was over before this was sent" if over and message.kind is MessageKind.PAGE else ""
    match message.kind:
        case MessageKind.PAGE | MessageKind.PAGE_ACKNOWLEDGE | MessageKind.EMAIL:
            page = next((one for one in shown.case.pages if (one.tier, one.round) == (message.tier, message.round)), None)
            if page is not None and page.acknowledged_by and message.kind is not MessageKind.PAGE_ACKNOWLEDGE:
                return "somebody had taken the case before this was sent"
            return "" if page is not None else "the page was closed before this was sent"
        case MessageKind.CALLBACK if message.callback == CallbackKind.RELEASED:
            again = shown.case.withheld or (shown.case.interim is not None and shown.case.interim.in_force)
            return "what it would release is held again" if again else ""
        case MessageKind.PAGE_RESOLVE:
            return "its page was not delivered" if _given_up(message.round, shown) else ""
        case _:
            return ""


def _given_up(page_round: int, view: View) -> bool:
    """Whether the page of a round was given up and not revived since."""
    paged = [one.index for one in view.history if one.kind is EventKind.PAGED and one.fields.get("round") == page_round]
    fates = [
        one.kind
        for one in view.history
        if one.kind in (EventKind.NOT_DELIVERED, EventKind.DELIVERY_RETRIED)
        and one.fields.get("kind") == MessageKind.PAGE
        and one.fields.get("leaf") in paged
    ]
    return fates[-1:] == [EventKind.NOT_DELIVERED]
