"""The log stays append-only whichever statement is tried, its head says by a seal who left it so, and how many cases wait where, and what
happens first to them, is known without reading them.

Revision ID: 0003
Revises: 0002
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op
from pydantic import ValidationError

from routing.case.case import Case
from routing.review.outlook import upcoming

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEYS = {"leaves": ("idx",), "nodes": ("level", "idx"), "checkpoints": ("size",)}
DUE = sa.text("due_at IS NOT NULL")
REFUSAL = "the audit log is append-only"

OPEN = sa.text("state IN ('pending', 'needs_info', 'held')")
WAITING = sa.text("state = 'pending' AND claimed_by = '' AND tied_to = ''")
CASES = sa.table("cases", sa.column("id"), sa.column("state"), sa.column("snapshot"), sa.column("next_at"))
BATCH = 500


def upgrade() -> None:
    """Refuse what would replace a row of the log, make room for the seal of its head, say of open cases how many there are and what happens
    next when, and let what is due be read a page at a time.
    """
    op.add_column("head", sa.Column("seal", sa.LargeBinary(), nullable=True))
    op.add_column("cases", sa.Column("next_at", sa.BigInteger(), nullable=True))
    _fill()
    index = ["tier", "lane", "state", "workflow", "next_at", "tied_to"]
    op.create_index("cases_next", "cases", index, sqlite_where=OPEN, postgresql_where=OPEN)
    _count()
    op.drop_index("cases_queue", "cases")
    queue: list[str | sa.TextClause] = ["state", sa.text("priority DESC"), "due_at", "id", "created_at", "claimed_by", "tied_to"]
    op.create_index("cases_queue", "cases", queue, sqlite_where=OPEN, postgresql_where=OPEN)
    waiting = ["priority", "created_at", "due_at", "id", "state", "claimed_by", "tied_to"]
    op.create_index("cases_waiting", "cases", waiting, sqlite_where=WAITING, postgresql_where=WAITING)
    op.drop_index("cases_due", "cases")
    op.create_index("cases_due", "cases", ["due_at", "id"], sqlite_where=DUE, postgresql_where=DUE)
    _protect()


def _fill() -> None:
    """Give every open case its time, some at a time. One that cannot be read keeps none: the check of the database names it."""
    connection = op.get_bind()
    wanted = sa.select(CASES.c.id, CASES.c.snapshot).where(OPEN).order_by(CASES.c.id).limit(BATCH)
    this = sa.update(CASES).where(CASES.c.id == sa.bindparam("case")).values(next_at=sa.bindparam("at"))
    rows = connection.execute(wanted).all()
    while rows:
        times = [{"case": row.id, "at": at} for row in rows if (at := _next_at(row.snapshot)) is not None]
        if times:
            connection.execute(this, times)
        rows = connection.execute(wanted.where(CASES.c.id > rows[-1].id)).all()


def _count() -> None:
    """Say how many open cases there are at each place."""
    op.create_table(
        "queue",
        sa.Column("tier", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("workflow", sa.String(), nullable=False),
        sa.Column("tied", sa.Boolean(), nullable=False),
        sa.Column("claimed", sa.Boolean(), nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tier", "lane", "state", "workflow", "tied", "claimed"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO queue (tier, lane, state, workflow, tied, claimed, cases) "  # noqa: S608
        "SELECT tier, lane, state, workflow, tied_to <> '', claimed_by <> '', count(*) "
        f"FROM cases WHERE {OPEN.text} GROUP BY tier, lane, state, workflow, tied_to <> '', claimed_by <> ''"
    )


def _next_at(snapshot: str) -> int | None:
    try:
        first = upcoming(Case.model_validate_json(snapshot))
    except (ValidationError, LookupError):  # nor one that follows no tier of its own ladder
        return None
    return None if first is None else (first.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _protect() -> None:
    """SQLite deletes what `INSERT OR REPLACE` replaces without a delete trigger, unless the session asks for `recursive_triggers`: so an
    insert of what is there is refused before it. PostgreSQL's triggers fire also where `session_replication_role` turns ordinary ones off.
    """
    for table, key in KEYS.items():
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_rows, ENABLE ALWAYS TRIGGER {table}_all")
        else:
            there = " AND ".join(f"{column} = NEW.{column}" for column in key)
            known = f"EXISTS (SELECT 1 FROM {table} WHERE {there})"  # noqa: S608 - names of this file
            op.execute(f"CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} WHEN {known} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")


def downgrade() -> None:
    """Older versions refuse a newer database; what was added is not taken back."""
    raise NotImplementedError(downgrade.__doc__)
