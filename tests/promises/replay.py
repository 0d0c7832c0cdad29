"""The log replayed: what its leaves alone say of each case, to be compared with the case as it is kept (promise P11).

What they say of everything that is about more than one case is `tests.promises.replay_governance`'s.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from routing.case.case import Case
from routing.vocabulary import CaseKind
from store.database.database import Database
from store.schema import cases, head, inbox, leaves, outbox, vault
from tests.promises.replay_governance import replay_governance

AFTER = {
    "information_requested": "needs_info",
    "held": "held",
    "resumed": "pending",
    "decided": "decided",
    "voided": "pending",
    "undone": "pending",
}
"""The state after an event, where the event changes it."""

VOTES = frozenset({"approved", "rejected", "break_glass_used"})


@dataclass
class Replayed:
    """One case as its leaves tell it."""

    revision: int = 0
    state: str = "pending"
    verdict: str | None = None
    decided: list[int] = field(default_factory=list)
    action_sha256: str = ""
    voters: list[str] = field(default_factory=list)
    withheld: bool = False
    rollback: bool = False
    tied: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    claimed_by: str = ""
    pages: set[tuple[int, int]] = field(default_factory=set)
    rounds: int = 0
    kinds: list[str] = field(default_factory=list)

    def hear(self, leaf: Mapping[str, Any]) -> None:
        """Take in the next leaf."""
        kind, fields, who = leaf["event"], leaf["fields"], leaf["actor"]["id"]
        self.kinds.append(kind)
        if leaf["revision"] != self.revision:
            self.voters = []
        self.revision = leaf["revision"]
        self.action_sha256 = fields.get("action_sha256", self.action_sha256)
        if kind == "information_supplied" and self.state == "needs_info":
            self.state = "pending"
        self.state = AFTER.get(kind, self.state)
        if kind in VOTES:
            self.voters.append(who)
        if kind == "claimed":
            self.claimed_by = who
        if kind in ("unclaimed", "decided"):
            self.claimed_by = ""
        if kind == "paged":
            self.pages.discard((fields["tier"] - 1, fields.get("instead_of")))
            self.pages.add((fields["tier"] - 1, fields["round"]))
            self.rounds = fields["round"]
        if kind == "page_resolved":
            self.pages.discard((fields["tier"] - 1, fields["round"]))
        if kind == "page_reopened" and fields["wanted"]:
            self.pages.add((fields["tier"] - 1, fields["round"]))
        if kind == "decided":
            self.decided.append(leaf["index"])
            self.verdict = fields["verdict"]
        self._hear_guardrails(kind, fields)

    def _hear_guardrails(self, kind: str, fields: Mapping[str, Any]) -> None:
        """The same of what guardrails do to a case."""
        if kind in ("released", "withheld") or (kind == "decided" and "undo_until" not in fields):
            self.pages = set()
        match kind:
            case "withheld":
                self.withheld = True
            case "voided":
                self.withheld, self.verdict, self.decided, self.tied = False, None, [], set()
            case "undone":
                self.verdict, self.decided, self.voters = None, [], [*fields["votes"]]
            case "resumed" | "verification_failed":
                self.voters = []
            case "rollback_proposed" | "rollback_declined":
                self.rollback = kind == "rollback_proposed"
            case "tied":
                self.tied.add(fields["other"])
            case "separated":
                self.tied -= set(fields["others"])
            case "linked":
                self.linked.add(fields["other"])
            case _:
                pass


async def replay(database: Database) -> list[str]:
    """Everything in which the cases and their leaves disagree, one sentence each; empty when the log tells all."""
    return await database.read(_replay)


def _replay(connection: Connection) -> list[str]:
    told: dict[str, Replayed] = {}
    problems: list[str] = []
    rows = connection.execute(select(leaves.c.idx, leaves.c.body, leaves.c.case_id).order_by(leaves.c.idx)).all()
    sealed = set(connection.execute(select(vault.c.leaf_idx)).scalars())
    for expected, row in enumerate(rows):
        leaf = json.loads(row.body)
        if row.idx != expected or leaf["index"] != expected:
            problems.append(f"leaf {row.idx} stands at {expected}")
        if bool(leaf["sealed"]) != (row.idx in sealed):
            problems.append(f"leaf {row.idx} and the vault disagree on whether it seals something")
        if row.case_id is not None and row.case_id.startswith("c_"):
            told.setdefault(row.case_id, Replayed()).hear(leaf)
    if connection.execute(select(head.c.size)).scalar_one() != len(rows):
        problems.append("the head has another size than the log")
    kept = {row.id: Case.model_validate_json(row.snapshot) for row in connection.execute(select(cases.c.id, cases.c.snapshot))}
    if kept.keys() != told.keys():
        problems.append(f"cases without leaves or leaves without case: {sorted(kept.keys() ^ told.keys())}")
    for case_id in kept.keys() & told.keys():
        problems += [f"{case_id}: {what}" for what in _differences(kept[case_id], told[case_id])]
        problems += [f"{case_id}: {what}" for what in _loose_ends(connection, kept[case_id])]
    return problems + replay_governance(connection, {case_id: case.segment for case_id, case in kept.items()})


def _differences(case: Case, told: Replayed) -> list[str]:
    pairs: dict[str, tuple[object, object]] = {
        "state": (case.state.value, told.state),
        "revision": (case.revision, told.revision),
        "verdict": (case.verdict and case.verdict.value, told.verdict),
        "decided leaf": ([] if case.decided_index is None else [case.decided_index], told.decided),
        "pages": ({(page.tier, page.round) for page in case.pages}, told.pages),
        "page rounds": (case.page_rounds, told.rounds),
        "votes": ([vote.by for vote in case.votes], told.voters),
        "withheld": (case.withheld, told.withheld),
        "roll back": (case.rollback, told.rollback),
        "ties": ({*case.tied, case.tied_to} - {""}, told.tied),
        "links": (set(case.linked), told.linked),
    }
    if told.action_sha256:
        pairs["action"] = (case.action_sha256, told.action_sha256)
    found = [f"{name} is {kept}, the log says {said}" for name, (kept, said) in pairs.items() if kept != said]
    if told.kinds[0] != "received" or told.kinds.count("received") != 1:
        found.append(f"not received once and first: {told.kinds}")
    return found


def _loose_ends(connection: Connection, case: Case) -> list[str]:
    """A case has what came and goes with it: its first answer, and each callback it promised."""
    found = []
    answers = connection.execute(select(func.count()).where(inbox.c.case_id == case.id, inbox.c.kind == "webhook")).scalar_one()
    if case.kind is CaseKind.CASE and not answers:
        found.append("no answer is kept for the service")
    numbers = list(
        connection.execute(
            select(outbox.c.sequence).where(outbox.c.case_id == case.id, outbox.c.peer == "callback").order_by(outbox.c.sequence)
        ).scalars()
    )
    if numbers != list(range(1, case.sequence + 1)):
        found.append(f"{case.sequence} callbacks are promised, {numbers} are to be sent")
    return found
