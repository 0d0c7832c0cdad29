"""What the model wrote, weighed and filled in, in its own words, and how sure it is. Never what to make of it."""

from bot.slack.cards.parts.confidence_bar import confidence_line
from bot.slack.cards.text.block_kit import Block, lines, quote, run
from bot.slack.cards.text.safe_text import Cuts, clean, line, weight
from bot.slack.cards.view import View
from routing.case.submission import Feature

_BESIDE_LABEL = 200
_LINES = 10
"""Of a quotation on a card; what is longer is opened."""


def masked_words(view: View) -> str:
    """Mrkdwn: `🔒 2 values are masked`; "" where none is."""
    count = len(view.masked)
    return f"🔒 {'1 value is' if count == 1 else f'{count:,} values are'} masked" if count else ""


def confidence(view: View) -> str:
    """Mrkdwn: the bar with the mark automation would need."""
    if "model.confidence" in view.masked:
        return "*Confidence*  masked"
    return confidence_line(view.submission.model.confidence, view.case.route.threshold)


def wrote(view: View, cuts: Cuts) -> list[Block]:
    """Parts of rich text: what the model wrote, which may be the very thing that is sent or filed."""
    return _said("The model wrote", view.submission.output, 900, cuts)


def _said(label: str, text: str | None, most: int, cuts: Cuts) -> list[Block]:
    """A short text stands behind its label, in quotation marks; a longer one is a quotation of its own."""
    shown = cuts.cut(clean(text or ""), most, lines=_LINES)
    if shown and "\n" not in shown and weight(shown) <= _BESIDE_LABEL:
        return [lines(run(f"{label}  ", "bold"), run(f"“{shown}”"))]
    return [lines(run(label, "bold")), quote(shown)] if shown else []


def prefilled(view: View, cuts: Cuts) -> list[Block]:
    """Parts of rich text: what the model filled in, a line each, for a step that decides on it."""
    filled = [(name.capitalize(), line(str(text or ""))) for name, text in view.submission.prefilled.items()]
    rows = [lines(run(f"{name}  ", "bold"), run(cuts.cut(text, 600 if name == "Summary" else 160))) for name, text in filled if text]
    return [lines(run("Filled in by the model", "italic")), *rows] if rows else []


def feature_text(feature: Feature) -> str:
    """`amount = 1240 (+0.41)`."""
    value = "" if feature.value is None else f" = {line(str(feature.value))}"
    weight = "" if feature.weight is None else f" ({feature.weight:+.3g})"
    return f"{line(feature.name)}{value}{weight}"
