"""Near-duplicates of a case: those decided with it, those only like it, and the one it is decided with. Never says which is which."""

from collections.abc import Iterable

from bot.slack.cards.text.block_kit import Block, words
from bot.slack.cards.text.mentions import linked
from bot.slack.cards.text.safe_text import brief, escaped, line, own_id
from bot.slack.cards.text.wording import labels
from bot.slack.cards.view import View

_LISTED_MOST = 3


def tied_words(view: View) -> str:
    """Mrkdwn: how many identical cases are decided with this one, by which presses, and what becomes of them by any other end; "" where
    there is none.
    """
    count = len(view.case.tied)
    if not count:
        return ""
    one = count == 1
    if view.case.open:
        say = labels(view.case)
        first = f"🔗 *+{count:,} identical {'case is' if one else 'cases are'} decided with this one* by {say.approve} and {say.reject}."
        return f"{first} {alone_words(view)}"
    return f"🔗 {count:,} identical {'case was' if one else 'cases were'} decided with this one."


def alone_words(view: View) -> str:
    """Mrkdwn: which end of this case is none of those tied to it."""
    one = len(view.case.tied) == 1
    others, goes, self_, its = ("case", "goes", "itself", "its") if one else ("cases", "go", "themselves", "their")
    changed = f"*{say}* changes this one alone. " if (say := labels(view.case).modify) else ""
    own = f"The identical {others} then {goes} on by {self_}, with a card and clocks of {its} own"
    return f"{changed}{own}, and so {'it does' if one else 'they do'} if this one expires or is withdrawn."


def tied_to_words(view: View) -> str:
    """Mrkdwn: with which case this one is decided; "" where it stands for itself."""
    first = view.case.tied_to
    if not first:
        return ""
    link = linked(view.related_links.get(first, ""), "Open that card")
    return " ".join(part for part in (f"🔗 *Decided together with the identical case {own_id(first)}.*", link) if part)


def linked_words(view: View) -> str:
    """Mrkdwn: cases like this one that are decided by themselves; "" where there is none."""
    others = view.case.linked
    if not others:
        return ""
    some = "; ".join(_one(view, other) for other in others[:_LISTED_MOST])
    more = f" and {len(others) - _LISTED_MOST:,} more" if len(others) > _LISTED_MOST else ""
    return f"Like this one, decided by {'itself' if len(others) == 1 else 'themselves'}: {some}{more}"


def listed(view: View, others: Iterable[str]) -> str:
    """One line per case, for the details: its id, the service's task and the title."""
    return "\n".join(_plain(view, other) for other in others)


def near_duplicate_blocks(view: View) -> list[Block]:
    """On a card that has no buttons for it."""
    return [words(text) for text in (tied_words(view), tied_to_words(view)) if text]


def _plain(view: View, other: str) -> str:
    case, title = view.related.get(other), line(view.related_titles.get(other, ""))
    return " · ".join(part for part in (other, line(case.task_id) if case is not None else "", brief(title, 300)) if part)


def _one(view: View, other: str) -> str:
    case = view.related.get(other)
    link = linked(view.related_links.get(other, ""), "open")
    return (escaped(case.task_id, 80) if case is not None else own_id(other)) + (f" ({link})" if link else "")
