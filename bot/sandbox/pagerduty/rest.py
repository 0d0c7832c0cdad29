"""PagerDuty's REST API v2 as far as a rota or a look-up needs it: on-calls, escalation policies, users, incidents, notes, alerts.

It only reads the account and holds no state.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.pagerduty.account import Incident, Json
from bot.sandbox.pagerduty.pagerduty import PagerDuty

PAGE_LIMIT = 25  # PagerDuty's default; 100 at most
PAGE_LIMIT_MAX = 100
NOT_FOUND = {"error": {"message": "Not Found", "code": 2100}}
INVALID = {"error": {"message": "Invalid Input Provided", "code": 2001}}
UNAUTHORIZED = {"error": {"message": "Unauthorized", "code": 2006}}
LIMITED = '{"error":{"message":"Rate Limit Exceeded","code":2020}}'


class RestApi:
    """The REST side of `account`. Every request needs `Authorization: Token token=…`."""

    def __init__(self, account: PagerDuty, faults: Faults) -> None:
        self._account = account
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """All the paths that are answered."""
        return [
            web.get("/oncalls", self._carry("oncalls", self._oncalls)),
            web.get("/escalation_policies/{id}", self._carry("escalation_policies", self._policy)),
            web.get("/users", self._carry("users", self._users)),
            web.get("/users/{id}", self._carry("users", self._user)),
            web.get("/incidents", self._carry("incidents", self._incidents)),
            web.get("/incidents/{id}", self._carry("incidents", self._incident)),
            web.get("/incidents/{id}/notes", self._carry("notes", self._notes)),
            web.get("/incidents/{id}/alerts", self._carry("alerts", self._alerts)),
            web.get("/incidents/{id}/log_entries", self._carry("log_entries", self._log)),
        ]

    def _carry(self, method: str, answer: Callable[[web.Request], web.Response]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._faults.carry_out("pagerduty", method, request, lambda: self._guarded(request, answer), LIMITED)

        return handle

    def _guarded(self, request: web.Request, answer: Callable[[web.Request], web.Response]) -> web.Response:
        self._account.record.add("rest", method=request.method, path=request.path, query=sorted(request.query.items()))
        if request.headers.get("Authorization") != f"Token token={self._account.config.api_token}":
            return web.json_response(UNAUTHORIZED, status=401)
        return answer(request)

    # Reads

    def _oncalls(self, request: web.Request) -> web.Response:
        wanted, people = request.query.getall("escalation_policy_ids[]", []), request.query.getall("user_ids[]", [])
        full = "users" in request.query.getall("include[]", [])
        policies = {service.escalation_policy_id: service for service in self._account.config.services}
        found: list[Json] = [
            {
                "escalation_policy": self._account.wire.policy(service),
                "escalation_level": level,
                "schedule": None,
                "user": self._account.wire.responder(person, full=full),
                "start": None,
                "end": None,
            }
            for policy_id, service in policies.items()
            for level, person in enumerate(self._account.on_call(policy_id), start=1)
            if (not wanted or policy_id in wanted) and (not people or person.id in people)
        ]
        return _page(request, "oncalls", found)

    def _policy(self, request: web.Request) -> web.Response:
        found = [one for one in self._account.config.services if one.escalation_policy_id == request.match_info["id"]]
        if not found:
            return web.json_response(NOT_FOUND, status=404)
        named = {"type": "escalation_policy", "name": found[0].escalation_policy_name}
        return web.json_response({"escalation_policy": self._account.wire.policy(found[0]) | named})

    def _users(self, request: web.Request) -> web.Response:
        query = request.query.get("query", "").casefold()
        people = [person for person in self._account.config.responders if query in f"{person.name} {person.email}".casefold()]
        return _page(request, "users", [self._account.wire.responder(person, full=True) for person in people])

    def _user(self, request: web.Request) -> web.Response:
        found = [person for person in self._account.config.responders if person.id == request.match_info["id"]]
        if not found:
            return web.json_response(NOT_FOUND, status=404)
        return web.json_response({"user": self._account.wire.responder(found[0], full=True)})

    def _incidents(self, request: web.Request) -> web.Response:
        key, statuses = request.query.get("incident_key"), request.query.getall("statuses[]", [])
        services = request.query.getall("service_ids[]", [])
        found = [
            incident
            for incident in self._account.incidents
            if (key is None or incident.key == key)
            and (not statuses or incident.status in statuses)
            and (not services or incident.service.id in services)
        ]
        return _page(request, "incidents", [self._read(incident) for incident in found])

    def _incident(self, request: web.Request) -> web.Response:
        return self._of_incident(request, lambda incident: web.json_response({"incident": self._read(incident)}))

    def _notes(self, request: web.Request) -> web.Response:
        def answer(incident: Incident) -> web.Response:
            return web.json_response({"notes": [self._account.wire.note(note) for note in incident.notes]})

        return self._of_incident(request, answer)

    def _alerts(self, request: web.Request) -> web.Response:
        key = request.query.get("alert_key")

        def answer(incident: Incident) -> web.Response:
            found = [self._account.wire.alert(incident)] if key in (None, incident.key) else []
            return _page(request, "alerts", found)

        return self._of_incident(request, answer)

    def _log(self, request: web.Request) -> web.Response:
        def answer(incident: Incident) -> web.Response:
            return _page(request, "log_entries", [self._account.wire.log_entry(incident, entry) for entry in reversed(incident.log)])

        return self._of_incident(request, answer)

    def _of_incident(self, request: web.Request, answer: Callable[[Incident], web.Response]) -> web.Response:
        incident = self._account.incident(request.match_info["id"])
        return web.json_response(NOT_FOUND, status=404) if incident is None else answer(incident)

    def _read(self, incident: Incident) -> Json:
        return self._account.wire.read(incident, self._account.assignees(incident))


def _page(request: web.Request, name: str, found: Sequence[Json]) -> web.Response:
    """One page of `found` with PagerDuty's classic pagination."""
    try:
        limit, offset = int(request.query.get("limit", PAGE_LIMIT)), int(request.query.get("offset", 0))
    except ValueError:
        return web.json_response(INVALID, status=400)
    if not (0 < limit <= PAGE_LIMIT_MAX and offset >= 0):
        return web.json_response(INVALID, status=400)
    total = len(found) if request.query.get("total") == "true" else None
    rest = {"limit": limit, "offset": offset, "total": total, "more": offset + limit < len(found)}
    return web.json_response({name: found[offset : offset + limit], **rest})
