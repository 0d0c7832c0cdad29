"""What a check found: a state, a sentence, and what mends it. Owns these values; looks at nothing."""

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class State(StrEnum):
    """How a line of the checklist stands."""

    OK = "ok"
    WARN = "warn"
    """It works, and somebody should know."""
    MISSING = "missing"
    """It is not there, is wrong, or could not be told: what cannot be told counts as not there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what it is about, what was found, and unless that is well one sentence on how to mend it. Holds no secret."""

    state: State
    about: str
    said: str
    mend: str = ""

    def __post_init__(self) -> None:
        if (self.state is State.OK) == bool(self.mend):
            raise ValueError("what is well needs no remedy, and everything else has one")


def ok(about: str, said: str) -> Finding:
    """It is there."""
    return Finding(State.OK, about, said)


def warn(about: str, said: str, mend: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(State.WARN, about, said, mend)


def missing(about: str, said: str, mend: str) -> Finding:
    """It is not there, wrong, or could not be told."""
    return Finding(State.MISSING, about, said, mend)
