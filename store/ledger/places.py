"""How many open cases wait at each place of the queue, kept as cases come, move and end, so that nobody has to count them. Owns what is
added to the table `queue`; `store.reads.next_moves` and `store.reads.boards` read it.
"""

from collections import Counter
from collections.abc import Iterable

from routing.case.case import Case
from routing.vocabulary import CaseKind, State
from store.ledger.draft import Row

Place = tuple[str, int, str, str, str, bool, bool, str, bool]
"""Channel, tier, lane, state, workflow, whether it is tied to another case, whether somebody claimed it, risk, whether its card waits
behind the board: the key of `queue`.
"""

Standing = tuple[Case | None, int]
"""A case (None: not there) and the tiers whose card it has not, a bit for each: the column `unposted`."""


def channel_of(case: Case) -> str:
    """The channel of the tier that an open case is at; empty before it is at one."""
    return case.rung.channel if case.open and case.tier_since is not None else ""


def waits(case: Case) -> bool:
    """Whether people owe this case an answer in its channel, where it takes a place of the window. A drill takes none."""
    return case.state is State.PENDING and case.tier_since is not None and not case.tied_to and case.kind is not CaseKind.DRILL


def is_behind(case: Case, unposted: int) -> bool:
    """Whether the card of the tier that a case is at waits behind the board of its channel."""
    return bool(unposted >> case.tier & 1)


def place(standing: Standing) -> Place | None:
    """Where an open case waits; None for one that is not open. Cases of a drill stand in no queue: they are counted nowhere."""
    case, unposted = standing
    if case is None or not case.open or case.kind is CaseKind.DRILL:
        return None
    where = (channel_of(case), case.tier, case.route.lane.value, case.state.value, case.workflow)
    return (*where, bool(case.tied_to), bool(case.claimed_by), case.route.risk.value, is_behind(case, unposted))


def moves(changed: Iterable[tuple[Standing, Standing]]) -> list[Row]:
    """Rows to add to `queue`, for cases as they were and as they are."""
    changes = Counter[Place]()
    for before, after in changed:
        if (left := place(before)) is not None:
            changes[left] -= 1
        if (reached := place(after)) is not None:
            changes[reached] += 1
    return [dict(zip(_COLUMNS, (*key, change), strict=True)) for key, change in sorted(changes.items()) if change]


_COLUMNS = ("channel", "tier", "lane", "state", "workflow", "tied", "claimed", "risk", "behind", "cases")
