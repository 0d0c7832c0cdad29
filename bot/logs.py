"""What this process says to its log: one line per event, JSON or for people. Owns that neither secrets nor content get there.

Our own lines carry fixed sentences and named figures. Of an exception only its type and the places in the code are kept, because messages
quote what was wrong. Of other libraries only warnings are kept, as template and place: slack_bolt, for one, puts whole requests into its
messages.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import datetime
from pathlib import PurePath
from typing import Any, Literal, TextIO

import structlog
from pydantic import SecretStr

from bot.failures import failure
from bot.log_repeats import REPEATED, RepeatsHandler
from routing.case.submission import moment_text

Line = MutableMapping[str, Any]

HIDDEN = "[secret]"
WITHHELD = "a library reports a problem; its words are left out, since they may quote content; logger and place name its code"


def set_up_logs(
    form: Literal["json", "console"],
    secrets: Iterable[SecretStr],
    now: Callable[[], datetime],
    stream: TextIO | None = None,
    steady: Callable[[], float] = time.monotonic,
) -> RepeatsHandler:
    """Send every log line of this process to `stream` (standard error). Values in `secrets` are blotted out wherever they turn up.

    Lines that say the same again are counted; the handler that is given writes the counts when it is told to, and at the end.
    """
    renderer = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    hidden = sorted({secret.get_secret_value() for secret in secrets} - {""}, key=len, reverse=True)
    last: list[Any] = [_Stamp(now), keep_places, _Blot(hidden), renderer]
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
    handler = RepeatsHandler(stream or sys.stderr, steady)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[keep_template],
            pass_foreign_args=True,
            processors=[say_repeated, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("tierline").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    return handler


def say_repeated(_logger: object, _method: str, line: Line) -> Line:
    """Say of a line that was counted how many more there were like it."""
    count = getattr(line["_record"], REPEATED, 0)
    if count:
        line["repeated"] = count
    return line


def keep_places(_logger: object, _method: str, line: Line) -> Line:
    """Replace an exception by what may be said of it."""
    info = line.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        line.update(failure(error))
    return line


def keep_template(_logger: object, _method: str, line: Line) -> Line:
    """A line of another library without what it filled in; a message without arguments may be filled in already."""
    record: logging.LogRecord = line["_record"]
    place = f"{PurePath(record.pathname).name}:{record.lineno}"
    line.update(
        event=str(record.msg) if line.pop("positional_args", ()) else WITHHELD,
        level=record.levelname.lower(),
        logger=record.name,
        place=place,
    )
    line["exc_info"] = record.exc_info
    return line


class _Stamp:
    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        return {"at": moment_text(self._now()), **line}


class _Blot:
    def __init__(self, hidden: Iterable[str]) -> None:
        self._hidden = tuple(hidden)

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        return {name: self._clean(value) for name, value in line.items()}

    def _clean(self, value: object) -> object:
        if isinstance(value, str):
            for secret in self._hidden:
                value = value.replace(secret, HIDDEN)
            return value
        if isinstance(value, Mapping):
            return {str(name): self._clean(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        return value if isinstance(value, int | float | bool | None) else self._clean(str(value))
