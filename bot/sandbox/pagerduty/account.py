"""The values of a PagerDuty account: people, services, incidents and their log, and how each reads on the wire. No state, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

ROUTING_KEY_LENGTH = 32

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Responder:
    """A person in PagerDuty. Not the same record as in Slack; the e-mail is what ties them."""

    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class PagedService:
    """A PagerDuty service with one Events API v2 integration and its escalation policy."""

    id: str
    name: str
    routing_key: str
    escalation_policy_id: str
    escalation_policy_name: str

    def __post_init__(self) -> None:
        if len(self.routing_key) != ROUTING_KEY_LENGTH:
            raise ValueError(f"the routing key of {self.name} must have {ROUTING_KEY_LENGTH} characters, as PagerDuty's have")


@dataclass(frozen=True, slots=True)
class PagerDutyConfig:
    """An account. `on_call`: escalation policy id -> responder ids, level 1 first. `webhook_secrets`: all sign, as in a rotation.

    `webhook_timeout_s`: real seconds an app has to answer a webhook (PagerDuty: 5); None, as long as it takes.
    """

    responders: tuple[Responder, ...]
    services: tuple[PagedService, ...]
    on_call: Mapping[str, Sequence[str]]
    api_token: str
    webhook_secrets: tuple[str, ...]
    subdomain: str = "northwind"
    webhook_timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of an incident's log. `at` is unix seconds; `kind`: trigger, acknowledge, resolve, annotate; `agent`: who did it."""

    at: float
    kind: str
    agent: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a responder wrote on an incident. `at` is unix seconds."""

    id: str
    at: float
    responder: Responder
    content: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident with its one alert. `status`: triggered, acknowledged, resolved; `key`: the dedup_key that opened it;
    `assigned`: ids of those whom somebody handed it to, empty: whoever is on call first.
    """

    id: str
    number: int
    service: PagedService
    key: str
    title: str
    severity: str
    source: str
    created_at: float
    custom_details: Json
    links: tuple[Json, ...] = ()
    client: str = ""
    client_url: str = ""
    status: str = "triggered"
    triggers: int = 1
    log: tuple[LogEntry, ...] = ()
    notes: tuple[Note, ...] = ()
    assigned: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether a trigger with its key still joins it."""
        return self.status != "resolved"

    def logged(self, entry: LogEntry, **changes: Any) -> Incident:
        """The incident with `changes` and one more line in its log."""
        return replace(self, log=(*self.log, entry), **changes)


def timestamp(at: float) -> str:
    """Unix seconds as PagerDuty writes times: ISO 8601, UTC, milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Wire:
    """How an account's objects read in REST answers and webhooks (PagerDuty REST API v2, Webhooks V3)."""

    subdomain: str

    def reference(self, collection: str, kind: str, object_id: str, summary: str) -> Json:
        """The short form of an object, as others point to it."""
        return {
            "id": object_id,
            "type": f"{kind}_reference",
            "summary": summary,
            "self": f"https://api.pagerduty.com/{collection}/{object_id}",
            "html_url": f"https://{self.subdomain}.pagerduty.com/{collection}/{object_id}",
        }

    def responder(self, responder: Responder, *, full: bool = False) -> Json:
        """A person; `full` as with `include[]=users`."""
        short = self.reference("users", "user", responder.id, responder.name)
        if not full:
            return short
        return short | {"type": "user", "name": responder.name, "email": responder.email, "time_zone": "Etc/UTC", "role": "user"}

    def policy(self, service: PagedService) -> Json:
        """The escalation policy of a service."""
        return self.reference("escalation_policies", "escalation_policy", service.escalation_policy_id, service.escalation_policy_name)

    def service(self, service: PagedService) -> Json:
        """A service."""
        return self.reference("services", "service", service.id, service.name)

    def incident(self, incident: Incident) -> Json:
        """An incident as others point to it."""
        return self.reference("incidents", "incident", incident.id, incident.title)

    def hooked(self, incident: Incident, assignees: Sequence[Responder]) -> Json:
        """An incident as `data` of a V3 webhook."""
        return {
            "id": incident.id,
            "type": "incident",
            "self": f"https://api.pagerduty.com/incidents/{incident.id}",
            "html_url": f"https://{self.subdomain}.pagerduty.com/incidents/{incident.id}",
            "number": incident.number,
            "status": incident.status,
            "incident_key": incident.key,
            "created_at": timestamp(incident.created_at),
            "title": incident.title,
            "service": self.service(incident.service),
            "assignees": [self.responder(person) for person in assignees] if incident.is_open else [],
            "escalation_policy": self.policy(incident.service),
            "teams": [],
            "priority": None,
            "urgency": "low" if incident.severity in ("info", "warning") else "high",
            "conference_bridge": None,
            "resolve_reason": None,
        }

    def hooked_note(self, incident: Incident, note: Note) -> Json:
        """A note as `data` of a V3 webhook."""
        return {"incident": self.incident(incident), "id": note.id, "content": note.content, "trimmed": False, "type": "incident_note"}

    def read(self, incident: Incident, assignees: Sequence[Responder]) -> Json:
        """An incident as the REST API answers it."""
        acknowledged = [entry for entry in incident.log if entry.kind == "acknowledge"]
        return {
            **self.hooked(incident, assignees),
            "summary": f"[#{incident.number}] {incident.title}",
            "incident_number": incident.number,
            "assigned_via": "escalation_policy",
            "assignments": [{"at": timestamp(incident.created_at), "assignee": self.responder(person)} for person in assignees]
            if incident.is_open
            else [],
            "acknowledgements": [{"at": timestamp(entry.at), "acknowledger": {"summary": entry.agent}} for entry in acknowledged]
            if incident.status == "acknowledged"
            else [],
            "last_status_change_at": timestamp(incident.log[-1].at),
            "alert_counts": {"all": 1, "triggered": int(incident.is_open), "resolved": int(not incident.is_open)},
        }

    def alert(self, incident: Incident) -> Json:
        """The alert behind an incident."""
        return {
            "id": f"A{incident.id}",
            "type": "alert",
            "status": "triggered" if incident.is_open else "resolved",
            "alert_key": incident.key,
            "created_at": timestamp(incident.created_at),
            "severity": incident.severity,
            "summary": incident.title,
            "incident": self.incident(incident),
            "service": self.service(incident.service),
            "body": {
                "type": "alert_body",
                "details": incident.custom_details,
                "contexts": [{"type": "link", **link} for link in incident.links],
            },
        }

    def note(self, note: Note) -> Json:
        """A note as the REST API answers it."""
        return {
            "id": note.id,
            "user": self.responder(note.responder),
            "content": note.content,
            "created_at": timestamp(note.at),
            "channel": {"summary": "The PagerDuty website or APIs"},
        }

    def log_entry(self, incident: Incident, entry: LogEntry) -> Json:
        """One line of the log as the REST API answers it."""
        return {
            "type": f"{entry.kind}_log_entry",
            "summary": entry.text,
            "created_at": timestamp(entry.at),
            "agent": {"summary": entry.agent},
            "incident": self.incident(incident),
        }
