"""A service asks before it generates anything: it is told what it could get, and nothing of it stays."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from routing.authority import Automation
from routing.governance.control import Control
from routing.governance.ruling import Governed, Ruling
from routing.policy.file import load_policy
from store.schema import inbox, leaves
from tests.bot.edge import OTHERS, Edge, a_case, open_edge

AUTOMATIC = load_policy(
    b"""
version: "1"
changes: "refunds of nothing, by themselves"
groups: {frontline: {users: [U0FRONT]}}
ladders: {standard: {tiers: [{channel: review-tier1, group: frontline}]}}
workflows: {refunds: {ladder: standard, template: auto}}
""",
    {},
)


async def stored(edge: Edge) -> tuple[int, ...]:
    """How many cases, events and remembered messages there are."""
    counts = await edge.books.database.read(
        lambda connection: [int(connection.execute(select(func.count()).select_from(table)).scalar_one()) for table in (leaves, inbox)]
    )
    return (await edge.count(), *counts)


async def test_a_service_learns_its_lane_and_what_is_missing(edge: Edge) -> None:
    """The workflow alone is enough to ask; the more is known, the closer the answer."""
    bare = await edge.post("/v1/precheck", {"workflow": "refunds"})
    assert (bare.status, bare.body["allowed"], bare.body["missing"]) == (200, "review", ["request"])
    assert {reason["code"] for reason in bare.body["reasons"]} == {"template_people"}
    known: dict[str, Any] = {"workflow": "refunds", "request": "Please refund me", "risk": {"flags": ["data_exposure"]}}
    told = await edge.post("/v1/precheck", known)
    assert (told.body["allowed"], told.body["missing"]) == ("stop", [])
    assert "prohibited" in {reason["code"] for reason in told.body["reasons"]}


async def test_nothing_is_stored(edge: Edge) -> None:
    """No case, no event, not even the message's id: the same one may be used for the case itself."""
    before = await stored(edge)
    for _ in range(2):
        assert (await edge.post("/v1/precheck", a_case(), webhook_id="msg_same")).status == 200
    assert await stored(edge) == before
    assert (await edge.post("/v1/cases", a_case(), webhook_id="msg_same")).status == 202


async def test_only_a_known_service_may_ask_and_only_about_its_own(edge: Edge) -> None:
    """A signature that is wrong, somebody else's workflow, one that is not there, a body that is no case: each is refused as for a case."""
    raw = b'{"workflow": "refunds"}'
    assert (await edge.send("POST", "/v1/precheck", raw, {})).status == 401
    assert (await edge.send("POST", "/v1/precheck", raw + b" ", edge.headers(raw))).status == 401
    assert (await edge.post("/v1/precheck", {"workflow": "refunds"}, secret=OTHERS)).status == 403
    unknown = await edge.post("/v1/precheck", {"workflow": "refund"})
    assert (unknown.status, unknown.body["errors"][0]["pointer"]) == (422, "/workflow")
    wrong = await edge.post("/v1/precheck", {"workflow": "refunds", "titel": "x", "risk": {"impact": "huge"}})
    assert {error["pointer"] for error in wrong.body["errors"]} == {"/titel", "/risk/impact"}


async def test_what_people_paused_is_allowed_to_nobody(sqlite_url: str) -> None:
    """An automatic lane is promised only while the workflow may act by itself."""

    def pause(governed: Governed, _: datetime) -> Ruling:
        return Ruling(governed.governance.with_control(Control(workflow="refunds", automation=Automation.PAUSED)), ())

    async with open_edge(sqlite_url, policy=AUTOMATIC) as edge:
        assert (await edge.post("/v1/precheck", {"workflow": "refunds"})).body["allowed"] == "auto"
        await edge.books.ledger.govern(pause)
        paused = (await edge.post("/v1/precheck", {"workflow": "refunds"})).body
        assert (paused["allowed"], paused["reasons"][0]["code"]) == ("review", "automation_off")
