"""Services are told: signed, provable by the receiver kit, the same webhook-id on every try, and never at an address that is not theirs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.delivery.callback import Callbacks
from bot.delivery.signed_post import SignedPosts
from bot.services import Services
from bot.slack.cards.view import Happening, View
from store.audit.checkpoint_directory import CheckpointDirectory
from store.audit.signed_note import Signer
from store.checkpoint_signing import Signing
from store.outbox.delivery import Outgoing, SendError
from store.outbox.outbox import Outbox
from tests.bot.edge import CALLBACKS, Edge, a_case, open_edge, services
from tests.examples.customer import kit

LOOPBACK = '["127.0.0.0/8"]'


class Receiver:
    """A service's endpoint: keeps what comes and answers what it is told to."""

    def __init__(self) -> None:
        self.answer = web.Response()
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        """One callback."""
        self.seen.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return self.answer

    @property
    def body(self) -> dict[str, Any]:
        """The newest callback."""
        found: dict[str, Any] = json.loads(self.seen[-1][1])
        return found


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a port."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/tierline", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/tierline"
    yield receiver
    await runner.cleanup()


class Office:
    """An edge with one decided case, its outbox, a signer and a receiver."""

    def __init__(self, edge: Edge, receiver: Receiver, directory: Path) -> None:
        self.edge = edge
        self.receiver = receiver
        self.signer = Signer("tierline/test", Ed25519PrivateKey.generate())
        books = edge.books
        self.outbox = Outbox(books.database, books.writer, books.ledger, "boot")
        kept = CheckpointDirectory(directory, [self.signer.vkey])
        self.signing = Signing(
            books.database, books.writer, books.ledger, books.wakeups, directory=kept, signer=self.signer, clock=books.clock
        )

    async def callback(self) -> tuple[Outgoing, View]:
        """The callback that waits, and its case."""
        (row,) = await self.outbox.claim("callback")
        scene = await self.edge.reads.scene(row.case_id)
        assert scene is not None
        history = tuple(Happening(h.kind, h.actor, h.at, h.fields, h.opened, h.index) for h in scene.history)
        return row, View(scene.case, scene.submission, history, self.edge.books.clock())

    async def send(self, row: Outgoing, view: View, known: Services | None = None) -> None:
        """One try."""
        posts = SignedPosts(self.edge.books.clock, timeout_s=None)
        try:
            await Callbacks(known or services(self.receiver.url, LOOPBACK), self.edge.receipts, posts).send(row, view)
        finally:
            await posts.close()

    async def failure(self, row: Outgoing, view: View, known: Services | None = None) -> SendError:
        """The error of one try."""
        with pytest.raises(SendError) as error:
            await self.send(row, view, known)
        return error.value


@pytest.fixture
async def office(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    """An edge, a receiver and a signer."""
    async with open_edge(sqlite_url) as edge, receiving() as receiver:
        yield Office(edge, receiver, tmp_path / "checkpoints")


async def decided(office: Office, verb: str = "approve", text: str = "", **changes: Any) -> str:
    """A case that was decided and signed; its id."""
    case_id = str((await office.edge.post("/v1/cases", a_case(**changes))).body["id"])
    await office.edge.press(case_id, verb, text)
    await office.signing.tick()
    return case_id


async def test_a_decision_arrives_as_the_contract_says_and_is_proven(office: Office, tmp_path: Path) -> None:
    """The receiver kit, with the pinned key and the callback secret, believes it and may execute exactly this action."""
    action = {"type": "refund.create", "params": {"amount": "1240.00"}, "before": {"refunded": False}}
    case_id = await decided(office, text="Fine", action=action, labels={"region": "eu"}, prefill={"category": "billing"})
    await office.send(*await office.callback())
    body = office.receiver.body
    data = body["data"]
    assert set(body) == {"type", "timestamp", "data"}
    assert (body["type"], data["case_id"], data["sequence"], data["verdict"]) == ("case.decided", case_id, 1, "approved")
    assert (data["rationale"], data["labels"], data["prefill"]) == ("Fine", {"region": "eu"}, {"category": "billing"})
    assert [(person["slack_id"], person["name"], person["step"]) for person in data["decided_by"]] == [("U0FRONT", "Ada Front", "approve")]
    acted: list[Any] = []
    now = office.edge.books.clock().timestamp()
    receiver = kit.Receiver(
        str(tmp_path / "receiver.db"),
        secrets=[CALLBACKS],
        vkeys=[str(office.signer.vkey)],
        act=lambda _db, callback: acted.append(callback),
        clock=lambda: now,
    )
    assert receiver.receive(*office.receiver.seen[-1]) == (200, "accepted")
    assert receiver.receive(*office.receiver.seen[-1]) == (200, "seen before")
    (callback,) = acted
    assert (callback.may_execute, callback.action) == (True, action)


async def test_a_rejection_carries_its_reason(office: Office) -> None:
    """What the person chose and wrote, and no doubt that a person said no."""
    await decided(office, "reject", "Wrong customer")
    await office.send(*await office.callback())
    data = office.receiver.body["data"]
    assert (data["verdict"], data["reason_code"], data["rationale"]) == ("rejected", "other", "Wrong customer")


async def test_a_question_reaches_the_service(office: Office) -> None:
    """The question, and by when an answer is expected; no receipt is needed to answer a question."""
    case_id = str((await office.edge.post("/v1/cases", a_case())).body["id"])
    await office.edge.press(case_id, "ask", "Which order?")
    await office.send(*await office.callback())
    body = office.receiver.body
    assert (body["type"], body["data"]["questions"], body["data"]["due_at"]) == (
        "case.information_requested",
        ["Which order?"],
        "2026-11-21T12:00:00.000000Z",
    )


async def test_every_try_is_the_same_message(office: Office) -> None:
    """After a failure the webhook-id stays, so that a receiver that did take it knows it again."""
    await decided(office)
    row, view = await office.callback()
    office.receiver.answer = web.Response(status=500)
    error = await office.failure(row, view)
    assert (error.permanent, error.ambiguous, error.retry_after_s, str(error)) == (False, False, None, "answered 500")
    office.receiver.answer = web.Response(status=204)
    office.edge.books.clock.forward(3600)
    await office.send(row, view)
    first, second = office.receiver.seen
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert first[0]["webhook-timestamp"] != second[0]["webhook-timestamp"]
    assert first[1] == second[1]


async def test_what_an_answer_means(office: Office) -> None:
    """410 ends it; a redirect is a failure; Retry-After is kept in both spellings, an hour at most; "at once" is not obeyed."""
    await decided(office)
    row, view = await office.callback()
    cases: list[tuple[int, dict[str, str], bool, float | None]] = [
        (410, {}, True, None),
        (404, {}, False, None),
        (302, {"Location": "http://127.0.0.1:1/"}, False, None),
        (503, {"Retry-After": "7"}, False, 7.0),
        (429, {"Retry-After": "Fri, 20 Nov 2026 12:00:30 GMT"}, False, 30.0),
        (429, {"Retry-After": "99999"}, False, 3600.0),
        (503, {"Retry-After": "0"}, False, None),
        (429, {"Retry-After": "Fri, 20 Nov 2026 11:00:00 GMT"}, False, None),
        (429, {"Retry-After": "soon"}, False, None),
        (429, {"Retry-After": "Fri, 99 Nov 2026 12:00:30 GMT"}, False, None),
    ]
    for status, headers, permanent, retry_after_s in cases:
        office.receiver.answer = web.Response(status=status, headers=headers)
        error = await office.failure(row, view)
        assert (error.permanent, error.retry_after_s) == (permanent, retry_after_s), (status, headers)


async def test_what_cannot_be_reached_is_tried_again(office: Office) -> None:
    """No server, an inside address, a service that left the file: nothing of it is final, and no reason quotes the URL."""
    await decided(office)
    row, view = await office.callback()
    gone = await office.failure(row, view, services("http://127.0.0.1:9/secret-path", LOOPBACK))
    inside = await office.failure(row, view, services(office.receiver.url.replace("http:", "https:"), "[]"))
    stranger = await office.failure(replace(row, message=replace(row.message, destination="nobody")), view)
    assert str(inside) == "the address is inside and not in the service's networks"
    assert str(stranger) == "the services file has no service nobody"
    assert not any(error.permanent or "secret-path" in str(error) for error in (gone, inside, stranger))
    assert office.receiver.seen == []


async def test_no_decision_leaves_without_its_proof(office: Office) -> None:
    """Until a signed checkpoint covers it, the callback waits a moment and is not sent."""
    case_id = str((await office.edge.post("/v1/cases", a_case())).body["id"])
    await office.edge.press(case_id)
    row, view = await office.callback()
    error = await office.failure(row, view)
    assert (error.permanent, error.retry_after_s) == (False, 0.25)
    waits = [(await office.failure(replace(row, attempts=attempts), view)).retry_after_s for attempts in (1, 3, 50)]
    assert waits == [0.5, 2.0, 30.0], "a signer that is away for hours is not asked four times a second"
    assert office.receiver.seen == []
