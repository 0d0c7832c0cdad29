"""The first schema, with the triggers that make the audit log append-only.

Revision ID: 0001
Revises:
"""

from itertools import product

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OF_CASE = sa.text("case_id IS NOT NULL")
OPEN = sa.text("state IN ('pending', 'needs_info', 'held')")
DUE = sa.text("due_at IS NOT NULL")
CLAIMED = sa.text("claimed_by <> ''")
UNSETTLED = sa.text("state IN ('ready', 'trying', 'ambiguous', 'dead')")
SENDABLE = sa.text("state IN ('ready', 'ambiguous')")
LEASED = sa.text("lease_until IS NOT NULL")

APPEND_ONLY = ("leaves", "nodes", "checkpoints")
REFUSAL = "the audit log is append-only"


def upgrade() -> None:
    """Make the tables, the empty log and its triggers."""
    op.create_table(
        "buckets",
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("method", "scope"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cards",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=False),
        sa.Column("face", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "tier"),
        sqlite_with_rowid=False,
    )
    op.create_index("cards_by_message", "cards", ["channel", "ts"])
    op.create_table(
        "case_keys",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("workflow", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("risk", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("action_sha256", sa.String(), nullable=False),
        sa.Column("input_sha256", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id", "workflow", "service", name="cases_task"),
    )
    op.create_index("cases_claimed", "cases", ["claimed_by"], sqlite_where=CLAIMED, postgresql_where=CLAIMED)
    op.create_index("cases_due", "cases", ["due_at"], sqlite_where=DUE, postgresql_where=DUE)
    op.create_index(
        "cases_queue",
        "cases",
        [sa.text("priority DESC"), "due_at", "id", "tier", "lane", "state"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", COUNT, autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.Column("last_outbox", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "inbox",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "scope", "kind"),
    )
    op.create_table(
        "leaves",
        sa.Column("idx", COUNT, autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("idx"),
    )
    op.create_index("leaves_of_case", "leaves", ["case_id", "idx"], sqlite_where=OF_CASE, postgresql_where=OF_CASE)
    op.create_table(
        "meta",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "on_call",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", COUNT, autoincrement=False, nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("callback", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("leaf_idx", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("intent_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_lane", "outbox", ["case_id", "peer", "destination", "id"], sqlite_where=UNSETTLED, postgresql_where=UNSETTLED)
    op.create_index("outbox_leased", "outbox", ["lease_until"], sqlite_where=LEASED, postgresql_where=LEASED)
    op.create_index(
        "outbox_next",
        "outbox",
        ["peer", sa.text("urgent DESC"), sa.text("priority DESC"), "id"],
        sqlite_where=SENDABLE,
        postgresql_where=SENDABLE,
    )
    op.create_table(
        "policies",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "vault",
        sa.Column("leaf_idx", COUNT, autoincrement=False, nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("root_salt", sa.LargeBinary(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("leaf_idx"),
    )
    op.create_index("ix_vault_case_id", "vault", ["case_id"])
    empty = {"id": 1, "size": 0, "frontier": bytes(8), "last_time": 0, "last_outbox": 0, "policy": ""}
    op.bulk_insert(head, [empty])
    match op.get_bind().dialect.name:
        case "postgresql":
            op.execute(f"CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$")
            for table in APPEND_ONLY:
                rows, whole = "BEFORE UPDATE OR DELETE", "BEFORE TRUNCATE"
                op.execute(f"CREATE TRIGGER {table}_rows {rows} ON {table} FOR EACH ROW EXECUTE FUNCTION append_only()")
                op.execute(f"CREATE TRIGGER {table}_all {whole} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION append_only()")
        case _:
            for table, verb in product(APPEND_ONLY, ("update", "delete")):
                op.execute(f"CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")


def downgrade() -> None:
    """Nothing goes back before the first schema."""
    raise NotImplementedError(downgrade.__doc__)
