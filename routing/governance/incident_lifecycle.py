"""An incident from its opening to its end (E12): what opens one, once; who is reminded; with what it may be closed. Owns these events and
messages. It never reads the log: its timeline is put together when it is shown.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from routing.authority import AlertLevel, IncidentKind
from routing.canonical import Json, digest
from routing.case.submission import moment_text
from routing.change import SYSTEM, Actor, Event, IncidentCause, Message, MessageKind, Refused
from routing.governance.alert import Alert
from routing.governance.incident import Incident
from routing.governance.permissions import refuse
from routing.governance.ruling import INCIDENT, Governed, GovernStep, Ruling
from routing.policy.form.checks import Example
from routing.policy.policy import Policy
from routing.simulation.examples import run_examples
from routing.vocabulary import EventKind

ROOT, TIMELINE, CLOSED, REMINDER = 0, 1, 2, 100
"""The message of an incident in the operations channel; in its thread: what led to it, how it ended, each reminder."""

WORDS_MOST = 1_000
"""Characters of a cause and of a remediation: anybody may read them in the audit log."""

MODELS_MOST = 10
OTHERS_MOST = 100
"""Cases or alerts that an incident lists besides the first, the newest."""

EVERY = timedelta(days=1)
STOP_RULE = "stop_the_line"
"""The rule of the alert that a case causes which stops the line."""

_DIGITS = 12


def opened(governed: Governed, cause: IncidentCause, now: datetime) -> Ruling:
    """Open an incident where the policy calls for one. What happens again while one is open is counted and listed there: the same kind, by
    workflow, of alerts the same rule and scope.
    """
    rule = governed.policy.form.postmortems
    counts = rule is not None and cause.kind in rule.of and (cause.risk is None or cause.risk.level >= rule.risk.level)
    if rule is None or not counts:
        return Ruling(governed.governance, ())
    known = _same(governed.governance.incidents, cause)
    if known is not None:
        others = tuple(one for one in known.others if one != cause.about) + ((cause.about,) if cause.about != known.about else ())
        again = known.model_copy(update={"more": known.more + 1, "newest": cause.about, "others": others[-OTHERS_MOST:]})
        return Ruling(governed.governance.with_incident(again), (), _bulletin(governed.policy, again, MessageKind.BULLETIN_UPDATE, ROOT))
    workflow = governed.policy.workflow(cause.workflow)
    incident = Incident(
        id=INCIDENT + governed.draw,
        kind=cause.kind,
        about=cause.about,
        workflow=cause.workflow,
        at=now,
        due=now + timedelta(seconds=rule.within),
        owner=rule.owner,
        why=cause.why,
        rule=cause.rule,
        policy_version=governed.policy.version,
        policy_sha256=governed.policy.sha256,
        models=_models(governed, cause),
        examples=tuple(example_digest(example) for example in workflow.examples) if workflow is not None else (),
    )
    messages = [_bulletin(governed.policy, incident, MessageKind.BULLETIN, place) for place in (ROOT, TIMELINE)]
    return Ruling(governed.governance.with_incident(incident), (_opened(incident),), tuple(one for pair in messages for one in pair))


def followed_by(governed: Governed, ruling: Ruling, alert: Alert, now: datetime, *, model: str = "") -> Ruling:
    """A ruling that made an alert, with the incident that the alert calls for. `model`: the version whose case it was."""
    if alert.level is not AlertLevel.INCIDENT:
        return ruling
    kind = IncidentKind.STOP if alert.rule == STOP_RULE else IncidentKind.ALERT
    more = opened(
        replace(governed, governance=ruling.governance),
        IncidentCause(kind, alert.id, alert.workflow, alert.why, model=model, rule=f"{alert.rule} {alert.scope}".strip()),
        now,
    )
    messages = tuple(replace(message, event=len(ruling.events) if more.events else 0) for message in more.messages)
    events = (*ruling.events, *more.events)
    return replace(ruling, governance=more.governance, events=events, messages=(*ruling.messages, *messages))


def close(incident_id: str, actor: Actor, *, cause: str, remediation: str, example: str) -> GovernStep:
    """Close it: with what caused it, what was done so that it does not come again, and the name of an example case of its workflow that the
    policy in force has and the one at its opening had not. Where that policy has the workflow no more, without an example ("").
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        incident = governed.governance.incident(incident_id)
        if incident is None or incident.over:
            return refuse("unknown_incident" if incident is None else "incident_closed")
        words = {"cause": " ".join(cause.split()), "remediation": " ".join(remediation.split())}
        if not all(0 < len(text) <= WORDS_MOST for text in words.values()):
            return refuse("incident_words")
        if (refused := _no_lesson(governed.policy, incident, example, now)) is not None:
            return refused
        over = incident.model_copy(update={**words, "example": example, "closed_at": now, "closed_by": actor.id, "examples": ()})
        fields: dict[str, Json] = {"subject": over.id, "workflow": over.workflow, **words, "example": example}
        event = Event(EventKind.INCIDENT_CLOSED, actor, {**fields, "sha256": governed.policy.sha256})
        root = _bulletin(governed.policy, over, MessageKind.BULLETIN_UPDATE, ROOT)
        messages = (*root, *_bulletin(governed.policy, over, MessageKind.BULLETIN, CLOSED))
        return Ruling(governed.governance.with_incident(over), (event,), messages)

    return step


def remind(governed: Governed, now: datetime) -> Ruling | Refused:
    """Remind the owners of what is due and not closed, once a day."""
    governance, events, messages = governed.governance, list[Event](), list[Message]()
    for incident in governance.incidents:
        if not is_due(incident, now):
            continue
        told = incident.model_copy(update={"reminders": incident.reminders + 1, "reminded_at": now})
        fields: dict[str, Json] = {"subject": told.id, "workflow": told.workflow, "owner": told.owner, "due": moment_text(told.due)}
        place = REMINDER + told.reminders
        messages += _bulletin(governed.policy, told, MessageKind.BULLETIN, place, event=len(events))
        events.append(Event(EventKind.INCIDENT_REMINDED, SYSTEM, fields))
        governance = governance.with_incident(told)
    return Ruling(governance, tuple(events), tuple(messages)) if events else refuse("not_due")


def is_due(incident: Incident, now: datetime) -> bool:
    """Whether its owner is to be reminded now."""
    return not incident.over and now >= incident.due and (incident.reminded_at is None or now - incident.reminded_at >= EVERY)


def example_digest(example: Example) -> str:
    """What an example is, whatever it is called: where which case has to go."""
    return case_digest(example.case)[:_DIGITS]


def case_digest(case: dict[str, Json]) -> str:
    """Hex SHA-256 of the case of an example."""
    return digest(case)


def _no_lesson(policy: Policy, incident: Incident, name: str, now: datetime) -> Refused | None:
    """Why the incident cannot be closed with this example."""
    gone = policy.workflow(incident.workflow) is None  # nothing can happen there again; what took its place may have learnt from it
    if not name:
        return None if gone else refuse("no_example", workflow=incident.workflow)
    workflow, example = next(iter(lessons(policy, incident, lambda one: one.name == name)), ("", None))
    if example is None:
        return refuse("workflow_gone" if gone else "unknown_example", name=name[:100], workflow=incident.workflow)
    if example_digest(example) in incident.examples:
        return refuse("old_example", name=name[:100])
    found = next(one for one in run_examples(policy, now) if (one.workflow, one.name) == (workflow, name))
    return refuse("failing_example", name=name[:100], wrong="; ".join(found.wrong)[:300]) if found.wrong else None


def lessons(policy: Policy, incident: Incident, wanted: Callable[[Example], bool]) -> list[tuple[str, Example]]:
    """The wanted examples with which the incident may be closed: those of its workflow, or of any where the policy has that no more."""
    places = {incident.workflow} & policy.workflows.keys() or policy.workflows.keys()
    return [(name, one) for name in sorted(places) for one in policy.workflows[name].examples if wanted(one)]


def _same(incidents: Iterable[Incident], cause: IncidentCause) -> Incident | None:
    """The open incident that this belongs to."""
    wanted = (cause.kind, cause.workflow, cause.rule)
    return next((one for one in incidents if not one.over and (one.kind, one.workflow, one.rule) == wanted), None)


def _models(governed: Governed, cause: IncidentCause) -> tuple[str, ...]:
    """The versions that came in the workflow so far; last the one whose case it was, where that is known."""
    known = [one for one in governed.governance.control(cause.workflow).known_versions if not one.startswith("policy ")]
    others = [one for one in known if one != cause.model]
    return tuple([*others, *([cause.model] if cause.model else [])][-MODELS_MOST:])


def _opened(incident: Incident) -> Event:
    fields: dict[str, Json] = {
        "subject": incident.id,
        "workflow": incident.workflow,
        "kind": incident.kind.value,
        "about": incident.about,
        "why": incident.why,
        "owner": incident.owner,
        "due": moment_text(incident.due),
        "version": incident.policy_version,
        "sha256": incident.policy_sha256,
        "models": list(incident.models),
    }
    return Event(EventKind.INCIDENT_OPENED, SYSTEM, fields)


def _bulletin(policy: Policy, incident: Incident, kind: MessageKind, place: int, *, event: int = 0) -> tuple[Message, ...]:
    channel = policy.form.channels.operations
    return (Message(kind, channel, place, event=event, subject=incident.id),) if channel is not None else ()
