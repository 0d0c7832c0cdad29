"""The board of a channel: what waits there beyond the cards that it shows, who works on how much, and the buttons that hand out what comes
next. Owns its words.

Protocol of the buttons: action_id `tierline:q:take` and `tierline:q:take_more`, value = compact JSON `{"s": the board's id, "n": cases}`.
"""

from bot.slack.cards.parts.clock_line import due_words, moment, time_of_day
from bot.slack.cards.text.block_kit import Block, Drawing, button, button_row, carried, header, small_words, words
from bot.slack.cards.text.mentions import mention
from bot.slack.cards.text.safe_text import escaped
from bot.slack.cards.text.wording import RISK
from bot.slack.cards.view import Bulletin
from routing.authority import Automation
from routing.review.board import Board, BoardReminder

PREFIX = "tierline:q:"
SEVERAL = 5
"""Cases that one press takes at most."""

BRAKED = {
    Automation.SAMPLING_RAISED: "is checked more often",
    Automation.REVIEW_ALL: "is reviewed in full: people decide every case",
    Automation.PAUSED: "is paused: approvals are kept back, rejections count",
    Automation.FROZEN: "is frozen: its cases are held and can be decided by nobody",
}


def draw_board(bulletin: Bulletin, board: Board | BoardReminder) -> Drawing:
    """The board as it is now, or what reminds of it. The moment it was drawn is no reason to draw it again."""
    if isinstance(board, BoardReminder):
        return _reminder(board)
    if board.posted > bulletin.tier:
        said = "A newer board stands further down in this channel."
        return Drawing(said, [small_words(said)])
    if board.over:
        said = "Nothing waits behind this board any more: whatever waits for people in this channel has its card here."
        said = " ".join([said, *_held(board)])
        return Drawing(said, [words(said), _as_of(bulletin)], same=said)
    shown = board.cases - board.behind
    title = f"Queue: {_cases(board.cases)} wait for people" if board.cases != 1 else "Queue: 1 case waits for people"
    have = "1 case has a card" if shown == 1 else f"{shown:,} cases have cards"
    standing = f"{have} here; *{board.behind:,}* wait behind this board, the most urgent comes forward first."
    lines = [" · ".join(f"{RISK[risk].partition(' ')[0]} *{number:,}* {risk.value}" for risk, number in board.waiting), standing]
    lines += [_times(board)] if board.oldest is not None or board.next is not None else []
    lines += [_workers(bulletin, board), *_held(board)]
    blocks: list[Block] = [header(title), words("\n".join(lines))]
    braked = [f"⏸ {escaped(one.workflow, 80)} {BRAKED[one.automation]}." for one in bulletin.brakes if one.automation is not Automation.ON]
    blocks += [words("\n".join(braked[:10]))] if braked else []
    blocks.append(button_row("tierline:q", take_buttons(bulletin.subject, free=board.cases - board.claimed)))
    drawn = Drawing(f"{title}, {board.behind:,} of them behind the board.", blocks)
    hint = "*Take next* claims the most urgent case that you may decide and nobody has; its card comes to this channel."
    return Drawing(drawn.text, [*blocks, _as_of(bulletin, hint)], same=drawn.digest)


def _reminder(reminder: BoardReminder) -> Drawing:
    """That cases behind the board run out of time, as it is now."""
    board = reminder.board
    if board.over:
        said = "🔔 Cases behind this board were running out of time. Nothing waits behind it any more."
        return Drawing(said, [words(said)])
    rung = " ".join(map(mention, reminder.rung))
    first = f" The first is {due_words(board.next)}." if board.next is not None else ""
    said = f"🔔 Of the cases that wait behind this board some are running out of time.{first} *Take next* hands out the most urgent ones."
    return Drawing(f"{rung} {said}".strip(), [words(f"{rung} {said}".strip())])


def take_buttons(subject: str, *, free: int = SEVERAL) -> list[Block]:
    """*Take next*, and *Take 5* where that many are free."""
    buttons = [button("Take next", f"{PREFIX}take", carried(s=subject, n=1), "primary")]
    return [*buttons, button(f"Take {SEVERAL}", f"{PREFIX}take_more", carried(s=subject, n=SEVERAL))] if free > 1 else buttons


def _times(board: Board) -> str:
    told = [f"The oldest that nobody has taken came {moment(board.oldest)}"] if board.oldest is not None else []
    told += [f"the first is {due_words(board.next)}"] if board.next is not None else []
    return "; ".join(told) + "."


def _workers(bulletin: Bulletin, board: Board) -> str:
    if not board.workers:
        return "Nobody has taken any of them."
    named = ", ".join(f"{escaped(bulletin.known_as(person), 80)} {number:,}" for person, number in board.workers)
    return f"Taken: {board.claimed:,} ({named})."


def _held(board: Board) -> list[str]:
    one = board.held == 1
    told = f"{_cases(board.held)} of frozen workflows {'has' if one else 'have'} no card: {'it comes' if one else 'they come'} back when"
    return [f"{told} {'its workflow goes' if one else 'those go'} on."] if board.held else []


def _as_of(bulletin: Bulletin, hint: str = "") -> Block:
    return small_words(f"{hint} As of {time_of_day(bulletin.now)}.".strip())


def _cases(number: int) -> str:
    return "1 case" if number == 1 else f"{number:,} cases"
