"""What the case rests on: what was asked, its sources, each with its title and its age. Never how good they are."""

from bot.slack.cards.parts.checklist import confirming
from bot.slack.cards.parts.clock_line import age
from bot.slack.cards.text.block_kit import Block, lines, run
from bot.slack.cards.text.safe_text import brief, line, weight
from bot.slack.cards.view import View
from routing.case.submission import Evidence

_TOLD = 2
"""So many of them a card tells."""
_SHORT = 120
"""A text of so much is told on the card, as a whole; a longer one stands in the details alone."""
_SHORT_ASKED = 300
"""The same of what was asked, where what the model made of it is what is decided on."""


def at_hand(view: View) -> list[Block]:
    """Parts of rich text, a line each: the first sources, as far as their texts are short; what was asked where there is none, and where
    what the model made of it is decided on. Most of what the proposal has to be compared with is among them.
    """
    asked = line(view.submission.request or "")
    sources = ((_named(source), line(source.text or "")) for source in view.submission.evidence)
    told = [(title, text) for title, text in sources if text and text != asked and weight(text) <= _SHORT][:_TOLD]
    if asked and weight(asked) <= (_SHORT_ASKED if confirming(view.case) else _SHORT) and (confirming(view.case) or not told):
        told.insert(0, ("Request", asked))
    return [lines(run(title, "italic"), run(f"  “{text}”")) for title, text in told]


def _named(source: Evidence) -> str:
    return brief(source.title or "", 40) or brief(source.id, 40) or "(unnamed source)"


def source_title(evidence: Evidence) -> str:
    """`record crm-17: Customer record`."""
    title = line(evidence.title or "")
    return f"{evidence.kind} {line(evidence.id)}" + (f": {title}" if title else "")


def source_age(evidence: Evidence, view: View) -> str:
    """How old the source is: since it was updated, else since it was fetched."""
    if evidence.updated_at is not None:
        return age(evidence.updated_at, view.now)
    if evidence.retrieved_at is not None:
        return f"fetched copy, {age(evidence.retrieved_at, view.now)}"
    at = next((str(place) for place, one in enumerate(view.submission.evidence) if one is evidence), "")
    return (
        "age masked" if not {f"evidence.{at}.{name}" for name in ("updated_at", "retrieved_at")}.isdisjoint(view.masked) else "age unknown"
    )
