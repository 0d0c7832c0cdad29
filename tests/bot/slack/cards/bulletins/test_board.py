"""The board of a channel: its words, its buttons, and when it need not be drawn again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.slack.cards.bulletins.bulletin import draw_bulletin, is_over
from bot.slack.cards.text.limits import check_message
from bot.slack.cards.view import Bulletin
from routing.authority import Automation
from routing.governance.control import Control
from routing.review.board import Board, BoardReminder
from routing.review.outlook import Upcoming
from routing.vocabulary import Consequence, Risk

NOW = datetime(2026, 12, 1, 14, 5, tzinfo=UTC)
BOARD = Board(
    "review-tier1",
    ((Risk.CRITICAL, 12), (Risk.LOW, 988)),
    behind=980,
    claimed=4,
    workers=(("U0ANNA00001", 3), ("U0BEN000001", 1)),
    oldest=NOW - timedelta(hours=1),
    next=Upcoming(NOW + timedelta(minutes=15), "decide", Consequence.ESCALATED),
    workflows=("refunds",),
    posted=1,
)
BULLETIN = Bulletin("q_review-tier1", BOARD, (), NOW, tier=1, names={"U0ANNA00001": "Anna <Lindqvist>"})


def text_of(bulletin: Bulletin) -> str:
    """Everything on it."""
    drawing = draw_bulletin(bulletin)
    check_message(drawing.text, drawing.blocks)
    return str(drawing.blocks)


def test_the_board_says_how_it_stands() -> None:
    """Counts by risk, what waits behind, since when, what happens first, who is on how many, as of when."""
    said = text_of(BULLETIN)
    for words in ("1,000 cases", "*12* critical", "*980* wait behind", "Anna &lt;Lindqvist&gt; 3, U0BEN000001 1", "14:05 UTC", "next tier"):
        assert words in said, words
    assert "<@" not in said, "nobody is rung"


def test_the_same_board_later_is_not_drawn_again() -> None:
    """The time alone is no reason to call Slack; a count is."""
    later = replace(BULLETIN, now=NOW + timedelta(minutes=3))
    fewer = replace(BULLETIN, about=replace(BOARD, behind=979))
    assert draw_bulletin(later).digest == draw_bulletin(BULLETIN).digest != draw_bulletin(fewer).digest


def test_the_largest_board_fits() -> None:
    """Twenty people with the longest names, and ten braked workflows."""
    people = tuple((f"U0{number:09}", 1_000) for number in range(20))
    brakes = tuple(Control(workflow="w" * 100 + str(number), automation=Automation.PAUSED) for number in range(30))
    text_of(replace(BULLETIN, about=replace(BOARD, workers=people), names={person: "&" * 80 for person, _ in people}, brakes=brakes))


def test_an_older_and_an_empty_board_offer_nothing() -> None:
    """Once a newer one stands, or nothing is behind it, there is nothing to press; and it is not posted anew where it was deleted."""
    for about in (replace(BOARD, posted=2), replace(BOARD, behind=0)):
        bulletin = replace(BULLETIN, about=about)
        assert "tierline:q" not in text_of(bulletin)
        assert is_over(bulletin)
    assert not is_over(BULLETIN)


def test_a_reminder_rings_those_who_answer_for_the_channel() -> None:
    """And nobody once nothing waits there."""
    assert "<@U0GRACE0001>" in text_of(replace(BULLETIN, about=BoardReminder(BOARD, ("U0GRACE0001",))))
    assert "<@" not in text_of(replace(BULLETIN, about=BoardReminder(replace(BOARD, behind=0), ("U0GRACE0001",))))
