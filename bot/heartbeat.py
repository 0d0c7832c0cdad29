"""The heartbeat: somebody outside is told every 20 seconds that all is well, and hears nothing as soon as it is not.

Owns the rhythm, and that no beat leaves that was not proved at that moment, on the very event loop that has to be alive. It never says what
is wrong (`/readyz` does), never follows a redirect, and never writes down where it goes: a receiver's address holds its secret.
"""

import asyncio
from collections.abc import Callable, Sequence
from ssl import SSLContext

import aiohttp
import structlog

from bot.readiness import Obstacle, Readiness
from bot.timeouts import REAL, RHYTHM, Rhythm, Timeouts
from store.outbox.network_cause import network_cause

PEER_S = 6.0
"""How long peers have to prove that they are there: a second more than each of them has to answer."""

SEND_S, CONNECT_S = 5.0, 3.0
UNTAKEN_S = 60.0
"""Without a beat that was taken for so long, whoever waits for them takes us for dead."""

OK = range(200, 300)

_LOG = structlog.get_logger("tierline.heartbeat")


class Heartbeat:
    """Made inside a running loop, ended by `close`. `steady` gives seconds that nobody can set; `tally` counts what becomes of beats."""

    def __init__(
        self,
        url: str,
        proofs: Sequence[Readiness],
        steady: Callable[[], float],
        *,
        tls: SSLContext,
        tally: Callable[[str], None],
        timeouts: Timeouts = REAL,
        rhythm: Rhythm = RHYTHM,
    ) -> None:
        """`proofs` are asked one after the other before each beat, the slowest first: what is asked last is the newest."""
        self._url = url
        self._proofs = proofs
        self._steady = steady
        self._tally = tally
        self._timeouts = timeouts
        self._rhythm = rhythm
        self._taken_at = steady()
        self._cause = ""
        self._told: tuple[str, ...] = ()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeouts.limit_s(CONNECT_S)),
            trust_env=False,
        )

    async def run(self) -> None:
        """Beat until cancelled; after one that was kept back or not taken, again soon."""
        while True:
            begun = self._steady()
            taken = await self.beat()
            await asyncio.sleep(max(0.0, begun + self._rhythm.beat_s - self._steady()) if taken else self._rhythm.again_s)

    async def beat(self) -> bool:
        """Prove that all is well, and only then say so. Gives whether that was said and taken. Never raises."""
        if amiss := await self._amiss():
            self._tally("kept_back")
            self._tell(tuple(one.name for one in amiss), "no heartbeat: not all is well", obstacles=sorted({one.name for one in amiss}))
            return False
        cause = await self._send()
        if cause:
            self._cause = cause
            self._tally("failed")
            self._tell((cause,), "the heartbeat is not taken", cause=cause)
            return False
        self._taken_at, self._cause = self._steady(), ""
        self._tally("taken")
        if self._told:
            _LOG.info("the heartbeat is taken again")
        self._told = ()
        return True

    async def check(self) -> Sequence[Obstacle]:
        """Whether beats that were sent are taken: if not, we pass for dead though we are not."""
        silent_s = self._steady() - self._taken_at
        if not self._cause or silent_s <= UNTAKEN_S:
            return ()
        sentence = f"No heartbeat has been taken for {silent_s:.0f} s ({self._cause}): whoever waits for it takes the bot for dead."
        return (Obstacle("heartbeat", sentence, stops=False),)

    async def close(self) -> None:
        """Close its connection."""
        await self._session.close()

    async def _amiss(self) -> Sequence[Obstacle]:
        for proof in self._proofs:
            if amiss := (await proof.standing()).alarming:
                return amiss
        return ()

    async def _send(self) -> str:
        """Send one. Gives why it was not taken, "" when it was."""
        try:
            async with self._timeouts.within(SEND_S), self._session.get(self._url, allow_redirects=False) as response:
                return "" if response.status in OK else f"answered {response.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return network_cause(error)

    def _tell(self, told: tuple[str, ...], sentence: str, **more: object) -> None:
        """A line in the log when it is something else than before."""
        if told != self._told:
            _LOG.error(sentence, **more)
        self._told = told
