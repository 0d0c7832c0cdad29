"""The log stays append-only whichever statement is tried, and its head says by a seal who left it so.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEYS = {"leaves": ("idx",), "nodes": ("level", "idx"), "checkpoints": ("size",)}
REFUSAL = "the audit log is append-only"


def upgrade() -> None:
    """Refuse what would replace a row of the log, and make room for the seal of its head."""
    op.add_column("head", sa.Column("seal", sa.LargeBinary(), nullable=True))
    _protect()


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
