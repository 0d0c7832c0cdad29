"""Erasing the content of a case that is over: a step. What it deletes is the store's to delete, in the same transaction.

Owns when that may be, what the log says of it for ever and that the cards are drawn anew. The event's reason stands open in the log: the
vault of the case is gone with it.
"""

from datetime import datetime

from routing.authorize import refuse
from routing.change import Actor, Subject
from routing.review.deciding import PressStep, StepResult
from routing.review.draft import Draft
from routing.vocabulary import EventKind


def erase(actor: Actor, reason: str) -> PressStep:
    """`reason` is for ever and in the open: why, never whose. Refuses an open case, and one that was erased before."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if case.open:
            return refuse("still_open")
        if case.erased_at is not None:
            return refuse("already_erased")
        draft = Draft(case, now)
        draft.put(erased_at=now, requester_email_sha256="")  # the digest of an address is easily guessed
        verdict = case.verdict.value if case.verdict is not None else None
        draft.record(EventKind.CONTENT_ERASED, actor, {"reason": reason, "verdict": verdict, "action_sha256": case.action_sha256})
        draft.update_cards()
        return draft.change()

    return step
