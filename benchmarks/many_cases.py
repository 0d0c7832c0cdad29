"""A database with very many open cases, made in seconds: copies of one case that the bot took in. Owns only how they are copied."""

import sqlite3
from contextlib import closing
from pathlib import Path

_DAY_US = 86_400_000_000
_NEW = {
    "id": "printf('c_%026d', i)",
    "task_id": "'copy-' || i",
    "webhook_id": "'copy-' || i",
    "due_at": f"due_at + {_DAY_US}",
    "snapshot": "replace(snapshot, id, printf('c_%026d', i))",
}


def copy_cases(file: Path, count: int) -> None:
    """Add that many open cases, due a day after the case they are copied from. The bot must not be running."""
    with closing(sqlite3.connect(file)) as database:
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(cases)")]
        values = ", ".join(_NEW.get(name, name) for name in columns)
        database.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "  # noqa: S608
            f"INSERT INTO cases ({', '.join(columns)}) SELECT {values} FROM n, (SELECT * FROM cases LIMIT 1)"
        )
        database.commit()
