"""Opening a case about a case: the check of an automatic approval, the question whether something shall be undone. Owns what both share."""

from collections.abc import Mapping

from routing.authorize import requesters
from routing.canonical import Json
from routing.case.case import Case, Route
from routing.case.people import names_under
from routing.case.submission import Submission
from routing.change import SYSTEM, Change, Opens, Subject
from routing.review.draft import Draft
from routing.review.event_fields import received
from routing.review.ladder import total_clock
from routing.review.placement import place
from routing.review.revision import content_facts
from routing.vocabulary import CaseKind, EventKind


def open_child(
    about: Draft,
    route: Route,
    submission: Submission,
    *,
    kind: CaseKind,
    name: str,
    why: Mapping[str, Json],
    requester: str = "",
    reason_code: str = "",
    said: Mapping[str, Json] | None = None,
) -> Opens:
    """What opens a case of this kind about that of `about`, with its content. Its task id ends in `name`; `why` is said by its first event
    too, and `said`, somebody's words, sealed into it.

    Whoever asked for the action, or took part in deciding it, is kept from deciding this one as well; so is `requester`. The service's
    deadline was about the decision and does not apply, nor does a freeze: undoing is what a frozen workflow may need.
    """
    parent, now = about.case, about.now
    content = submission.model_copy(update={"task_id": f"{parent.id}:{name}"})
    voters = {vote.by for vote in parent.votes} if kind in (CaseKind.CHECK, CaseKind.REVIEW) else set()
    if kind is CaseKind.REVIEW and parent.modified_by:
        voters.add(parent.modified_by)
    took_part = {" ".join(sorted(names_under(voter, parent.people))) for voter in voters}

    def opens(case_id: str) -> Change:
        case = Case(
            id=case_id,
            service=parent.service,
            workflow=parent.workflow,
            task_id=content.task_id,
            kind=kind,
            parent=parent.id,
            route=route,
            created_at=now,
            requester=requester,
            people=parent.people,
            barred=(*requesters(parent), *sorted(took_part)),
            reason_code=reason_code,
            facts=parent.facts,
            tier=route.start,
            **content_facts(content),
        )
        draft = Draft(Subject(case, submission=content, dark=about.subject.dark), now)
        draft.put_clocks(total=total_clock(case, now))
        fields = received(case, content) | {"kind": kind.value, "parent": parent.id, **why, "deadline": None}
        draft.record(EventKind.RECEIVED, SYSTEM, fields, sealed=said, submission=content)
        place(draft)
        return draft.change()

    return opens
