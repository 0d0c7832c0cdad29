"""What cases came with is added up by the hour, so that what is usual is known without reading weeks of them.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DECIDED = sa.text("decided_at IS NOT NULL")
_STEP = " + ".join(f"CASE WHEN confidence >= {step / 10} THEN 1 ELSE 0 END" for step in range(1, 10))
_CONFIDENCE = "CASE WHEN confidence > 1 THEN 1.0 WHEN confidence < 0 THEN 0.0 ELSE confidence END * 1e6 + 0.5"
_LATENCY = "CASE WHEN latency_ms > 1e9 THEN 1e9 ELSE latency_ms END * 1e3 + 0.5"


def upgrade() -> None:
    """Add up what is there, and have reviews read from their index alone."""
    op.create_table(
        "figures",
        sa.Column("workflow", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("risk", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.Column("confidence", sa.BigInteger(), nullable=False),
        sa.Column("latencies", sa.BigInteger(), nullable=False),
        sa.Column("latency", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workflow", "hour", "risk", "model", "step"),
        sqlite_with_rowid=False,
    )
    op.execute(add_up(op.get_bind().dialect.name))
    op.drop_index("cases_decided", "cases")
    decided = ["workflow", "decided_at", "verdict", "kind", "risk", "model", "used_s", "sla_s"]
    op.create_index("cases_decided", "cases", decided, sqlite_where=DECIDED, postgresql_where=DECIDED)


def add_up(dialect: str) -> str:
    """SQL that fills the table from the cases. A cast to a whole number cuts off on SQLite, and rounds on PostgreSQL."""
    whole = "CAST(floor({}) AS BIGINT)" if dialect == "postgresql" else "CAST({} AS BIGINT)"
    return (
        "INSERT INTO figures (workflow, hour, risk, model, step, cases, confidence, latencies, latency) "  # noqa: S608 - of this file's own
        f"SELECT workflow, created_at / 3600000000 AS hour, risk, model, CASE WHEN confidence IS NULL THEN -1 ELSE {_STEP} END AS step, "
        f"count(*), coalesce(sum({whole.format(_CONFIDENCE)}), 0), count(latency_ms), coalesce(sum({whole.format(_LATENCY)}), 0) "
        "FROM cases WHERE kind = 'case' GROUP BY 1, 2, 3, 4, 5"
    )


def downgrade() -> None:
    """Older versions refuse a newer database; what was added is not taken back."""
    raise NotImplementedError(downgrade.__doc__)
