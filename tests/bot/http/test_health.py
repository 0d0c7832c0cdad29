"""What operators look at: alive, ready, figures; nothing about a single case."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from bot.http.health import Health
from bot.http.metrics import Metrics, Snapshot, Waiting
from bot.readiness import Obstacle, Readiness

pytestmark = pytest.mark.outside


class Bot:
    """What the figures are read from."""

    def __init__(self) -> None:
        self.obstacles: list[str] = []
        self.attention: list[str] = []
        self.gone = False

    async def snapshot(self) -> Snapshot:
        """The figures, unless the database is gone."""
        if self.gone:
            raise OSError("disk full")
        return Snapshot((Waiting("slack", "dead", 2, 12.5), Waiting("callback", "ready", 1, 0.5)), 42, 3.0)

    async def hindered(self) -> Sequence[Obstacle]:
        """What keeps it from working."""
        closed = [Obstacle("channels", sentence, stops=False) for sentence in self.attention]
        return [*(Obstacle("database", sentence) for sentence in self.obstacles), *closed]


@asynccontextmanager
async def looked_at(bot: Bot, metrics: Metrics) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """The bot's operator pages on a port."""
    app, readiness = web.Application(), Readiness()
    readiness.add(bot.hindered, silent=Obstacle("bot", "It does not answer."))
    app.add_routes(Health(metrics, bot.snapshot, readiness).routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        yield session, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def figures(session: aiohttp.ClientSession, url: str) -> dict[tuple[str, ...], float]:
    """Every sample by name and labels."""
    async with session.get(url + "/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        text = await response.text()
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels, reverse=True))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_figures_tell_what_an_alarm_needs() -> None:
    """Intake by answer, presses by result, what waits and for how long, how late clocks are, how old the checkpoint is."""
    metrics = Metrics()
    metrics.intake_answered(202)
    metrics.intake_answered(422)
    metrics.followup_answered("outcome", 200)
    metrics.pressed("approve", "recorded")
    metrics.swept(-0.001)
    metrics.swept(7.0)
    async with looked_at(Bot(), metrics) as (session, url):
        found = await figures(session, url)
    assert found["tierline_intake_total", "202"] == found["tierline_intake_total", "422"] == 1
    assert found["tierline_letters_total", "200", "outcome"] == 1
    assert found["tierline_presses_total", "approve", "recorded"] == 1
    assert found["tierline_outbox_messages", "dead", "slack"] == 2
    assert found["tierline_outbox_oldest_age_seconds", "dead", "slack"] == 12.5
    assert (found["tierline_log_size_leaves",], found["tierline_checkpoint_age_seconds",], found["tierline_database_up",]) == (42, 3, 1)
    assert (found["tierline_sweep_lateness_seconds_bucket", "5.0"], found["tierline_sweep_lateness_seconds_count",]) == (1, 2)


async def test_without_a_database_the_figures_say_so() -> None:
    """Old figures of the outbox are taken away instead of being repeated."""
    bot = Bot()
    async with looked_at(bot, Metrics()) as (session, url):
        await figures(session, url)
        bot.gone = True
        found = await figures(session, url)
        assert found["tierline_database_up",] == 0
        assert not any(name[0] == "tierline_outbox_messages" for name in found)


async def test_ready_means_that_work_would_be_recorded() -> None:
    """Alive is not ready: the obstacles are named."""
    bot = Bot()
    async with looked_at(bot, Metrics()) as (session, url):
        async with session.get(url + "/readyz") as response:
            assert (response.status, await response.json()) == (200, {"ready": True, "obstacles": [], "attention": []})
        bot.obstacles = ["The database does not answer."]
        async with session.get(url + "/readyz") as response:
            assert (response.status, (await response.json())["obstacles"]) == (503, bot.obstacles)
        async with session.get(url + "/healthz") as response:
            assert response.status == 200


async def test_what_needs_attention_takes_nobody_out_of_service() -> None:
    """One channel that is closed is named, in the answer and in the figures; every replica has it, so each stays ready."""
    bot = Bot()
    bot.attention = ["Nothing can be sent to #review-tier1."]
    async with looked_at(bot, Metrics()) as (session, url):
        async with session.get(url + "/readyz") as response:
            assert (response.status, await response.json()) == (200, {"ready": True, "obstacles": [], "attention": bot.attention})
        found = await figures(session, url)
        assert (found["tierline_ready",], found["tierline_attention", "channels"], found["tierline_database_up",]) == (1, 1, 1)
        assert ("tierline_obstacle", "channels") not in found
        bot.obstacles, bot.attention = ["The database does not answer."], []
        found = await figures(session, url)
        assert (found["tierline_ready",], found["tierline_obstacle", "database"]) == (0, 1)
        assert ("tierline_attention", "channels") not in found
