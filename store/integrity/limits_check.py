"""What limits automatic approvals, held against the log: how many there were and how much they moved, which caps count by, and the uses of
exceptions. Owns these comparisons; reads only.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, func, select

from routing.case.amount import counted
from routing.case.case import Case
from routing.evaluation.derived_risk import derived
from routing.policy.file import read_form
from routing.policy.form.form import PolicyForm
from routing.vocabulary import CaseKind, EventKind
from store.integrity.case_record import Leaf
from store.integrity.findings import Finding
from store.ledger.arrival_limits import DAY, MILLION, MOST
from store.schema import case_keys, cases, policies, tallies, vault
from store.vault.content import content_submission, unseal
from store.vault.vault import CannotOpen, Vault

AUTO = "auto_approved"
Key = tuple[str, int]
"""A workflow and a day, counted from 1970 in UTC."""


@dataclass(slots=True)
class Approvals:
    """The automatic approvals that events tell of: how many, how many were taken back, and the sums of what they moved.

    `partly`: the content of some was erased, so that they moved at least the sum. `uncounted`: earlier versions may have counted none.
    """

    approved: Counter[Key] = field(default_factory=Counter)
    undone: Counter[Key] = field(default_factory=Counter)
    sums: dict[Key, Decimal] = field(default_factory=dict)
    partly: set[Key] = field(default_factory=set)
    uncounted: set[Key] = field(default_factory=set)
    unread: dict[int, tuple[Key, Leaf]] = field(default_factory=dict)

    def hear(self, leaf: Leaf, at: int) -> None:
        """One event, of the microsecond `at`."""
        fields, key = leaf["fields"], (str(leaf.get("workflow")), at // DAY)
        if fields.get("verdict") != AUTO:
            return
        if leaf.get("event") == EventKind.VOIDED.value:
            self.undone[key] += 1
        if leaf.get("event") == EventKind.DECIDED.value:
            self.approved[key] += 1
            if "row" not in leaf:
                self.uncounted.add(key)
            if isinstance(fields.get("content_leaf"), int):
                self.unread[fields["content_leaf"]] = (key, leaf)

    def read(self, connection: Connection, keys: Vault) -> None:
        """Add up what the approvals moved that were heard of since the last time."""
        wanted, self.unread = self.unread, {}
        if not wanted:
            return
        rows = {row.leaf_idx: row for row in connection.execute(_CONTENT.where(vault.c.leaf_idx.in_(wanted)))}
        named = {_policy(leaf) for _, leaf in wanted.values()}
        bodies = connection.execute(select(policies.c.sha256, policies.c.body).where(policies.c.sha256.in_(named)))
        forms = {row.sha256: _form(row.body) for row in bodies}
        for index, (key, leaf) in wanted.items():
            if (amount := _amount(keys, leaf, rows.get(index), forms.get(_policy(leaf)))) is None:
                self.partly.add(key)
            else:
                self.sums[key] = self.sums.get(key, Decimal(0)) + amount


_CONTENT = select(vault.c.leaf_idx, vault.c.box, vault.c.case_id, case_keys.c.wrapped).join(
    case_keys, case_keys.c.case_id == vault.c.case_id
)


def _policy(leaf: Leaf) -> str:
    return str(leaf["policy"]["sha256"])


def _amount(keys: Vault, leaf: Leaf, row: Any, form: PolicyForm | None) -> Decimal | None:  # noqa: ANN401 - a row of `_CONTENT`
    """What the approval that this event tells of moved, as its policy reads it; None where nobody can say any more."""
    workflow = None if form is None else form.workflows.get(str(leaf["workflow"]))
    if row is None or workflow is None:
        return None
    try:
        content = unseal(keys.open_case(row.case_id, row.wrapped), row.leaf_idx, row.box)
        risk = content.get("risk")
        if not workflow.risk_from:
            said = risk.get("amount") if isinstance(risk, dict) else None
            return min(counted(None if said is None else str(said)), Decimal(MOST))
        submission = content_submission(str(leaf["workflow"]), str(leaf["task_id"]), content)
    except (CannotOpen, ValueError):
        return None
    return min(counted(derived(workflow, submission).risk.amount), Decimal(MOST))


@lru_cache(maxsize=8)
def _form(body: bytes) -> PolicyForm | None:
    return read_form(body)


def check_tallies(connection: Connection, told: Approvals, day: int | None = None) -> Iterator[Finding]:
    """How many and how much, by workflow and day; of `day` alone where it is given, and then also how many rows of cases say so."""
    those = select(tallies) if day is None else select(tallies).where(tallies.c.day == day)
    rows = {(row.workflow, row.day): row for row in connection.execute(those)}
    days = {key for key in told.approved if day in (None, key[1])}
    for key in sorted((rows.keys() | days) - told.uncounted):
        about, row = f"automatic approvals of {key[0]}, day {key[1]}", rows.get(key)
        if (autos := 0 if row is None else row.autos) != told.approved[key]:
            yield Finding(about, f"{autos} are counted, {told.approved[key]} are in the log", key[0])
        known = told.sums.get(key, Decimal(0))
        stored = Decimal(0) if row is None else row.whole + Decimal(row.millionths) / MILLION
        if stored < known if key in told.partly else stored != known:
            yield Finding(about, f"their sum is {stored.normalize():f}, by their content {known.normalize():f}", key[0])
    if day is not None:
        yield from _rows(connection, told, sorted(days - told.uncounted), day)


def _rows(connection: Connection, told: Approvals, keys: Sequence[Key], day: int) -> Iterator[Finding]:
    """The columns that the cap of an hour counts by."""
    approved = (cases.c.verdict == AUTO, cases.c.decided_at >= day * DAY, cases.c.decided_at < (day + 1) * DAY)
    counts = select(cases.c.workflow, func.count().label("rows")).where(cases.c.workflow.in_([key[0] for key in keys]), *approved)
    found = {row.workflow: row.rows for row in connection.execute(counts.group_by(cases.c.workflow))} if keys else {}
    for key in keys:
        rows, most = found.get(key[0], 0), told.approved[key]
        if not most - told.undone[key] <= rows <= most:
            yield Finding(f"automatic approvals of {key[0]}, day {day}", f"{rows} cases say so, {most} are in the log", key[0])


def uses_told(case: Case, said: Sequence[Leaf], used: Sequence[str]) -> Iterator[str]:
    """Sentences on uses of exceptions (their ids), which their limits count by, that are not those of the case."""
    mine = case.route.exceptions if case.kind is CaseKind.CASE else ()
    yield from (f"its use of exception {waiver_id} is not counted" for waiver_id in mine if waiver_id not in used)
    stray = [waiver_id for waiver_id in used if waiver_id not in mine]
    if not stray:
        return
    offered = {str(one.get("id")) for leaf in said for one in _waived(leaf)} if case.kind is CaseKind.CASE else set[str]()
    yield from (f"a use of exception {waiver_id} is counted that it never had" for waiver_id in stray if waiver_id not in offered)


def _waived(leaf: Leaf) -> Sequence[Leaf]:
    """The exceptions in force when this event routed the case."""
    facts = leaf["fields"].get("facts")
    waived = facts.get("waived") if isinstance(facts, dict) else None
    return [one for one in waived if isinstance(one, dict)] if isinstance(waived, list) else []
