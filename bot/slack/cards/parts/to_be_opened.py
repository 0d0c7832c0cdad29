"""Whether a case holds more than can be told in passing, so that its details have to be opened before an approval counts.

What the card itself has to cut counts as well; that is noted where it is cut.
"""

from bot.slack.cards.parts.checklist import confirming
from bot.slack.cards.parts.sources import source_title
from bot.slack.cards.text.safe_text import address, clean, line, weight
from bot.slack.cards.view import View

_LINES = 10
_SOURCES = 4
"""So many sources at most are looked through without being opened one by one."""


def to_be_opened(view: View) -> bool:
    """Whether any text that stands in the details alone is a long one, or the sources are many."""
    submission, model = view.submission, view.submission.model
    filled = "" if confirming(view.case) else " · ".join(f"{name}: {line(str(text or ''))}" for name, text in submission.prefilled.items())
    texts = [
        *((submission.request, 500), (model.rationale, 600), (model.counterfactual, 300), (filled, 400)),
        *((source_title(one), 120) for one in submission.evidence),
        *((address(one.url), 160) for one in submission.evidence if one.url is not None),
    ]
    return len(submission.evidence) > _SOURCES or any(_long(clean(text or ""), most) for text, most in texts)


def _long(text: str, most: int) -> bool:
    return weight(text) > most or text.count("\n") >= _LINES
