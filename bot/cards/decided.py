"""A card nobody can decide on: decided, moved, held or waiting for information. Says who, what and when, and where to go instead.

Owns those four faces. It offers a button only where something is still to be done: roll back what was let through, take up what is held.
"""

from bot.cards.buttons import decided_rows, held_rows
from bot.cards.clockline import clock_lines, moment, place
from bot.cards.drawing import Block, Drawing, bullets, lines, quote, rich, run, words
from bot.cards.person import acted, linked
from bot.cards.proposal import execution, headline
from bot.cards.strips import climbed, footer, votes_of
from bot.cards.text import Cuts, clean, escaped, line
from bot.cards.view import View
from bot.cards.wording import VERDICT, code_label
from routing.authorize import EXECUTABLE
from routing.vocabulary import EventKind, State, Verdict

_OUTCOME = {
    "executed": "Executed",
    "failed": "Execution failed",
    "rolled_back": "Rolled back",
    "found_wrong": "Executed, found wrong",
    "found_right": "Executed, found right",
}
"""What the service reports of an action that it was allowed to execute."""

_PASSED = {
    "deadline_passed": ", the service's deadline passed",
    "ladder_passed": ", no tier was left",
    "total_passed": ", its total time passed",
}


def draw_without_decision(view: View) -> Drawing:
    """The card of a case that is decided, held, waiting for information, or now at another tier."""
    lead, body = _face(view)
    blocks = [*headline(lead, view), *body, footer(view)]
    return Drawing(f"{lead} · {escaped(view.submission.title)}", blocks)


def _face(view: View) -> tuple[str, list[Block]]:
    case, cuts = view.case, Cuts()
    if case.open and not view.current:
        return f"➡️ Moved to tier {case.tier + 1}", _moved(view, cuts)
    match case.state:
        case State.HELD:
            return "✋ Held", [words(" ".join(clock_lines(view))), execution(view, cuts, "Would execute"), *held_rows(view)]
        case State.NEEDS_INFO:
            return "⏸ Waiting for information", [
                words(" ".join(clock_lines(view))),
                *_wanted(view, cuts),
                execution(view, cuts, "Would execute"),
            ]
        case State.PENDING | State.DECIDED | State.CLOSED:
            lead = VERDICT[case.verdict] if case.verdict is not None else "Decided"
            return lead, _decided(view, cuts)


def _moved(view: View, cuts: Cuts) -> list[Block]:
    case = view.case
    link = linked(view.links, "Open the current card")
    where = words(f"This card is no longer in use. The case is at {place(case.tier, case.rung)}.{f'  {link}' if link else ''}")
    return [where, *climbed(view, cuts)]


def _wanted(view: View, cuts: Cuts) -> list[Block]:
    """What the service was asked for, and by whom."""
    asked = view.last(EventKind.INFORMATION_REQUESTED)
    blocks: list[Block] = []
    if asked is not None and asked.actor.kind == "human":
        blocks.append(words(f"{acted(asked.actor.id, view)} asked {moment(asked.at)}:"))
        question = clean(str(asked.opened.get("text") or "")) or "(the question is no longer stored)"
        blocks.append(rich(quote(cuts.cut(question, 600))))
    if view.case.route.missing:
        blocks.append(
            rich(lines(run("Missing", "bold")), bullets([cuts.cut(line(name) or "?", 200) for name in view.case.route.missing[:10]]))
        )
    return blocks


def _decided(view: View, cuts: Cuts) -> list[Block]:
    case = view.case
    said = _said(view, cuts)
    label = _OUTCOME.get(case.outcome, "May be executed") if case.verdict in EXECUTABLE else "Not executed"
    link = linked(view.links, "Open the deciding card") if case.tier != view.tier else ""
    return [
        words(" ".join([_who(view), *_after(view), *([link] if link else [])])),
        *said,
        execution(view, cuts, label),
        *decided_rows(view),
    ]


def _who(view: View) -> str:
    """Who decided what and when, or that nobody did."""
    case = view.case
    at = moment(case.decided_at) if case.decided_at is not None else ""
    votes = "; ".join(votes_of(view))
    reason = f" Reason: {escaped(code_label(case.reason_code))}." if case.reason_code else ""
    match case.verdict:
        case Verdict.APPROVED | Verdict.MODIFIED | Verdict.REJECTED:
            changed = f" Changed: {escaped(', '.join(case.modified_fields), 400)}." if case.modified_fields else ""
            return f"{votes or f'Decided {at}'}.{reason}{changed}"
        case Verdict.AUTO_APPROVED | Verdict.AUTO_REJECTED:
            return f"The policy decided {at}, no person did.{reason}"
        case Verdict.EXPIRED:
            return f"*Nobody decided in time* ({at}{_PASSED.get(case.reason_code, '')}). Nothing is executed."
        case Verdict.WITHDRAWN:
            return f"The service took the case back {at}. Nothing is executed."
        case None:
            return f"Decided {at}.{reason}"


def _after(view: View) -> list[str]:
    """What has become of it since."""
    case = view.case
    outcome = [f"The service reports: *{escaped(code_label(case.outcome))}*."] if case.outcome else []
    asked = view.last(EventKind.ROLLBACK_REQUESTED)
    if not case.rollback:
        return outcome
    by = f" by {acted(asked.actor.id, view)} {moment(asked.at)}" if asked is not None else ""
    return [*outcome, f"*Roll back requested*{by}."]


def _said(view: View, cuts: Cuts) -> list[Block]:
    """The deciding person's own words."""
    last = view.last(EventKind.APPROVED, EventKind.REJECTED, EventKind.MODIFIED, EventKind.WITHDRAWN)
    text = clean(str(last.opened.get("text") or last.opened.get("reason") or "")) if last is not None else ""
    return [rich(quote(cuts.cut(text, 600)))] if text else []
