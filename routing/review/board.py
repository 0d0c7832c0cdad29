"""The board of a channel: what stands behind the cards that it shows. Owns the value; counts nothing."""

from dataclasses import dataclass
from datetime import datetime

from routing.review.outlook import Upcoming
from routing.vocabulary import Risk

BOARD, REMINDER = "q_", "m_"
"""Prefixes of the ids of a board and of what reminds of the cases behind it; the channel follows, as policies spell it."""


def board_id(channel: str) -> str:
    """The id of the board of a channel."""
    return BOARD + channel


def reminder_id(channel: str) -> str:
    """The id of what reminds of the cases behind the board of a channel."""
    return REMINDER + channel


@dataclass(frozen=True, slots=True)
class Board:
    """What waits for people in a channel at one moment.

    `waiting` cases by class of risk, the gravest first, of which `behind` have no card yet and `claimed` are taken, each person's number in
    `workers` (Slack id, cases). `oldest` is when the first free one came; `next` what happens first to any case if nobody acts, of the case
    `next_case`. `workflows` are those the cases are of; `posted` is the number of the board's newest message. `held` cases beside them have
    no card and wait for nobody: they come back when their workflow goes on.
    """

    channel: str
    waiting: tuple[tuple[Risk, int], ...] = ()
    behind: int = 0
    claimed: int = 0
    workers: tuple[tuple[str, int], ...] = ()
    oldest: datetime | None = None
    next: Upcoming | None = None
    workflows: tuple[str, ...] = ()
    posted: int = 0
    held: int = 0

    @property
    def cases(self) -> int:
        """How many cases wait, with a card or without."""
        return sum(number for _, number in self.waiting)

    @property
    def over(self) -> bool:
        """Whether nothing waits behind it any more."""
        return self.behind == 0


@dataclass(frozen=True, slots=True)
class BoardReminder:
    """That cases which wait behind a board run out of time: said once for all of them, to those who answer for its channel."""

    board: Board
    rung: tuple[str, ...] = ()
