"""Governance, kinds of cases, near-duplicates, and what limits and measures automation.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPEN = "state IN ('pending', 'needs_info', 'held')"
ALIKE = sa.text(f"{OPEN} AND likeness <> '' AND tied_to = ''")
FREE = sa.text(f"{OPEN} AND held_by = '' AND tied_to = ''")
HELD = sa.text("held_by <> ''")
CHILD = sa.text("parent <> ''")
WITHHELD = sa.text("withheld")
WRONG = sa.text("kind IN ('check_disagreed', 'outcome_reported')")
DECIDED = sa.text("decided_at IS NOT NULL")

ADDED = (
    ("kind", sa.String(), sa.text("'case'")),
    ("parent", sa.String(), sa.text("''")),
    ("verdict", sa.String(), sa.text("''")),
    ("likeness", sa.String(), sa.text("''")),
    ("tied_to", sa.String(), sa.text("''")),
    ("held_by", sa.String(), sa.text("''")),
    ("withheld", sa.Boolean(), sa.false()),
    ("model", sa.String(), sa.text("''")),
    ("outcome", sa.String(), sa.text("''")),
    ("climbed", sa.Boolean(), sa.false()),
    ("marks", sa.String(), sa.text("''")),
)


def upgrade() -> None:
    """Add the columns, fill them from the snapshots, and make the tables."""
    for name, kind, default in ADDED:
        op.add_column("cases", sa.Column(name, kind, nullable=False, server_default=default))
    for name, number in (("confidence", sa.Float()), ("latency_ms", sa.Float()), ("sla_s", sa.Integer()), ("used_s", sa.Float())):
        op.add_column("cases", sa.Column(name, number, nullable=True))
    op.add_column("head", sa.Column("governance", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    _fill()
    for index, columns, condition in (
        ("cases_alike", ["likeness", "id", "created_at", "action_sha256", "state", "tied_to"], ALIKE),
        ("cases_free", ["workflow", "id"], FREE),
        ("cases_children", ["parent"], CHILD),
        ("cases_held", ["workflow", "held_by", "id"], HELD),
        ("cases_withheld", ["workflow", "id"], WITHHELD),
        ("cases_decided", ["workflow", "decided_at", "verdict"], DECIDED),
    ):
        op.create_index(index, "cases", columns, sqlite_where=condition, postgresql_where=condition)
    op.create_index("cases_created", "cases", ["workflow", "created_at"])
    op.create_index("leaves_wrong", "leaves", ["at"], sqlite_where=WRONG, postgresql_where=WRONG)
    governance = op.create_table(
        "governance",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(governance, [{"id": 1, "revision": 0, "snapshot": "{}"}])
    op.create_table(
        "tallies",
        sa.Column("workflow", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("autos", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=False),
        sa.Column("millionths", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workflow", "day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "waiver_uses",
        sa.Column("waiver_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("waiver_id", "case_id"),
        sqlite_with_rowid=False,
    )


def _fill() -> None:
    """Give every case its columns: what the first schema kept in the snapshot alone. Its cases were all of one kind, none was tied or
    withheld, and none said what held it.
    """
    part = "snapshot::json->>'{}'" if op.get_bind().dialect.name == "postgresql" else "json_extract(snapshot, '$.{}')"
    of_model = "snapshot::json->'model'->>'{}'" if op.get_bind().dialect.name == "postgresql" else "json_extract(snapshot, '$.model.{}')"
    number = f"CAST({part.format('confidence')} AS DOUBLE PRECISION)"
    parts = [f"coalesce(' ' || nullif({of_model.format(name)}, ''), '')" for name in ("name", "version", "prompt_version")]
    op.execute(
        f"UPDATE cases SET verdict = coalesce({part.format('verdict')}, ''), outcome = coalesce({part.format('outcome')}, ''), "  # noqa: S608
        f"confidence = {number}, model = ltrim({' || '.join(parts)})",
    )


def downgrade() -> None:
    """Older versions refuse a newer database; what was added is not taken back."""
    raise NotImplementedError(downgrade.__doc__)
