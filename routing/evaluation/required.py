"""What a workflow requires and a case does not bring (REQUIREMENTS I3). Owns the names of what is missing; never guesses at it.

A path is named as it is, a kind of source as `evidence.record`, citations as `output.citations`, facts that the service
itself knows to be missing as `context.missing`.
"""

import re
from collections.abc import Sequence

from routing.case.paths import value_at
from routing.case.submission import Submission
from routing.evaluation.derived_risk import unreadable
from routing.policy.form.derived import path_of
from routing.policy.form.form import Workflow

CITATIONS = "output.citations"
CONTEXT = "context.missing"

_BRACKETED = re.compile(r"\[([^\[\]\n]{1,400})\](?!\()")
"""`[id]` or `[id, id]`, and no link as Markdown writes it."""


def lacking(workflow: Workflow, submission: Submission, unread: Sequence[str] | None = None) -> tuple[str, ...]:
    """What is missing, in the order of the policy; empty when everything is there. `unread` is what `unreadable` says, if that is known."""
    kinds = [evidence.kind for evidence in submission.evidence]
    return tuple(
        dict.fromkeys(
            (
                *(path for path in workflow.required if not _tied(workflow, submission, path) and not _given(submission, path)),
                *(unreadable(workflow, submission) if unread is None else unread),
                *(f"evidence.{kind}" for kind, least in workflow.required_evidence.items() if kinds.count(kind) < least),
                *((CITATIONS,) if workflow.checks.citations and len(cited(submission)[0]) < workflow.checks.citations else ()),
                *((CONTEXT,) if submission.context.missing and workflow.context_missing == "information" else ()),
            )
        )
    )


def _given(submission: Submission, path: str) -> bool:
    return value_at(submission, path) not in (None, "", (), {}, [])


def _tied(workflow: Workflow, submission: Submission, path: str) -> bool:
    """Whether the policy reads this fact from the action, so that a service cannot bring it in any other way."""
    first, _, fact = path.partition(".")
    return first == "risk" and bool(path_of(workflow.risk_from, fact, submission.action.type))


def cited(submission: Submission) -> tuple[frozenset[str], frozenset[str]]:
    """What the output cites in brackets: ids of the case's evidence, and what is nobody's id."""
    groups = _BRACKETED.findall(submission.output or "")
    whole = {group.strip() for group in groups}
    known = {evidence.id for evidence in submission.evidence}
    parts = {part.strip() for group in whole - known for part in re.split("[,;]", group)}
    named = (whole & known) | parts
    return frozenset(named & known), frozenset(named - known - {""})
