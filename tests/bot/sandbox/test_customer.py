"""The customer's service in the sandbox: what it signs, what it believes, what it executes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from bot.sandbox.customer import Customer, CustomerConfig
from bot.sandbox.faults import Fault, Faults, Mode

SECRET = "whsec_dGhlLWludGFrZS1zZWNyZXQtb2YtdGhlLXJlZnVuZC1hZ2VudA=="
CALLBACK = "whsec_dGhlLWNhbGxiYWNrLXNlY3JldC1vZi10aGUtcmVmdW5kLWFnZW50"
NOW = 1_763_650_000.0


class Service:
    """The service on a port, and a bot that answers what it is told to."""

    def __init__(self) -> None:
        self.faults = Faults(lambda: NOW)
        self.customer = Customer(CustomerConfig("refund-agent", SECRET, (CALLBACK,)), lambda: NOW, self.faults)
        self.url = ""
        self.heard: list[tuple[str, Mapping[str, str], bytes]] = []

    async def hear(self, request: web.Request) -> web.Response:
        """The bot: keeps what came and answers 202."""
        self.heard.append((request.path_qs, dict(request.headers), await request.read()))
        return web.json_response({"id": "case-1"}, status=202)

    async def call_back(self, payload: dict[str, Any], webhook_id: str = "msg_1", secret: str = CALLBACK, at: float = NOW) -> int:
        """The bot delivers a callback; returns the status of the answer, 0 when the connection was cut."""
        body = json.dumps(payload)
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at)),
            "webhook-signature": Webhook(secret).sign(webhook_id, datetime.fromtimestamp(at, UTC), body),
        }
        async with aiohttp.ClientSession() as session:
            try:
                async with session.post(self.url + "/callbacks", data=body, headers=headers) as answer:
                    return answer.status
            except aiohttp.ServerDisconnectedError:
                return 0


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A started service."""
    made = Service()
    app = web.Application()
    app.add_routes([*made.customer.routes(), web.route("*", "/v1/{rest:.*}", made.hear)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    made.customer.connect(made.url)
    await made.customer.start()
    yield made
    await made.customer.stop()
    await runner.cleanup()


def decided(sequence: int = 1, verdict: str = "approved", case_id: str = "case-1") -> dict[str, Any]:
    """A decision as the contract has it, shortened."""
    return {"type": "case.decided", "data": {"case_id": case_id, "sequence": sequence, "verdict": verdict}}


async def test_cases_are_signed_as_standard_webhooks_ask(service: Service) -> None:
    """The signature over id, timestamp and the exact body verifies; the answer is kept with the case."""
    assert await service.customer.post({"task_id": "t-17"}, webhook_id="msg_a") == (202, {"id": "case-1"})
    path, headers, body = service.heard[0]
    assert path == "/v1/cases"
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert headers["webhook-signature"] == Webhook(SECRET).sign("msg_a", at, body.decode())
    (posted,) = service.customer.posted
    assert (posted.webhook_id, posted.status, posted.answer) == ("msg_a", 202, {"id": "case-1"})


async def test_a_get_signs_its_target_and_posts_say_what_they_are_about(service: Service) -> None:
    """One signature never serves another call: GET signs path and query, a POST to a case carries type and case_id."""
    await service.customer.get("/v1/cases/case-1?wait=5")
    path, headers, _ = service.heard[0]
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert headers["webhook-signature"] == Webhook(SECRET).sign(headers["webhook-id"], at, path)
    await service.customer.report_outcome("case-1", "executed", executed_action_sha256="ab")
    await service.customer.supply_information("case-1", request="more")
    await service.customer.withdraw("case-1", "not needed")
    bodies = [(path, json.loads(body)) for path, _, body in service.heard[1:]]
    assert bodies == [
        ("/v1/cases/case-1/outcome", {"type": "case.outcome", "case_id": "case-1", "result": "executed", "executed_action_sha256": "ab"}),
        ("/v1/cases/case-1/information", {"type": "case.information", "case_id": "case-1", "request": "more"}),
        ("/v1/cases/case-1/withdraw", {"type": "case.withdraw", "case_id": "case-1", "reason": "not needed"}),
    ]


async def test_an_approval_is_executed_once(service: Service) -> None:
    """The same webhook-id again is acknowledged and changes nothing."""
    assert [await service.call_back(decided()), await service.call_back(decided())] == [200, 200]
    assert (len(service.customer.inbox), len(service.customer.executed), service.customer.duplicates) == (1, 1, 1)


@pytest.mark.parametrize("verdict", ["rejected", "expired", "withdrawn", "auto_rejected", "unheard-of"])
async def test_only_an_approval_executes(service: Service, verdict: str) -> None:
    """Nobody answering is not a yes."""
    await service.call_back(decided(verdict=verdict))
    assert (len(service.customer.inbox), service.customer.executed) == (1, [])


async def test_a_lower_sequence_is_ignored(service: Service) -> None:
    """An overtaken callback of the same case executes nothing; another case has its own count."""
    await service.call_back(decided(2, "rejected"), "msg_2")
    await service.call_back(decided(1, "approved"), "msg_1")
    await service.call_back(decided(1, "approved", "case-2"), "msg_3")
    assert [callback.outcome for callback in service.customer.inbox] == ["noted", "stale", "executed"]


@pytest.mark.parametrize(("secret", "at"), [(SECRET, NOW), (CALLBACK, NOW - 301), (CALLBACK, NOW + 301)])
async def test_a_callback_that_does_not_verify_is_refused(service: Service, secret: str, at: float) -> None:
    """Another secret or an old timestamp: 401, and nothing in the inbox."""
    assert await service.call_back(decided(), secret=secret, at=at) == 401
    assert (service.customer.inbox, service.customer.refused) == ([], 1)


async def test_the_services_own_check_can_refuse(service: Service) -> None:
    """A receipt or hash that does not fit is refused with the reason, and may come again."""

    def verify(body: bytes, headers: Mapping[str, str]) -> None:
        raise ValueError("the hash is not that of the action")

    service.customer.verify = verify
    assert await service.call_back(decided()) == 422
    assert service.customer.record.find("refused")[0].data["reason"] == "the hash is not that of the action"
    service.customer.verify = None
    assert await service.call_back(decided()) == 200
    assert len(service.customer.executed) == 1


async def test_callbacks_survive_a_lost_reply_and_an_outage(service: Service) -> None:
    """Lost reply: taken, and the retry is a duplicate. 5xx and drop: not taken. Hang: taken when released."""
    service.faults.add(Fault("customer", "callback", Mode.DROP_REPLY))
    assert await service.call_back(decided()) == 0
    assert await service.call_back(decided()) == 200
    assert (len(service.customer.executed), service.customer.duplicates) == (1, 1)
    service.faults.add(Fault("customer", "callback", Mode.SERVER_ERROR))
    service.faults.add(Fault("customer", "callback", Mode.UNREACHABLE))
    assert [await service.call_back(decided(2), "msg_2"), await service.call_back(decided(2), "msg_2")] == [503, 0]
    assert len(service.customer.inbox) == 1
    released = asyncio.Event()
    service.faults.add(Fault("customer", "callback", Mode.DELAY, until=released))
    waiting = asyncio.create_task(service.call_back(decided(2), "msg_2"))
    released.set()
    assert await waiting == 200
    assert len(service.customer.inbox) == 2


async def test_hostile_bytes_are_answered_not_raised(service: Service) -> None:
    """No signature, odd headers, bytes that are no text: always 401."""
    async with aiohttp.ClientSession() as session:
        for headers in (
            {},
            {"webhook-id": "a", "webhook-timestamp": "²", "webhook-signature": "v1"},
            {"webhook-id": "a", "webhook-timestamp": "9" * 40},
        ):
            async with session.post(service.url + "/callbacks", data=b"\xff\x00", headers=headers) as answer:
                assert answer.status == 401
