"""What stands on the board of a channel, however much waits there. Owns reading it, from counts that the ledger keeps and a few entries of
indexes.
"""

from collections import Counter

from sqlalchemy import Connection, func, select

from routing.review.board import Board, board_id
from routing.review.outlook import Upcoming, upcoming
from routing.vocabulary import Risk
from store.ledger.queue_order import oldest_waiting
from store.reads.snapshots import readable
from store.schema import IS_CLAIMED, OPEN, among, cards, cases, moment, queue

WORKERS = 20
"""People named on a board, those who have most first."""


def read_board(connection: Connection, channel: str) -> Board:
    """The board of a channel as it is now."""
    here = (queue.c.channel == channel, queue.c.state == "pending", ~queue.c.tied, queue.c.cases > 0)
    rows = connection.execute(select(queue).where(*here)).all()
    by_risk = Counter[Risk]()
    for row in rows:
        by_risk[Risk(row.risk)] += row.cases
    claimed = (IS_CLAIMED, cases.c.channel == channel, cases.c.state == "pending")
    many = func.count().label("many")
    workers = select(cases.c.claimed_by, many).where(*claimed).group_by(cases.c.claimed_by).order_by(many.desc(), cases.c.claimed_by)
    oldest = oldest_waiting(connection, channel)
    held = select(func.sum(queue.c.cases)).where(queue.c.channel == channel, queue.c.state == "held", ~queue.c.tied, queue.c.behind)
    posted = select(func.max(cards.c.tier)).where(cards.c.case_id == board_id(channel))
    return Board(
        channel,
        tuple((risk, by_risk[risk]) for risk in reversed(Risk) if by_risk[risk]),
        behind=sum(row.cases for row in rows if row.behind),
        claimed=sum(row.cases for row in rows if row.claimed),
        workers=tuple((row.claimed_by, row.many) for row in connection.execute(workers.limit(WORKERS))),
        oldest=None if oldest is None else moment(oldest),
        next=_first(connection, channel, {(row.tier, row.lane, row.workflow) for row in rows}),
        workflows=tuple(sorted({row.workflow for row in rows})),
        posted=connection.execute(posted).scalar_one_or_none() or 0,
        held=int(connection.execute(held).scalar_one_or_none() or 0),
    )


def _first(connection: Connection, channel: str, places: set[tuple[int, str, str]]) -> Upcoming | None:
    """What happens first, if nobody acts, to any case that waits at these places (tier, lane, workflow) of a channel."""
    found = list[str]()
    for tier, lane, workflow in sorted(places):
        here = (cases.c.tier == tier, cases.c.lane == lane, cases.c.state == "pending", cases.c.workflow == workflow)
        first = select(cases.c.snapshot).where(among(cases.c.state, OPEN), *here, cases.c.tied_to == "", cases.c.channel == channel)
        found += connection.execute(first.where(cases.c.next_at.is_not(None)).order_by(cases.c.next_at).limit(1)).scalars()
    moves = [move for case in readable(found) if (move := upcoming(case)) is not None]
    return min(moves, key=lambda move: move.at, default=None)
