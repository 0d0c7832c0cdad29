"""What the bot that serves says of itself: whether it is ready, and what is in its way. Owns asking it; it judges nothing by itself."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.settings import Settings

WAIT_S = 5.0

Said = Mapping[str, Any]
"""`ready`: true, false, or null where no bot answers; `obstacles` and `attention`: sentences."""


async def running_readiness(settings: "Settings") -> Said:
    """Ask over the socket beside the SQLite file, or with PostgreSQL where TIERLINE_HOST and TIERLINE_PORT say that it listens."""
    from bot.control_socket import NobodyListensError

    try:
        async with asyncio.timeout(WAIT_S):
            return await (_over_socket(settings) if settings.on_sqlite else _over_http(settings))
    except NobodyListensError:
        return {"ready": None, "obstacles": [], "attention": [], "served": "No bot serves this database now; tierline serve starts one."}
    except TimeoutError:
        return {"ready": False, "obstacles": [f"The bot that serves does not answer within {WAIT_S:g} s."], "attention": []}


async def _over_socket(settings: "Settings") -> Said:
    from bot.control_socket import ask, socket_path

    return {"attention": []} | dict(await ask(socket_path(settings), "readiness", {}))


async def _over_http(settings: "Settings") -> Said:
    import aiohttp

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - read, not bound
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/readyz"
    try:
        async with aiohttp.ClientSession(trust_env=False) as session, session.get(url) as response:
            said = await response.json()
            escalates = {"escalating": False} if said.get("escalating") is False else {}
            return {
                "ready": bool(said["ready"]),
                "obstacles": list(said["obstacles"]),
                "attention": list(said.get("attention", ())),
            } | escalates
    except (aiohttp.ClientError, ValueError, KeyError, TypeError, OSError):
        where = f"No bot answers at {url} (TIERLINE_HOST, TIERLINE_PORT); others may serve this database elsewhere."
        return {"ready": None, "obstacles": [], "attention": [], "served": where}
