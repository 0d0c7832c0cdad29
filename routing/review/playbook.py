"""How the steps of a playbook go: begun with what begins it, each by a message of the outbox, and done once that has arrived.

Owns the states of steps and what the log says of them. Which playbooks fit is `routing.evaluation.playbooks`' to say; it sends nothing, and
what became of a message comes from the courier.
"""

from datetime import datetime
from typing import Literal, assert_never

from routing.authorize import refuse
from routing.canonical import Json
from routing.case.case import Case
from routing.case.playbook import Action, LegalHold, Playbook, PlaybookStep
from routing.change import SYSTEM, Message, MessageKind, Subject
from routing.review.draft import Draft
from routing.review.interim import holds_at_least, put_in_force, void_end
from routing.review.pages import open_page
from routing.review.press import PressStep, StepResult
from routing.vocabulary import CaseKind, EventKind

Result = Literal["waiting", "done", "failed", "needless"]

_KINDS: dict[Result, EventKind] = {
    "waiting": EventKind.PLAYBOOK_STEP_BEGUN,
    "done": EventKind.PLAYBOOK_STEP_DONE,
    "failed": EventKind.PLAYBOOK_STEP_FAILED,
    "needless": EventKind.PLAYBOOK_STEP_SKIPPED,
}

_BEFORE: dict[Result, tuple[str, ...]] = {
    "waiting": ("failed",),  # sent again by hand
    "done": ("waiting", "failed"),
    "failed": ("waiting",),
    "needless": ("waiting",),
}
"""From which states a step comes to each."""

WHY_MOST = 300


def begin(draft: Draft, *, exhausted: bool = False) -> None:
    """Begin every playbook that fits and has not begun: those that wait until nobody has answered, or the others. Once each for a case.

    Checks and roll backs have none: their parent has.
    """
    if draft.case.kind is not CaseKind.CASE:
        return
    known = {one.name for one in draft.case.playbooks}
    for playbook in draft.case.route.playbooks:
        if playbook.exhausted == exhausted and playbook.name not in known:
            _begin(draft, playbook)


def guard_again(draft: Draft) -> None:
    """People look at the case afresh: what is safe meanwhile is in force again, also where the first verdict came too soon for it."""
    void_end(draft)
    for index, playbook in enumerate(draft.case.playbooks):
        for number, step in enumerate(playbook.steps):
            if step.kind == "interim" and step.state == "needless":
                _interim(draft, index, number)
            if step.kind == "page" and step.state == "needless" and draft.case.tier_since is None:  # nobody has been asked so far
                _planned(draft, index, number)


def page_whoever_is_asked(draft: Draft) -> None:
    """People get the case now: what was to page them, and waited for that, does."""
    for index, number in _planned_pages(draft.case):
        _page(draft, index, number)


def nobody_was_asked(draft: Draft) -> None:
    """The case is decided before people got it: nobody is paged for it any more."""
    for index, number in _planned_pages(draft.case):
        _came(draft, index, number, "needless", why="it was decided before anybody was asked")


def step_of(case: Case, message: Message) -> tuple[int, int] | None:
    """Which step of which playbook of the case a message carries out, both from 0; None where it carries out none."""
    match message.kind:
        case MessageKind.PLAYBOOK_NOTICE | MessageKind.TICKET:
            there = message.round < len(case.playbooks) and message.sequence < len(case.playbooks[message.round].steps)
            return (message.round, message.sequence) if there else None
        case MessageKind.PAGE | MessageKind.EMAIL:
            return _numbered(case, "page", message.round)
        case MessageKind.CALLBACK:
            return _numbered(case, "interim", message.sequence)
        case _:
            return None


def page_taken(draft: Draft, number: int) -> None:
    """Some route took the page of round `number`: where a playbook asked for it, that step is done."""
    found = _numbered(draft.case, "page", number)
    if found is not None and draft.case.playbooks[found[0]].steps[found[1]].state in _BEFORE["done"]:
        _came(draft, *found, "done")
        draft.update_cards()


def came_of(message: Message, result: Result, why: str = "") -> PressStep:
    """What became of the message that carries out a step. Refused where it carries out none, or that is known already."""

    def step(subject: Subject, now: datetime) -> StepResult:
        found = step_of(subject.case, message)
        if found is None or subject.case.playbooks[found[0]].steps[found[1]].state not in _BEFORE[result]:
            return refuse("not_due")
        draft = Draft(subject, now)
        _came(draft, *found, result, why=why)
        draft.update_cards()
        return draft.change()

    return step


def _begin(draft: Draft, playbook: Playbook) -> None:
    index = len(draft.case.playbooks)
    draft.put(playbooks=(*draft.case.playbooks, playbook.model_copy(update={"begun_at": draft.now})))
    steps: list[Json] = [f"{step.kind} {step.to}".strip() for step in playbook.steps]
    draft.record(EventKind.PLAYBOOK_BEGUN, SYSTEM, {"playbook": playbook.name, "because": playbook.because, "steps": steps})
    for number in range(len(playbook.steps)):
        _take(draft, index, number)
    if draft.subject.case.tier_since is not None:  # else its card is not drawn yet
        draft.update_cards()


def _take(draft: Draft, index: int, number: int) -> None:
    step = draft.case.playbooks[index].steps[number]
    match step.kind:
        case "interim":
            _interim(draft, index, number)
        case "legal_hold":
            _hold(draft, index, number)
        case "page":
            _page(draft, index, number)
        case "tell" | "ticket":
            kind = MessageKind.TICKET if step.kind == "ticket" else MessageKind.PLAYBOOK_NOTICE
            event = _came(draft, index, number, "waiting")
            draft.send(Message(kind, step.to, tier=draft.case.tier, round=index, sequence=number, event=event, urgent=True))
        case unknown:
            assert_never(unknown)


def _interim(draft: Draft, index: int, number: int) -> None:
    """In force while the case is open, and done once the service was told."""
    playbook = draft.case.playbooks[index]
    action: Action = "quarantine" if playbook.steps[number].to == "quarantine" else "hold"
    if not draft.case.open:
        _came(draft, index, number, "needless", why="the case was decided at once")
    elif holds_at_least(draft, action):
        _came(draft, index, number, "needless", why="it is in force already")
    else:
        _came(draft, index, number, "waiting", number=put_in_force(draft, action, playbook.name, playbook.because))


def _hold(draft: Draft, index: int, number: int) -> None:
    playbook = draft.case.playbooks[index]
    step = playbook.steps[number]
    hold = LegalHold(playbook=playbook.name, reason=step.words, by=SYSTEM.id, at=draft.now, released_by=step.released_by)
    _came(draft, index, number, "waiting")
    draft.put(legal_holds=(*draft.case.legal_holds, hold))
    draft.record(EventKind.LEGAL_HOLD_SET, SYSTEM, {"playbook": playbook.name, "reason": step.words})
    _came(draft, index, number, "done")


def _page(draft: Draft, index: int, number: int) -> None:
    """Whoever is on call for the tier, once; where nobody is asked yet, as soon as somebody is."""
    case = draft.case
    if not case.open:
        _came(draft, index, number, "needless", why="nobody is asked to decide it")
    elif case.tier_since is None:
        return
    elif any(page.tier == case.tier for page in case.pages):
        _came(draft, index, number, "needless", why=f"tier {case.tier + 1} is paged already")
    elif not open_page(draft):
        _came(draft, index, number, "waiting")
        _came(draft, index, number, "failed", why=f"tier {case.tier + 1} has no pager")
    else:
        _came(draft, index, number, "waiting", number=draft.case.page_rounds)


def _planned_pages(case: Case) -> list[tuple[int, int]]:
    """Which steps of which playbooks that have begun page somebody, and wait until there is somebody."""
    found = [(index, number, step) for index, playbook in enumerate(case.playbooks) for number, step in enumerate(playbook.steps)]
    return [(index, number) for index, number, step in found if step.kind == "page" and step.state == "planned"]


def _planned(draft: Draft, index: int, number: int) -> None:
    """The step is to be taken after all, once somebody is asked."""
    playbook = draft.case.playbooks[index]
    step = playbook.steps[number].model_copy(update={"state": "planned", "at": None, "why": ""})
    steps = (*playbook.steps[:number], step, *playbook.steps[number + 1 :])
    playbooks = draft.case.playbooks
    draft.put(playbooks=(*playbooks[:index], playbook.model_copy(update={"steps": steps}), *playbooks[index + 1 :]))


def _came(draft: Draft, index: int, number_of_step: int, result: Result, *, why: str = "", number: int | None = None) -> int:
    """A step comes to a state; gives the event that says so."""
    playbook = draft.case.playbooks[index]
    update = {"state": result, "at": draft.now, "why": why[:WHY_MOST]} | ({} if number is None else {"number": number})
    step = playbook.steps[number_of_step].model_copy(update=update)
    steps = (*playbook.steps[:number_of_step], step, *playbook.steps[number_of_step + 1 :])
    playbooks = draft.case.playbooks
    draft.put(playbooks=(*playbooks[:index], playbook.model_copy(update={"steps": steps}), *playbooks[index + 1 :]))
    return draft.record(_KINDS[result], SYSTEM, _said(playbook, step, number_of_step) | {"risk": draft.case.route.risk.value})


def _said(playbook: Playbook, step: PlaybookStep, number: int) -> dict[str, Json]:
    return {"playbook": playbook.name, "number": number + 1, "step": step.kind, "to": step.to, "why": step.why}


def page_renumbered(draft: Draft, before: int) -> None:
    """The page of round `before` is another now, the newest: what a step waits for is that one."""
    if (found := _numbered(draft.case, "page", before)) is not None and draft.case.page_rounds != before:
        index, number = found
        step = draft.case.playbooks[index].steps[number]
        if step.state == "waiting":
            _came(draft, index, number, "waiting", number=draft.case.page_rounds)


def _numbered(case: Case, kind: str, number: int) -> tuple[int, int] | None:
    return next(
        (
            (index, place)
            for index, playbook in enumerate(case.playbooks)
            for place, step in enumerate(playbook.steps)
            if step.kind == kind and step.number == number and step.state != "needless"
        ),
        None,
    )
