"""Token buckets that replicas share, one row for a peer's method and scope (channel or workspace). Owns the counting, never the waiting."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, select, text, update

from store.ledger.writer import Writer
from store.schema import buckets, micros, moment

_MAKE = text("INSERT INTO buckets (method, scope, tokens, at) VALUES (:method, :scope, :tokens, :at) ON CONFLICT DO NOTHING")


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """How fast a method may be called in a scope: tokens a second, and how many at once."""

    method: str
    scope: str
    rate_per_s: float
    burst: float


def tokens(connection: Connection, now: datetime, pace: TokenBucket) -> float:
    """The tokens that are there now; nothing is taken."""
    this = (buckets.c.method == pace.method) & (buckets.c.scope == pace.scope)
    row = connection.execute(select(buckets.c.tokens, buckets.c.at).where(this)).first()
    return pace.burst if row is None else _filled(row.tokens, row.at, now, pace.rate_per_s, pace.burst)


class Buckets:
    """Narrow writes on the process's writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def take(self, method: str, scope: str, rate_per_s: float, burst: float) -> float:
        """Take one token. Gives 0.0 when there was one, else the seconds until there will be; then nothing was taken."""
        return await self._writer.write(partial(_take, method=method, scope=scope, rate_per_s=rate_per_s, burst=burst))

    async def drain(self, method: str, scope: str, rate_per_s: float, retry_after_s: float) -> None:
        """The peer asked for a pause: no token for `retry_after_s`."""
        await self._writer.write(partial(_drain, method=method, scope=scope, tokens=1.0 - rate_per_s * retry_after_s))


def _take(connection: Connection, now: datetime, *, method: str, scope: str, rate_per_s: float, burst: float) -> float:
    this = (buckets.c.method == method) & (buckets.c.scope == scope)
    connection.execute(_MAKE, {"method": method, "scope": scope, "tokens": burst, "at": micros(now)})
    row = connection.execute(select(buckets.c.tokens, buckets.c.at).where(this).with_for_update()).one()
    there = _filled(row.tokens, row.at, now, rate_per_s, burst)
    if there < 1.0:
        return float((1.0 - there) / rate_per_s)
    connection.execute(update(buckets).where(this).values(tokens=there - 1.0, at=micros(now)))
    return 0.0


def _filled(left: float, at: int, now: datetime, rate_per_s: float, burst: float) -> float:
    passed_s = max(0.0, (now - moment(at)).total_seconds())
    return min(burst, left + passed_s * rate_per_s)


def _drain(connection: Connection, now: datetime, *, method: str, scope: str, tokens: float) -> None:
    this = (buckets.c.method == method) & (buckets.c.scope == scope)
    connection.execute(_MAKE, {"method": method, "scope": scope, "tokens": tokens, "at": micros(now)})
    connection.execute(update(buckets).where(this).values(tokens=tokens, at=micros(now)))
