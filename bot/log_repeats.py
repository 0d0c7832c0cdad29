"""Log lines that say the same again: the first ones are written, the rest is counted, and the count is written.

Owns what is the same, how many lines of one kind a minute may have, and that none is dropped without being counted. It formats nothing and
knows no logger by name.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TextIO

WRITTEN = 10
"""Lines of one kind that are written within `WINDOW_S`."""

WINDOW_S = 60.0
KINDS = 1_000
"""Kinds remembered at most; then the oldest makes place, and what was counted of it is written."""

REPEATED = "repeated"
"""The attribute of a log record that says how many more there were like it."""

Kind = tuple[object, ...]


@dataclass(slots=True)
class _Window:
    since: float
    written: int = 0
    last: logging.LogRecord | None = None
    counted: int = 0


class RepeatsHandler(logging.StreamHandler[TextIO]):
    """Writes to a stream what is new, and counts the rest. `steady` gives seconds that nobody sets."""

    def __init__(self, stream: TextIO, steady: Callable[[], float]) -> None:
        super().__init__(stream)
        self._steady = steady
        self._windows = dict[Kind, _Window]()  # the one that began first comes first

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, or count it. Counts of minutes that are over are written before."""
        self.tell()
        kind = _kind(record)
        if kind not in self._windows:
            if len(self._windows) >= KINDS:
                self._end(next(iter(self._windows)))
            self._windows[kind] = _Window(self._steady())
        window = self._windows[kind]
        if window.written < WRITTEN:
            window.written += 1
            super().emit(record)
        else:
            window.last, window.counted = _without_error(record), window.counted + 1

    def tell(self, *, everything: bool = False) -> None:
        """Write what was counted of each kind whose minute is over, or of each kind there is."""
        self.acquire()  # `emit` has it already; it may be taken twice
        try:
            over = self._steady() - WINDOW_S
            while self._windows:
                kind, window = next(iter(self._windows.items()))
                if window.since > over and not everything:
                    return
                self._end(kind)
        finally:
            self.release()

    def close(self) -> None:
        """Write what was counted, and end."""
        self.tell(everything=True)
        super().close()

    def _end(self, kind: Kind) -> None:
        window = self._windows.pop(kind)
        if window.last is not None:
            setattr(window.last, REPEATED, window.counted)
            super().emit(window.last)


def _kind(record: logging.LogRecord) -> Kind:
    """What makes lines the same: who says what, about which error, from where; of further figures only those that are words.

    An id or a number has digits and makes no new kind; `cause=not_in_channel` is another than `cause=is_archived`.
    """
    said = record.msg if isinstance(record.msg, Mapping) else {}
    words = [value for value in said.values() if isinstance(value, str) and not any(char.isdigit() for char in value)]
    error = record.exc_info or said.get("exc_info")
    error = sys.exc_info() if error is True else error
    what = type(error) if isinstance(error, BaseException) else error[0] if isinstance(error, tuple) else None
    place = () if said else (record.pathname, record.lineno, str(record.msg) if record.args else "")
    return (record.name, record.levelno, what, said.get("error"), *words, *place)


def _without_error(record: logging.LogRecord) -> logging.LogRecord:
    """The record as it may be kept: an exception would keep alive what it passed through."""
    record.exc_info = None
    if isinstance(record.msg, Mapping):
        record.msg = {name: value for name, value in record.msg.items() if name != "exc_info"}
    return record
