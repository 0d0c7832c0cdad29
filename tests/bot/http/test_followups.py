"""What a service says about its case after it posted it, and what it may read: its own, once, in the published form."""

import asyncio
from typing import Any

from tests.bot.edge import OTHERS, Answer, Edge, a_case


async def opened(edge: Edge, **changes: Any) -> str:
    """The id of a new case."""
    answer = await edge.post("/v1/cases", a_case(**changes))
    assert answer.status == 202
    return str(answer.body["id"])


async def write(edge: Edge, case_id: str, kind: str, **body: Any) -> Answer:
    """Post a follow-up about a case."""
    options = {name: body.pop(name) for name in ("secret", "webhook_id") if name in body}
    return await edge.post(f"/v1/cases/{case_id}/{kind}", {"type": f"case.{kind}", "case_id": case_id, **body}, **options)


async def test_a_service_reads_its_case(edge: Edge) -> None:
    """State, action, reasons and history; the verdict, the people and their step once it is decided."""
    case_id = await opened(edge)
    before = await edge.get(f"/v1/cases/{case_id}")
    assert (before.status, before.body["state"], before.body["verdict"], before.body["receipt"]) == (200, "pending", None, None)
    assert before.body["action"] == {"type": "refund.create", "params": {"amount": "1240.00"}}
    assert [(event["event"], event["actor"]) for event in before.body["history"]] == [("received", "service:refund-agent")]
    await edge.press(case_id)
    after = await edge.get(f"/v1/cases/{case_id}")
    assert (after.body["state"], after.body["verdict"], after.body["due_at"]) == ("decided", "approved", None)
    (person,) = after.body["people"]
    assert (person["slack_id"], person["name"], person["step"]) == ("U0FRONT", "Ada Front", "approve")


async def test_missing_information_brings_the_case_back(edge: Edge) -> None:
    """A case without what its workflow requires waits for it; supplied, it is a new revision on its way to people."""
    answer = await edge.post("/v1/cases", a_case(request=None))
    case_id = answer.body["id"]
    assert (answer.body["state"], answer.body["missing"]) == ("needs_info", ["request"])
    wrong = await write(edge, case_id, "information", case={"request": 7, "workflow": "invoices"})
    assert {error["pointer"] for error in wrong.body["errors"]} == {"/case/workflow"}
    wrong = await write(edge, case_id, "information", case={"request": 7, "actions": {}})
    assert (wrong.status, {error["pointer"] for error in wrong.body["errors"]}) == (422, {"/case/request", "/case/actions"})
    supplied = await write(edge, case_id, "information", case={"request": "Please refund me"})
    assert (supplied.status, supplied.body["state"], supplied.body["revision"], supplied.body["missing"]) == (200, "pending", 2, [])


async def test_a_letter_counts_once(edge: Edge) -> None:
    """A retry gets the first answer, also a refusal; other content under its webhook-id is refused."""
    case_id = await opened(edge)
    first = await write(edge, case_id, "withdraw", reason="not needed", webhook_id="msg_w")
    assert (first.status, first.body["state"]) == (200, "decided")
    assert (await write(edge, case_id, "withdraw", reason="not needed", webhook_id="msg_w")).body == first.body
    assert (await write(edge, case_id, "withdraw", reason="changed", webhook_id="msg_w")).status == 409
    for _ in range(2):
        refused = await write(edge, case_id, "withdraw", reason="again", webhook_id="msg_x")
        assert (refused.status, refused.body["reason"]) == (409, "not_open")
    history = (await edge.get(f"/v1/cases/{case_id}")).body["history"]
    assert [event["event"] for event in history] == ["received", "withdrawn", "decided"]


async def test_the_outcome_closes_a_decided_case(edge: Edge) -> None:
    """Executing what was approved closes it; executing something else is an alarm in its history."""
    case_id, other_id = await opened(edge), await opened(edge, task_id="t-18")
    for each in (case_id, other_id):
        await edge.press(each)
    case = await edge.reads.case(case_id)
    assert case is not None
    good = await write(edge, case_id, "outcome", result="executed", executed_action_sha256=case.action_sha256)
    assert (good.status, good.body["state"]) == (200, "closed")
    assert (await edge.get(f"/v1/cases/{case_id}")).body["outcome"] == "executed"
    await write(edge, other_id, "outcome", result="executed", executed_action_sha256="0" * 64)
    history = (await edge.get(f"/v1/cases/{other_id}")).body["history"]
    assert "execution_alarm" in [event["event"] for event in history]


async def test_a_service_sees_its_own_cases_only(edge: Edge) -> None:
    """Somebody else's case and no case at all look the same, whatever is asked."""
    case_id, nobodys = await opened(edge), "c_00000000000000000000000000"
    for each in (case_id, nobodys):
        answers = [
            await edge.get(f"/v1/cases/{each}", secret=OTHERS),
            await write(edge, each, "withdraw", reason="mine", secret=OTHERS),
            await write(edge, each, "outcome", result="failed", secret=OTHERS),
            await write(edge, each, "information", answer="x", secret=OTHERS),
        ]
        assert {(answer.status, answer.body["type"]) for answer in answers} == {(404, "urn:tierline:problem:not-found")}
    assert (await edge.get(f"/v1/cases/{case_id}")).body["state"] == "pending"


async def test_one_signature_serves_one_call(edge: Edge) -> None:
    """A follow-up names its kind and case, a GET its target: moved elsewhere, a signature is worth nothing."""
    case_id, other_id = await opened(edge), await opened(edge, task_id="t-18")
    body = {"type": "case.outcome", "case_id": case_id, "result": "failed"}
    moved = await edge.post(f"/v1/cases/{other_id}/outcome", body)
    assert (moved.status, moved.body["errors"]) == (422, [{"pointer": "/case_id", "message": "is not the case of this path"}])
    assert (await edge.post(f"/v1/cases/{case_id}/withdraw", body)).status == 422
    assert (await edge.post("/v1/cases", body)).status == 422
    headers = edge.headers(f"/v1/cases/{case_id}".encode())
    assert (await edge.send("GET", f"/v1/cases/{case_id}?wait=0", None, headers)).status == 401
    assert (await edge.send("GET", f"/v1/cases/{other_id}", None, headers)).status == 401
    assert (await edge.send("GET", f"/v1/cases/{case_id}", None, headers)).status == 200


async def test_waiting_ends_with_the_decision(edge: Edge) -> None:
    """A long poll answers when the case is decided, and at once when it is already."""
    case_id = await opened(edge)
    waiting = asyncio.create_task(edge.get(f"/v1/cases/{case_id}?wait=60"))
    await edge.until_waiting(1)
    assert not waiting.done()
    async with asyncio.timeout(45):  # well below what was asked for
        await edge.press(case_id)
        assert (await waiting).body["verdict"] == "approved"
        assert (await edge.get(f"/v1/cases/{case_id}?wait=60")).body["verdict"] == "approved"
    assert edge.api.waiting == 0


async def test_waiting_ends_by_itself_and_when_nobody_listens(edge: Edge) -> None:
    """The time asked for is kept; a client that went away leaves nothing behind; other waits than 0 to 60 are refused."""
    case_id = await opened(edge)
    assert (await edge.get(f"/v1/cases/{case_id}?wait=1")).body["state"] == "pending"
    gone = asyncio.create_task(edge.get(f"/v1/cases/{case_id}?wait=60"))
    await edge.until_waiting(1)
    gone.cancel()
    await edge.until_waiting(0)
    for wrong in ("61", "-1", "x", "", "1&wait=2", "\u0661"):
        assert (await edge.get(f"/v1/cases/{case_id}?wait={wrong}")).status in (401, 422)


async def test_a_service_asks_how_its_workflow_runs(edge: Edge) -> None:
    """Known and its own: on. Otherwise there is nothing to see."""
    assert (await edge.get("/v1/workflows/refunds")).body == {"automation": "on", "since": None, "reason": ""}
    assert (await edge.get("/v1/workflows/invoices")).status == 404
    assert (await edge.get("/v1/workflows/refund", secret=OTHERS)).status == 404
