"""Cases in a file, one by one, as they are to be sent. Owns telling JSON from JSONL and the id under which a case is sent.

A case is sent in canonical form under an id made of its service and content, so that sending a file again, or a longer one that begins
the same, changes nothing for what was sent before.
"""

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from routing.canonical import canonical
from routing.errors import Problem, SubmissionError
from routing.strict_json import loads


@dataclass(frozen=True, slots=True)
class Line:
    """One case: where it stands (1-based), its bytes and its task, or what keeps it from being sent."""

    number: int
    body: bytes = b""
    task_id: str = ""
    problems: tuple[Problem, ...] = ()

    def webhook_id(self, service: str) -> str:
        """The id of this case from this service, the same every time."""
        named = service.encode() + b"\n" + self.body
        return f"send_{hashlib.sha256(named).hexdigest()[:40]}"


def read_cases(data: bytes, *, lines: bool) -> list[Line]:
    """The cases in a file: one JSON object, an array of them, or one on each line (always, with `lines`)."""
    if not lines:
        try:
            whole = loads(b'{"cases":' + data.removeprefix(BOM_UTF8) + b"}", max_depth=34)["cases"]
        except SubmissionError as error:
            if not _begins_with_a_line(data):
                return [Line(1, problems=error.problems)]
        else:
            cases = whole if isinstance(whole, list) else [whole]
            return [_line(number, case) for number, case in enumerate(cases, 1)]
    return list(_by_line(data))


def _begins_with_a_line(data: bytes) -> bool:
    """Whether the first line is a case by itself: then the file is JSONL."""
    first = data.removeprefix(BOM_UTF8).lstrip().partition(b"\n")[0]
    try:
        loads(first)
    except SubmissionError:
        return False
    return True


def _by_line(data: bytes) -> Iterator[Line]:
    for number, text in enumerate(data.splitlines(), 1):
        if text.strip():
            try:
                yield _line(number, loads(text))
            except SubmissionError as error:
                yield Line(number, problems=error.problems)


def _line(number: int, case: Any) -> Line:  # noqa: ANN401  # any JSON value
    if not isinstance(case, dict):
        return Line(number, problems=(Problem("", "expected one JSON object"),))
    return Line(number, canonical(case), str(case.get("task_id", "")))
