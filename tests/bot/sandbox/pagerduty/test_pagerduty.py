"""PagerDuty in the sandbox, spoken to by PagerDuty's own client over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
from aiohttp import web
from pagerduty import ApiClient, EventsApiV2Client, HttpError, RestApiV2Client

from bot.sandbox.faults import Fault, Faults, Mode
from bot.sandbox.pagerduty.account import PagedService, PagerDutyConfig, Responder
from bot.sandbox.pagerduty.events import read_event
from bot.sandbox.pagerduty.pagerduty import PagerDuty
from bot.sandbox.pagerduty.rest import RestApi

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "fedcba9876543210fedcba9876543210"
SECRETS = ("whs-new", "whs-old")
CONFIG = PagerDutyConfig(
    responders=(
        Responder("PVERA01", "Vera Lindqvist", "vera@northwind.example"),
        Responder("PTOMA02", "Tomás Rey", "tomas@northwind.example"),
    ),
    services=(
        PagedService("PSVC001", "Tier 2 review", KEY, "PPOL001", "Tier 2"),
        PagedService("PSVC002", "Duty officer", OTHER_KEY, "PPOL002", "Duty"),
    ),
    on_call={"PPOL001": ["PVERA01", "PTOMA02"], "PPOL002": ["PTOMA02"]},
    api_token="rest-token",
    webhook_secrets=SECRETS,
)


C = TypeVar("C", bound=ApiClient)


class Clock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now = 1_763_650_000.0

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now


class Account:
    """The account on a port, a bot that takes its webhooks, and PagerDuty's clients pointed at it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.faults = Faults(self.clock)
        self.pagerduty = PagerDuty(CONFIG, self.clock, self.faults, hook_retry_s=0.01)
        self.url = ""
        self.webhooks: list[tuple[dict[str, Any], str, bytes]] = []
        self.answers: list[int] = []
        self.clients: list[ApiClient] = []

    async def take_webhook(self, request: web.Request) -> web.Response:
        """The bot: keeps the event, and answers what the test planned, else 204."""
        body = await request.read()
        self.webhooks.append((json.loads(body)["event"], request.headers["X-PagerDuty-Signature"], body))
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    def events(self, key: str = KEY) -> EventsApiV2Client:
        """PagerDuty's events client; it insists on https, so the address is set behind its back."""
        return self._aimed(EventsApiV2Client(key))

    def rest(self, token: str = CONFIG.api_token) -> RestApiV2Client:
        """PagerDuty's REST client."""
        return self._aimed(RestApiV2Client(token))

    def _aimed(self, client: C) -> C:
        self.clients.append(client)
        client._url = self.url  # noqa: SLF001  # the setter insists on https
        client.max_network_attempts = 0
        client.retry = {}
        return client


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    """A started account."""
    made = Account()
    app = web.Application()
    app.add_routes([*made.pagerduty.routes(), *RestApi(made.pagerduty, made.faults).routes(), web.post("/hooks", made.take_webhook)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    made.pagerduty.connect(made.url + "/hooks")
    await made.pagerduty.start()
    yield made
    for client in made.clients:
        client.close()
    await made.pagerduty.stop()
    await runner.cleanup()


async def trigger(account: Account, dedup_key: str = "case-1/tier2/1", **more: Any) -> str:
    """A page as the bot would send it."""
    arguments = {
        "severity": "warning",
        "custom_details": {"case": "case-1"},
        "links": [{"href": "https://x.example", "text": "Card"}],
        **more,
    }
    return await asyncio.to_thread(account.events().trigger, "Refund waits for a decision", "tierline", dedup_key, **arguments)


async def test_a_trigger_opens_an_incident_with_everything_it_said(account: Account) -> None:
    """Title, severity, details and links are on the incident that the responder sees."""
    key = await trigger(account)
    (incident,) = account.pagerduty.incidents
    assert (incident.key, incident.title, incident.severity, incident.status) == (
        key,
        "Refund waits for a decision",
        "warning",
        "triggered",
    )
    assert incident.custom_details == {"case": "case-1"}
    assert incident.links == ({"href": "https://x.example", "text": "Card"},)


async def test_an_open_key_joins_and_a_resolved_key_opens_anew(account: Account) -> None:
    """PagerDuty deduplicates only while the alert is open: a trigger after resolve pages somebody again."""
    key = await trigger(account)
    await trigger(account)
    await asyncio.to_thread(account.events().acknowledge, key)
    await trigger(account)
    assert account.pagerduty.opened(key) == 1
    assert account.pagerduty.incidents[0].triggers == 3
    assert account.pagerduty.incidents[0].status == "acknowledged"
    await asyncio.to_thread(account.events().resolve, key)
    await trigger(account)
    assert account.pagerduty.opened(key) == 2
    assert [incident.status for incident in account.pagerduty.incidents] == ["resolved", "triggered"]


async def test_a_key_belongs_to_its_service(account: Account) -> None:
    """The same dedup_key under another integration is another alert, and unknown keys change nothing."""
    await trigger(account)
    await asyncio.to_thread(account.events(OTHER_KEY).resolve, "case-1/tier2/1")
    assert account.pagerduty.incidents[0].status == "triggered"
    await asyncio.to_thread(account.events(OTHER_KEY).trigger, "Other", "tierline", "case-1/tier2/1")
    assert len(account.pagerduty.incidents) == 2


async def test_a_late_trigger_after_resolve_pages_again(account: Account) -> None:
    """An event whose reply was lost may be applied after what came later: the incident count shows it."""
    account.faults.add(Fault("pagerduty", "enqueue", Mode.APPLY_LATE, seconds=20))
    with pytest.raises(Exception, match="Non-transient network error"):
        await trigger(account)
    await trigger(account)
    await asyncio.to_thread(account.events().resolve, "case-1/tier2/1")
    account.clock.now += 30
    assert [incident.status for incident in account.pagerduty.incidents] == ["resolved", "triggered"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"routing_key": "short"}, "Length of 'routing_key'"),
        ({"routing_key": "x" * 32}, "not an active integration key"),
        ({"event_action": "page"}, "'event_action'"),
        ({"event_action": "resolve", "dedup_key": None}, "'dedup_key' is missing"),
        ({"dedup_key": "k" * 256}, "Length of 'dedup_key'"),
        ({"payload": None}, "'payload' is missing"),
        ({"payload": {"source": "s", "severity": "info"}}, "'payload.summary'"),
        ({"payload": {"summary": "x" * 1025, "source": "s", "severity": "info"}}, "Length of 'payload.summary'"),
        ({"payload": {"summary": "x", "source": "s", "severity": "high"}}, "'payload.severity'"),
        ({"payload": {"summary": "x", "source": "s", "severity": "info", "custom_details": "text"}}, "'payload.custom_details'"),
        ({"payload": {"summary": "x", "source": "s", "severity": "info", "timestamp": "soon"}}, "'payload.timestamp'"),
        ({"links": [{"text": "no address"}]}, "'links[0].href' is missing"),
        ({"links": [{"href": "a card"}]}, "'links[0].href' is not a valid URL"),
        ({"links": [{"href": "https://a.example", "text": 7}]}, "'links[0].text' must be a string"),
        ({"client": 7}, "'client' must be a string"),
        ({"client_url": "//a.example"}, "'client_url' is not a valid URL"),
        ({"images": [{"src": "http://plain.example/x.png"}]}, "must be served via HTTPS"),
        ({"images": [{"src": "https://a.example/x.png", "alt": None}]}, "'images[0].alt' must be a string"),
    ],
)
def test_what_the_events_api_refuses(change: dict[str, Any], error: str) -> None:
    """Each broken rule of the published schema is named in the answer."""
    good = {"routing_key": KEY, "event_action": "trigger", "dedup_key": "k", "payload": {"summary": "x", "source": "s", "severity": "info"}}
    assert read_event(json.dumps(good).encode(), [KEY])[1] == []
    _, errors = read_event(json.dumps({**good, **change}).encode(), [KEY])
    assert len(errors) == 1
    assert error in errors[0]


async def test_a_bad_event_is_a_400_and_opens_nothing(account: Account) -> None:
    """The real client raises on the 400 and no incident exists."""
    with pytest.raises(HttpError, match="400"):
        await trigger(account, severity="high")
    assert account.pagerduty.incidents == []
    assert account.pagerduty.record.count("refused") == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"a":1}', b'"text"'])
def test_nonsense_is_refused_not_raised(body: bytes) -> None:
    """Bytes that are no event are an answer, never an exception."""
    assert read_event(body, [KEY])[1]


async def test_a_person_acknowledges_resolves_and_notes(account: Account) -> None:
    """Each act of a responder arrives as a signed V3 webhook with the person as agent."""
    await trigger(account)
    incident_id = account.pagerduty.incidents[0].id
    await account.pagerduty.acknowledge(incident_id, "PVERA01")
    await account.pagerduty.note(incident_id, "PVERA01", "Calling the customer.")
    await account.pagerduty.resolve(incident_id, "PTOMA02")
    kinds = [event["event_type"] for event, _, _ in account.webhooks]
    assert kinds == ["incident.triggered", "incident.acknowledged", "incident.annotated", "incident.resolved"]
    acknowledged, annotated, resolved = (event for event, _, _ in account.webhooks[1:])
    assert set(acknowledged) == {"id", "event_type", "resource_type", "occurred_at", "agent", "client", "data"}
    assert acknowledged["agent"]["summary"] == "Vera Lindqvist"
    assert acknowledged["data"]["incident_key"] == "case-1/tier2/1"
    assert (annotated["data"]["type"], annotated["data"]["content"]) == ("incident_note", "Calling the customer.")
    assert annotated["data"]["incident"]["id"] == incident_id
    assert resolved["data"]["status"] == "resolved"
    assert len({event["id"] for event, _, _ in account.webhooks}) == 4


async def test_webhooks_are_signed_with_every_secret(account: Account) -> None:
    """During a rotation both signatures are sent; either verifies the raw body."""
    await trigger(account)
    await account.pagerduty.webhooks.settled()
    _, signature, body = account.webhooks[0]
    assert signature.split(",") == ["v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in SECRETS]


@pytest.mark.parametrize(("answers", "deliveries"), [([500, 429, 204], 3), ([404], 1), ([204], 1)])
async def test_webhooks_come_again_until_taken_or_refused(account: Account, answers: list[int], deliveries: int) -> None:
    """5xx and 429 are tried again with the same event id; a 4xx is dropped."""
    account.answers = answers
    await trigger(account)
    await account.pagerduty.webhooks.settled()
    assert len(account.webhooks) == deliveries
    assert len({event["id"] for event, _, _ in account.webhooks}) == 1


async def test_webhooks_can_come_twice_or_never(account: Account) -> None:
    """At-least-once means twice; and one can be lost."""
    account.pagerduty.webhooks.copies = 2
    await trigger(account)
    await account.pagerduty.webhooks.settled()
    assert len(account.webhooks) == 2
    account.pagerduty.webhooks.copies, account.pagerduty.webhooks.lose = 1, 1
    await account.pagerduty.acknowledge(account.pagerduty.incidents[0].id, "PVERA01")
    assert len(account.webhooks) == 2
    account.faults.add(Fault("pagerduty", "webhook", Mode.DROP_REPLY))
    await account.pagerduty.resolve(account.pagerduty.incidents[0].id, "PVERA01")
    await account.pagerduty.webhooks.settled()
    assert [event["event_type"] for event, _, _ in account.webhooks[2:]] == ["incident.resolved", "incident.resolved"]


async def test_a_person_does_not_wait_for_a_bot_that_is_down(account: Account) -> None:
    """Webhooks stay in order and come when the bot is back; meanwhile people go on."""
    outage = account.faults.add(Fault("pagerduty", "webhook", Mode.UNREACHABLE, times=None))
    await trigger(account)
    await account.pagerduty.acknowledge(account.pagerduty.incidents[0].id, "PVERA01")
    await account.pagerduty.resolve(account.pagerduty.incidents[0].id, "PVERA01")
    assert account.webhooks == []
    account.faults.remove(outage)
    await account.pagerduty.webhooks.settled()
    assert [event["event_type"] for event, _, _ in account.webhooks] == ["incident.triggered", "incident.acknowledged", "incident.resolved"]


async def test_who_is_on_call(account: Account) -> None:
    """The rota asks by escalation policy and learns names and addresses."""
    params = {"escalation_policy_ids": ["PPOL001"], "include": ["users"], "earliest": True}
    found = await asyncio.to_thread(account.rest().list_all, "/oncalls", params=params)
    assert [(entry["user"]["email"], entry["escalation_level"]) for entry in found] == [
        ("vera@northwind.example", 1),
        ("tomas@northwind.example", 2),
    ]
    account.pagerduty.put_on_call("PPOL001")
    assert await asyncio.to_thread(account.rest().list_all, "/oncalls", params=params) == []


async def test_incidents_are_found_by_key_and_status(account: Account) -> None:
    """Before a retry the bot can look whether its page arrived; the alert and the notes are readable."""
    key = await trigger(account)
    await trigger(account, "case-2/tier2/1")
    rest = account.rest()
    found = await asyncio.to_thread(rest.list_all, "/incidents", params={"incident_key": key, "statuses": ["triggered", "acknowledged"]})
    assert [incident["incident_key"] for incident in found] == [key]
    incident_id = found[0]["id"]
    await account.pagerduty.note(incident_id, "PVERA01", "On it.")
    read: Callable[[str], Any] = rest.rget
    assert (await asyncio.to_thread(read, f"/incidents/{incident_id}"))["status"] == "triggered"
    assert [note["content"] for note in await asyncio.to_thread(read, f"/incidents/{incident_id}/notes")] == ["On it."]
    (alert,) = await asyncio.to_thread(rest.list_all, f"/incidents/{incident_id}/alerts", params={"alert_key": key})
    assert (alert["alert_key"], alert["severity"], alert["body"]["details"]) == (key, "warning", {"case": "case-1"})
    await account.pagerduty.resolve(incident_id, "PVERA01")
    assert await asyncio.to_thread(rest.list_all, "/incidents", params={"incident_key": key, "statuses": ["triggered"]}) == []


async def test_the_rest_api_wants_its_token(account: Account) -> None:
    """A wrong token is a 401, an unknown incident a 404."""
    with pytest.raises(HttpError, match="401"):
        await asyncio.to_thread(account.rest("wrong").rget, "/incidents")
    with pytest.raises(HttpError, match="404"):
        await asyncio.to_thread(account.rest().rget, "/incidents/QNONE")


def test_a_routing_key_has_its_length() -> None:
    """A configuration PagerDuty could not have is refused when it is made."""
    with pytest.raises(ValueError, match="32 characters"):
        PagedService("P1", "Short", "abc", "P2", "Policy")
