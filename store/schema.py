"""The tables, as SQLAlchemy Core sees them. Owns their names and indexes; never runs a statement and never changes a database
(the migrations do). Times are whole microseconds since 1970 in UTC, one type on both databases and never naive.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    false,
    text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_Count = BigInteger().with_variant(Integer(), "sqlite")
"""On SQLite an INTEGER primary key is the row's own number, and costs no second tree."""

metadata = MetaData()


def micros(at: datetime) -> int:
    """A moment as the database keeps it. Raises TypeError for a naive one."""
    return (at - _EPOCH) // _MICROSECOND


def moment(stored: int) -> datetime:
    """The moment that `micros` stored, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=stored)


OPEN = ("pending", "needs_info", "held")
"""States of a case in which somebody owes an answer."""

WRONG = ("check_disagreed", "outcome_reported")
"""Kinds of events by which an approval may turn out wrong."""

SENDABLE = ("ready", "ambiguous")
"""States of a message that the courier may take up."""

UNSETTLED = ("ready", "trying", "ambiguous", "dead")
"""States of a message that is neither delivered nor cancelled."""


IS_UNSETTLED = text(f"state IN {UNSETTLED}")
"""The condition of the index of lanes, where `among` cannot stand: in a statement for many rows at once."""


def among(column: ColumnElement[str], states: tuple[str, ...]) -> ColumnElement[bool]:
    """The condition of a partial index, written out as the index has it: with parameters instead, no index would be used."""
    return column.in_(bindparam(None, states, expanding=True, literal_execute=True))


meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: who holds this row's lock writes
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("last_time", BigInteger, nullable=False),
    Column("last_outbox", BigInteger, nullable=False),  # the highest outbox id given out
    Column("policy", String, nullable=False),  # SHA-256 of the active policy, empty before the first
    Column("governance", BigInteger, nullable=False, server_default=text("0")),  # revision of the row in `governance`
    Column("seal", LargeBinary),  # `store.vault.head_seal`; none: nobody has written since the column came
)

leaves = Table(
    "leaves",
    metadata,
    Column("idx", _Count, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("event_id", String, nullable=False),
    Column("case_id", String),
    Column("kind", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("leaves_wrong", "at", sqlite_where=text(f"kind IN {WRONG}"), postgresql_where=text(f"kind IN {WRONG}")),
    Index("leaves_of_case", "case_id", "idx", sqlite_where=text("case_id IS NOT NULL"), postgresql_where=text("case_id IS NOT NULL")),
)

nodes = Table(
    "nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", _Count, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

_OPEN = text(f"state IN {OPEN}")
IS_ALIKE = text(f"state IN {OPEN} AND likeness <> '' AND tied_to = ''")
"""Open cases that a near-duplicate may be tied to."""

IS_FREE = text(f"state IN {OPEN} AND held_by = '' AND tied_to = ''")
"""Open cases that a freeze has to hold."""

IS_WAITING = text("state = 'pending' AND claimed_by = '' AND tied_to = ''")
"""Cases that people owe an answer, and nobody works on."""

IS_CLAIMED = text("claimed_by <> ''")
IS_HELD = text("held_by <> ''")
IS_CHILD = text("parent <> ''")
IS_WITHHELD = text("withheld")
_DECIDED = text("decided_at IS NOT NULL")
_NONE = text("''")

cases = Table(
    "cases",
    metadata,
    Column("id", String, primary_key=True),
    Column("service", String, nullable=False),
    Column("workflow", String, nullable=False),
    Column("task_id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("lane", String, nullable=False),
    Column("risk", String, nullable=False),
    Column("tier", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("due_at", BigInteger),  # when the ticker looks at the case
    Column("revision", Integer, nullable=False),
    Column("claimed_by", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("action_sha256", String, nullable=False),
    Column("input_sha256", String, nullable=False),  # of the submission that opened the case
    Column("webhook_id", String, nullable=False),  # whose inbox row holds the first answer
    Column("snapshot", Text, nullable=False),
    Column("kind", String, nullable=False, server_default=text("'case'")),
    Column("parent", String, nullable=False, server_default=_NONE),
    Column("verdict", String, nullable=False, server_default=_NONE),
    Column("likeness", String, nullable=False, server_default=_NONE),
    Column("tied_to", String, nullable=False, server_default=_NONE),
    Column("held_by", String, nullable=False, server_default=_NONE),
    Column("withheld", Boolean, nullable=False, server_default=false()),
    Column("model", String, nullable=False, server_default=_NONE),  # `Case.model_version`
    Column("outcome", String, nullable=False, server_default=_NONE),
    Column("confidence", Float),
    Column("climbed", Boolean, nullable=False, server_default=false()),  # it is at a higher tier than it opened at
    Column("marks", String, nullable=False, server_default=_NONE),  # what breakers count of its reasons: stale, violation
    Column("latency_ms", Float),  # of the model
    Column("sla_s", Integer),  # seconds the tier or step had to decide
    Column("used_s", Float),  # and those it took, as its clock counts
    Column("next_at", BigInteger),  # of what happens if nobody acts: `routing.review.outlook.upcoming`
    Column("channel", String, nullable=False, server_default=_NONE),  # of the tier it is at; empty before it is at one, and once it is over
    Column(
        "unposted", Integer, nullable=False, server_default=text("0")
    ),  # a bit for each tier whose card it has not: `store.ledger.window`
    # task_id first: a batch looks its tasks up with one IN list over this column
    UniqueConstraint("task_id", "workflow", "service", name="cases_task"),
    Index("cases_due", "due_at", "id", sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")),
    Index(
        "cases_queue",
        *("state", text("priority DESC"), "due_at", "id", "created_at", "claimed_by", "tied_to"),
        *("channel", "tier", "unposted"),  # as `cases_waiting`
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    Index(
        "cases_waiting",
        *("channel", "priority", "created_at", "due_at", "id", "state", "claimed_by", "tied_to", "tier", "unposted"),
        sqlite_where=IS_WAITING,  # all that is asked, so that no row need be read
        postgresql_where=IS_WAITING,
    ),
    Index("cases_next", "tier", "lane", "state", "workflow", "next_at", "tied_to", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("cases_claimed", "claimed_by", sqlite_where=IS_CLAIMED, postgresql_where=IS_CLAIMED),
    Index(
        "cases_alike",
        *("likeness", "id", "created_at", "action_sha256", "state", "tied_to"),  # all that is asked, so that no row need be read
        sqlite_where=IS_ALIKE,
        postgresql_where=IS_ALIKE,
    ),
    Index("cases_free", "workflow", "id", sqlite_where=IS_FREE, postgresql_where=IS_FREE),
    Index("cases_children", "parent", sqlite_where=IS_CHILD, postgresql_where=IS_CHILD),
    Index("cases_held", "workflow", "held_by", "id", sqlite_where=IS_HELD, postgresql_where=IS_HELD),
    Index("cases_withheld", "workflow", "id", sqlite_where=IS_WITHHELD, postgresql_where=IS_WITHHELD),
    Index(
        "cases_decided",
        *("workflow", "decided_at", "verdict", "kind", "risk", "model", "used_s", "sla_s"),  # all that breakers ask of reviews
        sqlite_where=_DECIDED,
        postgresql_where=_DECIDED,
    ),
    Index("cases_created", "workflow", "created_at"),
)

queue = Table(
    "queue",
    metadata,
    Column("channel", String, primary_key=True),  # of the tier; empty where it is at none
    Column("tier", Integer, primary_key=True, autoincrement=False),
    Column("lane", String, primary_key=True),
    Column("state", String, primary_key=True),
    Column("workflow", String, primary_key=True),
    Column("tied", Boolean, primary_key=True),  # to another case, with which it is decided
    Column("claimed", Boolean, primary_key=True),
    Column("risk", String, primary_key=True),
    Column("behind", Boolean, primary_key=True),  # whether its card waits behind the board of the channel
    Column("cases", BigInteger, nullable=False),  # how many open cases there are of this kind: `store.ledger.places`
    sqlite_with_rowid=False,
)

figures = Table(
    "figures",
    metadata,
    Column("workflow", String, primary_key=True),
    Column("hour", Integer, primary_key=True, autoincrement=False),  # since 1970 in UTC, in which the cases came
    Column("risk", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),  # of the confidence; -1: the model gave none
    Column("cases", BigInteger, nullable=False),  # how many a service posted, and sums of what they came with: `store.ledger.figures`
    Column("confidence", BigInteger, nullable=False),
    Column("latencies", BigInteger, nullable=False),
    Column("latency", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

governance = Table(
    "governance",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1; written under the lock of the head
    Column("revision", BigInteger, nullable=False),
    Column("snapshot", Text, nullable=False),  # `routing.governance.governance.Governance`
)

tallies = Table(
    "tallies",
    metadata,
    Column("workflow", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # days since 1970 in UTC
    Column("autos", BigInteger, nullable=False),
    Column("whole", BigInteger, nullable=False),  # the sum of the amounts is whole + millionths / 1,000,000: exact, and added to in place
    Column("millionths", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

waiver_uses = Table(
    "waiver_uses",
    metadata,
    Column("waiver_id", String, primary_key=True),
    Column("case_id", String, primary_key=True),
    sqlite_with_rowid=False,
)

takings = Table(
    "takings",
    metadata,
    Column("person", String, primary_key=True),
    Column("case_id", String, primary_key=True),
    Column("at", BigInteger, nullable=False),  # when the person claimed the case or let it through: `store.ledger.takings`
    sqlite_with_rowid=False,
)

case_keys = Table(
    "case_keys",
    metadata,
    Column("case_id", String, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

vault = Table(
    "vault",
    metadata,
    Column("leaf_idx", _Count, primary_key=True, autoincrement=False),
    Column("case_id", String, nullable=False, index=True),
    Column("root_salt", LargeBinary, nullable=False),
    Column("box", LargeBinary, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    # key first: a batch looks its keys up with one IN list over this column
    Column("key", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("answer", Text, nullable=False),
    Column("case_id", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)

_SENDABLE = text(f"state IN {SENDABLE}")

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Count, primary_key=True, autoincrement=False),  # given out under the head lock: commit order
    Column("case_id", String, nullable=False),
    Column("peer", String, nullable=False),
    Column("destination", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("tier", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("callback", String, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("leaf_idx", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("lease_owner", String, nullable=False),
    Column("lease_until", BigInteger),
    Column("intent_at", BigInteger),
    Column("last_error", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    Index("outbox_lane", "case_id", "peer", "destination", "id", sqlite_where=IS_UNSETTLED, postgresql_where=IS_UNSETTLED),
    Index(
        "outbox_next",
        "peer",
        text("urgent DESC"),
        text("priority DESC"),
        "id",
        sqlite_where=_SENDABLE,
        postgresql_where=_SENDABLE,
    ),
    Index("outbox_leased", "lease_until", sqlite_where=text("lease_until IS NOT NULL"), postgresql_where=text("lease_until IS NOT NULL")),
)

cards = Table(
    "cards",
    metadata,
    Column("case_id", String, primary_key=True),
    Column("tier", Integer, primary_key=True, autoincrement=False),
    Column("channel", String, nullable=False),
    Column("ts", String, nullable=False),
    Column("face", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("cards_by_message", "channel", "ts"),
    sqlite_with_rowid=False,
)

buckets = Table(
    "buckets",
    metadata,
    Column("method", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

policies = Table(
    "policies",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("version", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)

on_call = Table(
    "on_call",
    metadata,
    Column("key", String, primary_key=True),  # escalation policy and tier
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
