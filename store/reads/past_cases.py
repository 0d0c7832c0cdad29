"""Cases of the past as a replay wants them: what the service first sent, what was known then, when it was, and where the case went.

Owns reading them back from the first leaf of each case, and what people's later word makes of them: right or wrong. Routes nothing and
never writes. Cases that were opened for another one, and those whose content was erased, are left out.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from routing.case.case import Case
from routing.case.facts import Facts
from routing.errors import SubmissionError
from routing.simulation.replay import Replayed, Where, placed
from routing.vocabulary import CaseKind, EventKind, Lane, Template, Verdict
from store.schema import case_keys, cases, leaves, vault
from store.vault.content import content_submission, unseal
from store.vault.vault import Vault

CHUNK = 500
"""Cases read at once."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A case of the past, the policy (SHA-256) that routed it, and where a policy in shadow would have sent it, if one was."""

    replayed: Replayed
    policy_sha256: str
    shadow: dict[str, Any] | None = None


def stored_cases(connection: Connection, *, vault: Vault, limit: int, workflow: str | None = None) -> list[Stored]:
    """The newest `limit` cases that services posted, oldest first."""
    found: list[Stored] = []
    below: str | None = None
    while len(found) < limit:
        page = select(cases.c.id, cases.c.snapshot).order_by(cases.c.id.desc()).limit(min(CHUNK, limit))
        page = page if below is None else page.where(cases.c.id < below)
        rows = connection.execute(page if workflow is None else page.where(cases.c.workflow == workflow)).all()
        if not rows:
            break
        below = rows[-1].id
        found += _read(connection, [Case.model_validate_json(row.snapshot) for row in rows], vault)
    return found[:limit][::-1]


def _read(connection: Connection, page: Sequence[Case], keys: Vault) -> Iterator[Stored]:
    """Those of a page that can be replayed, in its order."""
    wanted = {case.id: case for case in page if case.kind is CaseKind.CASE and case.erased_at is None}
    checks = _checks(connection, [child for case in wanted.values() for child in case.children])
    first = (
        select(leaves.c.case_id, leaves.c.idx, leaves.c.body, vault.c.box, case_keys.c.wrapped)
        .join(vault, vault.c.leaf_idx == leaves.c.idx)
        .join(case_keys, case_keys.c.case_id == leaves.c.case_id)
        .where(leaves.c.case_id.in_(wanted), leaves.c.kind == EventKind.RECEIVED.value)
    )
    rows = {row.case_id: row for row in connection.execute(first)}
    for case in wanted.values():
        row = rows.get(case.id)
        if row is None:
            continue
        content = unseal(keys.open_case(case.id, row.wrapped), row.idx, row.box)
        leaf = json.loads(row.body)
        try:
            submission = content_submission(case.workflow, case.task_id, content)
        except SubmissionError:  # a form that is no longer published cannot be routed as it was
            continue
        facts, label = Facts.model_validate(leaf["fields"]["facts"]), _label(case, [checks[one] for one in case.children if one in checks])
        replayed = Replayed(case.task_id, submission, facts, case.created_at, label, _where(leaf["fields"]))
        yield Stored(replayed, leaf["policy"]["sha256"], leaf["fields"].get("shadow"))


def _where(fields: dict[str, Any]) -> Where:
    """Where the leaf says that the case went. Its reasons are codes."""
    lane, template = Lane(fields["lane"]), Template(fields["template"])
    missing, reasons = tuple(fields["missing"]), tuple(fields["reasons"])
    return placed(lane, template, fields["ladder"], fields["start_tier"], missing=missing, reasons=reasons)


def _checks(connection: Connection, ids: Sequence[str]) -> dict[str, Case]:
    if not ids:
        return {}
    rows = connection.execute(select(cases.c.snapshot).where(cases.c.id.in_(ids))).scalars()
    found = [Case.model_validate_json(snapshot) for snapshot in rows]
    return {case.id: case for case in found if case.kind is CaseKind.CHECK}


def _label(case: Case, checks: Sequence[Case]) -> bool | None:
    """Whether the model was right, as people said it last: what the service found out, else a check, else their verdict."""
    if case.outcome in {"found_right", "found_wrong"}:
        return case.outcome == "found_right"
    verdicts = [check.verdict for check in checks] + [case.verdict]
    for verdict in verdicts:
        if verdict is Verdict.APPROVED:
            return True
        if verdict in {Verdict.REJECTED, Verdict.MODIFIED}:
            return False
    return None
