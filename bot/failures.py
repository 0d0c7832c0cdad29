"""What may be said of an error, in the log and to people. Owns that its own words are never said: they quote rows, bodies and evidence."""

import sys
import traceback
from collections.abc import Iterable
from pathlib import PurePath

from store.ledger.ledger import NotRecordingError
from store.ledger.sealed_head import HeadAlteredError

MAX_FRAMES = 12


def failure(error: BaseException | None = None) -> dict[str, object]:
    """An error (that being handled, if none is given) as fields of a log line: its kind, those of its causes, and where in the code it
    passed; of what an operator has to look at, its sentence.
    """
    error = error or sys.exception()
    if error is None:
        return {}
    if (stopped := to_look_at(error)) is not None:
        return {"error": type(stopped).__name__, "because": str(stopped)}
    return {"error": " < ".join(_kinds(error)), "places": places(error)}


def to_look_at(error: BaseException) -> HeadAlteredError | NotRecordingError | None:
    """Why nothing is recorded until an operator has looked, where `error` came of that; its words are ours."""
    return next((one for one in _chain(error) if isinstance(one, HeadAlteredError | NotRecordingError)), None)


def places(error: BaseException) -> list[str]:
    """Where in the code it passed, innermost last."""
    return [
        f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    ]


def _kinds(error: BaseException) -> Iterable[str]:
    return (f"{type(one).__module__}.{type(one).__qualname__}" for one in _chain(error))


def _chain(error: BaseException) -> Iterable[BaseException]:
    """The error and what it came from."""
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:
        seen.append(at)
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
