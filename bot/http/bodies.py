"""Reading the body of a request that nobody has vouched for yet. Owns the bound on its size and on the time it may take; parses nothing."""

import asyncio

from aiohttp import web

BODY_TIMEOUT_S = 10.0


async def read_bounded(request: web.Request, most: int, timeout_s: float) -> bytes | web.Response:
    """The body, or the answer that turns it away: 413 over `most` bytes, as soon as that shows; 408 when it takes too long."""
    if (request.content_length or 0) > most:
        return web.Response(status=413)
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    return web.Response(status=413)
    except TimeoutError:
        return web.Response(status=408)
    return bytes(body)
