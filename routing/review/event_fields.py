"""What events and answers say of a case: how it was routed, what somebody pressed. Owns these wordings; never decides."""

from routing.canonical import Json
from routing.case.case import Case, Route
from routing.case.people import Press
from routing.case.playbook import Action
from routing.case.submission import Submission, moment_text
from routing.review.outlook import upcoming
from routing.vocabulary import State


def answer(case: Case) -> dict[str, Json]:
    """The body of the 202 (CONTRACT "HTTP"); the ledger adds the newest checkpoint. It never carries a verdict."""
    chosen: Route = case.route
    first = upcoming(case)
    return {
        "id": case.id,
        "state": told_state(case).value,
        "lane": chosen.lane.value,
        "mode": chosen.mode.value,
        "tier": case.tier + 1 if case.tier_since is not None else None,
        "risk": chosen.risk.value,
        "priority": chosen.priority,
        "reasons": [{"code": reason.code, "text": reason.text} for reason in chosen.reasons],
        "missing": list(chosen.missing),
        "policy_version": chosen.policy_version,
        "due_at": moment_text(first.at) if first is not None else None,
        "next": first.consequence.value if first is not None else None,
        "interim": interim_asked(case),
        "revision": case.revision,
        "action_sha256": case.action_sha256,
    }


def told_state(case: Case) -> State:
    """The state as its service is told it: a verdict that stays here is none to it."""
    if case.withheld:
        return State.HELD
    return case.state if case.undo is None else State.PENDING


def interim_asked(case: Case) -> Action | None:
    """What its service is asked to do with what it proposed, by a playbook: until a verdict releases it that does not stay here."""
    interim = case.interim
    return None if interim is None or (interim.ended == "released" and not case.kept_here) else interim.action


def received(case: Case, submission: Submission) -> dict[str, Json]:
    """What the first event of a case says openly: also the moment it was routed at, which may be a little before the event's own."""
    deadline = moment_text(submission.deadline) if submission.deadline is not None else None
    return routed(case, submission) | {"deadline": deadline, "routed_at": moment_text(case.created_at)}


def routed(case: Case, submission: Submission) -> dict[str, Json]:
    """What an event that routed a case says openly: the decision and why, in codes and figures."""
    chosen = case.route
    return {
        "lane": chosen.lane.value,
        "mode": chosen.mode.value,
        "risk": chosen.risk.value,
        "priority": chosen.priority,
        "template": chosen.template.value,
        "ladder": chosen.ladder,
        "start_tier": chosen.start + 1,
        "reasons": [reason.code for reason in chosen.reasons],
        "rule": chosen.rule,
        "lost": list(chosen.lost),
        "gates": dict(chosen.gates),
        "missing": list(chosen.missing),
        "action_type": case.action_type,
        "action_sha256": case.action_sha256,
        "input_sha256": case.input_sha256,
        "output_sha256": case.output_sha256,
        "confidence": case.confidence,
        "source_ids": list(case.source_ids),
        "flags": list(submission.risk.flags),
        "facts": case.facts.told(),
    }


def pressed(press: Press, case: Case) -> dict[str, Json]:
    """What every decision event says of the press: the step, what the person saw and answered to, the reason code; and where several cases
    were decided in one form, how many.
    """
    name = case.route.steps[case.step].name if case.route.steps else ""
    seen: dict[str, Json] = {"face": press.face, "saw": press.saw, "action_sha256": case.action_sha256}
    together: dict[str, Json] = {"batch": press.batch} if press.batch else {}
    return {"step": name, "tier": case.tier + 1, **seen, "reason_code": press.reason_code, **together}


def words(press: Press) -> dict[str, Json]:
    """The person's free text and name, for the vault."""
    return {key: value for key, value in {"text": press.text.strip(), "name": press.person.name}.items() if value}
