"""What is proposed and what it would mean: the header line, the exact action, the harm if it is wrong. Never why it came here."""

import re

from bot.cards.bar import percent
from bot.cards.diff import action_block
from bot.cards.drawing import Block, header, lines, rich, run, words
from bot.cards.text import Cuts, head, line, weight
from bot.cards.view import View
from bot.cards.wording import RISK, amount_text
from routing.submission import Submission

_HEADER_MOST = 150


def headline(lead: str, view: View) -> list[Block]:
    """One line: `lead` (an icon and a word), the title, the amount. A title too long for a header follows in full."""
    title = line(view.submission.title) or "(no visible title)"
    amount = amount_beside_title(view.submission)
    room = _HEADER_MOST - weight(lead) - weight(amount) - 8
    if weight(title) <= room:
        return [header(" · ".join(part for part in (lead, title, amount) if part))]
    short = head(title, room) + "…"
    return [header(" · ".join(part for part in (lead, short, amount) if part)), rich(lines(run(title, "bold")))]


def risk_lead(view: View) -> str:
    """`🟠 High risk`."""
    return RISK[view.case.route.risk]


def amount_beside_title(submission: Submission) -> str:
    """The amount, unless the title already says the same figure."""
    amount = amount_text(submission.risk)
    said = amount and re.search(rf"(?<![\d.,-]){re.escape(amount)}(?![\d.,\w])", line(submission.title))
    return "" if said else amount


def execution(view: View, cuts: Cuts, label: str = "Will execute") -> Block:
    """The exact action: its type, then its parameters."""
    action = view.submission.action
    legend = "   ~ changes   + new" if action.before is not None else ""
    kind = run(line(action.type) or "(no visible name)", "code")
    return rich(
        lines(run(f"{label} ", "bold"), kind, run(legend)) if legend else lines(run(f"{label} ", "bold"), kind), action_block(action, cuts)
    )


def about(view: View, cuts: Cuts) -> list[Block]:
    """Whom it is about, what else it touches, who asked, why it is urgent."""
    submission = view.submission
    parts: list[str] = []
    if (subject := submission.subject) is not None:
        kind = f"{line(subject.type)} " if subject.type else ""
        parts.append(f"About {kind}{line(subject.id)}{f' ({line(subject.tier)})' if subject.tier else ''}")
    if submission.entities:
        some, more = cuts.few(submission.entities, 4)
        parts.append("Touches " + ", ".join(f"{line(entity.type)} {line(entity.id)}" for entity in some) + more)
    if (requester := submission.requester) is not None:
        parts.append(f"Asked for by {line(requester.email or requester.slack_id or 'somebody unnamed')}")
    if submission.urgency_reason:
        parts.append(f"Urgent: {line(submission.urgency_reason)}")
    return [rich(lines(run(cuts.cut(" · ".join(parts), 600))))] if parts else []


def if_wrong(view: View) -> Block:
    """What happens if this is wrong, in our own words."""
    action, risk = view.submission.action, view.submission.risk
    undo = {True: "can be undone by the service", False: "*cannot be undone*", None: "*not known to be undoable*, counts as irreversible"}
    parts = [f"impact *{risk.impact.value}*" if risk.impact is not None else "impact not stated", undo[action.reversible]]
    match risk.recoverability:
        case "easy":
            parts.append("easy to recover from")
        case "hard":
            parts.append("*hard to recover from*")
        case "none":
            parts.append("*no way to recover*")
        case None:
            pass
    if risk.blast_radius is not None:
        parts.append(f"reaches {_reach(risk.blast_radius)} (blast radius {percent(risk.blast_radius)})")
    if risk.likelihood is not None:
        parts.append(f"{percent(risk.likelihood)} likely to go wrong")
    return words("*If this is wrong:* " + ", ".join(parts) + ".")


def _reach(radius: float) -> str:
    if radius <= 0.1:
        return "little else"
    return "part of what is around it" if radius <= 0.5 else "*most of what is around it*"
