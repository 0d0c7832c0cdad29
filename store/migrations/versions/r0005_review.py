"""Cases say in which channel they wait for people and whether their card waits behind its board, and both are counted; it is noted who took
which case lately, so that the caps of one person can be held against it.
What playbooks told of cases that were erased before such messages were rewritten is rewritten: their titles go from Slack.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from pydantic import ValidationError

from routing.case.case import Case

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('pending', 'needs_info', 'held')")
WAITING = sa.text("state = 'pending' AND claimed_by = '' AND tied_to = ''")
CASES = sa.table("cases", sa.column("id"), sa.column("state"), sa.column("snapshot"), sa.column("channel"))
BATCH = 500

REWRITE = (
    "UPDATE outbox SET kind = 'playbook_notice_update', state = 'ready', attempts = 0, not_before = 0, settled_at = NULL "
    "WHERE kind = 'playbook_notice' AND state = 'done' "
    "AND NOT EXISTS (SELECT 1 FROM case_keys WHERE case_keys.case_id = outbox.case_id)"
)
"""A case whose key is gone is erased."""


def upgrade() -> None:
    """Every card that is there, or on its way, counts as shown. Nobody has taken a case yet."""
    op.add_column("cases", sa.Column("channel", sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("cases", sa.Column("unposted", sa.Integer(), server_default=sa.text("0"), nullable=False))
    _fill()
    op.drop_index("cases_queue", "cases")
    queue: list[str | sa.TextClause] = ["state", sa.text("priority DESC"), "due_at", "id", "created_at", "claimed_by", "tied_to"]
    op.create_index("cases_queue", "cases", [*queue, "channel", "tier", "unposted"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.drop_index("cases_waiting", "cases")
    waiting = ["channel", "priority", "created_at", "due_at", "id", "state", "claimed_by", "tied_to", "tier", "unposted"]
    op.create_index("cases_waiting", "cases", waiting, sqlite_where=WAITING, postgresql_where=WAITING)
    _count()
    op.create_table(
        "takings",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "case_id"),
        sqlite_with_rowid=False,
    )
    op.execute(REWRITE)


def _fill() -> None:
    """Give every open case its channel, some at a time. One that cannot be read keeps none: the check of the database names it."""
    connection = op.get_bind()
    wanted = sa.select(CASES.c.id, CASES.c.snapshot).where(OPEN).order_by(CASES.c.id).limit(BATCH)
    this = sa.update(CASES).where(CASES.c.id == sa.bindparam("case")).values(channel=sa.bindparam("at"))
    rows = connection.execute(wanted).all()
    while rows:
        places = [{"case": row.id, "at": at} for row in rows if (at := _channel(row.snapshot))]
        if places:
            connection.execute(this, places)
        rows = connection.execute(wanted.where(CASES.c.id > rows[-1].id)).all()


def _channel(snapshot: str) -> str:
    try:
        case = Case.model_validate_json(snapshot)
        return case.rung.channel if case.tier_since is not None else ""
    except (ValidationError, LookupError):
        return ""


def _count() -> None:
    """Say how many open cases there are at each place, by channel and risk too."""
    op.drop_table("queue")
    op.create_table(
        "queue",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("workflow", sa.String(), nullable=False),
        sa.Column("tied", sa.Boolean(), nullable=False),
        sa.Column("claimed", sa.Boolean(), nullable=False),
        sa.Column("risk", sa.String(), nullable=False),
        sa.Column("behind", sa.Boolean(), nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "tier", "lane", "state", "workflow", "tied", "claimed", "risk", "behind"),
        sqlite_with_rowid=False,
    )
    keys = "channel, tier, lane, state, workflow, tied_to <> '', claimed_by <> '', risk"
    op.execute(
        "INSERT INTO queue (channel, tier, lane, state, workflow, tied, claimed, risk, behind, cases) "  # noqa: S608
        f"SELECT {keys}, false, count(*) FROM cases WHERE {OPEN.text} AND kind <> 'drill' GROUP BY {keys}"
    )


def downgrade() -> None:
    """Older versions refuse a newer database; what was added is not taken back."""
    raise NotImplementedError(downgrade.__doc__)
