"""A new revision of a case: changed content, routed again, earlier votes void, lane and steps never lower. Owns that rule; asks nobody."""

import hashlib
from typing import Any

from routing.canonical import digest, joined
from routing.case import Route
from routing.review.draft import Draft
from routing.review.ladder import total_clock
from routing.submission import Submission
from routing.vocabulary import State


def risen(old: Route, new: Route) -> Route:
    """The route of the next revision: the stricter of both, never asking fewer people than the other, with the new reasons."""
    chosen = max(old, new, key=lambda one: (one.lane.severity, _people(one)))
    steps, short = chosen.steps, max(_people(old), _people(new)) - _people(chosen)
    if steps and short > 0:
        steps = (*steps[:-1], steps[-1].model_copy(update={"people": steps[-1].people + short}))
    start = max(old.start, chosen.start)
    return chosen.model_copy(update={"start": start, "steps": steps, "reasons": new.reasons, "gates": new.gates, "missing": new.missing})


def _people(route: Route) -> int:
    return sum(step.people for step in route.steps)


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
    if draft.case.state is not State.HELD:
        draft.put_clocks(total=total_clock(draft.case, draft.now))


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
        "failed_checks": sum(check.result == "fail" for check in submission.checks),
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
