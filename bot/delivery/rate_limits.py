"""How fast each destination may be sent to: one message a second into a channel, one update about every second in the workspace.

Owns the pace of each peer and which destinations have to wait for it. It sends nothing, and no slow destination holds up another.
Source of the figures: https://docs.slack.dev/apis/web-api/rate-limits
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.change import MessageKind
from store.outbox.delivery import Outgoing
from store.outbox.token_buckets import Buckets, TokenBucket

MOST_AT_ONCE = {"slack": 4, "pagerduty": 48, "email": 4, "callback": 8, "ticket": 8}
"""Messages under way to one destination at a time."""

SPREAD = timedelta(seconds=30)
"""How far updates that have to wait are spread out at most."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens for one method: how many a second, how many at once."""

    method: str
    rate_per_s: float
    burst: float


POST = Bucket("chat.postMessage", 1.0, 1.0)
UPDATE = Bucket("chat.update", 50 / 60, 20.0)
WORKSPACE = "workspace"
POSTS = frozenset({MessageKind.CARD, MessageKind.NOTE, MessageKind.NOTICE, MessageKind.PLAYBOOK_NOTICE, MessageKind.BULLETIN})
"""Kinds that post a message; the others of Slack's change one."""


class RateLimits:
    """The pace of everything that leaves; the tokens are shared by all replicas."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._paused: dict[tuple[str, str], datetime] = {}
        self._held: dict[str, datetime] = {}
        self._updates_until: datetime | None = None

    def most(self, peer: str) -> int:
        """How many messages may be under way to one destination of a peer."""
        return MOST_AT_ONCE[peer]

    def pace(self, peer: str) -> TokenBucket | None:
        """What limits how much of a peer's is worth taking up."""
        return TokenBucket(UPDATE.method, WORKSPACE, UPDATE.rate_per_s, UPDATE.burst) if peer == "slack" else None

    def paused(self, peer: str, now: datetime) -> set[str]:
        """Destinations of a peer to which nothing is posted now."""
        self._paused = {lane: until for lane, until in self._paused.items() if until > now}
        self._held = {destination: until for destination, until in self._held.items() if until > now}
        return {destination for owner, destination in self._paused if owner == peer} | (self._held.keys() if peer == "slack" else set())

    async def enter(self, row: Outgoing, now: datetime) -> datetime | None:
        """Take what the row needs to go now; if it cannot, when it may try."""
        if row.peer != "slack":
            return None
        if row.message.kind not in POSTS:
            wait_s = await self._buckets.take(UPDATE.method, WORKSPACE, UPDATE.rate_per_s, UPDATE.burst)
            return self._spread(now, wait_s, urgent=row.message.urgent) if wait_s > 0 else None
        lane = (row.peer, row.message.destination)
        if (held := self._held.get(row.message.destination)) is not None and held > now:
            return held
        if (until := self._paused.get(lane)) is not None and until > now:
            return until
        wait_s = await self._buckets.take(POST.method, row.message.destination, POST.rate_per_s, POST.burst)
        if wait_s <= 0:
            return None
        self._paused[lane] = now + timedelta(seconds=wait_s)
        return self._paused[lane]

    def hold(self, destination: str, until: datetime) -> None:
        """Slack refuses what is posted there: what else is for it waits here, its rows as they are.

        Each replica finds out by a refused try of its own.
        """
        self._held[destination] = until

    def free(self, destination: str) -> None:
        """Try this destination again at once."""
        self._held.pop(destination, None)
        self._paused.pop(("slack", destination), None)

    async def slow_down(self, row: Outgoing, retry_after_s: float, now: datetime) -> None:
        """The peer asked for a pause."""
        if row.peer != "slack":
            return
        if row.message.kind not in POSTS:
            await self._buckets.drain(UPDATE.method, WORKSPACE, UPDATE.rate_per_s, retry_after_s)
            return
        self._paused[row.peer, row.message.destination] = now + timedelta(seconds=retry_after_s)
        await self._buckets.drain(POST.method, row.message.destination, POST.rate_per_s, retry_after_s)

    def _spread(self, now: datetime, wait_s: float, *, urgent: bool) -> datetime:
        """A place behind the updates that wait already: all of them asking again at the same moment would only burden the database.

        An urgent one, of a decided card, stands before them all.
        """
        first = now + timedelta(seconds=wait_s)
        if urgent:
            return first
        behind = (self._updates_until or first) + timedelta(seconds=1 / UPDATE.rate_per_s)
        self._updates_until = min(max(first, behind), now + SPREAD)
        return self._updates_until
