"""What services learn of their workflow and of decisions that are kept back: by callback, by asking, and nothing that would prove them."""

from dataclasses import replace
from datetime import datetime, timedelta

from aiohttp import web

from bot.delivery.callback import Callbacks
from bot.delivery.signed_post import SignedPosts
from bot.http.case_answer import case_answer
from bot.slack.cards.view import Bulletin, Happening
from escalation.pager import Pager
from routing.authority import AlertLevel, Automation, GovernanceVerb
from routing.canonical import Json
from routing.case.people import GovernancePress, Person
from routing.change import SYSTEM, Actor, Message, MessageKind
from routing.governance.alert import Alert
from routing.governance.automation import tighten
from routing.governance.brake import shift
from routing.governance.control import Control
from routing.governance.ruling import Governed, Ruling
from routing.vocabulary import EventKind, State, Verdict
from store.outbox.delivery import Outgoing
from tests.bot.delivery.test_callback import LOOPBACK, receiving
from tests.bot.edge import open_edge, services
from tests.bot.slack.governance.test_governance import POLICY
from tests.bot.slack.northwind import DEPLOYMENT, a_company
from tests.routing.factory import NOON, a_case, a_submission

SUBJECT = "w_refunds"
PAUSED = Happening(
    EventKind.AUTOMATION_CHANGED,
    Actor("human", "U0LEAD00001"),
    NOON,
    {"subject": SUBJECT, "workflow": "refunds", "before": "on", "after": "paused", "reason": "Wrong totals."},
    index=41,
)


async def test_a_pause_is_told_as_the_contract_says(sqlite_url: str) -> None:
    """With a webhook-id of its own for each service, the same on every try, and a signature the receiver kit would verify."""
    resumed_since = Control(workflow="refunds")
    bulletin = Bulletin(SUBJECT, resumed_since, (PAUSED,), NOON + timedelta(hours=1), control=resumed_since)
    async with receiving() as receiver, open_edge(sqlite_url) as edge:
        posts = SignedPosts(lambda: NOON)
        callbacks = Callbacks(services(receiver.url, LOOPBACK), edge.receipts, posts)
        message = Message(MessageKind.CALLBACK, "refund-agent", callback="workflow.paused", sequence=7, subject=SUBJECT)
        row = Outgoing(1, SUBJECT, "callback", message, 41, False, 0, None, NOON)
        await callbacks.send(row, bulletin)
        receiver.answer = web.Response()
        await callbacks.send(row, bulletin)
        await posts.close()
    assert receiver.body == {
        "type": "workflow.paused",
        "timestamp": "2026-11-20T12:00:00.000000Z",
        "data": {
            "workflow": "refunds",
            "automation": "paused",
            "reason": "Wrong totals.",
            "since": "2026-11-20T12:00:00.000000Z",
            "sequence": 7,
        },
    }
    assert {headers["webhook-id"] for headers, _ in receiver.seen} == {"w_refunds.41.refund-agent"}
    assert receiver.seen[0][1] == receiver.seen[1][1]


async def test_a_new_policy_is_told_by_its_version(sqlite_url: str) -> None:
    """The event is the policy's, not the workflow's; the level is the present one."""
    event = Happening(EventKind.POLICY_ACTIVATED, Actor("human", "U0OWNER0001"), NOON, {"subject": "p_1", "version": "9"}, index=50)
    bulletin = Bulletin(SUBJECT, Control(workflow="refunds"), (PAUSED, event), NOON, control=Control(workflow="refunds"))
    async with receiving() as receiver, open_edge(sqlite_url) as edge:
        posts = SignedPosts(lambda: NOON)
        callbacks = Callbacks(services(receiver.url, LOOPBACK), edge.receipts, posts)
        message = Message(MessageKind.CALLBACK, "refund-agent", callback="workflow.changed", sequence=8, subject=SUBJECT)
        await callbacks.send(Outgoing(1, SUBJECT, "callback", message, 50, False, 0, None, NOON), bulletin)
        await posts.close()
    assert receiver.body["data"]["automation"] == "on"
    assert receiver.body["data"]["reason"] == "Policy 9: activated"


def _pause(governed: Governed, now: datetime) -> Ruling:
    control = Control(workflow="refunds", automation=Automation.PAUSED, cause="breaker", by="override-rate", reason="Wrong totals.")
    step = shift(governed, control, SYSTEM, now)
    return Ruling(step.governance, (step.event,), step.messages)


async def test_a_service_asks_how_its_workflow_runs(sqlite_url: str) -> None:
    """Level, since when and why."""
    async with open_edge(sqlite_url) as edge:
        person = Person("U0OWNER0001", "T0HOME")
        press = GovernancePress(GovernanceVerb.PAUSE, person, "T0HOME", SUBJECT, "Wrong totals.")
        refused = await edge.books.ledger.govern(tighten(press), press=press)
        assert getattr(refused, "reason", "") == "not_in_role"
        await edge.books.ledger.govern(_pause)
        answer = (await edge.get("/v1/workflows/refunds")).body
        assert (answer["automation"], answer["reason"]) == ("paused", "Wrong totals.")
        assert answer["since"].endswith("Z")


def test_a_decision_that_is_kept_back_is_not_told() -> None:
    """The case is held; neither verdict nor people nor a receipt that would let the service act."""
    decided = {"state": State.DECIDED, "verdict": Verdict.APPROVED, "decided_at": NOON, "decided_index": 9, "reason_code": "unsure"}
    case = a_case(**decided)
    history = [Happening(kind, Actor("human", "U0FRONT"), NOON) for kind in (EventKind.RECEIVED, EventKind.APPROVED, EventKind.DECIDED)]
    receipt: dict[str, Json] = {"leaf": "e30=", "index": 9}
    told = case_answer(case, a_submission(), history, receipt)
    assert (told["state"], told["verdict"], told["receipt"]) == ("decided", "approved", receipt)
    kept = case_answer(case.model_copy(update={"withheld": True}), a_submission(), history, receipt)
    assert (kept["state"], kept["verdict"], kept["receipt"], kept["people"], kept["reason_code"]) == ("held", None, None, [], "")
    assert [one["event"] for one in kept["history"]] == ["received"]  # type: ignore[index,union-attr,call-overload]


async def test_an_alert_pages_once_and_its_page_ends(sqlite_url: str) -> None:
    """Under a key of its own; what is on it is the rule, the figure and what was done."""
    alert = Alert(
        id="a_" + "0" * 26,
        rule="override-rate",
        workflow="refunds",
        level=AlertLevel.INCIDENT,
        at=NOON,
        why="The share of proposals that people rejected is 0.3, above 0.15.",
        figures={"figure": 0.3},
        action=Automation.PAUSED,
    )
    async with a_company(sqlite_url, policy=POLICY) as company:
        pager = company.courier._senders["pagerduty"]  # noqa: SLF001 - the very sender the courier uses
        assert isinstance(pager, Pager)
        page = Message(MessageKind.PAGE, "incidents", round=1, subject=alert.id)
        row = Outgoing(1, alert.id, "pagerduty", page, 1, False, 0, None, company.clock.now)
        bulletin = Bulletin(alert.id, alert, (), NOON)
        await pager.send(row, bulletin)
        (incident,) = company.sandbox.pagerduty.incidents
        assert incident.key == f"{DEPLOYMENT}/{alert.id}/1"
        assert "Workflow refunds is now paused" in str(incident)
        await pager.send(replace(row, doubtful=True), bulletin)
        await pager.send(replace(row, message=replace(page, kind=MessageKind.PAGE_RESOLVE)), bulletin)
        assert [one.status for one in company.sandbox.pagerduty.incidents] == ["resolved"]
