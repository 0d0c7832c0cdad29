"""Cases about a case: the sampled check of an automatic approval and the question whether to undo. Both seen from either side.

Owns what such a card asks and how its answer reads, and the lines on the parent's card. It never opens one.
"""

from bot.slack.cards.parts.break_glass import asked_of_supervisors, by_break_glass
from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.parts.drill import LEAD as DRILL_LEAD
from bot.slack.cards.parts.drill import asked_in_a_drill, over
from bot.slack.cards.text.block_kit import Block, quote, rich, words
from bot.slack.cards.text.mentions import acted, linked
from bot.slack.cards.text.percentages import percent
from bot.slack.cards.text.safe_text import Cuts, clean, escaped, own_id
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import Happening, View
from routing.case.case import Case
from routing.vocabulary import CaseKind, EventKind, Verdict

_DRAWN = {
    "lot": "Drawn by lot",
    "uncertain": "Drawn because the model was not sure",
    "unusual": "Drawn because the case is unusual",
    "segment": "Drawn because people and model disagreed on such cases lately",
    "verify_after": "Acted on at once, as the policy allows here, and checked afterwards",
}
"""Why people check an automatic approval, by `Route.sampled`, which the first event of the check says too."""

_LEAD = {
    CaseKind.CHECK: "🔎 Sampled check",
    CaseKind.ROLLBACK: "⏪ Undo this?",
    CaseKind.REVIEW: "🔨 Break-glass",
    CaseKind.DRILL: DRILL_LEAD,
}

_ANSWER = {
    (CaseKind.CHECK, Verdict.APPROVED): "✅ It was right",
    (CaseKind.CHECK, Verdict.REJECTED): "⛔ It was wrong",
    (CaseKind.CHECK, Verdict.EXPIRED): "⌛ Not checked in time",
    (CaseKind.REVIEW, Verdict.APPROVED): "✅ Break-glass was right",
    (CaseKind.REVIEW, Verdict.REJECTED): "⛔ Break-glass was wrong",
    (CaseKind.ROLLBACK, Verdict.APPROVED): "⏪ To be undone",
    (CaseKind.ROLLBACK, Verdict.REJECTED): "↩️ Left as it is",
    (CaseKind.ROLLBACK, Verdict.EXPIRED): "⌛ Left as it is, nobody decided",
}

_EXECUTION = {
    CaseKind.CASE: "Will execute",
    CaseKind.CHECK: "Was approved",
    CaseKind.ROLLBACK: "Would be undone",
    CaseKind.DRILL: "Only a drill, never executed:",
}
_UNDOING = {EventKind.ROLLBACK_PROPOSED, EventKind.ROLLBACK_REQUESTED, EventKind.ROLLBACK_DECLINED}


def lead(view: View) -> str:
    """How the headline of an open check or roll-back begins; "" for a service's case."""
    return _LEAD.get(view.case.kind, "")


def answer(view: View) -> str:
    """The verdict of a check or roll-back in its own words; "" where the usual ones fit."""
    case = view.case
    return over(case) if case.verdict is None or case.kind is CaseKind.DRILL else _ANSWER.get((case.kind, case.verdict), "")


def execution_label(view: View) -> str:
    """What the action is to this case while it is open."""
    if view.case.kind is CaseKind.CASE and view.case.yes_missing > 1:
        return "Once everybody has agreed, will execute"
    if view.case.kind is CaseKind.REVIEW:
        parent = view.related.get(view.case.parent)
        return "Was rejected" if parent is not None and parent.verdict is Verdict.REJECTED else "Was approved"
    return _EXECUTION[view.case.kind]


def question(view: View, cuts: Cuts) -> list[Block]:
    """What a check or a roll-back asks, with why and the way to its parent; nothing for a service's case."""
    match view.case.kind:
        case CaseKind.CASE:
            return []
        case CaseKind.CHECK:
            return [words(f"*Was this automatic approval right?*  {_drawn(view)}  {_parent(view)}")]
        case CaseKind.ROLLBACK:
            return _undo(view, cuts)
        case CaseKind.REVIEW:
            return asked_of_supervisors(view, cuts)
        case CaseKind.DRILL:
            return asked_in_a_drill(view)


def _drawn(view: View) -> str:
    """`Drawn by lot, as 5 % are.`"""
    received = view.last(EventKind.RECEIVED)
    code = str(received.fields.get("sampled") or "") if received is not None else ""
    rate = received.fields.get("rate") if received is not None else None
    share = f", as {percent(rate)} are" if code == "lot" and isinstance(rate, int | float) else ""
    return f"{_DRAWN.get(code, 'Drawn for a check')}{share}."


def _parent(view: View) -> str:
    case, parent = view.case, view.related.get(view.case.parent)
    decided = f", decided {moment(parent.decided_at)}" if parent is not None and parent.decided_at is not None else ""
    link = linked(view.related_links.get(case.parent, ""), "Open its card")
    return f"Case {own_id(case.parent)}{decided}. {link}".strip()


def _undo(view: View, cuts: Cuts) -> list[Block]:
    case, asked = view.case, view.last(EventKind.RECEIVED)
    text = clean(str(asked.opened.get("text") or "")) if asked is not None else ""
    because = f": {escaped(code_label(case.reason_code), 80)}" if case.reason_code else ""
    name = escaped(str(asked.opened.get("name") or ""), 80) if asked is not None else ""
    who = f"{name or acted(case.requester, view)} asks to undo this" if name or case.requester else "A check found this wrong"
    outcome = done(view.related[case.parent]) if case.parent in view.related else ""
    blocks = [words("  ".join(part for part in (f"*{who}{because}.*", _parent(view), outcome) if part))]
    return [*blocks, *([rich(quote(cuts.cut(text, 400)))] if text else [])]


def done(parent: Case) -> str:
    """Mrkdwn: what the service reports of the parent; "" where it reported nothing."""
    return f"The service reports: *{escaped(code_label(parent.outcome), 80)}*." if parent.outcome else ""


def since_then(view: View) -> list[str]:
    """Mrkdwn for the parent's card: what became of its check and of undoing it, one sentence each."""
    return [sentence for sentence in (by_break_glass(view), _checked(view), _undone(view)) if sentence]


def _checked(view: View) -> str:
    said = view.last(EventKind.CHECK_AGREED, EventKind.CHECK_DISAGREED)
    if said is None:
        return _check_open(view)
    if said.kind is EventKind.CHECK_AGREED:
        return f"*Checked{_by(view, said)}: it was right.*"
    code = str(said.fields.get("reason_code") or "")
    return f"*Checked{_by(view, said)}: it was wrong*{f' ({escaped(code_label(code), 80)})' if code else ''}."


def _check_open(view: View) -> str:
    opened = view.last(EventKind.CHECK_OPENED)
    if opened is None:
        return ""
    check = _child(view, CaseKind.CHECK)
    if check is not None and not check.open:
        return "Drawn for a check, but nobody checked it."
    return f"People still check it. {_link(view, check)}".strip()


def _undone(view: View) -> str:
    said = view.last(*_UNDOING)
    if said is None:
        return ""
    child = _child(view, CaseKind.ROLLBACK)
    match said.kind:
        case EventKind.ROLLBACK_REQUESTED:
            return f"*Roll back requested*{_by(view, said)} {moment(said.at)}."
        case EventKind.ROLLBACK_DECLINED:
            return f"Undoing it was proposed and *declined*{_by(view, said)}."
        case _:
            return f"*Undoing it is proposed*{_by(view, said)}; somebody else decides. {_link(view, child)}".strip()


def _by(view: View, said: Happening) -> str:
    return f" by {acted(said.actor.id, view)}" if said.actor.kind == "human" else ""


def _child(view: View, kind: CaseKind) -> Case | None:
    """The newest of the kind."""
    found = (view.related[child] for child in reversed(view.case.children) if child in view.related)
    return next((child for child in found if child.kind is kind), None)


def _link(view: View, child: Case | None) -> str:
    return linked(view.related_links.get(child.id, ""), "Open that card") if child is not None else ""
