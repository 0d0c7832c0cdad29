"""From a press to the step that carries it out: the one table of what every verb does."""

from collections.abc import Callable

from routing.people import Press
from routing.review import deciding, holding, revealing, tying, undoing, working
from routing.review.pressing import PressStep
from routing.vocabulary import CaseKind, Verb

STEPS: dict[Verb, Callable[[Press], PressStep]] = {
    Verb.APPROVE: deciding.approve,
    Verb.REJECT: deciding.reject,
    Verb.MODIFY: deciding.modify,
    Verb.ESCALATE: working.escalate,
    Verb.ASK: working.ask,
    Verb.COMMENT: working.comment,
    Verb.CLAIM: working.claim,
    Verb.UNCLAIM: working.unclaim,
    Verb.OPEN_EVIDENCE: working.open_evidence,
    Verb.RESUME: working.resume,
    Verb.ROLL_BACK: undoing.roll_back,
    Verb.SEPARATE: tying.separate,
    Verb.REVEAL: revealing.reveal,
    Verb.QUARANTINE: holding.quarantine,
}

NEEDS_CONTENT = frozenset({Verb.MODIFY, Verb.ROLL_BACK, Verb.REVEAL})
"""Verbs whose step reads the case's content, whatever the case; see `needs_content`."""


def needs_content(verb: Verb, kind: CaseKind) -> bool:
    """Whether the step of a verb reads the content of such a case. Rejecting a check opens a roll back with it."""
    return verb in NEEDS_CONTENT or (kind is CaseKind.CHECK and verb is Verb.REJECT)


def step_of(press: Press) -> PressStep:
    """The step that carries out a press."""
    return STEPS[Verb(press.verb)](press)
