"""Decided cases that are like the one on the card: how many, how they ended, whether that turned out right. Never what to make of it."""

from bot.slack.cards.text.safe_text import brief
from bot.slack.cards.text.wording import VERDICT, code_label
from bot.slack.cards.view import PastCase, Similar, View
from routing.vocabulary import Verdict

_TITLE_MOST = 120

_ENDS = (
    ((Verdict.APPROVED, Verdict.AUTO_APPROVED), "approved"),
    ((Verdict.MODIFIED,), "changed"),
    ((Verdict.REJECTED, Verdict.AUTO_REJECTED), "rejected"),
)

ENOUGH = 3
"""So many that ended alike say something; fewer only where people differed, or where it turned out wrong."""


def counted(similar: Similar) -> str:
    """`3 alike: 2 approved, 1 rejected; 1 turned out wrong`."""
    ends = [(sum(similar.verdicts.get(one, 0) for one in verdicts), word) for verdicts, word in _ENDS]
    said = ", ".join(f"{count:,} {word}" for count, word in ends if count)
    later = [f"{count:,} turned out {word}" for count, word in ((similar.wrong, "wrong"), (similar.right, "right")) if count]
    return f"{similar.alike:,} alike: {'; '.join([said, *later])}"


def compared(similar: Similar) -> str:
    """Mrkdwn for the details: how many were compared and by what, and what became of those that are alike."""
    if not similar.compared:
        return "No case of this workflow and action has been decided yet."
    how = (
        f"Compared with the last {similar.compared:,} of this workflow and action by amount, segment, kind of subject, flags and features."
    )
    return f"*{counted(similar)}*\n{how}" if similar.alike else f"None is alike.\n{how}"


def similar_line(view: View) -> str:
    """Mrkdwn for the card: of the cases decided before this one came; "" where that helps nobody decide."""
    similar = view.similar
    if similar is None or not similar.alike:
        return ""
    waved_through = similar.verdicts.get(Verdict.APPROVED, 0) + similar.verdicts.get(Verdict.AUTO_APPROVED, 0) == similar.alike
    if waved_through and not similar.wrong and similar.alike < ENOUGH:
        return ""
    return f"*Decided before:* {counted(similar)}"


def past_title(past: PastCase) -> str:
    """`Refund of order 8841`, or that it is not for this channel."""
    return brief(past.title, _TITLE_MOST) or "A case that this channel has no card of"


def past_words(past: PastCase, view: View) -> str:
    """How it ended, by whom, why, whether that was right, and how near it is."""
    case = past.case
    who = dict.fromkeys(view.known_as(vote.by) or vote.by for vote in case.votes)
    ended = VERDICT[case.verdict].partition(" ")[2] if case.verdict is not None else "Decided"
    by = f" by {', '.join(who)}" if who else ""
    why = f", reason: {code_label(case.reason_code)}" if case.reason_code else ""
    return f"{ended}{by}{why}.{_LATER[past.right]} {round((1 - past.far) * 100)} % alike."


_LATER = {True: " Later it was found right.", False: " Later it turned out wrong.", None: ""}
