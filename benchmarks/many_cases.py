"""A database with very many open cases, made in seconds: copies of one case that the bot took in. Owns only how they are copied."""

import sqlite3
from contextlib import closing
from pathlib import Path

from store.migrations.versions.r0004_escalation import add_up
from store.schema import OPEN

_DAY_S = 86_400
BOTH_CLOCKS = {
    "due_at": "reminded * 1000000",
    "next_at": "decided * 1000000",
    "snapshot": """json_set(replace(snapshot, id, printf('c_%026d', i)), '$.clocks', json_object(
        'decide', strftime('%Y-%m-%dT%H:%M:%SZ', decided, 'unixepoch'),
        'reminders', json_array(strftime('%Y-%m-%dT%H:%M:%SZ', reminded, 'unixepoch'))))""",
}
"""SQL by column for a case that is reminded of and then decided about, at `reminded` and `decided` (seconds since 1970)."""

_NEW = BOTH_CLOCKS | {"id": "printf('c_%026d', i)", "task_id": "'copy-' || i", "webhook_id": "'copy-' || i"}


def copy_cases(file: Path, count: int) -> None:
    """Add that many open cases, each reminded of in its turn during the day after next and half a day before its time to decide is
    over: so half of the reminders come before anything else. The bot must not be running.
    """
    with closing(sqlite3.connect(file)) as database:
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(cases)")]
        values = ", ".join(_NEW.get(name, name) for name in columns)
        reminded = f"created_at / 1000000 + {_DAY_S} + i * {_DAY_S} / {count}"
        database.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}), "  # noqa: S608
            f"one AS (SELECT * FROM cases LIMIT 1), "
            f"copies AS (SELECT *, {reminded} AS reminded, {reminded} + {_DAY_S // 2} AS decided FROM n, one) "
            f"INSERT INTO cases ({', '.join(columns)}) SELECT {values} FROM copies"
        )
        count_again(database)
        database.commit()


def count_again(database: sqlite3.Connection) -> None:
    """Count anew what waits where, and add up anew what cases came with."""
    places = "channel, tier, lane, state, workflow, tied, claimed, risk, behind"
    waiting = "channel, tier, lane, state, workflow, tied_to <> '', claimed_by <> '', risk, unposted >> tier & 1"
    database.execute("DELETE FROM queue")
    database.execute(
        f"INSERT INTO queue ({places}, cases) SELECT {waiting}, count(*) FROM cases "  # noqa: S608
        f"WHERE state IN {OPEN} GROUP BY {waiting}"
    )
    database.execute("DELETE FROM figures")
    database.execute(add_up("sqlite"))
