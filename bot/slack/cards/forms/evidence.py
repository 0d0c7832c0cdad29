"""The full evidence of a case as a modal, in pages: everything the service sent and everything that happened, nothing cut.

Owns the order and the paging. Every character of the case stands on exactly one page. It never decides who may see it.
"""

from collections.abc import Iterator
from typing import Any

from bot.slack.cards.forms.modals import Seat, metadata, modal
from bot.slack.cards.parts.buttons import action_id
from bot.slack.cards.parts.clock_line import absolute
from bot.slack.cards.parts.diff import changes_in_full, values_in_full
from bot.slack.cards.parts.model_says import feature_text
from bot.slack.cards.parts.near_duplicates import listed
from bot.slack.cards.parts.reasons import check_text
from bot.slack.cards.parts.sources import source_age, source_title
from bot.slack.cards.text.block_kit import Block, button, plain, rich, run, small, typewriter
from bot.slack.cards.text.block_kit import lines as paragraph
from bot.slack.cards.text.safe_text import address, exact, head, line, weight
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import Happening, View
from routing.vocabulary import Verb

_PIECE_MOST = 2_400
_PAGE_MOST = 9_000
_PIECES_MOST = 40


def evidence_pages(view: View) -> int:
    """How many pages the full evidence has, 1 or more."""
    return len(_pages(view))


def evidence_modal(view: View, seat: Seat, page: int = 0) -> dict[str, Any]:
    """Page `page` (from 0; beyond the last one shows the last). The buttons carry the wanted page as "p" in their value."""
    pages = _pages(view)
    shown = min(max(page, 0), len(pages) - 1)
    private = metadata(view, seat, p=shown)
    blocks: list[Block] = [small(f"Case {view.case.id} · revision {view.case.revision} · action {view.case.action_sha256}")]
    if len(pages) > 1:
        blocks.append(_turn(view, seat, shown, len(pages), -1))
    blocks += pages[shown]
    if len(pages) > 1:
        blocks.append(_turn(view, seat, shown, len(pages), 1))
    return modal("Full evidence", action_id(Verb.OPEN_EVIDENCE), private, blocks)


def _turn(view: View, seat: Seat, shown: int, count: int, by: int) -> Block:
    """`Page 2 of 5`, with the button to the page before or after where there is one."""
    block: Block = {"type": "section", "block_id": f"tierline:page:{by}", "text": plain(f"Page {shown + 1} of {count}")}
    if not 0 <= shown + by < count:
        return block
    label = "Next page" if by > 0 else "Previous page"
    return block | {"accessory": button(label, action_id(Verb.OPEN_EVIDENCE), metadata(view, seat, p=shown + by))}


def _pages(view: View) -> list[list[Block]]:
    pages: list[list[Block]] = [[]]
    room = _PAGE_MOST
    for title, text, exactly in _parts(view):
        for piece, first in _pieces(text):
            heading = title if first else f"{title} (continued)"
            cost = weight(heading) + weight(piece)
            if pages[-1] and (cost > room or len(pages[-1]) >= _PIECES_MOST):
                pages.append([])
                room = _PAGE_MOST
            body = typewriter(piece) if exactly else paragraph(run(piece))
            pages[-1].append(rich(paragraph(run(heading, "bold")), body))
            room -= cost
    return pages


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    start = 0
    while start < len(text):
        piece = head(text[start : start + _PIECE_MOST], _PIECE_MOST)
        if start + len(piece) < len(text):  # between two lines, where there is such a place
            piece = piece[: piece.rfind("\n") + 1] or piece
        yield piece, start == 0
        start += len(piece)


def _parts(view: View) -> Iterator[tuple[str, str, bool]]:
    """Title, text, and whether it is shown exactly; parts without text are left out."""
    for title, text in _told(view):
        if shown := _whole(text):
            yield title, shown, False
    for title, value in _structured(view):
        if value:
            yield title, value if isinstance(value, str) else values_in_full(value), True
    for number, source in enumerate(view.submission.evidence, 1):
        about = [source_title(source), source_age(source, view)] + ([address(source.url)] if source.url else [])
        yield f"Source {number}", "\n".join([" · ".join(about), _whole(source.text or "(no text)")]), False
    for happening in view.history:
        yield f"{code_label(happening.kind.value)}, {absolute(happening.at)}", _happened(happening), True


def _whole(text: str) -> str:
    """The text with everything invisible spelled out, because what is not seen here is seen nowhere."""
    return exact(text.replace("\r\n", "\n")).strip()


def _told(view: View) -> Iterator[tuple[str, str]]:
    submission, model, context = view.submission, view.submission.model, view.submission.context
    yield "Title", submission.title
    yield "How to review", view.case.route.instructions
    yield "Request", submission.request or ""
    yield "The model wrote", submission.output or ""
    yield "The model's rationale", model.rationale or ""
    yield "It would answer otherwise if", model.counterfactual or ""
    yield "Urgent because", submission.urgency_reason or ""
    yield "Decided with this case", listed(view, view.case.tied)
    yield "Like this case, decided by themselves", listed(view, view.case.linked)
    yield "Why here", "\n".join(f"{reason.text} ({reason.code})" for reason in view.case.route.reasons)
    yield "Checks", "\n".join(map(check_text, submission.checks))
    yield "Weighed", "\n".join(map(feature_text, model.features))
    yield "Missing", "\n".join(map(line, (*context.missing, *view.case.route.missing)))
    yield "Contradictory", "\n".join(map(line, context.conflicts))
    yield "Out of date", "\n".join(map(line, context.stale))


def _structured(view: View) -> Iterator[tuple[str, object]]:
    submission = view.submission
    yield "Action", {"type": submission.action.type, "reversible": submission.action.reversible}
    yield "What it changes", changes_in_full(submission.action)
    yield "Parameters", submission.action.params
    yield "State before", submission.action.before
    rest = submission.model_dump(mode="json", include={"prefill", "risk", "subject", "entities", "requester", "deadline", "labels"})
    yield "Other facts", {name: value for name, value in rest.items() if value}
    yield "Model", submission.model.model_dump(mode="json", exclude={"rationale", "counterfactual", "features"}, exclude_none=True)


def _happened(happening: Happening) -> str:
    """Who it was and all that was recorded and said, spelled exactly."""
    said = dict(happening.fields) | dict(happening.opened)
    return "\n".join([f"by {happening.actor.kind} {exact(happening.actor.id)}", *([values_in_full(said)] if said else [])])
