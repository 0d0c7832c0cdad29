"""One case, posted until it is answered: signed, with the same id on every try. Owns waiting and trying again; never reads a file."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.cli.files.cases import Line
from bot.clock import now
from bot.http.admission import SERVICE_HEADER
from bot.standard_webhooks import sign

AT_ONCE = 16
TRIES = 6
FIRST_WAIT_S = 0.5
MAX_WAIT_S = 60.0
AGAIN = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
TIMEOUT_S = 30.0


class NobodyAnswersError(OSError):
    """Nobody answers there. Start `tierline serve` or `tierline demo`, or name the address with --url."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is None where nobody answered in all tries."""

    line: Line
    webhook_id: str
    status: int | None
    body: dict[str, Any]

    @property
    def taken(self) -> bool:
        """Whether the case is there, now or since before."""
        return self.status in (HTTPStatus.OK, HTTPStatus.ACCEPTED)

    def json(self) -> dict[str, Any]:
        """One line of output."""
        said = {"line": self.line.number, "task_id": self.line.task_id, "webhook_id": self.webhook_id, "status": self.status}
        return said | {"answer": self.body}


class Post:
    """Posts cases of one service to one address."""

    def __init__(self, session: aiohttp.ClientSession, url: str, service: str, keys: Sequence[bytes]) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._service = service
        self._keys = keys
        self._places = asyncio.Semaphore(AT_ONCE)

    async def reach(self) -> None:
        """Raise NobodyAnswersError unless somebody listens."""
        try:
            async with self._session.get(f"{self._url}/healthz") as response:
                await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NobodyAnswersError(f"{self._url}: {NobodyAnswersError.__doc__}") from error

    async def signer(self) -> str:
        """The name of the service whose secret this is, as the bot has it; "" where it knows no such secret or does not say."""
        path = "/v1/workflows/any"
        headers = sign(self._keys, f"who_{secrets.token_hex(8)}", now(), path.encode())
        try:
            async with self._session.get(f"{self._url}{path}", headers=headers, allow_redirects=False) as response:
                await response.read()
                return response.headers.get(SERVICE_HEADER, "")
        except (aiohttp.ClientError, TimeoutError):
            return ""  # what is sent is tried again, and answered by itself

    async def send(self, line: Line) -> Answer:
        """Post one case. Tries again after 429, 503 and lost connections: the id is the same, so it counts once."""
        webhook_id = line.webhook_id(self._service)
        if line.problems:
            errors = [{"pointer": one.pointer, "message": one.message} for one in line.problems]
            return Answer(line, webhook_id, None, {"title": "Not sent", "errors": errors})
        async with self._places:
            status, body, wait_s = await self._once(line.body, webhook_id)
            for attempt in range(TRIES - 1):
                if status is not None and status not in AGAIN:
                    break
                await asyncio.sleep(min(wait_s or FIRST_WAIT_S * 2**attempt, MAX_WAIT_S))
                status, body, wait_s = await self._once(line.body, webhook_id)
        return Answer(line, webhook_id, status, body)

    async def _once(self, body: bytes, webhook_id: str) -> tuple[int | None, dict[str, Any], float | None]:
        """Status, answer, and the seconds that Retry-After asks for."""
        headers = {"Content-Type": "application/json", **sign(self._keys, webhook_id, now(), body)}
        try:
            async with self._session.post(f"{self._url}/v1/cases", data=body, headers=headers, allow_redirects=False) as response:
                wait = response.headers.get("Retry-After", "")
                return response.status, _object(await response.read()), float(wait) if wait.isascii() and wait.isdigit() else None
        except (aiohttp.ClientError, TimeoutError) as error:
            return None, {"title": f"No answer ({type(error).__name__})"}, None


@asynccontextmanager
async def posting(url: str, service: str, keys: Sequence[bytes]) -> AsyncIterator[Post]:
    """A `Post` with its connections."""
    limits = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=limits, trust_env=False, connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
        yield Post(session, url, service, keys)


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"title": "The answer is not JSON; is this Tierline?"}
