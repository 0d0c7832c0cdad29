"""What goes wrong between a caller and a peer, on demand: lost replies, delays, 429, 5xx, requests applied late. Owns the rules and
carries them out; it never knows what a request means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

EVERYTHING = "*"


class Mode(StrEnum):
    """What a fault does to one request."""

    DROP_REPLY = "drop_reply"  # applied, then the connection is cut
    DELAY = "delay"  # applied and answered after `seconds` (or once `until` is set)
    RATE_LIMITED = "rate_limited"  # 429 with Retry-After, not applied
    SERVER_ERROR = "server_error"  # `status`, not applied
    APPLY_LATE = "apply_late"  # the connection is cut now, applied `seconds` later
    REFUSED = "refused"  # answered as Slack refuses, with `error`; not applied
    UNREACHABLE = "unreachable"  # the connection is cut, never applied


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """One rule. `peer`: slack, pagerduty, customer, tickets or mail; `method`: as the peer names it, `*` for all; `times`: None until it is
    removed.

    `seconds` is real time for `delay` (a caller's timeout is real too) and the sandbox clock's for `apply_late`.
    """

    peer: str
    method: str
    mode: Mode | str
    times: int | None = 1
    seconds: float = 0.0
    retry_after_s: int = 1
    status: int = 503
    until: asyncio.Event | None = None
    error: str = "fatal_error"


@dataclass(frozen=True, slots=True)
class _Pending:
    due_at: float
    apply: Callable[[], object]


class Faults:
    """The rules in force and the requests still to be applied late. `clock` gives unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left: dict[Fault, int | None] = {}
        self._pending: list[_Pending] = []

    def add(self, fault: Fault) -> Fault:
        """Put a rule in force, after those already there."""
        self._left[fault] = fault.times
        return fault

    def remove(self, fault: Fault) -> None:
        """Take a rule away; nothing happens if it has run out."""
        self._left.pop(fault, None)

    def clear(self) -> None:
        """Take all rules away. What is still to be applied late stays."""
        self._left.clear()

    def take(self, peer: str, method: str) -> Fault | None:
        """The oldest rule for this request, one use of it spent."""
        for fault, left in self._left.items():
            if fault.peer in (peer, EVERYTHING) and fault.method in (method, EVERYTHING):
                if left is not None:
                    self._left[fault] = left - 1
                    if left <= 1:
                        del self._left[fault]
                return fault
        return None

    async def delay(self, fault: Fault) -> None:
        """Wait as long as a `delay` fault says."""
        await (fault.until.wait() if fault.until is not None else asyncio.sleep(fault.seconds))

    def apply_due(self) -> int:
        """Apply what is due by now; peers call it before they look at their state. Returns how many."""
        now = self._clock()
        return self._apply([item for item in self._pending if item.due_at <= now])

    def apply_pending(self) -> int:
        """Apply everything held back, due or not. Returns how many."""
        return self._apply(list(self._pending))

    def _apply(self, items: list[_Pending]) -> int:
        for item in items:
            self._pending.remove(item)
            item.apply()
        return len(items)

    async def carry_out(
        self,
        peer: str,
        method: str,
        request: web.Request,
        apply: Callable[[], web.Response],
        limited_body: str = '{"ok":false,"error":"ratelimited"}',
        *,
        note: Callable[[Fault], object] | None = None,
    ) -> web.Response:
        """Answer `request` by calling `apply` (the whole effect of the request and its reply), through the first matching fault.

        The body must have been read before: `apply` may run after the connection is gone. `note` is told which fault struck.
        """
        self.apply_due()
        fault = self.take(peer, method)
        if fault is None:
            return apply()
        if note is not None:
            note(fault)
        match Mode(fault.mode):
            case Mode.DROP_REPLY:
                apply()
                return cut(request)
            case Mode.DELAY:
                await self.delay(fault)
                return apply()
            case Mode.RATE_LIMITED:
                return web.Response(
                    status=429, text=limited_body, content_type="application/json", headers={"Retry-After": str(fault.retry_after_s)}
                )
            case Mode.REFUSED:
                return web.json_response({"ok": False, "error": fault.error})
            case Mode.SERVER_ERROR:
                return web.Response(status=fault.status, text="server error")
            case Mode.APPLY_LATE:
                self._pending.append(_Pending(self._clock() + fault.seconds, apply))
                return cut(request)
            case Mode.UNREACHABLE:
                return cut(request)


def cut(request: web.Request) -> web.Response:
    """Close the caller's connection without an answer; the returned response is never sent."""
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)
