"""The edge of the bot on a loopback port over a real store: services post to it as they would, and the clock moves when told."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import func, select

from bot.http.admission import Admission
from bot.http.followups import Followups
from bot.http.intake import Intake
from bot.http.openapi import openapi_route
from bot.http.precheck import Precheck
from bot.http.problem import problems
from bot.http.rate_limit import RateLimit
from bot.http.reading import Api
from bot.http.turns import Turns
from bot.services import Services, load_services
from bot.standard_webhooks import sign
from routing.case.people import Person, Press
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.review.verbs import step_of
from routing.webhook import read_secret
from store.ledger.answers import Changed
from store.reads.cases import Reads
from store.reads.receipts import Receipts
from store.schema import cases
from tests.store.a_store import Books, open_books

REFUNDS = "whsec_cmVmdW5kcy1yZWZ1bmRzLXJlZnVuZHMtcmVmdW5kcyE="
OTHERS = "whsec_b3RoZXJzLW90aGVycy1vdGhlcnMtb3RoZXJzLW90aGU="
CALLBACKS = "whsec_Y2FsbGJhY2tzLWNhbGxiYWNrcy1jYWxsYmFja3MtY2E="
OTHER_CALLBACKS = "whsec_Y2FsbGJhY2tzMi1jYWxsYmFja3MyLWNhbGxiYWNrczI="

POLICY = load_policy(
    b"""
version: "2026-11-20.1"
changes: "for tests of the edge"
defaults: {undo: 0s}
groups: {frontline: {users: [U0FRONT]}}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline, owner: U0OWNER, ack: 15m, decide: 4h}
workflows:
  refunds: {ladder: standard, template: approval, required: [request]}
  invoices: {ladder: standard, template: approval}
""",
    {},
)


def services(callback_url: str = "https://refunds.internal.example/tierline", networks: str = "[]") -> Services:
    """Two services: `refund-agent` posts refunds, `other-agent` invoices."""
    return load_services(
        f"""
services:
  - {{name: refund-agent, secrets: [{REFUNDS}], callback_secret: {CALLBACKS}, callback_url: "{callback_url}",
     networks: {networks}, workflows: [refunds]}}
  - {{name: other-agent, secrets: [{OTHERS}], callback_secret: {OTHER_CALLBACKS},
     callback_url: https://others.internal.example/tierline, workflows: [invoices, refund]}}
""".encode(),
        {},
    )


def a_case(**changes: Any) -> dict[str, Any]:
    """What a service posts; None takes a field away."""
    body = {
        "workflow": "refunds",
        "task_id": "t-17",
        "title": "Refund 1,240.00 USD to customer 8841",
        "request": "Please refund me",
        "action": {"type": "refund.create", "params": {"amount": "1240.00"}},
        "model": {"name": "m", "version": "1", "confidence": 0.83},
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


@dataclass
class Answer:
    """What came back."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]
    kind: str


@dataclass
class Edge:
    """A running edge."""

    books: Books
    services: Services
    reads: Reads
    receipts: Receipts
    api: Api
    url: str = ""
    tallied: list[tuple[Any, ...]] = field(default_factory=list)
    session: aiohttp.ClientSession = field(init=False)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)

    def new_id(self) -> str:
        """A webhook-id that was not used before."""
        return f"msg_{next(self._ids)}"

    async def post(self, path: str, body: object, *, secret: str = REFUNDS, webhook_id: str | None = None) -> Answer:
        """Post signed JSON, or bytes as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.send("POST", path, raw, self.headers(raw, secret, webhook_id))

    async def get(self, target: str, *, secret: str = REFUNDS) -> Answer:
        """Get a signed target."""
        return await self.send("GET", target, None, self.headers(target.encode(), secret))

    def headers(self, signed: bytes, secret: str = REFUNDS, webhook_id: str | None = None) -> dict[str, str]:
        """Headers for a signature over these bytes, by the edge's own clock."""
        return sign([read_secret(secret)], webhook_id or self.new_id(), self.books.clock(), signed)

    async def send(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send as it is."""
        async with self.session.request(method, self.url + target, data=body, headers=headers) as response:
            raw = await response.read()
            document = json.loads(raw) if raw else {}
            return Answer(response.status, document, response.headers, response.content_type)

    async def press(self, case_id: str, verb: str = "approve", text: str = "") -> None:
        """A reviewer presses."""
        case = await self.reads.case(case_id)
        assert case is not None
        person = Person("U0FRONT", "T0HOME", name="Ada Front", groups=frozenset({"frontline"}))
        made = Press(verb, person, case_id, case.face, "T0HOME", text=text, reason_code="other")
        assert isinstance(await self.books.ledger.change(case_id, step_of(made), press=made), Changed)

    async def until_waiting(self, requests: int) -> None:
        """Until this many long polls wait."""
        while True:
            if self.api.waiting == requests:
                return
            await asyncio.sleep(0)

    async def count(self) -> int:
        """How many cases there are."""
        return await self.books.database.read(lambda c: int(c.execute(select(func.count()).select_from(cases)).scalar_one()))


@asynccontextmanager
async def open_edge(url: str, *, pace: RateLimit | None = None, policy: Policy = POLICY, turns: Turns | None = None) -> AsyncIterator[Edge]:
    """Open database, ledger and server."""
    async with open_books(url, load=lambda text: load_policy(text, {})) as books:
        await books.ledger.activate(policy)
        reads = Reads(books.database, books.vault, books.policies)
        receipts = Receipts(books.database, books.vault)
        known = services()
        admission = Admission(known, books.clock, pace or RateLimit(lambda: 0.0, burst=1e9))
        api = Api(admission, reads, receipts, books.wakeups, lambda: policy)
        edge = Edge(books, known, reads, receipts, api)
        app = web.Application(middlewares=[problems])
        intake = Intake(
            admission, books.ledger, lambda: policy, lambda status: edge.tallied.append(("intake", status)), turns or Turns(None)
        )
        app.add_routes(intake.routes())
        app.add_routes(Followups(admission, books.ledger, reads, lambda kind, status: edge.tallied.append((kind, status))).routes())
        app.add_routes(Precheck(admission, lambda: policy, reads.governance, books.clock).routes())
        app.add_routes(api.routes())
        app.add_routes([openapi_route("0.1.0")])
        runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        edge.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession(trust_env=False) as session:
            edge.session = session
            yield edge
        await runner.cleanup()
