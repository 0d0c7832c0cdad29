"""Near-duplicates with the very same action are tied to the first one: shown, decided and counted with it (I7). Others are only linked.

Owns when cases are tied, what the first one's end means for the others, and how they part. Nothing here decides: a tied case takes over
what people decided on the first, or goes its own way.
"""

from collections.abc import Sequence
from datetime import datetime

from routing.authority import Automation
from routing.authorize import refuse, requesters
from routing.canonical import Json
from routing.case.case import Case
from routing.case.people import Press
from routing.change import SYSTEM, Actor, Change, Event, Refused, Subject
from routing.review.draft import Draft
from routing.review.event_fields import words
from routing.review.ladder import expire
from routing.review.placement import place
from routing.review.press import PressStep, by_person
from routing.review.verdict import conclude
from routing.vocabulary import CaseKind, EventKind, Lane, State, Verdict

MOST = 50
"""Cases tied or linked to one; they are locked together, so there is an end to it. The next one is decided by itself."""

PEOPLE = frozenset({Lane.REVIEW, Lane.SPECIALIST, Lane.EXPERT})
"""Lanes in which cases are tied. What stops the line is looked at one by one."""


def relate(draft: Draft, first: Case) -> bool:
    """Tie a case that is being opened to the near-duplicate that came before, or link the two; True when it is tied."""
    tied = _may_tie(draft, first)
    kind = EventKind.TIED if tied else EventKind.LINKED
    draft.record(kind, fields={"other": first.id})
    draft.put(**({"tied_to": first.id} if tied else {"linked": (first.id,)}))
    known = first.tied if tied else first.linked
    if len(known) < MOST:
        other = draft.beside(first)
        other.put(**{"tied" if tied else "linked": (*known, draft.case.id)})
        event = other.record(kind, fields={"other": draft.case.id})
        other.update_cards()
        other.note(event)
        draft.take(other)
    return tied


def follow(before: Case, change: Change, subject: Subject, now: datetime) -> Change:
    """What a step on the first of several near-duplicates means for those tied to it; the ledger applies it to every such step.

    Decided by people, and the same action as ever: they are decided likewise. Ended or changed in any other way: they part.
    """
    first = change.case
    followers = _followers(before, subject)
    if not followers or not first.tied:
        return change
    said = next((event for event in reversed(change.events) if event.kind in (EventKind.APPROVED, EventKind.REJECTED)), None)
    draft = Draft.going_on(change, subject, now)
    if first.open and all(alike(first, follower) for follower in followers):
        return change
    if not first.open and said is not None and first.verdict in (Verdict.APPROVED, Verdict.REJECTED):
        for follower in followers:
            other = draft.beside(follower)
            _decide_likewise(other, first, said)
            draft.take(other)
        return draft.change()
    draft.note(_part(draft, followers, SYSTEM, "first_changed" if first.open else "first_ended"))
    return draft.change()


def separate(press: Press) -> PressStep:
    """Somebody sees a difference: each of the tied cases goes its own way from now on."""

    def act(draft: Draft, actor: Actor) -> Refused | None:
        followers = _followers(draft.case, draft.subject)
        if not followers:
            return refuse("nothing_tied")
        event = _part(draft, followers, actor, "reviewer", words(press))
        draft.update_cards()
        draft.note(event)
        return None

    return by_person(press, act)


def untie(draft: Draft, reason: str) -> None:
    """A tied case leaves the first one, which stays as it is; nothing for a case that is not tied."""
    case = draft.case
    if not case.tied_to:
        return
    draft.put(tied_to="")
    draft.record(EventKind.SEPARATED, fields={"others": [case.tied_to], "reason": reason})
    first = draft.subject.related.get(case.tied_to)
    if first is not None and case.id in first.tied:
        other = draft.beside(first)
        other.put(tied=tuple(name for name in first.tied if name != case.id))
        event = other.record(EventKind.SEPARATED, fields={"others": [case.id], "reason": reason})
        other.update_cards()
        other.note(event)
        draft.take(other)


def alike(first: Case, case: Case) -> bool:
    """Whether one look decides both: the same action and output, asked for by the same person, the same people look for the same, and the
    card of the first says everything that speaks against the other.
    """
    ours, theirs = first.route, case.route
    content = ("service", "workflow", "action_sha256", "output_sha256", "failed_checks", "warned_checks")
    work = ("policy_sha256", "lane", "template", "steps", "tiers", "start", "risk", "rule", "lost", "playbooks")
    return (
        all(getattr(first, name) == getattr(case, name) for name in content)
        and all(getattr(ours, name) == getattr(theirs, name) for name in work)
        and {reason.code for reason in ours.reasons} == {reason.code for reason in theirs.reasons}
        and requesters(first) == requesters(case)
        and not (ours.missing or theirs.missing)
    )


def _followers(first: Case, subject: Subject) -> list[Case]:
    return [case for name, case in subject.related.items() if name in first.tied and case.open and case.tied_to == first.id]


def _may_tie(draft: Draft, first: Case) -> bool:
    case = draft.case
    late = case.clocks.deadline is not None and case.clocks.deadline <= draft.now
    prefilled = any(step.name == "triage" for step in case.route.steps)  # what is confirmed there is not the action
    alone = any(not one.exhausted for one in case.route.playbooks)  # its steps are about this case, and said on its card
    wanted = case.route.duplicates_s is not None and case.route.lane in PEOPLE and not prefilled and not alone
    untouched = first.state is State.PENDING and first.tier_since is not None and first.tier == first.route.start
    free = not first.tied_to and not first.votes and not first.modified_by and len(first.tied) < MOST
    frozen = draft.subject.automation is Automation.FROZEN
    return wanted and untouched and free and not late and not frozen and first.kind is CaseKind.CASE and alike(first, case)


def _part(draft: Draft, followers: Sequence[Case], actor: Actor, reason: str, sealed: dict[str, Json] | None = None) -> int:
    """Each follower is placed by itself, as if it had just come in; the answer is the event of the first case."""
    draft.put(tied=())
    event = draft.record(EventKind.SEPARATED, actor, {"others": [case.id for case in followers], "reason": reason}, sealed=sealed)
    for follower in followers:
        other = draft.beside(follower)
        other.put(tied_to="")
        other.record(EventKind.SEPARATED, actor, {"others": [draft.case.id], "reason": reason})
        place(other)
        draft.take(other)
    return event


def _decide_likewise(draft: Draft, first: Case, said: Event) -> None:
    """The verdict of the first case, unless the service of this one no longer waits for it."""
    case = draft.case
    if first.verdict is None:
        raise ValueError("the first case has no verdict to follow")
    if case.clocks.deadline is not None and case.clocks.deadline <= draft.now:
        expire(draft, "deadline")
        return
    draft.put(votes=first.votes, step=first.step)
    draft.record(said.kind, said.actor, {**said.fields, "with": first.id}, sealed=said.sealed)
    undoable = case if first.undo is not None else None
    conclude(draft, first.verdict, said.actor, reason_code=first.reason_code, sealed=dict(said.sealed), undoable=undoable)
