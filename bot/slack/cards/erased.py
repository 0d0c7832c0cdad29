"""A card and its notes once the content of the case was erased: who decided what and when, and the hash that is left of it.

Owns these two drawings. They show nothing the service or a person wrote, and have no button.
"""

from bot.slack.cards.decided import verdict_words
from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.parts.provenance import footer
from bot.slack.cards.parts.steps import votes_of
from bot.slack.cards.text.block_kit import Drawing, header, small_words, words
from bot.slack.cards.text.mentions import acted
from bot.slack.cards.text.safe_text import escaped
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import View
from routing.vocabulary import EventKind


def draw_erased(view: View) -> Drawing:
    """The card of every tier, and the answer to `/review case`."""
    case, erased = view.case, view.last(EventKind.CONTENT_ERASED)
    verdict = verdict_words(view)
    decided = f" {moment(case.decided_at)}" if case.decided_at is not None else ""
    votes = "; ".join(votes_of(view))
    outcome = f" The service reports: *{escaped(code_label(case.outcome))}*." if case.outcome else ""
    sentence = f"*{verdict}*{decided}.{f' {votes}.' if votes else ''}{outcome}"
    by = f"Erased {moment(erased.at)} by {acted(erased.actor.id, view)}. The audit log keeps its proofs." if erased is not None else ""
    return Drawing(_text(view), [header("Content erased"), words(sentence), *([small_words(by)] if by else []), footer(view)])


def draw_erased_note(view: View) -> Drawing:
    """What stands in place of every note of the thread that was posted before."""
    return Drawing(_text(view), [small_words(_text(view))])


def _text(view: View) -> str:
    return f"Content erased. Case {view.case.id}, action {view.case.action_sha256[:12]}."
