"""The error types that leave `routing`. The docstring of a class is its message to a person."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document: where it is and what was expected.

    `pointer` is a JSON Pointer (RFC 6901), `line` is 1-based and None where the document has no lines.
    """

    pointer: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        """`line 12, /workflows/refunds/ladder: …`, as a person would look for it."""
        where = self.pointer or "/"
        return f"line {self.line}, {where}: {self.message}" if self.line is not None else f"{where}: {self.message}"


class DocumentError(ValueError):
    """The document cannot be used as it is; every problem is listed."""

    def __init__(self, problems: Sequence[Problem], source: str = "") -> None:
        """`source` names the file or endpoint that the problems belong to."""
        self.problems = tuple(problems)
        self.source = source
        head = f"{source}: " if source else ""
        super().__init__("\n".join(f"{head}{problem}" for problem in self.problems))


class SubmissionError(DocumentError):
    """The case does not have the published form; every wrong field is listed."""


class PolicyError(DocumentError):
    """The policy file cannot be used; each problem names the line, the key and what was expected."""


class TransitionError(RuntimeError):
    """A step tried to move a case between two states that have no transition. This is a bug, nothing was written."""
