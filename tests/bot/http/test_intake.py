"""Cases come in: stored once, answered truthfully, refused with every reason at once."""

import asyncio
import hashlib
import json
from codecs import BOM_UTF8
from collections.abc import AsyncIterator

import rfc8785

from bot.http.rate_limit import RateLimit
from tests.bot.edge import OTHERS, REFUNDS, Edge, a_case, open_edge


async def test_a_case_is_stored_and_answered_as_the_contract_says(edge: Edge) -> None:
    """202 with where the case stands and the hash of what would be executed, never a verdict."""
    answer = await edge.post("/v1/cases", a_case())
    assert answer.status == 202
    hashed = hashlib.sha256(rfc8785.dumps({**a_case()["action"], "before": None})).hexdigest()
    assert answer.body["action_sha256"] == hashed
    assert {name: answer.body[name] for name in ("state", "tier", "revision", "missing", "policy_version", "checkpoint")} == {
        "state": "pending",
        "tier": 1,
        "revision": 1,
        "missing": [],
        "policy_version": "2026-11-20.1",
        "checkpoint": None,
    }
    assert "verdict" not in answer.body
    case = await edge.reads.case(answer.body["id"])
    assert case is not None
    assert (case.service, case.task_id) == ("refund-agent", "t-17")
    assert edge.tallied == [("intake", 202)]


async def test_a_retry_makes_no_second_case(edge: Edge) -> None:
    """Parallel senders of one webhook-id get one case and the same answer; so does the same task under a new id."""
    answers = await asyncio.gather(*(edge.post("/v1/cases", a_case(), webhook_id="msg_same") for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 19 + [202]
    assert len({json.dumps(answer.body) for answer in answers}) == 1
    again = await edge.post("/v1/cases", a_case(), webhook_id="msg_new")
    assert (again.status, again.body) == (200, answers[0].body)
    assert await edge.count() == 1


async def test_a_byte_order_mark_changes_nothing(edge: Edge) -> None:
    """The signature is over the bytes that came; what they hold is the same case."""
    body = json.dumps(a_case()).encode()
    first, again = await edge.post("/v1/cases", BOM_UTF8 + body), await edge.post("/v1/cases", body)
    assert (first.status, again.status) == (202, 200)
    assert first.body["id"] == again.body["id"]


async def test_other_content_is_a_conflict(edge: Edge) -> None:
    """409 under a used webhook-id; for a known task the answer points to where changed content goes."""
    first = await edge.post("/v1/cases", a_case(), webhook_id="msg_same")
    other = await edge.post("/v1/cases", a_case(title="Another"), webhook_id="msg_same")
    assert (other.status, other.body["type"]) == (409, "urn:tierline:problem:webhook-id-used")
    changed = await edge.post("/v1/cases", a_case(title="Another"))
    assert (changed.status, changed.body["type"]) == (409, "urn:tierline:problem:task-exists")
    assert changed.body["information"] == f"/v1/cases/{first.body['id']}/information"
    assert changed.kind == "application/problem+json"


async def test_every_wrong_field_is_named(edge: Edge) -> None:
    """One 422 is enough to repair the sender."""
    answer = await edge.post("/v1/cases", a_case(task_id=None, urgency=1, model={"confidence": "high"}, deadline="tomorrow"))
    assert (answer.status, answer.kind) == (422, "application/problem+json")
    assert {error["pointer"] for error in answer.body["errors"]} == {"/task_id", "/urgency", "/model/confidence", "/deadline"}
    for body in (
        b"",
        b"[]",
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":"\\u0000"}',
        b"\xff",
        b'{"a":1e999}',
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ):
        answer = await edge.post("/v1/cases", body)
        assert (answer.status, bool(answer.body["errors"])) == (422, True), body
    assert await edge.count() == 0


async def test_what_no_audit_event_can_hold_is_a_wrong_body(edge: Edge) -> None:
    """Within every limit of its own, yet together too long for one leaf of the log: 422, and nothing is stored."""
    evidence = [{"id": f"{number:03}" + "\u20ac" * 197, "kind": "record"} for number in range(100)]
    answer = await edge.post("/v1/cases", a_case(evidence=evidence, risk={"flags": ["\u20ac" * 198 + f"{n:02}" for n in range(50)]}))
    assert (answer.status, len(answer.body["errors"])) == (422, 1)
    assert await edge.count() == 0


async def test_a_service_posts_for_its_own_workflows(edge: Edge) -> None:
    """A workflow that does not exist is a wrong field, one of somebody else's is forbidden."""
    answer = await edge.post("/v1/cases", a_case(workflow="refund"))
    assert (answer.status, answer.body["errors"]) == (
        422,
        [{"pointer": "/workflow", "message": 'unknown workflow; did you mean "refunds"?'}],
    )
    assert (await edge.post("/v1/cases", a_case(workflow="invoices"))).status == 403
    assert (await edge.post("/v1/cases", a_case(workflow="invoices"), secret=OTHERS)).status == 202


async def test_what_is_too_large_is_not_read(edge: Edge) -> None:
    """413 by the announced length, and while reading where none is announced."""
    raw = json.dumps(a_case(request="x" * 300_000)).encode()
    assert (await edge.post("/v1/cases", raw)).status == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 16_384

    async with edge.session.post(edge.url + "/v1/cases", data=endless(), headers=edge.headers(b"")) as response:
        assert response.status == 413
    just = json.dumps(a_case(request="x" * 99_000)).encode()
    assert (await edge.post("/v1/cases", just)).status == 202


async def test_an_announced_length_is_believed(edge: Edge) -> None:
    """Who announces too much is answered before a single byte of the body came."""
    host, port = edge.url.removeprefix("http://").split(":")
    headers = {"Host": host, "Content-Length": "262145", **edge.headers(b"")}
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /v1/cases HTTP/1.1\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items()) + b"\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_a_compressed_body_is_refused(edge: Edge) -> None:
    """The signature covers what is sent, and nothing is unpacked for a stranger."""
    raw = json.dumps(a_case()).encode()
    answer = await edge.send("POST", "/v1/cases", raw, edge.headers(raw) | {"Content-Encoding": "gzip"})
    assert answer.status == 415


async def test_a_bad_signature_says_what_to_check_and_no_more(edge: Edge) -> None:
    """Wrong secret, old timestamp, changed body, missing header: the same answer to all of them."""
    raw = json.dumps(a_case()).encode()
    good = edge.headers(raw)
    edge.books.clock.forward(301)
    attempts = [
        good,
        edge.headers(raw + b" "),
        edge.headers(raw, "whsec_c29tZWJvZHkgZWxzZSBzb21lYm9keSBlbHNlIQ=="),
        {**edge.headers(raw), "webhook-id": "msg_other"},
        {**edge.headers(raw), "webhook-signature": "v1"},
        {name: value for name, value in edge.headers(raw).items() if name != "webhook-timestamp"},
        {},
    ]
    answers = [await edge.send("POST", "/v1/cases", raw, headers) for headers in attempts]
    assert {answer.status for answer in answers} == {401}
    assert len({json.dumps(answer.body) for answer in answers}) == 1
    assert "webhook-timestamp" in answers[0].body["detail"]
    assert await edge.count() == 0


async def test_during_a_rotation_both_signatures_may_stand(edge: Edge) -> None:
    """A sender that signs with the old and the new secret is let in by either."""
    raw = json.dumps(a_case()).encode()
    right, wrong = edge.headers(raw, REFUNDS, "msg_r"), edge.headers(raw, OTHERS, "msg_r")
    both = f"v1a,x {wrong['webhook-signature'].replace('A', 'B')} {right['webhook-signature']}"
    assert (await edge.send("POST", "/v1/cases", raw, right | {"webhook-signature": both})).status == 202


async def test_too_fast_is_told_when_to_come_back(sqlite_url: str) -> None:
    """429 with Retry-After, for the service that is too fast alone."""
    async with open_edge(sqlite_url, pace=RateLimit(lambda: 0.0, rate_per_s=0.5, burst=2)) as edge:
        answers = [await edge.post("/v1/cases", a_case(task_id=f"t-{number}")) for number in range(3)]
        assert [answer.status for answer in answers] == [202, 202, 429]
        assert answers[2].headers["Retry-After"] == "2"
        assert (await edge.post("/v1/cases", a_case(workflow="invoices"), secret=OTHERS)).status == 202


async def test_nothing_is_accepted_that_is_not_recorded(edge: Edge) -> None:
    """While the log cannot be trusted or the writer is gone, 503 and Retry-After; a retry after recovery is the first delivery."""
    edge.books.ledger.stop_recording("The database was restored.")
    answer = await edge.post("/v1/cases", a_case(), webhook_id="msg_503")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    edge.books.ledger.stop_recording("")
    assert (await edge.post("/v1/cases", a_case(), webhook_id="msg_503")).status == 202
    await edge.books.writer.close()
    assert (await edge.post("/v1/cases", a_case(task_id="t-18"))).status == 503


async def test_what_does_not_exist_is_said_in_the_same_form(edge: Edge) -> None:
    """Unknown paths and methods answer as problem details too."""
    assert [(a.status, a.kind) for a in [await edge.get("/v1/nothing"), await edge.get("/v1/cases")]] == [
        (404, "application/problem+json"),
        (405, "application/problem+json"),
    ]
