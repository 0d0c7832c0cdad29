"""Somebody's PagerDuty: takes events, opens and closes incidents by the real deduplication rule, and lets people answer.

It never pages anybody and knows nothing of cases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.pagerduty.account import Incident, Json, LogEntry, Note, PagedService, PagerDutyConfig, Responder, Wire, timestamp
from bot.sandbox.pagerduty.events import read_event
from bot.sandbox.pagerduty.webhooks import Webhooks
from bot.sandbox.record import Record

THROTTLED = '{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly. Please retry later."}'


class PagerDuty:
    """One account. `incidents` holds every incident ever opened, oldest first; `record` what was sent to it and what it sent."""

    def __init__(self, config: PagerDutyConfig, clock: Callable[[], float], faults: Faults, hook_retry_s: float = 1.0) -> None:
        self.config = config
        self.wire = Wire(config.subdomain)
        self.record = Record("pagerduty", clock)
        self.webhooks = Webhooks(config.webhook_secrets, clock, faults, self.record, hook_retry_s, timeout_s=config.webhook_timeout_s)
        self._clock = clock
        self._faults = faults
        self._incidents: dict[str, Incident] = {}
        self._services = {service.routing_key: service for service in config.services}
        self._responders = {responder.id: responder for responder in config.responders}
        self._on_call = {policy: tuple(people) for policy, people in config.on_call.items()}
        self._disabled: set[str] = set()

    def connect(self, webhook_url: str | None) -> None:
        """Where webhooks go from now on; None: nowhere."""
        self.webhooks.url = webhook_url

    def routes(self) -> list[web.RouteDef]:
        """The Events API v2."""
        return [web.post("/v2/enqueue", self._enqueue), web.get("/v2/enqueue", self._not_allowed, allow_head=False)]

    async def start(self) -> None:
        """Begin to deliver webhooks."""
        await self.webhooks.start()

    async def stop(self) -> None:
        """Stop delivering webhooks."""
        await self.webhooks.stop()

    # What it holds

    @property
    def incidents(self) -> list[Incident]:
        """Every incident, oldest first. A late event that is due is applied first."""
        self._faults.apply_due()
        return list(self._incidents.values())

    def incident(self, incident_id: str) -> Incident | None:
        """One incident, or None."""
        self._faults.apply_due()
        return self._incidents.get(incident_id)

    def opened(self, key: str) -> int:
        """How many incidents this dedup_key has ever opened: more than one means somebody was paged again."""
        return sum(incident.key == key for incident in self.incidents)

    def responder(self, responder_id: str) -> Responder:
        """A person by id. Raises KeyError for a stranger."""
        return self._responders[responder_id]

    def on_call(self, policy_id: str) -> list[Responder]:
        """Who answers for an escalation policy now, level 1 first."""
        return [self._responders[person] for person in self._on_call.get(policy_id, ())]

    def put_on_call(self, policy_id: str, *responder_ids: str) -> None:
        """Change who is on call; nobody is allowed."""
        self._on_call[policy_id] = responder_ids

    def disable(self, service_id: str, *, disabled: bool = True) -> None:
        """Somebody switches a service off, or on again: meanwhile every event with its routing key is refused."""
        (self._disabled.add if disabled else self._disabled.discard)(service_id)

    def assignees(self, incident: Incident) -> list[Responder]:
        """Who an incident is assigned to: whoever it was handed to, else level 1 of its policy."""
        if incident.assigned:
            return [self._responders[person] for person in incident.assigned]
        return self.on_call(incident.service.escalation_policy_id)[:1]

    # What people do

    async def acknowledge(self, incident_id: str, responder_id: str) -> Incident:
        """A responder takes the incident; returns after the webhook's first try. Raises KeyError for an unknown incident or person.

        No longer open, or already so: nothing changes and nothing is sent.
        """
        return await self._person_changes(incident_id, responder_id, "acknowledged", "acknowledge")

    async def resolve(self, incident_id: str, responder_id: str) -> Incident:
        """A responder closes the incident; as `acknowledge`."""
        return await self._person_changes(incident_id, responder_id, "resolved", "resolve")

    async def note(self, incident_id: str, responder_id: str, content: str) -> Note:
        """A responder writes on the incident, open or not; as `acknowledge`."""
        incident, person = self._incidents[incident_id], self._responders[responder_id]
        note = Note("P" + uuid4().hex[:13].upper(), self._clock(), person, content)
        entry = LogEntry(note.at, "annotate", person.name, content)
        incident = self._incidents[incident_id] = incident.logged(entry, notes=(*incident.notes, note))
        self.record.add("note", incident_id=incident_id, key=incident.key, by=responder_id, content=content)
        agent = self.wire.responder(person)
        data = self.wire.hooked_note(incident, note)
        await self.webhooks.queue("incident.annotated", agent, {"name": "PagerDuty"}, timestamp(note.at), data).wait()
        return note

    async def reassign(self, incident_id: str, responder_id: str, *to: str) -> Incident:
        """A responder hands an open incident to others, for whom it rings; as `acknowledge`."""
        return await self._moves(incident_id, "reassigned", self.responder(responder_id), assigned=to)

    async def escalate(self, incident_id: str, responder_id: str | None = None) -> Incident:
        """An open incident goes to the next level of its policy, where there is one: by a responder, or because nobody answered."""
        incident = self._incidents[incident_id]
        levels = [person.id for person in self.on_call(incident.service.escalation_policy_id)]
        present = self.assignees(incident)[0].id if self.assignees(incident) else ""
        after = levels.index(present) + 1 if present in levels else 0
        by = None if responder_id is None else self.responder(responder_id)
        return await self._moves(incident_id, "escalated", by, assigned=tuple(levels[after : after + 1]))

    async def unacknowledge(self, incident_id: str) -> Incident:
        """The time that an acknowledgement lasts is over: it rings again; as `acknowledge`. One that nobody has acknowledged stays so."""
        if self._incidents[incident_id].status != "acknowledged":
            return self._incidents[incident_id]
        return await self._moves(incident_id, "unacknowledged", None)

    async def reopen(self, incident_id: str, responder_id: str) -> Incident:
        """A responder opens a resolved incident again; as `acknowledge`."""
        if self._incidents[incident_id].is_open:
            return self._incidents[incident_id]
        return await self._moves(incident_id, "reopened", self.responder(responder_id))

    async def _moves(self, incident_id: str, kind: str, by: Responder | None, *, assigned: tuple[str, ...] | None = None) -> Incident:
        incident = self._incidents[incident_id]
        if not incident.is_open and kind != "reopened":
            return incident
        name = by.name if by is not None else incident.service.name
        changed = incident.logged(LogEntry(self._clock(), kind, name, f"{kind.capitalize()} by {name}"))
        changed = self._incidents[incident_id] = replace(
            changed, status="triggered", assigned=incident.assigned if assigned is None else assigned
        )
        self.record.add(kind, incident_id=incident_id, key=incident.key, by=name)
        agent = self.wire.responder(by) if by is not None else self.wire.service(incident.service)
        await self._queue(changed, f"incident.{kind}", agent, {"name": "PagerDuty"}).wait()
        return changed

    async def _person_changes(self, incident_id: str, responder_id: str, status: str, verb: str) -> Incident:
        incident, person = self._incidents[incident_id], self._responders[responder_id]
        if not incident.is_open or incident.status == status:
            return incident
        changed = self._change(incident, status, LogEntry(self._clock(), verb, person.name, f"{status.capitalize()} by {person.name}"))
        await self._queue(changed, f"incident.{status}", self.wire.responder(person), {"name": "PagerDuty"}).wait()
        return changed

    def _change(self, incident: Incident, status: str, entry: LogEntry) -> Incident:
        changed = self._incidents[incident.id] = incident.logged(entry, status=status)
        self.record.add(status, incident_id=incident.id, key=incident.key, by=entry.agent)
        return changed

    # What programs do

    async def _enqueue(self, request: web.Request) -> web.Response:
        body = await request.read()
        return await self._faults.carry_out("pagerduty", "enqueue", request, lambda: self._take(body), THROTTLED)

    async def _not_allowed(self, request: web.Request) -> web.Response:
        """Whoever only asks whether somebody is there: no event, and none is noted."""
        return await self._faults.carry_out("pagerduty", "reach", request, lambda: web.Response(status=405, headers={"Allow": "POST"}))

    def _take(self, body: bytes) -> web.Response:
        event, errors = read_event(body, [key for key, service in self._services.items() if service.id not in self._disabled])
        if errors:
            self.record.add("refused", errors=errors, action=event.get("event_action"), key=event.get("dedup_key"))
            return web.json_response({"status": "invalid event", "message": "Event object is invalid", "errors": errors}, status=400)
        service = self._services[event["routing_key"]]
        key = event.get("dedup_key") or uuid4().hex
        opened = next((item for item in self._incidents.values() if item.is_open and (item.service, item.key) == (service, key)), None)
        self.record.add("event", action=event["event_action"], key=key, routing_key=service.routing_key, joined=opened and opened.id)
        match event["event_action"], opened:
            case "trigger", None:
                self._open(service, key, event)
            case "trigger", Incident() as incident:
                entry = LogEntry(self._clock(), "trigger", service.name, event["payload"]["summary"])
                self._incidents[incident.id] = incident.logged(entry, triggers=incident.triggers + 1)
            case "acknowledge", Incident(status="triggered") as incident:
                self._program_changes(incident, "acknowledged", "acknowledge")
            case "resolve", Incident() as incident:
                self._program_changes(incident, "resolved", "resolve")
            case _:  # nothing open under this key: accepted and without effect, as there
                pass
        return web.json_response({"status": "success", "message": "Event processed", "dedup_key": key}, status=202)

    def _open(self, service: PagedService, key: str, event: Json) -> None:
        payload, now = event["payload"], self._clock()
        incident = Incident(
            id="Q" + uuid4().hex[:13].upper(),
            number=len(self._incidents) + 1,
            service=service,
            key=key,
            title=payload["summary"],
            severity=payload["severity"],
            source=payload["source"],
            created_at=now,
            custom_details=payload.get("custom_details", {}),
            links=tuple(event.get("links", ())),
            client=event.get("client", ""),
            client_url=event.get("client_url", ""),
        )
        incident = incident.logged(LogEntry(now, "trigger", service.name, "Triggered through the API"))
        self._incidents[incident.id] = incident
        self.record.add("opened", incident_id=incident.id, key=key, severity=incident.severity, title=incident.title)
        client = {"name": incident.client, "url": incident.client_url} if incident.client else None
        self._queue(incident, "incident.triggered", self.wire.service(service), client)

    def _program_changes(self, incident: Incident, status: str, verb: str) -> None:
        name = incident.service.name
        changed = self._change(incident, status, LogEntry(self._clock(), verb, name, f"{status.capitalize()} through the API"))
        self._queue(changed, f"incident.{status}", self.wire.service(incident.service), None)

    def _queue(self, incident: Incident, event_type: str, agent: Json, client: Json | None) -> asyncio.Event:
        data = self.wire.hooked(incident, self.assignees(incident))
        return self.webhooks.queue(event_type, agent, client, timestamp(self._clock()), data)
