"""Taking an approval back before its service was told: the case goes on as it was. Never what its service knows: that is rolled back."""

from collections.abc import Mapping
from typing import Any

from routing.authorize import refuse
from routing.canonical import Json
from routing.case.case import Case
from routing.case.people import Press
from routing.change import Actor, Refused
from routing.review.draft import Draft
from routing.review.ladder import in_pagerduty
from routing.review.page_news import page_anew
from routing.review.press import PressStep, by_person
from routing.vocabulary import EventKind, State


def undo(press: Press) -> PressStep:
    """Whoever gave the last approval takes it back. Its revision counts no more, so that no press on a card of before does; earlier votes,
    step and clocks are as they were, with what is left of their time; cases decided with it go back with it.
    """

    def act(draft: Draft, actor: Actor) -> Refused | None:
        window = draft.case.undo
        if draft.case.tied_to:
            return refuse("tied")
        if window is None or window.until <= draft.now:
            return refuse("undo_over")
        draft.note(take_back(draft, actor, window.before))
        if _resolved_meanwhile(draft.case):
            page_anew(draft)
        take_back_tied(draft, actor)
        return None

    return by_person(press, act)


def take_back(draft: Draft, actor: Actor, before: Mapping[str, Any]) -> int:
    """The case is as it was `before`, under a new revision. Gives the position of the event that says so, for the caller to note."""
    case = draft.case
    verdict = case.verdict.value if case.verdict is not None else None
    draft.put(**{**_restored(case, before), "undo": None, "revision": case.revision + 1})
    votes: list[Json] = [vote.by for vote in draft.case.votes]
    said: dict[str, Json] = {"verdict": verdict, "action_sha256": draft.case.action_sha256, "votes": votes}
    event = draft.record(EventKind.UNDONE, actor, said)
    draft.update_cards()
    return event


def take_back_tied(draft: Draft, actor: Actor) -> None:
    """What was decided with the case goes back with it."""
    for case in draft.subject.related.values():
        if case.tied_to == draft.case.id and case.undo is not None:
            other = draft.beside(case)
            other.note(take_back(other, actor, case.undo.before))
            draft.take(other)


def _resolved_meanwhile(case: Case) -> bool:
    """Whether whoever had the case in PagerDuty has resolved its incident there, as one does with what is decided."""
    there = any(page.tier == case.tier for page in case.pages)
    return case.state is State.PENDING and in_pagerduty(case.acknowledged_by) and not there


def _restored(case: Case, before: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they were, as values."""
    was = Case.model_validate({**case.model_dump(mode="json"), **before})
    return {name: getattr(was, name) for name in before}
