"""The interim action of a playbook: what the service is asked to do while people decide; a verdict that lets the action through releases
it, any other keeps it.

Owns when it is in force and that the service hears it: the last `case.held` or `case.released` that it got always says whether something
holds. It never judges whether a playbook fits.
"""

from routing.authorize import EXECUTABLE
from routing.case.playbook import Action, Interim
from routing.change import SYSTEM
from routing.review.draft import Draft
from routing.vocabulary import CallbackKind, EventKind, Verdict

STRICTER: tuple[Action, ...] = ("hold", "quarantine")
"""The stricter one last."""


def holds_at_least(draft: Draft, action: Action) -> bool:
    """Whether this action, or a stricter one, is in force."""
    interim = draft.case.interim
    return interim is not None and interim.in_force and STRICTER.index(interim.action) >= STRICTER.index(action)


def put_in_force(draft: Draft, action: Action, playbook: str, because: str) -> int:
    """Ask the service for it; gives the sequence of the callback that does."""
    draft.put(interim=Interim(action=action, playbook=playbook, since=draft.now))
    reason = f"Interim {action} by playbook {playbook}: {because}."
    draft.call_back(
        CallbackKind.HELD, draft.record(EventKind.INTERIM_SET, SYSTEM, {"action": action, "playbook": playbook, "reason": reason})
    )
    return draft.case.sequence


def end_interim(draft: Draft, verdict: Verdict) -> None:
    """The verdict, which counts, releases or keeps it; nothing where none is in force."""
    interim = draft.case.interim
    if interim is None or not interim.in_force:
        return
    released = verdict in EXECUTABLE
    ended = "released" if released else "kept"
    draft.put(interim=interim.model_copy(update={"ended": ended}))
    reason = f"Interim {interim.action} {ended}: the verdict is {verdict.value}."
    fields = {"action": interim.action, "playbook": interim.playbook, "ended": ended, "verdict": verdict.value, "reason": reason}
    draft.call_back(CallbackKind.RELEASED if released else CallbackKind.HELD, draft.record(EventKind.INTERIM_ENDED, SYSTEM, fields))


def void_end(draft: Draft) -> None:
    """The verdict that released it does not count: it is in force again. Whoever calls this tells the service that the case is held."""
    interim = draft.case.interim
    if interim is None or interim.in_force:
        return
    draft.put(interim=interim.model_copy(update={"ended": ""}))
    reason = f"Interim {interim.action} goes on: the verdict that ended it does not count."
    draft.record(EventKind.INTERIM_SET, SYSTEM, {"action": interim.action, "playbook": interim.playbook, "reason": reason})
