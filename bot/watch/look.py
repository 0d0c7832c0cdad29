"""One look at a bot from outside: whether its `/readyz` says, in time, that it is ready and escalates. Owns what counts as an answer, and
the words for what is wrong and what to do first. It trusts nothing of what comes back: whoever answers may be anybody.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from store.outbox.network_cause import network_cause

MOST_BYTES = 64 * 1024
MOST_SAID = 400
"""Characters of its own words that are passed on."""

START = "Is it running? On its machine: `systemctl status tierline`; if not, start it."
RESTART = "Restart it: `systemctl restart tierline`. What was accepted is kept."
PROXY = "Something else answers there: look at the proxy in front of it, and at the URL that is watched."
READ = "Open the link: it says what is wrong and how it is mended."


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen. `wrong` is empty when all is well; `amiss_s`: for how many seconds it had been so, as the bot itself says."""

    wrong: str = ""
    first: str = ""
    amiss_s: float = 0.0


def readyz(url: str) -> str:
    """The address that is asked: `/readyz` below `url`, unless it is that already. Raises ValueError with what was expected."""
    expected = "expected the URL of a bot, like http://10.0.0.5:8080, without user name and query"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(expected)
    path = parts.path.rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path if path.endswith("/readyz") else f"{path}/readyz", "", ""))


async def look(session: aiohttp.ClientSession, url: str, answer_s: float) -> Look:
    """Ask once, for `answer_s` seconds at most, however the answer trickles. Never raises what a network can."""
    try:
        async with asyncio.timeout(answer_s), session.get(url, allow_redirects=False) as response:
            body = bytearray()
            async for part in response.content.iter_any():
                body += part
                if len(body) > MOST_BYTES:
                    return Look("what answers there says more than a bot does", PROXY)
            return read(response.status, bytes(body))
    except TimeoutError:
        return Look(f"it does not answer within {answer_s:g} s", RESTART)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        cause = network_cause(error)
        return Look(cause, START if cause in ("connection refused", "the connection was cut") else PROXY)


def read(status: int, body: bytes) -> Look:
    """What an answer means."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if status not in (200, 503) or not isinstance(said, dict) or not isinstance(said.get("ready"), bool):
        return Look(f"what answers there is no bot (HTTP {status})", PROXY)
    if status == 200 and said["ready"] and said.get("escalating") is not False:
        return Look()
    words = _sentences(said.get("obstacles")) or _sentences(said.get("attention")) or "it says that it is not ready, and not why"
    amiss_s = said.get("amiss_s")
    known_s = float(amiss_s) if isinstance(amiss_s, int | float) and 0 <= amiss_s < float("inf") else 0.0
    return Look(words, READ, known_s)


def _sentences(listed: Any) -> str:  # noqa: ANN401 - any JSON value
    words = " ".join(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())
    return words if len(words) <= MOST_SAID else f"{words[: MOST_SAID - 1]}…"
