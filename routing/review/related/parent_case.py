"""What the end of a check or a roll back means for the case it is about. Owns those events; the verdict of the child is given elsewhere."""

from routing.authority import IncidentKind
from routing.authorize import EXECUTABLE
from routing.canonical import Json
from routing.case.people import Press
from routing.change import SYSTEM, Actor
from routing.review.draft import Draft
from routing.review.event_fields import words
from routing.review.related.break_glass_review import outcome_of, remember
from routing.review.related.roll_back import propose
from routing.vocabulary import CallbackKind, CaseKind, EventKind, Verdict


def settle(draft: Draft, press: Press | None = None) -> None:
    """Carry over what a child has just come to; nothing for any other case, and nothing while it is open.

    `press` decided it, None: time or its service did. A check that disagrees needs the case's content.
    """
    case = draft.case
    if case.kind is CaseKind.CASE or case.kind is CaseKind.DRILL or case.open:
        return
    parent = draft.beside(draft.subject.related[case.parent])
    match case.kind:
        case CaseKind.CHECK:
            _checked(draft, parent, press)
        case CaseKind.REVIEW:
            _reviewed(draft, parent, press)
        case CaseKind.ROLLBACK:
            _asked(draft, parent, press)
    parent.update_cards()
    draft.take(parent)


def _checked(draft: Draft, parent: Draft, press: Press | None) -> None:
    """Nobody looked: the approval counts as not checked, and nothing is said."""
    child, content = draft.case, draft.subject.submission
    if press is None:
        return
    actor = Actor("human", press.person.id)
    said: dict[str, Json] = {"child": child.id, "face": press.face, "saw": press.saw}
    if child.verdict is Verdict.APPROVED:
        parent.note(parent.record(EventKind.CHECK_AGREED, actor, said, sealed=words(press)))
        return
    parent.note(parent.record(EventKind.CHECK_DISAGREED, actor, said | {"reason_code": press.reason_code}, sealed=words(press)))
    draft.catch()
    if _stands(parent) and not parent.case.rollback:
        if content is None:
            raise ValueError("a check that disagrees needs the case's content")
        draft.open(propose(parent, actor, content, reason_code=press.reason_code, said=said, sealed=words(press), requester=actor.id))


def _reviewed(draft: Draft, parent: Draft, press: Press | None) -> None:
    """A decision by break-glass was right, or wrong; undoing what was let through wrongly is proposed."""
    child, content = draft.case, draft.subject.submission
    if press is None:
        return
    actor = Actor("human", press.person.id)
    said: dict[str, Json] = {"child": child.id, "face": press.face, "saw": press.saw}
    told = said | {"outcome": outcome_of(child), "reason_code": child.reason_code}
    parent.note(parent.record(EventKind.BREAK_GLASS_REVIEWED, actor, told, sealed=words(press)))
    remember(draft, actor)
    if child.verdict is Verdict.REJECTED:
        why = f"The decision of the case {parent.case.id} by break-glass was judged wrong."
        draft.call_for_postmortem(IncidentKind.BREAK_GLASS, why, about=parent.case)
    if child.verdict is Verdict.REJECTED and parent.case.break_glass and _stands(parent) and not parent.case.rollback:  # it may be void
        if content is None:
            raise ValueError("a review that finds break-glass wrong needs the case's content")
        draft.open(propose(parent, actor, content, reason_code=press.reason_code, said=said, sealed=words(press), requester=actor.id))


def _asked(draft: Draft, parent: Draft, press: Press | None) -> None:
    child = draft.case
    said: dict[str, Json] = {"child": child.id, "reason_code": child.reason_code}
    if press is not None and child.verdict is Verdict.APPROVED and _stands(parent):
        said |= {"action_sha256": parent.case.action_sha256, "face": press.face, "saw": press.saw}
        event = parent.record(EventKind.ROLLBACK_REQUESTED, Actor("human", press.person.id), said, sealed=words(press))
        parent.note(event)
        parent.call_back(CallbackKind.ROLLBACK_REQUESTED, event)
        return
    parent.put(rollback=False)
    actor = Actor("human", press.person.id) if press is not None else SYSTEM
    verdict = child.verdict.value if child.verdict is not None else None
    parent.note(parent.record(EventKind.ROLLBACK_DECLINED, actor, said | {"verdict": verdict}))


def _stands(parent: Draft) -> bool:
    """Whether the service may still act, or have acted, on what was decided."""
    return parent.case.verdict in EXECUTABLE and not parent.case.withheld
