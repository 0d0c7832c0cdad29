"""Rolling back (G4): a person asks for it, another one approves it, the service is told once. Owns both halves; executes nothing.

What is asked is a case of its own, so it has people, clocks and a log like any other; the case it is about stays decided.
"""

from routing.authorize import EXECUTABLE, refuse
from routing.canonical import Json
from routing.case.case import Case, Reason, Route, Step
from routing.case.people import Press
from routing.case.submission import Submission
from routing.change import Actor, Opens, Refused
from routing.review.draft import Draft
from routing.review.event_fields import words
from routing.review.press import PressStep, by_person
from routing.review.related.child_case import open_child
from routing.vocabulary import CaseKind, EventKind, Lane, Template


def roll_back(press: Press) -> PressStep:
    """Ask other people whether the service shall undo what was decided. Needs the case's content."""

    def act(draft: Draft, actor: Actor) -> Refused | None:
        case, content = draft.case, draft.subject.submission
        if case.undo is not None:
            return refuse("not_told_yet")
        if case.verdict not in EXECUTABLE or case.withheld:
            return refuse("nothing_to_roll_back")
        if case.rollback:
            return refuse("rollback_running")
        if content is None:
            raise ValueError("a roll back needs the case's content")
        said: dict[str, Json] = {"face": press.face, "saw": press.saw}
        draft.put(people=press.person.known_with(case.people))
        opens = propose(draft, actor, content, reason_code=press.reason_code, said=said, sealed=words(press), requester=press.person.id)
        draft.open(opens)
        draft.update_cards()
        return None

    return by_person(press, act)


def propose(
    parent: Draft,
    actor: Actor,
    content: Submission,
    *,
    reason_code: str,
    said: dict[str, Json],
    sealed: dict[str, Json],
    requester: str = "",
) -> Opens:
    """Say on the parent that a roll back is asked for, and give what opens the case that asks. `said` and `sealed` go into the event."""
    case = parent.case
    number = case.rollbacks + 1
    parent.put(rollback=True, rollbacks=number)
    fields = {"reason_code": reason_code, "action_sha256": case.action_sha256, **said}
    parent.note(parent.record(EventKind.ROLLBACK_PROPOSED, actor, fields, sealed=sealed))
    return open_child(
        parent,
        rollback_route(case),
        content,
        kind=CaseKind.ROLLBACK,
        name="rollback" if number == 1 else f"rollback{number}",
        why={"reason_code": reason_code},
        requester=requester,
        reason_code=reason_code,
        said=sealed,
    )


def rollback_route(parent: Case) -> Route:
    """One person of those who decided the parent, or of the tier that reviews where nobody did, with the ladder above them."""
    route = parent.route
    start = parent.tier if parent.tier_since is not None else route.start
    group = route.steps[-1].group if route.steps and start == route.start else None
    return route.model_copy(
        update={
            "lane": Lane.REVIEW,
            "template": Template.APPROVAL,
            "steps": (Step(name="approve", group=group),),
            "start": start,
            "reasons": (Reason(code="roll_back", text="Somebody asks to undo what was decided."),),
            "missing": (),
            "page_at_start": False,
            "sampled": "",
            "duplicates_s": None,
        },
    )
