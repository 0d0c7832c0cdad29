"""What `tierline send` asks before it sends may stay unanswered."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from bot.cli.posting import Post


async def breaks_off(request: web.Request) -> web.Response:
    """The connection is lost."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hangs(_request: web.Request) -> web.Response:
    """No answer comes."""
    await asyncio.Event().wait()
    return web.Response()


@pytest.mark.parametrize("answer", [breaks_off, hangs])
async def test_who_signs_is_not_said_where_nobody_answers(answer: Callable[[web.Request], Awaitable[web.Response]]) -> None:
    """The question only guards against a wrong name: what is sent goes on without it."""
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2)) as session:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            assert await Post(session, url, "", [b"k" * 32]).signer() == ""
    finally:
        await runner.cleanup()
