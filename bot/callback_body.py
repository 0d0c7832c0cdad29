"""The body of a callback (CONTRACT "What comes back"). Owns that shape; pure, so every try of one callback says the same.

What an event said is taken from the event, not from the case as it has become since.
"""

from collections.abc import Mapping

from bot.cards.view import Happening, View
from bot.decision import action, decided_by, rationale
from routing.canonical import Json
from routing.clock import after
from routing.submission import moment_text
from routing.vocabulary import ClockName


def callback_body(kind: str, sequence: int, leaf_idx: int, view: View, receipt: Mapping[str, Json] | None) -> dict[str, Json]:
    """The callback of type `kind` about the event at `leaf_idx`. Raises LookupError when the history does not hold that event."""
    happening = next((happening for happening in view.history if happening.index == leaf_idx), None)
    if happening is None:
        raise LookupError(f"the history of the case has no event {leaf_idx}")
    return {"type": kind, "timestamp": moment_text(happening.at), "data": _case(view, sequence) | _said(kind, happening, view, receipt)}


def _case(view: View, sequence: int) -> dict[str, Json]:
    case = view.case
    return {
        "case_id": case.id,
        "task_id": case.task_id,
        "workflow": case.workflow,
        "service": case.service,
        "sequence": sequence,
        "revision": case.revision,
        "policy_version": case.route.policy_version,
        "labels": dict(view.submission.labels),
    }


def _said(kind: str, happening: Happening, view: View, receipt: Mapping[str, Json] | None) -> dict[str, Json]:
    case, submission = view.case, view.submission
    executed: dict[str, Json] = {
        "action": action(case, submission),
        "action_sha256": case.action_sha256,
        "receipt": dict(receipt) if receipt is not None else None,
    }
    match kind:
        case "case.decided":
            prefill = submission.prefill
            return executed | {
                "verdict": case.verdict.value if case.verdict is not None else None,
                "modified_fields": list(case.modified_fields),
                "prefill": prefill.model_dump(mode="json", exclude_unset=True) if prefill is not None else None,
                "decided_by": decided_by(case, view.history),
                "reason_code": case.reason_code,
                "rationale": rationale(case, view.history),
            }
        case "case.rollback_requested":
            return executed | {"reason_code": str(happening.fields.get("reason_code", "")), "reason": _words(happening)}
        case "case.information_requested":
            question = _words(happening)
            due_at = after(case.calendar(ClockName.INFORMATION), happening.at, case.route.information_s)
            return {"questions": [question] if question else [], "missing": list(case.route.missing), "due_at": moment_text(due_at)}
        case _:
            return {"reason": str(happening.fields.get("reason", "")) or _words(happening)}


def _words(happening: Happening) -> str:
    return str(happening.opened.get("text", ""))
