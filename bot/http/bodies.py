"""Reading the body of a request that nobody has vouched for yet. Owns the bounds on its size, on the time it may take and on what all such
bodies together may hold; parses nothing.
"""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, unique

from aiohttp import web

BODY_TIMEOUT_S = 10.0
MOST_HELD = 16 * 1024 * 1024
"""Bytes of unproven bodies in memory at a time (promise P19)."""


@unique
class Unread(Enum):
    """Why there is no body; the value is the status code to answer."""

    GONE = 400
    TOO_SLOW = 408
    TOO_LARGE = 413
    CROWDED = 503


@dataclass(slots=True, eq=False)
class _Reading:
    bound: asyncio.Timeout
    body: bytearray = field(default_factory=bytearray)
    given_up: bool = False


class Bodies:
    """Reads bodies, all of them within `most_held` bytes. Where there is no room, the one that is longest on its way makes place: an
    honest body is there within moments.
    """

    def __init__(self, most_held: int = MOST_HELD, timeout_s: float = BODY_TIMEOUT_S) -> None:
        self._most_held = most_held
        self._timeout_s = timeout_s
        self._readings = dict[_Reading, None]()
        self.held = 0
        """Bytes held now."""

    async def read(self, request: web.BaseRequest, most: int) -> bytes | Unread:
        """The body, at most `most` bytes of it; or why there is none, as soon as that shows."""
        if (request.content_length or 0) > most:
            return Unread.TOO_LARGE
        reading = _Reading(asyncio.timeout(self._timeout_s))
        self._readings[reading] = None
        try:
            async with reading.bound:
                return await self._collect(reading, request, most)
        except TimeoutError:
            return Unread.CROWDED if reading.given_up else Unread.TOO_SLOW
        except (ConnectionError, web.RequestPayloadError):  # hung up, or framed wrongly
            return Unread.GONE
        except RuntimeError:  # as aiohttp has it where the connection is closed already (3.14)
            if request.transport is not None:
                raise
            return Unread.GONE
        finally:
            self._forget(reading)

    async def _collect(self, reading: _Reading, request: web.BaseRequest, most: int) -> bytes | Unread:
        async for chunk in request.content.iter_any():
            if len(reading.body) + len(chunk) > most:
                return Unread.TOO_LARGE
            self._make_room(len(chunk))
            if reading.given_up:
                return Unread.CROWDED
            reading.body += chunk
            self.held += len(chunk)
        return bytes(reading.body)

    def _make_room(self, size: int) -> None:
        while self.held + size > self._most_held and self.held:
            oldest = next(one for one in self._readings if one.body)
            oldest.given_up = True
            self._forget(oldest)
            if not oldest.bound.expired():  # one whose own time is over ends by itself, and takes no other time any more
                oldest.bound.reschedule(0.0)

    def _forget(self, reading: _Reading) -> None:
        if reading in self._readings:
            del self._readings[reading]
            self.held -= len(reading.body)
            reading.body = bytearray()
