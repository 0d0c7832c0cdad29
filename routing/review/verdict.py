"""The one place where a case becomes decided. Owns the `decided` event, its callback, and that an approval stays here while its workflow is
paused; never asks who may decide.
"""

from datetime import datetime, timedelta
from typing import Any

from routing.authority import Automation
from routing.authorize import EXECUTABLE
from routing.canonical import Json
from routing.case.case import Case, Clocks, Undo
from routing.case.submission import moment_text
from routing.change import SYSTEM, Actor
from routing.clock import between
from routing.review.draft import Draft
from routing.review.interim import end_interim, void_end
from routing.review.pages import close_pages
from routing.review.playbook import nobody_was_asked
from routing.vocabulary import CallbackKind, CaseKind, ClockName, EventKind, State, Verdict


def conclude(
    draft: Draft,
    verdict: Verdict,
    actor: Actor,
    *,
    reason_code: str = "",
    sealed: dict[str, Json] | None = None,
    undoable: Case | None = None,
) -> None:
    """Give the verdict: clocks stop, every incident is settled, every card loses the buttons that decide, the service is called back.

    `undoable`: the case as it was before the press that gives it, which may be taken back for a while; then incidents and service wait.
    While the workflow is paused, a verdict that lets the action through is kept back: the service hears that the case is held.
    The fields of the `decided` leaf are a frozen format (v1): receivers check `verdict`, `action_sha256` and `revision`.
    """
    nobody_was_asked(draft)
    until = _undo_until(draft, verdict) if undoable is not None else None
    if until is None:
        close_pages(draft)
    case = draft.case
    reason_code = reason_code or case.reason_code
    draft.put(state=State.DECIDED, verdict=verdict, decided_at=draft.now, reason_code=reason_code, claimed_by="")
    draft.put(clocks=Clocks(deadline=case.clocks.deadline))  # nothing runs any more; kept for a decision that turns out void
    fields: dict[str, Json] = {
        "verdict": verdict.value,
        "action_type": case.action_type,
        "action_sha256": case.action_sha256,
        "input_sha256": case.input_sha256,
        "output_sha256": case.output_sha256,
        "confidence": case.confidence,
        "lane": case.route.lane.value,
        "reason_code": reason_code,
        "decided_by": [{"by": vote.by, "step": case.route.steps[vote.step].name, "verb": vote.verb} for vote in case.votes],
        "modified_fields": list(case.modified_fields),
        "override": verdict in (Verdict.REJECTED, Verdict.MODIFIED),
        "requester_known": bool(case.requester or case.requester_email_sha256),
        "turnaround_s": round((draft.now - case.created_at).total_seconds(), 3),
        "sla_s": case.decide_s if case.tier_since is not None else None,
        "sla_used_s": _used_s(case, draft.now),
    }
    if until is not None:
        fields["undo_until"] = moment_text(until)
    draft.put(used_s=fields["sla_used_s"])
    event = draft.record(EventKind.DECIDED, actor, fields, sealed=sealed)
    draft.update_cards()
    if until is not None and undoable is not None:
        draft.put(undo=Undo(by=actor.id, until=until, before=_was(undoable, draft.case)))
    elif _paused(draft):
        keep_back(draft)
    else:
        end_interim(draft, verdict)  # before the verdict: a receiver goes by the last it hears
        draft.call_back(CallbackKind.DECIDED, event)


def release(draft: Draft) -> None:
    """The time to take the decision back is over: incidents are settled, and the service is told; or it is kept back, while the workflow is
    paused.
    """
    case = draft.case
    if case.verdict is None or case.decided_index is None:
        raise ValueError("what is not decided cannot be released")
    draft.put(undo=None)
    close_pages(draft)
    if _paused(draft):
        keep_back(draft)
    else:
        draft.record(EventKind.RELEASED, SYSTEM, {"verdict": case.verdict.value, "action_sha256": case.action_sha256})
        end_interim(draft, case.verdict)
        draft.call_back(CallbackKind.DECIDED, 0, leaf=case.decided_index)
    draft.update_cards()


def _paused(draft: Draft) -> bool:
    """Whether a pause keeps the verdict here."""
    case = draft.case
    return case.kind is CaseKind.CASE and case.verdict in EXECUTABLE and draft.subject.automation.level >= Automation.PAUSED.level


def _undo_until(draft: Draft, verdict: Verdict) -> datetime | None:
    """Until when this verdict may be taken back. None: it counts at once. What lets nothing through, or only undoes, does no harm by that;
    and no service waits beyond its deadline for somebody's second thought.
    """
    case = draft.case
    until = draft.now + timedelta(seconds=case.route.undo_s)
    lets_through = case.kind is CaseKind.CASE and verdict in EXECUTABLE
    late = case.clocks.deadline is not None and case.clocks.deadline <= until
    paused = draft.subject.automation.level >= Automation.PAUSED.level
    return until if lets_through and case.route.undo_s and not late and not paused else None


_GOES_ON = frozenset({"sequence", "page_rounds", "pages", "people", "playbooks", "interim", "legal_holds", "children", "undo"})
"""What happened and stays so, whatever is taken back."""


def _was(before: Case, after: Case) -> dict[str, Any]:
    """What of the case is otherwise now, and which event sealed its content: that the ledger moves with a modification."""
    changed = {name for name in Case.model_fields if getattr(before, name) != getattr(after, name)} - _GOES_ON
    return before.model_dump(mode="json", include={*changed, "content_at", "segment", "decided_index"})


def keep_back(draft: Draft) -> None:
    """The service is told that the case is held, in place of its verdict, which does not count until people have looked afresh."""
    draft.put(withheld=True, undo=None)
    verdict = draft.case.verdict.value if draft.case.verdict is not None else None
    void_end(draft)
    event = draft.record(EventKind.WITHHELD, SYSTEM, {"verdict": verdict, "reason": "workflow_paused"})
    draft.note(event)
    draft.call_back(CallbackKind.HELD, event)


def _used_s(case: Case, now: datetime) -> float | None:
    """Seconds the deciding tier had the case, counted as its clock counts; None where nobody was asked."""
    return round(between(case.calendar(ClockName.DECIDE), case.tier_since, now), 3) if case.tier_since is not None else None
