"""A legal hold: the case's content is kept from being erased until somebody who is named for it releases it, saying why.

Owns the two verbs of people; the hold of a playbook is set by `routing.review.playbook`, and what it blocks stands in
`routing.review.erasure`.
"""

from routing.authorize import may_release
from routing.canonical import Json
from routing.case.people import Press
from routing.case.playbook import LegalHold
from routing.change import Actor
from routing.review.draft import Draft
from routing.review.event_fields import words
from routing.review.press import PressStep, by_person
from routing.vocabulary import EventKind


def hold(press: Press) -> PressStep:
    """Somebody with that role keeps the content; their words say why."""

    def act(draft: Draft, actor: Actor) -> None:
        draft.put(legal_holds=(*draft.case.legal_holds, LegalHold(by=actor.id, at=draft.now)))
        draft.note(draft.record(EventKind.LEGAL_HOLD_SET, actor, {"playbook": "", "reason": ""}, sealed=words(press)))
        draft.update_cards()

    return by_person(press, act)


def release(press: Press) -> PressStep:
    """Every hold that this person may release ends; the others stay."""

    def act(draft: Draft, actor: Actor) -> None:
        case = draft.case
        ended = tuple(one for one in case.legal_holds if may_release(press.person, one, case))
        left = tuple(one for one in case.legal_holds if one not in ended)
        draft.put(legal_holds=left)
        said: list[Json] = [one.playbook or one.by for one in ended]
        draft.note(draft.record(EventKind.LEGAL_HOLD_RELEASED, actor, {"released": said, "left": len(left)}, sealed=words(press)))
        draft.update_cards()

    return by_person(press, act)
