"""The log replayed against everything the database holds, at once or a part at a time. Owns the order of the parts and the counts that need
all events; reads only, and records nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from sqlalchemy import Connection, func, select

from routing.case.case import Case
from store.audit.merkle import TILE_WIDTH, MalformedFrontier
from store.audit.signed_note import VerifierKey
from store.database.database import Database
from store.integrity.case_check import check_cases
from store.integrity.event_check import Told, check_events
from store.integrity.findings import Finding
from store.integrity.head_check import check_head, check_notes, stored_tree
from store.integrity.release import TILES_KEPT
from store.ledger.arrival_limits import MILLION, MOST
from store.ledger.sealed_head import HeadAlteredError, head_row
from store.schema import case_keys, cases, leaves, policies, tallies, vault, waiver_uses
from store.vault.content import unseal
from store.vault.vault import CannotOpen, Vault

CASES_AT_ONCE = 100
Tiles = dict[tuple[int, int], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of everything found, and how much it looked at."""

    findings: tuple[Finding, ...]
    events: int
    cases: int


@dataclass(slots=True)
class Place:
    """How far a check in parts has come: the tile of events and the case it goes on from."""

    tile: int = 0
    case: str = ""
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

    async def part(self, place: Place, tiles: int, cases_most: int) -> list[Finding]:
        """The head, and so many tiles and cases on from `place`, which moves on and begins again at the end."""
        return await self._database.read(partial(self._part, place=place, tiles=tiles, cases_most=cases_most))

    def _part(self, connection: Connection, *, place: Place, tiles: int, cases_most: int) -> list[Finding]:
        if len(place.tiles) > TILES_KEPT:
            place.tiles.clear()
        findings = list(check_head(connection, self._vault.head_seal, self._keys))
        try:
            tree, size = stored_tree(connection, place.tiles), head_row(connection).size
        except (MalformedFrontier, HeadAlteredError):
            return findings
        for _ in range(min(tiles, -(-size // TILE_WIDTH))):
            place.tile = place.tile if place.tile * TILE_WIDTH < size else 0
            findings += check_events(connection, place.tile, tree, size, Told())
            place.tile += 1
        found, place.case = check_cases(connection, place.case, cases_most, tree, self._vault)
        return findings + found

    def all_of(self, connection: Connection, *, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Checked:
        """As `everything`, over a connection that is open."""
        findings = list(check_head(connection, self._vault.head_seal, self._keys))
        told, seen, after = Told(), 0, ""
        try:
            tree, size = stored_tree(connection, {}), head_row(connection).size
        except (MalformedFrontier, HeadAlteredError):
            return Checked(tuple(findings), 0, 0)
        for number in range(-(-size // TILE_WIDTH)):
            findings += check_events(connection, number, tree, size, told)
            progress(min(size, (number + 1) * TILE_WIDTH), size)
        while True:
            found, after = check_cases(connection, after, CASES_AT_ONCE, tree, self._vault)
            findings += found
            if not after:
                break
            seen += CASES_AT_ONCE
        findings += check_notes(connection, self._keys)
        findings += (*_policies(connection, told), *_limits(connection, told, self._vault), *_exceptions(connection), *_strays(connection))
        return Checked(tuple(findings), size, min(seen, _count(connection)))


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


def _limits(connection: Connection, told: Told, keys: Vault) -> Iterator[Finding]:
    """How much was approved automatically each day, which caps count by."""
    rows = {(row.workflow, row.day): row for row in connection.execute(select(tallies))}
    for key in sorted((rows.keys() | told.approvals.keys()) - told.uncounted):
        about, row = f"automatic approvals of {key[0]}, day {key[1]}", rows.get(key)
        if (counted := 0 if row is None else row.autos) != told.approvals[key]:
            yield Finding(about, f"{counted} are counted, {told.approvals[key]} are in the log", key[0])
        amounts = [_amount(connection, leaf, keys) for leaf in told.contents.get(key, ())]
        known = sum((amount for amount in amounts if amount is not None), Decimal(0))
        stored = Decimal(0) if row is None else row.whole + Decimal(row.millionths) / MILLION
        if stored < known if None in amounts else stored != known:
            yield Finding(about, f"their sum is {stored.normalize():f}, by their content {known.normalize():f}", key[0])


def _amount(connection: Connection, leaf_idx: int, keys: Vault) -> Decimal | None:
    """What an approval moved, None where its content was erased."""
    row = connection.execute(
        select(vault.c.box, vault.c.case_id, case_keys.c.wrapped)
        .join(case_keys, case_keys.c.case_id == vault.c.case_id)
        .where(vault.c.leaf_idx == leaf_idx)
    ).first()
    if row is None:
        return None
    try:
        content = unseal(keys.open_case(row.case_id, row.wrapped), leaf_idx, row.box)
    except (CannotOpen, ValueError):
        return None
    risk = content.get("risk")
    amount = risk.get("amount") if isinstance(risk, dict) else None
    return min(abs(Decimal(str(amount or 0))), Decimal(MOST))


def _exceptions(connection: Connection) -> Iterator[Finding]:
    """Uses of exceptions, which their limits count by."""
    used = {(row.waiver_id, row.case_id) for row in connection.execute(select(waiver_uses))}
    known = set(connection.execute(select(cases.c.id)).scalars())
    for waiver_id, case_id in sorted(used):
        if case_id not in known:
            yield Finding(f"exception {waiver_id}", f"a use for {case_id} is counted, which is no case")
    for case in _with_exceptions(connection):
        for waiver_id in case.route.exceptions:
            if case.kind.value == "case" and (waiver_id, case.id) not in used:
                yield Finding(f"exception {waiver_id}", f"its use for case {case.id} is not counted", case.workflow)


def _with_exceptions(connection: Connection) -> Iterator[Case]:
    for snapshot in connection.execute(select(cases.c.snapshot).where(cases.c.snapshot.like('%"exceptions":["%'))).scalars():
        try:
            yield Case.model_validate_json(snapshot)
        except ValueError:
            continue  # said of the case itself


def _strays(connection: Connection) -> Iterator[Finding]:
    """Content and keys of what is no case."""
    known = select(cases.c.id)
    for name, table in (("content", vault), ("a key", case_keys)):
        for case_id in connection.execute(select(table.c.case_id).where(table.c.case_id.not_in(known)).distinct()).scalars():
            yield Finding(f"case {case_id}", f"{name} of it is stored, and it has no row")
    sealing = select(leaves.c.idx)
    if stray := connection.execute(select(vault.c.leaf_idx).where(vault.c.leaf_idx.not_in(sealing))).scalars().all():
        yield Finding("the vault", f"content is stored for events that do not exist: {', '.join(map(str, stray[:5]))}")
