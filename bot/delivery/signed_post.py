"""One signed POST to an address that others wrote down, and what its answer means. Owns the connections, one set for each address.

It never retries (the courier does) and never decides what is said. Every try has the same webhook-id, so a receiver that deduplicates needs
no care here about replies that were lost.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ssl import SSLContext

import aiohttp
from aiohttp.abc import AbstractResolver

from bot.delivery.guarded_client import TIMEOUT_S, Client, ForbiddenAddressError, Network, guard_for
from bot.standard_webhooks import sign
from store.outbox.delivery import SendError
from store.outbox.network_cause import network_cause

MIN_RETRY_AFTER_S, MAX_RETRY_AFTER_S = 5.0, 3_600.0
"""What a receiver may ask for; less is left to our own schedule, or "at once" would be obeyed for 75 hours."""

GONE = 410


class SignedPosts:
    """Posts. Made inside a running loop, ended by `close`. `now` is the receivers' clock."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        steady: Callable[[], datetime] | None = None,
        resolver: AbstractResolver | None = None,
        timeout_s: float | None = TIMEOUT_S,
        tls: SSLContext | None = None,
    ) -> None:
        """`resolver` stands in for DNS where tests or a sandbox need it; `tls` says whom to trust.

        Tries are stamped in turn by `now`, the wall's clock, and by `steady`, which nobody sets: where they part, we cannot know which of
        them the receiver has.
        """
        self._clocks = (now, steady or now)
        self._resolver = resolver
        self._tls = tls
        self._timeout_s = timeout_s
        self._clients: dict[tuple[str, tuple[Network, ...]], Client] = {}

    async def post(
        self, url: str, body: bytes, *, networks: Sequence[Network], keys: Sequence[bytes], webhook_id: str, attempts: int
    ) -> None:
        """Post JSON, signed with each of `keys`; `attempts` counts the tries before.

        Any 2xx is delivered, 410 means "never again" (Standard Webhooks), all else may be tried again. Raises SendError.
        """
        headers = {"Content-Type": "application/json", **sign(keys, webhook_id, self._clocks[attempts % 2](), body)}
        try:
            reply = await self._client(url, networks).post(url, body, headers)
        except TimeoutError:
            raise SendError("no answer in time" if self._timeout_s is None else f"no answer within {self._timeout_s} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SendError(_failure(error)) from error
        if 200 <= reply.status < 300:
            return
        wait_s = _wait_s(reply.retry_after, self._clocks[1]()) if reply.status in (429, 503) else None
        raise SendError(f"answered {reply.status}", permanent=reply.status == GONE, retry_after_s=wait_s)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()

    def _client(self, url: str, networks: Sequence[Network]) -> Client:
        place = (url, tuple(networks))
        if place not in self._clients:
            guard = guard_for(url, networks)
            self._clients[place] = Client(guard, resolver=self._resolver, timeout_s=self._timeout_s, tls=self._tls)
        return self._clients[place]


def _failure(error: aiohttp.ClientError | OSError) -> str:
    """What went wrong, without the address: a URL may hold a secret."""
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(inner, ForbiddenAddressError):
        return "the address is inside and not in the service's networks"
    return f"not reached: {network_cause(error)}"


def _wait_s(retry_after: str, now: datetime) -> float | None:
    """The seconds that Retry-After asks for (RFC 9110, 10.2.3), at most an hour; None where it says nothing readable or hardly any."""
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        wait_s = float(retry_after)
    else:
        try:
            at = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        wait_s = ((at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(wait_s, MAX_RETRY_AFTER_S) if wait_s >= MIN_RETRY_AFTER_S else None
