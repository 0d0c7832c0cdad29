"""From a press to the step that carries it out: the one table of what every verb does."""

from collections.abc import Callable

from routing.case.people import Press
from routing.review import break_glass, claiming, deciding, handling, holds, legal_hold, reveal, undoing
from routing.review.press import PressStep
from routing.review.related import near_duplicates, roll_back
from routing.vocabulary import CaseKind, Verb

STEPS: dict[Verb, Callable[[Press], PressStep]] = {
    Verb.APPROVE: deciding.approve,
    Verb.REJECT: deciding.reject,
    Verb.MODIFY: deciding.modify,
    Verb.ESCALATE: handling.escalate,
    Verb.ASK: handling.ask,
    Verb.COMMENT: handling.comment,
    Verb.CLAIM: claiming.claim,
    Verb.UNCLAIM: claiming.unclaim,
    Verb.TAKE_OVER: claiming.take_over,
    Verb.HAND_OVER: claiming.hand_over,
    Verb.OPEN_EVIDENCE: handling.open_evidence,
    Verb.RESUME: handling.resume,
    Verb.ROLL_BACK: roll_back.roll_back,
    Verb.UNDO: undoing.undo,
    Verb.SEPARATE: near_duplicates.separate,
    Verb.REVEAL: reveal.reveal,
    Verb.QUARANTINE: holds.quarantine,
    Verb.BREAK_GLASS: break_glass.break_glass,
    Verb.LEGAL_HOLD: legal_hold.hold,
    Verb.RELEASE_LEGAL_HOLD: legal_hold.release,
}

NEEDS_CONTENT = frozenset({Verb.MODIFY, Verb.ROLL_BACK, Verb.REVEAL, Verb.BREAK_GLASS})
"""Verbs whose step reads the case's content, whatever the case; see `needs_content`."""


def needs_content(verb: Verb, kind: CaseKind) -> bool:
    """Whether the step of a verb reads the content of such a case. Rejecting a check, or what was decided by
    break-glass, opens a roll back with it.
    """
    return verb in NEEDS_CONTENT or (kind in (CaseKind.CHECK, CaseKind.REVIEW) and verb is Verb.REJECT)


def step_of(press: Press) -> PressStep:
    """The step that carries out a press."""
    return STEPS[Verb(press.verb)](press)
