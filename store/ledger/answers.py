"""What goes into the ledger beside a step, and what comes out of it: refusing that is normal is a value. Owns these values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from routing.canonical import Json
from routing.case.case import Case
from routing.governance.governance import Governance

Answer = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A case as it arrived. `digest` is the hex SHA-256 of the body, `input_sha256` that of the canonical submission.

    `likeness` is what its near-duplicates share (`routing.case.near_duplicate`), `action_sha256` tells the same action from a similar one.
    """

    service: str
    webhook_id: str
    digest: str
    workflow: str
    task_id: str
    input_sha256: str
    likeness: str = ""
    action_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new case, and the answer for the service."""

    answer: Answer
    case: Case


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same thing arrived before: its first answer (None if there was none), and the case (or other subject) it was about."""

    answer: Answer | None
    case_id: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something else arrived before under this webhook id or key, or for this task."""

    reason: Literal["webhook_id", "task"]
    case_id: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A case after its change, the answer to give, and the indices of the leaves in order of the change's events."""

    case: Case
    answer: Answer | None
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such case."""

    case_id: str


@dataclass(frozen=True, slots=True)
class Ruled:
    """What is decided about more than one case, after a change of it; the answer to give, and the indices of its leaves."""

    governance: Governance
    answer: Answer | None
    indices: tuple[int, ...]
