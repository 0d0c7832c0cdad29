"""Erasing the content of a case that is over: a step. What it deletes is the store's to delete, in the same transaction.

Owns when that may be, what the log says of it for ever and that the cards are drawn anew. The event's reason stands open in the log: the
vault of the case is gone with it.
"""

from datetime import datetime

from routing.authorize import is_digest, refuse
from routing.change import Actor, Subject
from routing.review.draft import Draft
from routing.review.press import PressStep, StepResult
from routing.vocabulary import EventKind


def erase(actor: Actor, reason: str) -> PressStep:
    """`reason` is for ever and in the open: why, never whose. Refuses a case that is open or has a check or roll back that is, one
    on which somebody has put a legal hold, and one that was erased before.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if case.open or case.kept_here or any(child.open for child in subject.related.values() if child.parent == case.id):
            return refuse("still_open")
        family = (case, *(one for one in subject.related.values() if one.parent == case.id or one.id == case.parent))
        if any(one.legal_holds for one in family):  # they hold the same content
            return refuse("legal_hold")
        if case.erased_at is not None:
            return refuse("already_erased")
        draft = Draft(subject, now)
        _erase(draft, actor, reason)
        for child in subject.related.values():
            if child.parent == case.id and child.erased_at is None:  # its checks and roll backs hold the same content
                beside = draft.beside(child)
                _erase(beside, actor, reason)
                draft.take(beside)
        return draft.change()

    return step


def _erase(draft: Draft, actor: Actor, reason: str) -> None:
    case = draft.case
    barred, people = (tuple(filter(None, map(_ids, names))) for names in (case.barred, case.people))
    draft.put(erased_at=draft.now, requester_email_sha256="", barred=barred, people=people)  # digests of addresses are easily guessed
    verdict = case.verdict.value if case.verdict is not None else None
    draft.record(EventKind.CONTENT_ERASED, actor, {"reason": reason, "verdict": verdict, "action_sha256": case.action_sha256})
    draft.update_cards()


def _ids(names: str) -> str:
    return " ".join(name for name in names.split() if not is_digest(name))
