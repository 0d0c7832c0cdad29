"""A card nobody can decide on: decided, moved, held or waiting for information. Says who, what and when, and where to go instead.

Owns those four faces. It offers a button only where something is still to be done: roll back what was let through, take up what is held.
"""

from collections.abc import Mapping

from bot.slack.cards.parts.brakes import held_lead, kept_back
from bot.slack.cards.parts.buttons import decided_rows, held_rows
from bot.slack.cards.parts.child_cases import answer, done, execution_label, question, since_then
from bot.slack.cards.parts.clock_line import clock_lines, moment, place, to_the_second
from bot.slack.cards.parts.diff import change_block
from bot.slack.cards.parts.drill import who_ended
from bot.slack.cards.parts.near_duplicates import near_duplicate_blocks
from bot.slack.cards.parts.playbooks import playbook_blocks
from bot.slack.cards.parts.proposed_action import execution, headline, instead_of_proposed
from bot.slack.cards.parts.provenance import footer
from bot.slack.cards.parts.steps import climbed, verification_failed, votes_of
from bot.slack.cards.text.block_kit import Block, Drawing, bullets, lines, quote, rich, run, words
from bot.slack.cards.text.mentions import acted, linked
from bot.slack.cards.text.safe_text import Cuts, clean, escaped, line
from bot.slack.cards.text.wording import VERDICT, code_label
from bot.slack.cards.view import View
from routing.authorize import EXECUTABLE
from routing.vocabulary import CaseKind, EventKind, State, Verdict

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
            return held_lead(view), [
                words(" ".join(clock_lines(view))),
                *_set_aside(view, cuts),
                *question(view, cuts),
                *verification_failed(view, cuts),
                rich(*execution(view, cuts, _label(view))),
                *playbook_blocks(view),
                *near_duplicate_blocks(view),
                *held_rows(view),
            ]
        case State.NEEDS_INFO:
            return "⏸ Waiting for information", [
                words(" ".join(clock_lines(view))),
                *_wanted(view, cuts),
                rich(*execution(view, cuts, _label(view))),
                *playbook_blocks(view),
                *near_duplicate_blocks(view),
            ]
        case State.PENDING | State.DECIDED | State.CLOSED:
            return verdict_words(view), _decided(view, cuts)


def verdict_words(view: View) -> str:
    """How a decided case ended, in the words of its kind."""
    case = view.case
    if case.withheld:
        return "⏸ Decided, kept back"
    alone = " by break-glass" if case.break_glass else ""
    return answer(view) or (f"{VERDICT[case.verdict]}{alone}" if case.verdict is not None else "Decided")


def _label(view: View) -> str:
    """What the action is to a case that nobody can decide on as it stands."""
    return "Would execute" if view.case.kind is CaseKind.CASE else execution_label(view)


def _set_aside(view: View, cuts: Cuts) -> list[Block]:
    """Who put it into quarantine and why; nothing where that came by itself."""
    said = view.last(EventKind.QUARANTINED) if view.case.held_by == "quarantine" else None
    if said is None or said.actor.kind != "human":
        return []
    code = str(said.fields.get("reason_code") or "")
    text = clean(str(said.opened.get("text") or ""))
    by = f"Set aside by {acted(said.actor.id, view)} {moment(said.at)}{f': {escaped(code_label(code), 80)}' if code else ''}."
    return [words(by), *([rich(quote(cuts.cut(text, 600)))] if text else [])]


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
    link = linked(view.links, "Open the deciding card") if case.tier != view.tier else ""
    return [
        *question(view, cuts),
        words(" ".join([_who(view), *what_became_of_it(view), *([link] if link else [])])),
        *said,
        *_corrected(view, cuts),
        *instead_of_proposed(view, cuts),
        rich(*execution(view, cuts, _what_became(view))),
        *playbook_blocks(view),
        *near_duplicate_blocks(view),
        *decided_rows(view),
    ]


def _corrected(view: View, cuts: Cuts) -> list[Block]:
    """The pre-filled fields that people changed, each as the model had it and as it is; nothing where they stand as they were."""
    proposed = next((one for one in reversed(view.history) if one.kind is not EventKind.MODIFIED and "action" in one.opened), None)
    was = proposed.opened.get("prefill") if proposed is not None else None
    names = [name for field in view.case.modified_fields for part, _, name in [field.partition(".")] if part == "prefill"]
    before, after = was if isinstance(was, Mapping) else {}, view.submission.prefilled
    if not names or before == after:
        return []
    old, new = ({name: one[name] for name in names if name in one} for one in (before, after))
    changed = change_block(old, new, cuts)
    return [rich(lines(run("Instead of what the model filled in", "bold")), changed)]


def _what_became(view: View) -> str:
    """The label of the action once the case is decided."""
    case = view.case
    if case.kind is not CaseKind.CASE:
        if case.kind in (CaseKind.REVIEW, CaseKind.DRILL):
            return execution_label(view)
        return {CaseKind.CHECK: "Was approved"}.get(case.kind, "To be undone" if case.verdict in EXECUTABLE else "Stays as it is")
    if case.verdict not in EXECUTABLE or case.withheld:
        return "Not executed"
    if case.undo is not None:
        return "Would execute"
    return _OUTCOME.get(case.outcome, "May be executed")


def _who(view: View) -> str:
    """Who decided what and when, or that nobody did."""
    case = view.case
    at = moment(case.decided_at) if case.decided_at is not None else ""
    votes = "; ".join(votes_of(view))
    reason = f" Reason: {escaped(code_label(case.reason_code))}." if case.reason_code and not case.break_glass else ""
    if said := who_ended(case):
        return f"Ended {at}. {said}"
    match case.verdict:
        case Verdict.APPROVED | Verdict.MODIFIED | Verdict.REJECTED:
            changed = f" Changed: {escaped(', '.join(case.modified_fields), 400)}." if case.modified_fields else ""
            return f"{votes or f'Decided {at}'}.{reason}{changed}"
        case Verdict.AUTO_APPROVED | Verdict.AUTO_REJECTED:
            return f"The policy decided {at}, no person did.{reason}"
        case Verdict.EXPIRED:
            nothing = " Nothing is executed." if case.kind is CaseKind.CASE else ""
            ended = view.last(EventKind.EXPIRED)
            word = "took it" if ended is not None and ended.fields.get("ran_out") == "acknowledge" else "decided"
            return f"*Nobody {word} in time* ({at}{_PASSED.get(case.reason_code, '')}).{nothing}"
        case Verdict.WITHDRAWN:
            return f"The service took the case back {at}. Nothing is executed."
        case None:
            return f"Decided {at}.{reason}"


def what_became_of_it(view: View) -> list[str]:
    """What has become of it since."""
    kept = [kept_back(view)] if view.case.withheld else undoable(view)
    outcome = done(view.case)
    return [*kept, *([outcome] if outcome else []), *since_then(view)]


def undoable(view: View) -> list[str]:
    """Mrkdwn: when the service is told, and who can take it back until then; nothing once it was told."""
    if (window := view.case.undo) is None:
        return []
    return [f"*The service is told at {to_the_second(window.until)}*; until then {acted(window.by, view)} can take it back."]


def _said(view: View, cuts: Cuts) -> list[Block]:
    """The deciding person's own words."""
    last = view.last(EventKind.APPROVED, EventKind.REJECTED, EventKind.MODIFIED, EventKind.WITHDRAWN, EventKind.BREAK_GLASS_USED)
    text = clean(str(last.opened.get("text") or last.opened.get("reason") or "")) if last is not None else ""
    return [rich(quote(cuts.cut(text, 600)))] if text else []
