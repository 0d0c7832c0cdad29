"""The details of a case as a modal with tabs, each in pages: everything the service sent and everything that happened, nothing cut.

Owns the tabs and the paging; what stands in a tab is told by `detail_tabs` beside it. Every character of the case stands on exactly one
page of one tab. It never decides who may see it. Protocol: buttons `tierline:open_evidence`, for tabs with `:<tab>` behind it, whose value
holds the wanted tab and page as "tab" and "p".
"""

from collections.abc import Iterator
from typing import Any

from bot.slack.cards.forms.detail_tabs import TABS, Part, preamble
from bot.slack.cards.forms.modals import Seat, metadata, modal
from bot.slack.cards.parts.buttons import action_id, may_be_quarantined
from bot.slack.cards.text.block_kit import Block, button, button_row, date, plain, rich, run, small, typewriter, words
from bot.slack.cards.text.block_kit import lines as paragraph
from bot.slack.cards.text.safe_text import escaped, head, weight
from bot.slack.cards.view import View
from routing.vocabulary import State, Verb

_PIECE_MOST = 2_400
_PAGE_MOST = 9_000
_PIECES_MOST = 40


def details_pages(view: View, tab: str) -> int:
    """How many pages a tab has, 1 or more."""
    return len(_pages(TABS[tab].parts(view)))


def details_modal(view: View, seat: Seat, page: int = 0, tab: str = "") -> dict[str, Any]:
    """Page `page` (from 0; beyond the last one shows the last) of a tab. Without a known one it opens at the evidence, or at the action
    where the card had to cut something and there is more to read.
    """
    tab = tab if tab in TABS else max("evidence", "action", key=lambda one: _length(view, one)) if seat.cut else "evidence"
    pages = _pages(TABS[tab].parts(view))
    shown = min(max(page, 0), len(pages) - 1)
    blocks: list[Block] = [_title(view), _tabs(view, seat, tab)]
    if shown == 0 and (said := preamble(view, tab)):
        blocks.append(words(said))
    blocks += pages[shown] or ([] if shown == 0 and said else [words(TABS[tab].empty)])
    for label, to in (("Previous page", shown - 1), ("Next page", shown + 1)):
        if 0 <= to < len(pages):
            turn = button(label, action_id(Verb.OPEN_EVIDENCE), metadata(view, seat, tab=tab, p=to))
            place = plain(f"Page {shown + 1} of {len(pages)}")
            blocks.append({"type": "section", "block_id": f"tierline:page:{to - shown}", "text": place, "accessory": turn})
    blocks += _seldom(view, seat)
    case = view.case
    blocks.append(small(f"Case {case.id} · revision {case.revision} · action {case.action_sha256[:12]}"))
    return modal("Details", action_id(Verb.OPEN_EVIDENCE), metadata(view, seat, tab=tab, p=shown), blocks)


def _length(view: View, tab: str) -> int:
    return sum(len(part.text) for part in TABS[tab].parts(view))


def _title(view: View) -> Block:
    """Which case this is."""
    return words(f"*{escaped(view.submission.title, 300) or '(no visible title)'}*")


def _seldom(view: View, seat: Seat) -> list[Block]:
    """What the card's menu has no room for: handing the case on, and quarantine while somebody has it."""
    case = view.case
    if case.state is not State.PENDING or case.drill is not None or case.tied_to:
        return []
    offers = [("Hand over", Verb.HAND_OVER)]
    offers += [("Quarantine this case", Verb.QUARANTINE)] if case.claimed_by and may_be_quarantined(case) else []
    return [button_row("tierline:actions:1", [button(label, action_id(verb), metadata(view, seat)) for label, verb in offers])]


def _tabs(view: View, seat: Seat, tab: str) -> Block:
    """A button per tab; the one that is shown is marked, and said to be shown where it is read aloud."""
    return button_row("tierline:tabs", [_tab(view, seat, name, shown=name == tab) for name in TABS])


def _tab(view: View, seat: Seat, name: str, *, shown: bool) -> Block:
    label, to = TABS[name].label, metadata(view, seat, tab=name, p=0)
    says = {"accessibility_label": f"{label}, shown now"} if shown else {}
    return button(f"▸ {label}" if shown else label, f"{action_id(Verb.OPEN_EVIDENCE)}:{name}", to, extra=says)


def _pages(parts: Iterator[Part]) -> list[list[Block]]:
    pages: list[list[Block]] = [[]]
    room = _PAGE_MOST
    for part in parts:
        for piece, first in _pieces(part.text):
            heading = part.title if first else f"{part.title} (continued)"
            cost = weight(heading) + weight(part.beside) + weight(piece)
            if pages[-1] and (cost > room or len(pages[-1]) >= _PIECES_MOST):
                pages.append([])
                room = _PAGE_MOST
            body = [typewriter(piece) if part.exactly else paragraph(run(piece))] if piece else []
            pages[-1].append(rich(paragraph(run(heading, "bold"), *_beside(part)), *body))
            room -= cost
    return pages


def _beside(part: Part) -> Iterator[Block]:
    if part.beside:
        yield run(f"  {part.beside}")
    if part.at is not None:
        yield run("  ")
        yield date(part.at)


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    start = 0
    if not text:
        yield "", True
    while start < len(text):
        piece = head(text[start : start + _PIECE_MOST], _PIECE_MOST)
        if start + len(piece) < len(text):  # between two lines, where there is such a place
            piece = piece[: piece.rfind("\n") + 1] or piece
        yield piece, start == 0
        start += len(piece)
