"""What a service is told about its case: who decided, why, and what is to be executed. Owns these parts of answers and callbacks; pure.

People's words and names come out of the vault with the history; once a case is erased they are simply not there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from routing.canonical import Json
from routing.case.case import Case
from routing.case.submission import Submission, moment_text
from routing.change import Actor
from routing.vocabulary import EventKind, Verdict

_BY_PEOPLE = frozenset({Verdict.APPROVED, Verdict.MODIFIED, Verdict.REJECTED})
_WITH_WORDS = frozenset({EventKind.APPROVED, EventKind.MODIFIED, EventKind.REJECTED, EventKind.BREAK_GLASS_USED})


class Happening(Protocol):
    """One event of a case with its content opened, as the store reads it and as cards show it."""

    @property
    def kind(self) -> EventKind:
        """What happened."""
        ...

    @property
    def actor(self) -> Actor:
        """Who did it."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...

    @property
    def fields(self) -> Mapping[str, object]:
        """What stands open in the log."""
        ...

    @property
    def opened(self) -> Mapping[str, object]:
        """What came out of the vault, by name."""
        ...

    @property
    def index(self) -> int:
        """The index of its leaf."""
        ...


def decided_by(case: Case, history: Sequence[Happening]) -> list[Json]:
    """The people whose votes count, in order: `slack_id`, `name` (null where unknown), `step`, `at`."""
    names = {happening.actor.id: happening.opened["name"] for happening in history if "name" in happening.opened}
    return [
        {
            "slack_id": vote.by,
            "name": str(names[vote.by]) if vote.by in names else None,
            "step": case.route.steps[vote.step].name,
            "at": moment_text(vote.at),
        }
        for vote in case.votes
    ]


def rationale(case: Case, history: Sequence[Happening]) -> str | None:
    """What the last person who decided about this revision wrote; null where nobody did."""
    if case.verdict not in _BY_PEOPLE:
        return None
    said = (happening for happening in reversed(history) if happening.kind in _WITH_WORDS and happening.index >= case.content_at)
    return next((str(happening.opened["text"]) for happening in said if "text" in happening.opened), None)


def outside(case: Case, history: Sequence[Happening]) -> dict[str, Json]:
    """`break_glass` for a case that one person decided outside the normal path: which rules that passed over, and by when it is reviewed;
    nothing for any other.
    """
    used = next((one for one in reversed(history) if one.kind is EventKind.BREAK_GLASS_USED), None)
    if not case.break_glass or used is None:
        return {}
    passed_over = used.fields.get("passed_over")
    codes: list[Json] = [str(code) for code in passed_over] if isinstance(passed_over, list) else []
    return {"break_glass": {"passed_over": codes, "review_by": str(used.fields.get("review_by") or "")}}


def action(case: Case, submission: Submission | None) -> dict[str, Json]:
    """What is to be executed: `type`, `params`, and `before` where there is one, because the hash covers it. No content once erased."""
    proposed = submission.action if submission is not None else None
    made: dict[str, Json] = {"type": case.action_type, "params": proposed.params if proposed is not None else None}
    return made | {"before": proposed.before} if proposed is not None and proposed.before is not None else made


def moment_or_none(at: datetime | None) -> str | None:
    """A time as text, or null."""
    return moment_text(at) if at is not None else None
