"""The body of a callback (CONTRACT "What comes back"). Owns that shape; pure, so every try of one callback says the same.

What an event said is taken from the event, not from the case as it has become since.
"""

from collections.abc import Mapping, Sequence

from bot.decision import action, decided_by, outside, rationale
from bot.slack.cards.view import Bulletin, Happening, View
from routing.canonical import Json
from routing.case.submission import Submission, moment_text
from routing.clock import after
from routing.governance.automation import workflow_of
from routing.governance.control import since_or, untouched
from routing.vocabulary import CallbackKind, ClockName, EventKind


def callback_body(kind: str, sequence: int, leaf_idx: int, view: View, receipt: Mapping[str, Json] | None) -> dict[str, Json]:
    """The callback of type `kind` about the event at `leaf_idx`. Raises LookupError when the history does not hold that event."""
    happening = _happening(_history(view), leaf_idx)
    return {"type": kind, "timestamp": moment_text(happening.at), "data": _case(view, sequence) | _said(kind, happening, view, receipt)}


def _content(view: View) -> Submission:
    """What the service sent: it gets back its own values, as hashed, and nothing of it masked."""
    return view.original or view.submission


def _history(view: View) -> Sequence[Happening]:
    return view.told or view.history


def workflow_body(kind: str, sequence: int, leaf_idx: int, bulletin: Bulletin) -> dict[str, Json]:
    """The callback of type `kind` about a workflow: its brake moved, or another policy treats its cases, as the event at `leaf_idx` says.

    Raises LookupError when the history does not hold that event.
    """
    happening = _happening(bulletin.history, leaf_idx)
    said, at = happening.fields, moment_text(happening.at)
    if happening.kind is EventKind.AUTOMATION_CHANGED:
        automation, reason, since = str(said["after"]), str(said.get("reason", "")), at
    else:
        control = bulletin.control or untouched(workflow_of(bulletin.subject))
        automation, since = control.automation.value, moment_text(since_or(control, happening.at))
        reason = f"Policy {said.get('version', '')}: {happening.kind.value.removeprefix('policy_')}"
    told: dict[str, Json] = {"workflow": workflow_of(bulletin.subject), "automation": automation, "reason": reason, "since": since}
    return {"type": kind, "timestamp": at, "data": told | {"sequence": sequence}}


def _happening(history: Sequence[Happening], leaf_idx: int) -> Happening:
    happening = next((happening for happening in history if happening.index == leaf_idx), None)
    if happening is None:
        raise LookupError(f"the history has no event {leaf_idx}")
    return happening


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
        "labels": dict(_content(view).labels),
    }


def _said(kind: str, happening: Happening, view: View, receipt: Mapping[str, Json] | None) -> dict[str, Json]:
    case, submission = view.case, _content(view)
    executed: dict[str, Json] = {
        "action": action(case, submission),
        "action_sha256": case.action_sha256,
        "receipt": dict(receipt) if receipt is not None else None,
    }
    match kind:
        case CallbackKind.DECIDED:
            prefill = submission.prefill
            return executed | {
                "verdict": case.verdict.value if case.verdict is not None else None,
                "modified_fields": list(case.modified_fields),
                "prefill": prefill.model_dump(mode="json", exclude_unset=True) if prefill is not None else None,
                "decided_by": decided_by(case, _history(view)),
                "reason_code": case.reason_code,
                "rationale": rationale(case, _history(view)),
                **outside(case, _history(view)),
            }
        case CallbackKind.ROLLBACK_REQUESTED:
            return executed | {"reason_code": str(happening.fields.get("reason_code", "")), "reason": _why_undo(happening, _history(view))}
        case CallbackKind.INFORMATION_REQUESTED:
            question = _words(happening)
            said = {name: str(happening.fields[name]) for name in ("due_at", "next") if name in happening.fields}
            if not said:  # asked before the event said it
                said = {"due_at": moment_text(after(case.calendar(ClockName.INFORMATION), happening.at, case.route.information_s))}
            return {"questions": [question] if question else [], "missing": list(case.route.missing), **said}
        case _ if happening.kind in (EventKind.INTERIM_SET, EventKind.INTERIM_ENDED):
            return {"reason": str(happening.fields["reason"]), "interim": str(happening.fields["action"])}
        case _:
            return {"reason": str(happening.fields.get("reason", "")) or _words(happening)}


def _why_undo(requested: Happening, history: Sequence[Happening]) -> str:
    """The words of whoever approved the roll back, else of whoever asked for it."""
    asked = [one for one in history if one.kind is EventKind.ROLLBACK_PROPOSED and one.index < requested.index]
    return _words(requested) or (_words(asked[-1]) if asked else "")


def _words(happening: Happening) -> str:
    return str(happening.opened.get("text", ""))
