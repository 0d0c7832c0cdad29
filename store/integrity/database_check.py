"""The log replayed against everything the database holds, at once or a part at a time. Owns the order of the parts and the counts that need
all events; reads only, and records nothing.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection, func, select

from store.audit.merkle import TILE_WIDTH, MalformedFrontier
from store.audit.proven_leaves import ProvenLeaves
from store.audit.signed_note import VerifierKey
from store.database.database import Database
from store.integrity.case_check import check_cases
from store.integrity.event_check import Told, check_events
from store.integrity.figures_check import check_figures
from store.integrity.findings import Finding
from store.integrity.head_check import check_head, check_notes, stored_tree
from store.integrity.limits_check import check_tallies
from store.integrity.queue_check import check_queue
from store.integrity.release import TILES_KEPT
from store.ledger.arrival_limits import DAY
from store.ledger.sealed_head import HeadAlteredError, head_row
from store.schema import case_keys, cases, leaves, policies, vault
from store.vault.vault import Vault

CASES_AT_ONCE = 100
TILES_OF_TODAY = 32
"""Of events of today, followed at once: 8,192 of them. Where more come in a minute, the day is compared once fewer do."""

Tiles = dict[tuple[int, int], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of everything found, and how much it looked at."""

    findings: tuple[Finding, ...]
    events: int
    cases: int


@dataclass(slots=True)
class Today:
    """How far the events of a day were followed, in whole tiles of the log, and what they told."""

    day: int = -1
    tile: int = 0
    told: Told = field(default_factory=Told)


@dataclass(slots=True)
class Place:
    """How far a check in parts has come: the tile of events it goes on from with what those before told, the case, and the day."""

    tile: int = 0
    told: Told = field(default_factory=Told)
    case: str = ""
    today: Today = field(default_factory=Today)
    tiles: Tiles = field(default_factory=dict)


class DatabaseCheck:
    """Checks one database under the keys of its log and its vault."""

    def __init__(self, database: Database, vault: Vault, keys: Sequence[VerifierKey]) -> None:
        """`keys` are all keys that sign checkpoints of this log."""
        self._database = database
        self._vault = vault
        self._keys = keys

    async def everything(self, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Checked:
        """Every event, row, callback and sealed value, of one moment. `progress` is told of events looked at and of all."""
        return await self._database.read(partial(self.all_of, progress=progress))

    async def part(self, place: Place, tiles: int, cases_most: int, *, today_most: int = TILES_OF_TODAY) -> list[Finding]:
        """The head, so many tiles and cases on from `place`, which moves on and begins again at the end, and what caps count by today,
        of which so many tiles are followed at most.
        """
        return await self._database.read(partial(self.part_of, place=place, tiles=tiles, cases_most=cases_most, today_most=today_most))

    def part_of(
        self, connection: Connection, *, place: Place, tiles: int, cases_most: int, today_most: int = TILES_OF_TODAY
    ) -> list[Finding]:
        """As `part`, over a connection that is open."""
        if len(place.tiles) > TILES_KEPT:
            place.tiles.clear()
        findings = list(check_head(connection, self._vault.head_seal, self._keys))
        try:
            tree, size = stored_tree(connection, place.tiles), head_row(connection).size
        except (MalformedFrontier, HeadAlteredError):
            return findings
        for _ in range(min(tiles, -(-size // TILE_WIDTH))):
            if place.tile * TILE_WIDTH >= size:
                place.tile, place.told = 0, Told()
            findings += self._tile(connection, place.tile, tree, size, place.told)
            place.tile += 1
            if place.tile * TILE_WIDTH >= size:  # the last one grows: it is looked at in the same moment as what it is compared with
                findings += (*_policies(connection, place.told), *check_tallies(connection, place.told.approvals))
                place.tile, place.told = 0, Told()
        findings += self._today(connection, place.today, tree, size, today_most)
        found, place.case = check_cases(connection, place.case, cases_most, tree, self._vault)
        return findings + found

    def _today(self, connection: Connection, place: Today, tree: ProvenLeaves, size: int, most: int) -> list[Finding]:
        """The day's events up to now, `most` tiles at once, and what is counted of the day once they are followed to the end."""
        day, whole, findings = head_row(connection).last_time // DAY, size // TILE_WIDTH, list[Finding]()
        if place.day != day or place.tile > whole:
            place.day, place.tile, place.told = day, _first_since(connection, day * DAY, size) // TILE_WIDTH, Told()
        until = min(whole, place.tile + most)
        while place.tile < until:
            findings += self._tile(connection, place.tile, tree, size, place.told)
            place.tile += 1
        if place.tile < whole:
            return findings
        told = deepcopy(place.told)
        findings += self._tile(connection, whole, tree, size, told)
        return [*findings, *check_tallies(connection, told.approvals, day)]

    def _tile(self, connection: Connection, number: int, tree: ProvenLeaves, size: int, told: Told) -> list[Finding]:
        findings = list(check_events(connection, number, tree, size, told))
        told.approvals.read(connection, self._vault)
        return findings

    def all_of(self, connection: Connection, *, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Checked:
        """As `everything`, over a connection that is open."""
        findings = list(check_head(connection, self._vault.head_seal, self._keys))
        told, after = Told(), ""
        try:
            tree, size = stored_tree(connection, {}), head_row(connection).size
        except (MalformedFrontier, HeadAlteredError):
            return Checked(tuple(findings), 0, 0)
        for number in range(-(-size // TILE_WIDTH)):
            findings += self._tile(connection, number, tree, size, told)
            progress(min(size, (number + 1) * TILE_WIDTH), size)
        while True:
            found, after = check_cases(connection, after, CASES_AT_ONCE, tree, self._vault)
            findings += found
            if not after:
                break
        findings += check_notes(connection, self._keys)
        findings += (
            *_policies(connection, told),
            *check_tallies(connection, told.approvals),
            *check_queue(connection),
            *check_figures(connection),
        )
        findings += _strays(connection)
        return Checked(tuple(findings), size, _count(connection))


def _first_since(connection: Connection, at: int, size: int) -> int:
    """The index of the first event that is not of before the microsecond `at`: they are in order of time."""

    def moment_of(index: int) -> int:
        return int(connection.execute(select(leaves.c.at).where(leaves.c.idx == index)).scalar_one_or_none() or 0)

    return bisect_left(range(size), at, key=moment_of)


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(cases)).scalar_one()


def _policies(connection: Connection, told: Told) -> Iterator[Finding]:
    for row in connection.execute(select(policies.c.sha256, policies.c.version)):
        if row.sha256 not in told.policies:
            yield Finding(f"policy {row.sha256[:12]}", "no event names it")
        elif told.policies[row.sha256] != row.version:
            yield Finding(f"policy {row.sha256[:12]}", f"its version is {row.version!r}, in the log {told.policies[row.sha256]!r}")
    active = head_row(connection).policy
    if active != told.in_force:
        yield Finding(f"policy {active[:12]}", f"the head names it, and {told.in_force[:12] or 'none'} is in force by the log")


def _strays(connection: Connection) -> Iterator[Finding]:
    """Content and keys of what is no case."""
    known = select(cases.c.id)
    for name, table in (("content", vault), ("a key", case_keys)):
        for case_id in connection.execute(select(table.c.case_id).where(table.c.case_id.not_in(known)).distinct()).scalars():
            yield Finding(f"case {case_id}", f"{name} of it is stored, and it has no row")
    sealing = select(leaves.c.idx)
    if stray := connection.execute(select(vault.c.leaf_idx).where(vault.c.leaf_idx.not_in(sealing))).scalars().all():
        yield Finding("the vault", f"content is stored for events that do not exist: {', '.join(map(str, stray[:5]))}")
