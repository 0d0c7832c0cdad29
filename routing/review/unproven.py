"""What becomes of a case whose verdict the audit log does not prove: it does not leave, and all concerned are told. Never judges that."""

from dataclasses import replace
from datetime import datetime

from routing.authorize import refuse
from routing.canonical import Json
from routing.change import SYSTEM, Subject
from routing.review.draft import Draft
from routing.review.interim import void_end
from routing.review.press import PressStep, StepResult
from routing.vocabulary import LETS_THROUGH, CallbackKind, CaseKind, EventKind, State

UNPROVEN = "unproven"
"""What such a case is held by. Nobody takes it up again: what its row says is not to be believed."""


def keep_unproven(callback: str, leaf_idx: int, reason: str, *, tell_service: bool) -> PressStep:
    """The step that keeps a callback about the event at `leaf_idx` here, once. `reason` names rows and events, no content."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if case.held_by == UNPROVEN:
            return refuse("not_now")
        draft = Draft(subject, now)
        verdict = case.verdict.value if case.verdict is not None else None
        said: dict[str, Json] = {"callback": callback, "leaf": leaf_idx, "reason": reason}
        kept = callback in LETS_THROUGH and case.kind is CaseKind.CASE and case.state in (State.DECIDED, State.CLOSED)
        draft.put(held_by=UNPROVEN, withheld=case.withheld or kept, undo=None if kept else case.undo)
        if kept:
            void_end(draft)
        event = draft.record(EventKind.UNPROVEN, SYSTEM, said | {"verdict": verdict, "action_sha256": case.action_sha256})
        draft.update_cards()
        draft.note(event)
        if tell_service and kept:
            draft.call_back(CallbackKind.HELD, event)
        return replace(draft.change(), unproven=reason)

    return step
