"""A new revision of a case: changed content, routed again, earlier votes void, lane and steps never lower. Owns that rule; asks nobody."""

import hashlib
from typing import Any

from routing.canonical import digest, joined
from routing.case import Route
from routing.review.draft import Draft
from routing.submission import Submission


def risen(old: Route, new: Route) -> Route:
    """The route of the next revision: the new one where its lane is more severe, else the old one with the new reasons."""
    if new.lane.severity > old.lane.severity:
        return new.model_copy(update={"start": max(old.start, new.start)})
    return old.model_copy(update={"reasons": new.reasons, "gates": new.gates, "missing": new.missing})


def revise(draft: Draft, submission: Submission, route: Route) -> None:
    """Give the case its next revision with this content and route."""
    case = draft.case
    draft.put(
        revision=case.revision + 1,
        route=route,
        step=0,
        votes=(),
        opened_by=(),
        claimed_by="",
        **content_facts(submission),
    )


def content_facts(submission: Submission) -> dict[str, Any]:
    """The digests and open facts a case keeps of its content."""
    model = submission.model
    return {
        "action_sha256": submission.action.sha256,
        "action_type": submission.action.type,
        "input_sha256": content_sha256(submission),
        "output_sha256": digest(submission.output) if submission.output is not None else "",
        "confidence": model.confidence,
        "model": {"name": model.name, "version": model.version, "hash": model.hash, "prompt_version": model.prompt_version},
        "source_ids": tuple(source.id for source in submission.evidence),
    }


def content_sha256(submission: Submission) -> str:
    """Hex SHA-256 of the canonical submission, with the fields the service set; tells the same content from other content."""
    return hashlib.sha256(joined(submission.texts)).hexdigest()


def changed_fields(before: dict[str, Any] | None, after: dict[str, Any] | None, path: str = "params") -> tuple[str, ...]:
    """Dotted paths of what differs between two objects, in order; lists count as one value."""
    old, new = before or {}, after or {}
    found: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        here = f"{path}.{name}"
        left, right = old.get(name), new.get(name)
        if isinstance(left, dict) and isinstance(right, dict):
            found.extend(changed_fields(left, right, here))
        elif (name in old) != (name in new) or left != right:
            found.append(here)
    return tuple(found)
