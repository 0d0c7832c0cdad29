"""A database with a past: copies of two cases, one that waits and one that people decided, with all that each left in the database.

Owns how they are copied. Rows, columns and indexes are those that the bot wrote, under other ids: half of the cases wait, the others were
decided over the last ninety days; their events are leaves of one tree under a head that is sealed. What is sealed of each is cut short:
nothing reads it but who looks at that case.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from benchmarks.many_cases import BOTH_CLOCKS, count_again
from routing.canonical import canonical
from store.audit.merkle import Frontier, leaf_hash
from store.vault.head_seal import Head, text_sha256
from store.vault.vault import Vault

PAST_S = 90 * 86_400
BOX = 64
"""Bytes that are left of what is sealed."""

AT_ONCE = 50_000
TABLES = ("cases", "case_keys", "vault", "inbox", "outbox", "cards")
NAME = "printf('c_%026d', i)"
"""The id of a copy: it sorts before those of real cases, as it is older."""


def copy_past(file: Path, count: int, vault: Vault) -> None:
    """Add that many cases, an even number, to a database in which one case waits and one is decided. The bot must not be running."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000; BEGIN")
        database.create_function("new_key", 1, lambda case_id: vault.new_case(case_id)[1])
        indexes = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL").fetchall()
        for name, _ in indexes:
            database.execute(f"DROP INDEX {name}")  # they are made faster when all is there
        originals = [_Original.of(database, turn, state) for turn, state in enumerate(("pending", "decided"))]
        size, outbox = database.execute("SELECT size, last_outbox FROM head").fetchone()
        for turn, original in enumerate(originals):
            before, steps = (sum(len(each.leaves) for each in some) for some in (originals[:turn], originals))
            sent, sends = (sum(len(each.messages) for each in some) for some in (originals[:turn], originals))
            at = {"leaf_idx": original.counted("leaf_idx", original.leaves, size + before, steps)}
            for table in TABLES:
                numbers = {"id": original.counted("id", original.messages, outbox + 1 + sent, sends)} if table == "outbox" else {}
                _copy(database, table, original, count, at | numbers)
        _append(database, originals, count, vault)
        count_again(database)
        for _, sql in indexes:
            database.execute(sql)
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode=WAL")


@dataclass(frozen=True)
class _Original:
    """One case: which of the two, its id, numbers, bytes, kinds and times of its events, and the numbers of its messages."""

    turn: int
    id: str
    leaves: Sequence[int]
    bodies: Sequence[bytes]
    told: Sequence[tuple[str, int]]
    messages: Sequence[int]

    @classmethod
    def of(cls, database: sqlite3.Connection, turn: int, state: str) -> "_Original":
        (name,) = database.execute("SELECT id FROM cases WHERE state = ? ORDER BY id LIMIT 1", (state,)).fetchone()
        leaves = database.execute("SELECT idx, body, kind, at FROM leaves WHERE case_id = ? ORDER BY idx", (name,)).fetchall()
        messages = database.execute("SELECT id FROM outbox WHERE case_id = ? ORDER BY id", (name,)).fetchall()
        return cls(
            turn,
            name,
            [row[0] for row in leaves],
            [row[1] for row in leaves],
            [row[2:] for row in leaves],
            [number for (number,) in messages],
        )

    def counted(self, column: str, numbers: Sequence[int], first: int, of_two: int) -> str:
        """SQL for a number that goes on from copy to copy, of two cases in turn."""
        ranks = " ".join(f"WHEN {number} THEN {rank}" for rank, number in enumerate(numbers))
        return f"{first} + (i / 2) * {of_two} + CASE {column} {ranks} END" if numbers else column

    @cached_property
    def parts(self) -> Sequence[Sequence[bytes]]:
        """Each event around the case, its own id and its number, as one of before events told of rows."""
        read = [json.loads(body) | {"id": "@", "index": 0, "case": "@"} for body in self.bodies]
        told = [canonical({name: value for name, value in each.items() if name != "row"}) for each in read]
        return [re.split(b'"@"|(?<="index":)0', body) for body in told]


def _copy(database: sqlite3.Connection, table: str, original: _Original, count: int, given: dict[str, str]) -> None:
    columns = [name for _, name, *_ in database.execute(f"PRAGMA table_info({table})")]
    earlier = f" - ({count} - i) * {PAST_S * 1_000_000 // count}"
    new: dict[str, str] = {name: f"{name}{earlier}" for name in ("created_at", "decided_at", "settled_at", "at")}
    new |= {
        "case_id": NAME,
        "wrapped": f"new_key({NAME})",
        "box": f"substr(box, 1, {BOX})",
        "key": "key || '-' || i",
        "ts": "printf('%d.000000', 1700000000 + i)",
    } | given
    if table == "cases":
        new |= {"id": NAME, "task_id": "task_id || '-' || i", "webhook_id": "webhook_id || '-' || i"}
        new |= {"likeness": "printf('%016x%048d', i * 7046029254386353131, i)", "snapshot": f"replace(snapshot, id, {NAME})"}
        if original.turn == 0:
            new |= BOTH_CLOCKS
    reminded = f"cast(strftime('%s', 'now') AS INTEGER) + 86400 + i * 86400 / {count}"
    mine = f"SELECT * FROM {table} WHERE {'id' if table == 'cases' else 'case_id'} = '{original.id}'"  # noqa: S608
    database.execute(
        f"WITH RECURSIVE n(i) AS (SELECT {original.turn} UNION ALL SELECT i + 2 FROM n WHERE i + 2 < {count}), "  # noqa: S608
        f"one AS MATERIALIZED ({mine}), "
        f"copies AS (SELECT *, {reminded} AS reminded, {reminded} + 43200 AS decided FROM n, one) "
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(new.get(name, name) for name in columns)} FROM copies"
    )


def _append(database: sqlite3.Connection, originals: Sequence[_Original], count: int, vault: Vault) -> None:
    """The events of all copies, and the head above them."""
    (row,) = database.execute("SELECT frontier, last_time, last_outbox, policy, governance FROM head").fetchall()
    (snapshot,) = database.execute("SELECT snapshot FROM governance").fetchone()
    frontier, messages = Frontier.from_bytes(row[0]), sum(len(each.messages) for each in originals)
    events = _events(originals, count, frontier.size)
    while some := list(islice(events, AT_ONCE)):
        database.executemany("INSERT INTO leaves (idx, body, hash, event_id, case_id, kind, at) VALUES (?, ?, ?, ?, ?, ?, ?)", some)
        growth = frontier.grow([each[2] for each in some])
        database.executemany("INSERT INTO nodes (level, idx, hash) VALUES (?, ?, ?)", [(n.level, n.index, n.hash) for n in growth.nodes])
        frontier = growth.frontier
    last_outbox = row[2] + count // 2 * messages
    head = Head(frontier.size, frontier.to_bytes(), row[1], last_outbox, row[3], row[4], text_sha256(snapshot))
    new = (head.size, head.frontier, last_outbox, vault.head_seal.of(head))
    database.execute("UPDATE head SET size = ?, frontier = ?, last_outbox = ?, seal = ?", new)


_Leaf = tuple[int, bytes, bytes, str, str, str, int]


def _events(originals: Sequence[_Original], count: int, first: int) -> Iterator[_Leaf]:
    number = first
    for i in range(count):
        case_id, original = f"c_{i:026}", originals[i % 2]
        for (before, between, then, after), (kind, at) in zip(original.parts, original.told, strict=True):
            event_id = f"00000000-0000-7000-8000-{number:012x}"
            body = b'%s"%s"%s"%s"%s%d%s' % (before, case_id.encode(), between, event_id.encode(), then, number, after)
            yield number, body, leaf_hash(body), event_id, case_id, kind, at
            number += 1
