"""What is masked on a card, in pages, for somebody who may see it: each place with its original value. Never drawn on a card or posted.

Owns the order and the paging; nothing is cut. It never decides who may look: turning a page is a press of its own, and recorded as such.
"""

from collections.abc import Iterator
from typing import Any

from bot.slack.cards.forms.modals import Seat, metadata, modal
from bot.slack.cards.parts.buttons import action_id
from bot.slack.cards.parts.sources import source_title
from bot.slack.cards.text.block_kit import Block, button, lines, plain, rich, run, small, typewriter, words
from bot.slack.cards.text.safe_text import exact, head, weight
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import View
from routing.vocabulary import Verb

_PIECE_MOST = 2_400
_PAGE_MOST = 9_000
_PIECES_MOST = 40
_PATH_MOST = 200
_NAMES_IT = frozenset({"id", "title"})
"""Fields of a source that name it; masked, they cannot."""


def reveal_modal(view: View, seat: Seat, page: int = 0) -> dict[str, Any]:
    """Page `page` (from 0; beyond the last one shows the last) of what is masked. The buttons carry the wanted page as "p"."""
    pages = _pages(view)
    shown = min(max(page, 0), len(pages) - 1)
    blocks: list[Block] = [small(f"Case {view.case.id} · revision {view.case.revision}"), words("Who looked is recorded."), *pages[shown]]
    for label, to in (("Previous page", shown - 1), ("Next page", shown + 1)):
        if 0 <= to < len(pages):
            turn = button(label, action_id(Verb.REVEAL), metadata(view, seat, p=to))
            place = f"Page {shown + 1} of {len(pages)}"
            blocks.append({"type": "section", "block_id": f"tierline:page:{to}", "text": plain(place), "accessory": turn})
    return modal("What is masked", action_id(Verb.REVEAL), metadata(view, seat, p=shown), blocks)


def _pages(view: View) -> list[list[Block]]:
    pages: list[list[Block]] = [[]]
    room = _PAGE_MOST
    for path, piece in _pieces(view):
        cost = weight(path) + weight(piece)
        if pages[-1] and (cost > room or len(pages[-1]) >= _PIECES_MOST):
            pages.append([])
            room = _PAGE_MOST
        pages[-1].append(rich(lines(run(path, "bold")), typewriter(piece)))
        room -= cost
    return pages if pages[0] else [[words("Nothing of this case is masked.")]]


def _place(view: View, path: str) -> str:
    """`Source: record crm-17: Customer record (text)` for `evidence.0.text`, the kind of event for `history.12.text`, else the path."""
    match path.split("."):
        case ["evidence", number, field] if field not in _NAMES_IT and number in map(str, range(len(view.submission.evidence))):
            return f"Source: {source_title(view.submission.evidence[int(number)])} ({field})"
        case ["history", number, field]:
            told = next((one for one in view.history if str(one.index) == number), None)
            return f"{code_label(told.kind.value)} ({exact(field)})" if told is not None else exact(path)
        case _:
            return exact(path)


def _pieces(view: View) -> Iterator[tuple[str, str]]:
    """Each masked value once per place, in the order of the case, in pieces that Slack can hold."""
    for one in dict.fromkeys(view.hidden):
        path, text = head(_place(view, one.path), _PATH_MOST), exact(one.value)
        start = 0
        while start < len(text):
            piece = head(text[start : start + _PIECE_MOST], _PIECE_MOST)
            yield (path if start == 0 else f"{path} (continued)"), piece
            start += len(piece)
