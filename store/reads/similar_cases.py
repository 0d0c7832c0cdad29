"""Decided cases of a workflow to hold a new one against: which there are, newest first and bounded, and what is known of them now.

Owns these three questions. It never compares anything, and gives nothing of what was erased.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select

from routing.case.case import Case
from routing.case.submission import Submission
from routing.errors import SubmissionError
from routing.vocabulary import CaseKind, Verdict
from store.database.prepared import Prepared
from store.reads.snapshots import readable
from store.schema import case_keys, cases, micros, vault
from store.vault.content import content_submission, unseal
from store.vault.vault import CannotOpen, Vault

ENDED = (Verdict.APPROVED, Verdict.MODIFIED, Verdict.REJECTED, Verdict.AUTO_APPROVED, Verdict.AUTO_REJECTED)
"""How a case ends that says something about the next one; one that expired or was withdrawn does not."""

_VERDICTS = {verdict.value: verdict for verdict in ENDED}


@dataclass(frozen=True, slots=True)
class Ended:
    """A decided case: how and when it ended (microseconds, since it is only compared), and what its service reported since, "" where
    nothing.
    """

    case_id: str
    decided_at: int
    verdict: Verdict
    outcome: str


def ended_cases(connection: Connection, *, workflow: str, until: datetime, limit: int) -> list[Ended]:
    """The last `limit` cases of a workflow that services posted and that were decided by then; without those whose content was erased."""
    rows = _ENDED.execute(connection, workflow=workflow, until=micros(until), most=limit)
    return [Ended(row.id, row.decided_at, _VERDICTS[row.verdict], row.outcome) for row in rows]


def contents(connection: Connection, *, ids: Sequence[str], keys: Vault) -> list[tuple[Case, Submission]]:
    """These cases with their content, without those that cannot be read and those whose content was erased."""
    rows = connection.execute(
        select(cases.c.snapshot, case_keys.c.wrapped).join(case_keys, case_keys.c.case_id == cases.c.id).where(cases.c.id.in_(ids))
    ).all()
    wrapped = {case.id: (case, row.wrapped) for row in rows for case in readable([row.snapshot])}
    boxes = select(vault.c.leaf_idx, vault.c.box).where(vault.c.leaf_idx.in_([case.content_at for case, _ in wrapped.values()]))
    by_leaf = {row.leaf_idx: row.box for row in connection.execute(boxes)}
    return list(_opened(wrapped, by_leaf, keys))


def found_by_checks(connection: Connection, *, ids: Sequence[str]) -> dict[str, bool]:
    """Of these cases those that people checked afterwards: whether they found them right."""
    rows = _CHECKED.execute(connection, ids) if ids else ()
    said = {Verdict.APPROVED.value: True, Verdict.REJECTED.value: False, Verdict.MODIFIED.value: False}
    return {row.parent: said[row.verdict] for row in rows if row.verdict in said}


def _opened(wrapped: dict[str, tuple[Case, bytes]], boxes: dict[int, bytes], keys: Vault) -> Iterator[tuple[Case, Submission]]:
    for case, key in wrapped.values():
        if case.content_at not in boxes:
            continue
        try:
            content = unseal(keys.open_case(case.id, key), case.content_at, boxes[case.content_at])
            yield case, content_submission(case.workflow, case.task_id, content)
        except (CannotOpen, SubmissionError):  # damaged, or of a form that is no longer published: nothing to hold anything against
            continue


_ENDED = Prepared(
    select(cases.c.id, cases.c.decided_at, cases.c.verdict, cases.c.outcome)
    .join(case_keys, case_keys.c.case_id == cases.c.id)
    .where(cases.c.workflow == bindparam("workflow"), cases.c.decided_at.is_not(None), cases.c.decided_at <= bindparam("until"))
    .where(cases.c.kind == CaseKind.CASE.value, or_(*(cases.c.verdict == verdict.value for verdict in ENDED)))
    .order_by(cases.c.decided_at.desc())
    .limit(bindparam("most"))
)
_CHECKED = Prepared(
    lambda ids: select(cases.c.parent, cases.c.verdict).where(
        cases.c.parent.in_(ids), cases.c.parent != "", cases.c.kind == CaseKind.CHECK.value, cases.c.decided_at.is_not(None)
    )
)
