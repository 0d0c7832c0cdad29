"""What a service reads about its case: the body of `GET /v1/cases/{id}`, and the shape of the answer to posting it.

Owns these shapes, which are also the OpenAPI description of the answers; what posting is answered is put together by
`routing.review.event_fields.answer`. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from bot.decision import Happening, action, decided_by, moment_or_none, outside
from routing.canonical import Json
from routing.case.case import Case
from routing.case.playbook import Action
from routing.case.submission import Submission, moment_text
from routing.review.event_fields import interim_asked, told_state
from routing.review.outlook import upcoming
from routing.vocabulary import Consequence, EventKind, Lane, Mode, Risk, State, Verdict

LETS_THROUGH = frozenset({EventKind.APPROVED, EventKind.MODIFIED, EventKind.BREAK_GLASS_USED, EventKind.INTERIM_ENDED, EventKind.DECIDED})
"""Events that tell a decision."""


class ReasonAnswer(BaseModel):
    """Why a case is where it is."""

    code: str
    text: str


class RoutedAnswer(BaseModel):
    """Where a case stands. The answer to every post about a case; it never carries a verdict."""

    id: str
    state: State
    lane: Lane
    mode: Mode
    tier: int | None = Field(description="1-based; null while nobody was asked")
    risk: Risk
    priority: int = Field(description="higher first")
    reasons: list[ReasonAnswer]
    missing: list[str] = Field(description="what the workflow requires and the case lacks")
    policy_version: str
    due_at: str | None = Field(description="when the next thing happens to the case if nobody acts, RFC 3339; null when nothing does")
    next: Consequence | None = Field(description="what that is; a reminder is none")
    interim: Action | None = Field(
        default=None, description="what a playbook asks of the service until a verdict lets the action through; null where nothing"
    )
    revision: int
    action_sha256: str


class OpenedAnswer(RoutedAnswer):
    """The answer to a posted case."""

    checkpoint: str | None = Field(description="newest signed checkpoint of the audit log (C2SP tlog-checkpoint), null before the first")


class ActionAnswer(BaseModel):
    """What is to be executed."""

    type: str
    params: dict[str, Any] | None
    before: dict[str, Any] | None = None


class PersonAnswer(BaseModel):
    """Somebody whose vote counts."""

    slack_id: str
    name: str | None
    step: str
    at: str


class BreakGlassAnswer(BaseModel):
    """A decision outside the normal path."""

    passed_over: list[str] = Field(description="what would have kept this person from deciding, as codes")
    review_by: str = Field(description="by when the supervisors have to say whether it was right")


class HappeningAnswer(BaseModel):
    """One event of the case."""

    event: EventKind
    at: str
    actor: str = Field(description="kind:id, for example human:U012AB3CD or service:refund-agent")


class CaseAnswer(RoutedAnswer):
    """A case as it is now."""

    workflow: str
    task_id: str
    verdict: Verdict | None = Field(description="null until decided")
    action: ActionAnswer
    people: list[PersonAnswer]
    reason_code: str
    break_glass: BreakGlassAnswer | None = Field(default=None, description="there where one person decided outside the normal path")
    history: list[HappeningAnswer]
    outcome: str | None
    receipt: dict[str, Any] | None = Field(description="leaf, index, proof, checkpoint, openings; once decided and under a checkpoint")


def case_answer(
    case: Case, submission: Submission | None, history: Sequence[Happening], receipt: Mapping[str, Json] | None
) -> dict[str, Json]:
    """The answer. `submission` is None once the content was erased, `receipt` where there is none yet; `history` is in order of the log.

    A decision that is kept back while its workflow is paused is not told, and nothing that would prove it: the case is held. Nor is
    one that may still be taken back: the case is pending.
    """
    chosen, withheld, first = case.route, case.kept_here, upcoming(case)
    told = [happening for happening in history if not (withheld and happening.kind in LETS_THROUGH)]
    return {
        "id": case.id,
        "workflow": case.workflow,
        "task_id": case.task_id,
        "state": told_state(case).value,
        "lane": chosen.lane.value,
        "mode": chosen.mode.value,
        "risk": chosen.risk.value,
        "priority": chosen.priority,
        "tier": case.tier + 1 if case.tier_since is not None else None,
        "revision": case.revision,
        "verdict": case.verdict.value if case.verdict is not None and not withheld else None,
        "action": action(case, submission),
        "action_sha256": case.action_sha256,
        "people": decided_by(case, history) if not withheld else [],
        "reason_code": case.reason_code if not withheld else "",
        **(outside(case, history) if not withheld else {}),
        "reasons": [{"code": reason.code, "text": reason.text} for reason in chosen.reasons],
        "missing": list(chosen.missing),
        "policy_version": chosen.policy_version,
        "due_at": moment_or_none(first.at if first is not None else None),
        "next": first.consequence.value if first is not None else None,
        "interim": interim_asked(case),
        "history": [_told(happening) for happening in told],
        "outcome": case.outcome or None,
        "receipt": dict(receipt) if receipt is not None and not withheld else None,
    }


def _told(happening: Happening) -> Json:
    return {"event": happening.kind.value, "at": moment_text(happening.at), "actor": f"{happening.actor.kind}:{happening.actor.id}"}
