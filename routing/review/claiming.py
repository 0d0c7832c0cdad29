"""Who has a case: claiming it, giving it back, taking it over, handing it to somebody, and that a claim ends which nobody works on.

Owns that one person at most has a case, and the caps of one person. Whom a claim keeps from deciding is `routing.authorize.held_off`'s.
"""

from datetime import UTC, datetime, timedelta

from routing.authorize import LETS_THROUGH, REFUSALS, Allowed, authorize, refuse
from routing.canonical import Json
from routing.case.case import Case
from routing.case.people import Person, Press
from routing.case.workload import Workload
from routing.change import SYSTEM, Actor, Refused, Subject
from routing.review.draft import Draft
from routing.review.event_fields import words
from routing.review.ladder import acknowledge, tier_clocks
from routing.review.press import PressStep, by_person
from routing.vocabulary import EventKind, Verb

HOUR = timedelta(hours=1)
"""In which the cases that one person takes are counted."""

_BARRED = {
    "not_in_group": "they are not in the group that answers for it now.",
    "requester": "they asked for this action.",
    "took_part": "they took part in deciding what this asks about.",
    "email_unknown": "only the requester's e-mail address is known, and Slack does not tell theirs.",
    "already_voted": "they have already taken a step on it.",
    "slack_unreachable": "Slack could not say who they are just now. Please try again.",
    "deactivated": "their Slack account is deactivated.",
    "bot": "that is a bot.",
    "stranger": "they are no member of this workspace.",
    "guest": "guests cannot review cases.",
}
"""Why somebody cannot have a case, said to whoever hands it to them."""


def claim(press: Press) -> PressStep:
    """Say that one is on it: stops the acknowledge clock, names the person on the card and holds the others off."""

    def act(draft: Draft, actor: Actor) -> Refused | None:
        if (refused := _too_much(draft)) is not None:
            return refused
        before = draft.case.claimed_by
        if before and before != actor.id:  # it ran out, and nobody has noted that yet
            draft.record(EventKind.CLAIM_RETURNED, SYSTEM, _said(draft.case, of=before, reason="idle"))
        _take(draft, actor, actor.id)
        draft.record(EventKind.CLAIMED, actor, _said(draft.case), sealed=words(press))
        draft.update_cards()
        return None

    return by_person(press, act)


def unclaim(press: Press) -> PressStep:
    """Give a claim back: somebody has to take the case, as before."""

    def act(draft: Draft, actor: Actor) -> Refused | None:
        if not _has(press.person, draft.case):
            return refuse("not_claimed")
        _free(draft)
        draft.record(EventKind.UNCLAIMED, actor, _said(draft.case))
        draft.update_cards()
        return None

    return by_person(press, act)


def take_over(press: Press) -> PressStep:
    """Claim in place of somebody else, with a reason; whoever had it is told in the thread."""

    def act(draft: Draft, actor: Actor) -> Refused | None:
        before = draft.case.claimed_by
        if (refused := _too_much(draft)) is not None:
            return refused
        _take(draft, actor, actor.id)
        draft.note(draft.record(EventKind.TAKEN_OVER, actor, _said(draft.case, of=before), sealed=words(press)))
        draft.update_cards()
        return None

    return by_person(press, act)


def hand_over(press: Press) -> PressStep:
    """Have a person claim it who may decide it (`press.to`), with a note; they are told in the thread. Whoever has the case may; while
    nobody has it, anybody of the group may.
    """

    def act(draft: Draft, actor: Actor) -> Refused | None:
        case, to = draft.case, press.to
        if to is None:
            return refuse("not_handed")
        if to.was(actor.id, case.people) or to.ids & press.person.ids:
            return refuse("handed_to_oneself")
        could = authorize(Press(verb=Verb.CLAIM, person=to, case_id=case.id, face=case.face, team=press.team), case)
        if not isinstance(could, Allowed):
            return Refused("cannot_answer", REFUSALS["cannot_answer"].format(why=_BARRED.get(could.reason, could.text)))
        if (refused := _too_much(draft, theirs=True)) is not None:
            return refused
        _take(draft, actor, to.id)
        draft.put(people=to.known_with(case.people))
        draft.note(draft.record(EventKind.HANDED_OVER, actor, _said(draft.case, to=to.id), sealed=words(press)))
        draft.update_cards()
        return None

    return by_person(press, act)


def give_back(draft: Draft, reason: str) -> None:
    """A claim ends by itself: nobody worked on it (`idle`), or whoever claimed it is away (`away`). They are told in the thread."""
    before = draft.case.claimed_by
    _free(draft)
    draft.note(draft.record(EventKind.CLAIM_RETURNED, SYSTEM, _said(draft.case, of=before, reason=reason)))
    draft.update_cards()


def end_claim(draft: Draft, person: Person) -> None:
    """Whoever claimed it has done what they can: others have to go on."""
    if _has(person, draft.case):
        draft.put(claimed_by="")
        draft.put_clocks(claim=None)


def takes(press: Press) -> bool:
    """Whether a press gives somebody a case, or lets one through, so that their share of the work counts."""
    return press.verb in (Verb.CLAIM, Verb.TAKE_OVER, Verb.HAND_OVER, *LETS_THROUGH)


def taker_of(press: Press) -> Person:
    """Who gets the case by such a press."""
    return press.to if press.verb == Verb.HAND_OVER and press.to is not None else press.person


def too_many(subject: Subject, *, theirs: bool = False) -> Refused | None:
    """Whether whoever gets the case has taken as many within the hour as one person may; one of these stays theirs."""
    load = subject.workload or Workload()
    if load.most_taken is None or subject.case.id in load.taken or len(load.taken) < load.most_taken:
        return None
    room = sorted(load.taken.values())[len(load.taken) - load.most_taken] + HOUR
    return _sentence("their_cap_hour" if theirs else "cap_hour", count=len(load.taken), until=_moment(room))


def _has(person: Person, case: Case) -> bool:
    return bool(case.claimed_by) and person.was(case.claimed_by, case.people)


def _take(draft: Draft, actor: Actor, holder: str) -> None:
    acknowledge(draft, actor)
    draft.put(claimed_by=holder)
    draft.put_clocks(claim=draft.now + timedelta(seconds=draft.case.route.claim_s))


def _free(draft: Draft) -> None:
    """Nobody has it: the clock to take it runs afresh, unless somebody else acknowledged it."""
    case = draft.case
    draft.put(claimed_by="")
    draft.put_clocks(claim=None)
    if case.acknowledged_by == case.claimed_by:
        fresh = tier_clocks(draft.case, draft.now)
        draft.put(acknowledged_by="")
        draft.put_clocks(acknowledge=fresh.acknowledge, page=fresh.page)


def _too_much(draft: Draft, *, theirs: bool = False) -> Refused | None:
    """Why whoever would get the case is not to have one more. `theirs`: it is said to whoever hands it to them."""
    load = draft.subject.workload or Workload()
    others = load.claimed - {draft.case.id}
    if load.away_until is not None:
        return _sentence("they_are_away" if theirs else "away", until=_moment(load.away_until))
    if load.most_claimed is not None and len(others) >= load.most_claimed:
        return _sentence("their_cap_open" if theirs else "cap_open", count=len(others))
    return too_many(draft.subject, theirs=theirs)


def _sentence(reason: str, **figures: object) -> Refused:
    return Refused(reason, REFUSALS[reason].format(**figures))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _said(case: Case, **more: Json) -> dict[str, Json]:
    return {"tier": case.tier + 1, **more}
