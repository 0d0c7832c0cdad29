"""Writes what a transaction's items added: what is new and the head of the grown log, then what changes. Owns the columns by which cases
are found; never reads and never decides.
"""

from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, update

from routing.case.case import Case
from routing.change import MessageKind
from routing.governance.digest_draft import ROUND
from routing.review.outlook import upcoming
from routing.signals import Trigger
from routing.vocabulary import CaseKind
from store.audit.merkle import Frontier
from store.ledger.arrival_limits import add_approvals, add_uses, day_of
from store.ledger.draft import Draft, Row
from store.ledger.figures import added_up
from store.ledger.inserts import insert_all
from store.ledger.places import channel_of, moves
from store.ledger.prefetch import InboxKey, InboxRow, Known
from store.ledger.sealed_head import Ruling, UnreadableGovernanceError
from store.ledger.takings import add_taken
from store.ledger.window import arrange
from store.schema import IS_UNSETTLED, case_keys, cases, figures, governance, inbox, leaves, micros, nodes, outbox, queue, vault
from store.vault.head_seal import Head, HeadSeal, text_sha256

MARKS = {
    Trigger.CONTEXT_STALE.value: "stale",
    Trigger.SOURCE_STALE.value: "stale",
    Trigger.FORBIDDEN_TERM.value: "violation",
    Trigger.PROHIBITED.value: "violation",
    Trigger.ACTION_NOT_ALLOWED.value: "violation",
}
"""Reasons that breakers count, by trigger code."""


def flush(
    connection: Connection, known: Known, kept: Draft, changed: AbstractSet[str], now: datetime, *, seal: HeadSeal, window: int
) -> Ruling:
    """Write the rows of `kept`; `changed` are the ids of the cases to write, `known` is what the database held before; `window` is how many
    open cards a channel shows at a time. Gives the governance as its row now has it. Raises UnreadableGovernanceError where it is gone.
    """
    opened = {row["id"] for row in kept.opened}
    arranged = arrange(connection, known, kept, {*opened, *changed}, now, most=window)
    kept.outbox = [row | {"id": number} for number, row in enumerate(arranged.outbox, known.last_outbox + 1)]
    growth = Frontier.from_bytes(known.frontier).grow([row["hash"] for row in kept.leaves])
    ruling, snapshot = known.ruling, ""
    if kept.governance is not None:
        snapshot = kept.governance.model_dump_json()
        ruling = Ruling(kept.governance, text_sha256(snapshot))
    left = Head(
        size=growth.frontier.size,
        frontier=growth.frontier.to_bytes(),
        last_time=micros(now) if kept.leaves else known.last_time,
        last_outbox=known.last_outbox + len(kept.outbox),
        policy=kept.policy or known.policy,
        governance=ruling.governance.revision,
        governance_sha256=ruling.sha256,
    )
    moved = [(None if each in opened else known.cases[each], kept.cases[each]) for each in {*opened, *changed}]
    insert_all(
        connection,
        {
            leaves: kept.leaves,
            nodes: [{"level": node.level, "idx": node.index, "hash": node.hash} for node in growth.nodes],
            case_keys: kept.case_keys,
            vault: kept.vault,
            cases: [
                row | columns(kept.cases[row["id"]], kept.rows[row["id"]]) | {"unposted": arranged.unposted[row["id"]]}
                for row in kept.opened
            ],
            inbox: [_arrival(key, row, now) for key, row in kept.inbox.items() if key not in known.inbox],
            outbox: kept.outbox,
            queue: moves(arranged.moved),
            figures: added_up(moved),
        },
        {"seal": seal.of(left), **{name: getattr(left, name) for name in _HEAD}},
    )
    rewritten = [
        {"case": each, "unposted": arranged.unposted[each]} | columns(kept.cases[each], kept.rows[each]) for each in changed - opened
    ]
    if rewritten:
        connection.execute(_UPDATE_CASE, rewritten)
    arranged.bring_forward(connection)
    if urgent := [{"case": row["case_id"], "at_peer": row["peer"], "to": row["destination"]} for row in kept.outbox if row["urgent"]]:
        connection.execute(_HURRY, urgent)  # what stands before an urgent message in its lane is urgent too
    over = [{"case": each, "of": number} for each in changed - opened for number in _over(known.cases[each], kept.cases[each])]
    if kept.governance is not None:
        over += [{"case": one.id, "of": ROUND} for one in kept.governance.digests if not one.wanted and _was_wanted(known, one.id)]
    if over:
        connection.execute(_FALL_DUE, over)
    add_approvals(connection, kept.approvals, day_of(now))
    add_uses(connection, kept.uses)
    add_taken(connection, kept.taken, now)
    if snapshot:
        values = {"revision": ruling.governance.revision, "snapshot": snapshot}
        if connection.execute(_UPDATE_GOVERNANCE, values).rowcount != 1:
            raise UnreadableGovernanceError
    for also in kept.also:
        also(connection, now)
    return ruling


def columns(case: Case, snapshot: str) -> Row:
    """The columns by which cases are found, and the snapshot they come from."""
    first = upcoming(case)
    return {
        "workflow": case.workflow,
        "state": case.state.value,
        "lane": case.route.lane.value,
        "risk": case.route.risk.value,
        "tier": case.tier,
        "channel": channel_of(case),
        "priority": case.route.priority,
        "due_at": None if case.due_at is None else micros(case.due_at),
        "next_at": None if first is None or case.kind is CaseKind.DRILL else micros(first.at),  # it is for the queue, where no drill is
        "revision": case.revision,
        "claimed_by": case.claimed_by,
        "decided_at": None if case.decided_at is None else micros(case.decided_at),
        "action_sha256": case.action_sha256,
        "snapshot": snapshot,
        "verdict": "" if case.verdict is None else case.verdict.value,
        "likeness": case.likeness,
        "tied_to": case.tied_to,
        "held_by": case.held_by,
        "withheld": case.withheld,
        "model": case.model_version,
        "outcome": case.outcome,
        "confidence": case.confidence,
        "climbed": case.tier_since is not None and case.tier > case.first_tier,
        "marks": " ".join(sorted({MARKS[reason.code] for reason in case.route.reasons if reason.code in MARKS})),
        "latency_ms": case.latency_ms,
        "used_s": case.used_s,
        "sla_s": case.decide_s if case.tier_since is not None else None,
    }


def _over(before: Case, after: Case) -> list[int]:
    """Rounds of the pages that were open and that nobody need answer any more: closed, or taken by somebody."""
    wanted = {page.round for page in after.pages if not page.acknowledged_by}
    return [page.round for page in before.pages if not page.acknowledged_by and page.round not in wanted]


def _was_wanted(known: Known, digest_id: str) -> bool:
    before = known.governance.digest(digest_id)
    return before is not None and before.wanted


def _arrival(key: InboxKey, row: InboxRow, now: datetime) -> Row:
    name = {"key": key.key, "scope": key.scope, "kind": key.kind}
    return name | {"digest": row.digest, "answer": row.answer, "case_id": row.case_id, "at": micros(now)}


_CHANGING = (
    "workflow",
    "state",
    "lane",
    "risk",
    "tier",
    "channel",
    "unposted",
    "priority",
    "due_at",
    "next_at",
    "revision",
    "claimed_by",
    "decided_at",
    "action_sha256",
    "snapshot",
    "verdict",
    "likeness",
    "tied_to",
    "held_by",
    "withheld",
    "model",
    "outcome",
    "confidence",
    "climbed",
    "marks",
    "latency_ms",
    "used_s",
    "sla_s",
)
_UPDATE_CASE = update(cases).where(cases.c.id == bindparam("case")).values({name: bindparam(name) for name in _CHANGING})
_HURRY = (
    update(outbox)
    .where(
        outbox.c.case_id == bindparam("case"),
        outbox.c.peer == bindparam("at_peer"),
        outbox.c.destination == bindparam("to"),
        IS_UNSETTLED,
        ~outbox.c.urgent,
    )
    .values(urgent=True)
)
_FALL_DUE = (
    update(outbox)
    .where(
        outbox.c.case_id == bindparam("case"),
        outbox.c.round == bindparam("of"),
        or_(outbox.c.kind == MessageKind.PAGE.value, outbox.c.kind == MessageKind.EMAIL.value),  # no list: it is for many rows at once
        IS_UNSETTLED,
        outbox.c.lease_until.is_(None),
    )
    .values(not_before=0)
)
"""A page that waits to be tried again is looked at at once when it is no longer wanted: it is cancelled, and what follows it may go."""
_HEAD = ("size", "frontier", "last_time", "last_outbox", "policy", "governance")
_UPDATE_GOVERNANCE = update(governance).where(governance.c.id == 1).values(revision=bindparam("revision"), snapshot=bindparam("snapshot"))
