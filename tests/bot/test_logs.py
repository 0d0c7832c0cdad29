"""The log says what happened and where, and neither secrets nor what cases hold (promise P18)."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web
from pydantic import SecretStr

from bot.http.problem import problems
from bot.logs import WITHHELD, set_up_logs
from tests.bot.edge import a_case, open_edge

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CANARY = "canary-4711"
SECRET = SecretStr("xoxb-canary-4711-secret")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What this process logs, from here on."""
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()
    set_up_logs("json", [SECRET], lambda: NOW, stream)
    yield stream
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    """Every line."""
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_line_says_what_and_when(log: io.StringIO) -> None:
    """One JSON object per event, with the bot's own time; a secret is blotted out wherever it stands."""
    structlog.get_logger("tierline.test").info("page sent", case="c_1", tries=2, url=f"https://x/?token={SECRET.get_secret_value()}")
    assert lines(log) == [
        {
            "at": "2026-11-20T12:00:00.000000Z",
            "event": "page sent",
            "case": "c_1",
            "tries": 2,
            "url": "https://x/?token=[secret]",
            "level": "info",
            "logger": "tierline.test",
        }
    ]


def test_an_exception_leaves_its_type_and_place_but_not_its_words(log: io.StringIO) -> None:
    """Messages of exceptions quote what was wrong: content."""
    try:
        try:
            int(CANARY)
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        structlog.get_logger("tierline.test").exception("it failed")
    (line,) = lines(log)
    assert line["error"] == "builtins.RuntimeError < builtins.ValueError"
    assert "test_logs.py" in line["places"][0]
    assert CANARY not in log.getvalue()


def test_libraries_are_not_let_talk(log: io.StringIO) -> None:
    """slack_bolt logs whole requests; of other libraries only templates and places are kept, and only of warnings."""
    logger = logging.getLogger("slack_bolt.App")
    logger.info("canary-4711")
    logger.warning(f"Unhandled request ({{'body': '{CANARY}'}})")  # noqa: G004  # as slack_bolt does it
    logger.warning("Unhandled request (%s)", CANARY)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(CANARY, RuntimeWarning, stacklevel=1)
    try:
        int(CANARY)
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", CANARY)
    said = lines(log)
    assert [line["event"] for line in said] == [WITHHELD, "Unhandled request (%s)", WITHHELD, "Error handling request from %s"]
    assert all(line["place"].partition(":")[0].endswith(".py") for line in said)
    assert CANARY not in log.getvalue()


def test_people_get_readable_lines(capsys: pytest.CaptureFixture[str], log: io.StringIO) -> None:
    """`TIERLINE_LOG_FORMAT=console`: the same figures, with the same things left out."""
    stream = io.StringIO()
    set_up_logs("console", [SECRET], lambda: NOW, stream)
    structlog.get_logger("tierline.test").warning("not delivered", cause=SECRET.get_secret_value())
    assert "not delivered" in stream.getvalue()
    assert "canary" not in stream.getvalue()


async def test_nothing_of_a_request_reaches_the_log(log: io.StringIO, sqlite_url: str) -> None:
    """Good cases, bad ones, forged ones and a failing server: no word of any of them."""
    async with open_edge(sqlite_url) as edge:
        content = {"title": CANARY, "request": CANARY, "action": {"type": "refund.create", "params": {"note": CANARY}}}
        await edge.post("/v1/cases", a_case(**content))
        await edge.post("/v1/cases", a_case(**content, unknown=CANARY))
        await edge.post("/v1/cases", CANARY.encode())
        await edge.send("POST", "/v1/cases", CANARY.encode(), {"webhook-signature": CANARY})
        await edge.get(f"/v1/{CANARY}?{CANARY}")
        await edge.books.writer.close()
        assert (await edge.post("/v1/cases", a_case(**content, task_id=CANARY))).status == 503
    assert CANARY not in log.getvalue()


@pytest.mark.outside
@pytest.mark.parametrize(("error", "status"), [(RuntimeError(CANARY), 500), (OSError(28, CANARY), 503)])
async def test_a_failure_is_answered_and_its_place_is_logged(log: io.StringIO, error: Exception, status: int) -> None:
    """A bug is 500, a database that is gone 503, without a word of the exception; the log gets the place."""

    async def broken(_: web.Request) -> web.Response:
        raise error

    app = web.Application(middlewares=[problems])
    app.router.add_get("/broken", broken)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/broken?{CANARY}") as response:
        assert (response.status, response.content_type) == (status, "application/problem+json")
        assert CANARY not in await response.text()
    await runner.cleanup()
    failed = [line for line in lines(log) if line["event"] == "request failed"]
    assert [(line["route"], line["error"]) for line in failed] == [("/broken", f"builtins.{type(error).__name__}")]
    assert CANARY not in log.getvalue()
