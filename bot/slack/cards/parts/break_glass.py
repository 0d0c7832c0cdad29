"""Break-glass in the words that people read: what it passed over, what the supervisors are asked, what they said. Owns these sentences;
never says who may.
"""

from collections.abc import Iterable
from datetime import datetime

from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Block, quote, rich, words
from bot.slack.cards.text.mentions import acted, can_be_rung, linked, mention
from bot.slack.cards.text.safe_text import Cuts, channel_name, clean, escaped, own_id
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import Happening, View
from routing.governance.binding import is_group_id
from routing.vocabulary import CaseKind, EventKind

PASSED_OVER = {
    "group": "the group that answers for it",
    "people": "the other people whom it takes",
    "checklist": "its checklist",
    "hold": "that it was held because nobody had decided",
    "information": "the information that it waited for",
    "claim": "the claim of somebody else",
    "not_shown": "that its card could not be shown where it belongs",
}
"""What was passed over, by code."""

WOULD_PASS_OVER = {
    "group": "you are not in the group that answers for it",
    "people": "it takes more people than you alone",
    "checklist": "nobody goes through its checklist",
    "hold": "it is held, because nobody decided",
    "information": "it waits for information from its service",
    "claim": "somebody else has claimed it",
    "not_shown": "its card cannot be shown where it belongs",
}
"""The same to somebody who is about to."""


def passed_over(codes: object) -> str:
    """The rules of an event in words, with commas; a code of an older or newer program by its own name."""
    listed = codes if isinstance(codes, list | tuple) else ()
    return ", ".join(PASSED_OVER.get(str(code)) or escaped(code_label(str(code)), 80) for code in listed) or "nothing"


def asked_of_supervisors(view: View, cuts: Cuts) -> list[Block]:
    """What the card of a review asks: who did what, why, what they passed over. It names the supervisors, so that it rings them."""
    case, said, parent = view.case, view.last(EventKind.RECEIVED), view.related.get(view.case.parent)
    fields = said.fields if said is not None else {}
    text = clean(str(said.opened.get("text") or "")) if said is not None else ""
    name = escaped(str(said.opened.get("name") or ""), 80) if said is not None else ""
    who, verdict = name or acted(str(fields.get("by") or ""), view), escaped(str(fields.get("verdict") or "decided"), 20)
    at = f" {moment(parent.decided_at)}" if parent is not None and parent.decided_at is not None else ""
    link = linked(view.related_links.get(case.parent, ""), "Open its card")
    lead = f"{ringing(view)}*{who} {verdict} this by break-glass{at}. Was that right?*"
    return [
        words(f"{lead}  Case {own_id(case.parent)}. {link}".strip()),
        *([rich(quote(cuts.cut(text, 600)))] if text else []),
        words(f"*Passed over:* {passed_over(fields.get('passed_over'))}."),
    ]


def ringing(view: View) -> str:
    """Mrkdwn that rings the supervisors of a review: their user group, or each of them; "" for any other case, and once it is answered."""
    case = view.case
    if case.kind is not CaseKind.REVIEW or not case.open:
        return ""
    group = case.route.groups.get(case.rung.group)
    if group is None:
        return ""
    if group.usergroup is not None:
        return f"<!subteam^{group.usergroup}> " if is_group_id(group.usergroup) else ""
    return "".join(f"{mention(one)} " for one in group.users[:20] if can_be_rung(one))


def by_break_glass(view: View) -> str:
    """Mrkdwn for the decided card: what break-glass passed over, and what the supervisors say; "" for any other case."""
    used = view.last(EventKind.BREAK_GLASS_USED)
    if not view.case.break_glass or used is None:
        return ""
    return f"🔨 *Passed over:* {passed_over(used.fields.get('passed_over'))}. {_reviewed(view, used)}"


def _reviewed(view: View, used: Happening) -> str:
    said = view.last(EventKind.BREAK_GLASS_REVIEWED)
    if said is not None and said.index > used.index:
        outcome = "right" if said.fields.get("outcome") == "right" else "*wrong*"
        return f"{acted(said.actor.id, view)} has reviewed it {moment(said.at)}: it was {outcome}."
    due = _due(used)
    return f"The supervisors have to review it{f' by {moment(due)}' if due is not None else ''}; nobody has yet."


def _due(used: Happening) -> datetime | None:
    try:
        return datetime.fromisoformat(str(used.fields.get("review_by") or ""))
    except ValueError:
        return None


def told_of(view: View, used: Happening) -> list[str]:
    """What a supervisor is told directly, a sentence each."""
    verdict = escaped(str(used.fields.get("verdict") or "decided"), 20)
    review = next((one for name in reversed(view.case.children) if (one := view.related.get(name)) and one.kind is CaseKind.REVIEW), None)
    link = linked(view.related_links.get(review.id, ""), "Open the review") if review is not None else ""
    due = _due(used)
    where = f" in {escaped(channel_name(review.rung.channel))}" if review is not None else ""
    ask = f"You are one of its supervisors: please say{where}{f' by {moment(due)}' if due is not None else ''} whether that was right."
    if review is not None and not review.open:
        ask = "It has been reviewed by now."
    what = f"the case {own_id(view.case.id)} of {escaped(view.case.workflow, 80)}"
    return [
        f"{acted(used.actor.id, view)} *{verdict}* {what} by break-glass {moment(used.at)}.",
        f"*Passed over:* {passed_over(used.fields.get('passed_over'))}.",
        f"{ask} {link}".strip(),
    ]


def would_pass_over(codes: Iterable[str]) -> list[str]:
    """One sentence per rule, for the form."""
    return [WOULD_PASS_OVER.get(code) or code_label(code) for code in codes]
