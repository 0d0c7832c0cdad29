"""What a log says again is counted: bounded in lines, exact in number, and the first of every kind is written."""

import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from bot.log_repeats import KINDS, WINDOW_S, WRITTEN, RepeatsHandler
from bot.logs import set_up_logs

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MANY = 500


class Log:
    """The log of this process, on a steady clock of its own."""

    def __init__(self) -> None:
        self.stream, self.now_s = io.StringIO(), 0.0
        self.handler: RepeatsHandler = set_up_logs("json", [], lambda: NOW, self.stream, lambda: self.now_s)

    def lines(self) -> list[dict[str, Any]]:
        """What was written."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    """What this process logs, from here on."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Log()
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def _ours(number: int) -> None:
    structlog.get_logger("tierline.http").warning("refused", row=number, case=f"c_{number}")


def _ours_with_an_error(number: int) -> None:
    try:
        open(f"/nowhere/{number}")  # noqa: PTH123, SIM115 - it fails
    except OSError:
        structlog.get_logger("tierline").exception("a tick failed")


def _a_librarys(number: int) -> None:
    logging.getLogger("asyncio").error("socket.accept() out of system resource (%s)", number)


def _a_librarys_filled_in(number: int) -> None:
    logging.getLogger("slack_bolt.App").warning(f"Unhandled request {number}")  # noqa: G004 - as slack_bolt does it


def _a_librarys_error(number: int) -> None:
    try:
        int(f"x{number}")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", number)


SPEAKERS = [_ours, _ours_with_an_error, _a_librarys, _a_librarys_filled_in, _a_librarys_error]


@pytest.mark.parametrize("speak", SPEAKERS)
def test_every_loggers_repetitions_are_counted(log: Log, speak: Callable[[int], None]) -> None:
    """Whoever says it, with whatever figures: a few lines, then the count once the minute is over, none missing."""
    for number in range(MANY):
        speak(number)
    assert len(log.lines()) == WRITTEN
    log.now_s += WINDOW_S + 1
    log.handler.tell()
    *written, count = log.lines()
    assert len(written) == WRITTEN
    assert count["repeated"] == MANY - WRITTEN
    assert (count["event"], count["logger"]) == (written[0]["event"], written[0]["logger"])
    speak(0)
    assert "repeated" not in log.lines()[-1]


def test_the_first_of_every_kind_is_written_in_the_middle_of_a_flood(log: Log) -> None:
    """Another sentence, another cause, another error: each is seen at once."""
    for number in range(MANY):
        for speak in SPEAKERS:
            speak(number)
    courier = structlog.get_logger("tierline.courier")
    for cause in ("not_in_channel", "is_archived", "channel_not_found"):
        for row in range(MANY):
            courier.error("not delivered and given up", row=row, case=f"c_{row}", cause=cause)
    causes = Counter(line["cause"] for line in log.lines() if "cause" in line)
    assert causes == {"not_in_channel": WRITTEN, "is_archived": WRITTEN, "channel_not_found": WRITTEN}


def test_nothing_counted_is_lost_at_the_end_or_when_there_are_too_many_kinds(log: Log) -> None:
    """The counts come out when the process ends, and when more kinds are about than are remembered."""
    kinds = KINDS + 3
    for _ in range(WRITTEN + 2):
        for kind in range(kinds):
            name = "".join(chr(ord("a") + int(digit)) for digit in str(kind))
            structlog.get_logger("tierline").warning(f"kind {name}")
        log.now_s += 1
    log.handler.close()
    said = Counter[str]()
    for line in log.lines():
        said[line["event"]] += line.get("repeated", 1)
    assert set(said.values()) == {WRITTEN + 2}
    assert len(said) == kinds
