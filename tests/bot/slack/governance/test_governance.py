"""What people decide about more than one case, in Slack: each press and order is answered, recorded, and told to whom it concerns."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from bot.sandbox.faults import Fault, Mode
from bot.slack.actions.presses import Declined
from bot.slack.governance.command_grammar import Batch, Unclear, read_command
from bot.slack.governance.rulings import Asked, Rulings
from routing.authority import Automation, GovernanceVerb
from routing.change import Stop
from routing.governance.automation import stopped
from routing.governance.governance import Governance
from routing.governance.ruling import Governed, Ruling
from routing.governance.waiver_lifecycle import list_weekly
from routing.policy.file import load_policy
from store.ledger.prefetch import InboxKey
from tests.bot.slack.northwind import ANNA, TIER1, Northwind, a_company

ADA, GRACE, HUGO = "U0ADMIN0001", "U0GRACE0001", "U0HUGO00001"
OPS, OWNERS, TEAM = "review-ops", "review-owners", "T0TIERLINE"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
POLICY = b"""
version: "2026-11-20.1"
changes: "with roles"
defaults: {undo: 0s}
groups:
  frontline: {usergroup: review-frontline}
  leads: {users: [U0ADMIN0001]}
  owners: {usergroup: review-owners}
roles: {supervisor: [leads], duty_officer: [owners], policy_owner: [owners]}
channels: {operations: review-ops, owners: review-owners}
incidents: {routing_key: c0ffee0000000000000000000000duty, severity: critical}
owners: [U0GRACE0001]
ladders: {standard: {tiers: [{channel: review-tier1, group: frontline, decide: 4h}]}}
workflows:
  refunds: {ladder: standard, template: approval, requester: optional}
"""


async def test_a_pause_by_order_is_said_where_it_matters(database_url: str) -> None:
    """Operations gets a bulletin with a button, the reviewers one without, the service its callback, and only Ada an answer."""
    async with a_company(database_url, policy=POLICY) as company:
        said = await command(company, ADA, "pause refunds The model invents order numbers.")
        assert "`refunds` is paused" in said
        await company.drain()
        (bulletin,), (notice,) = company.sandbox.slack.messages(OPS), company.sandbox.slack.messages(TIER1)
        assert "The model invents order numbers." in str(bulletin["blocks"])
        assert "Ada Brandt" in str(bulletin["blocks"])
        assert "tierline:g:resume" in str(bulletin["blocks"])
        assert "tierline:g" not in str(notice["blocks"])
        assert [kind for kind, _ in company.received.got] == ["workflow.paused"]
        assert bulletin["metadata"]["event_type"] == "tierline_bulletin"


async def test_resume_asks_why_and_the_old_bulletin_loses_its_buttons(sqlite_url: str) -> None:
    """A form opens, its reason is posted anew; pressed once more, the old message would do nothing."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        await command(company, ADA, "pause refunds Wrong totals.")
        await company.drain()
        as_seen = company.card(OPS)
        await company.click(ADA, "g:resume", OPS)
        await company.fill_in(ADA, text="Fixed in version 4.")
        await company.drain()
        old, new = company.sandbox.slack.messages(OPS)
        assert "No longer so" in str(old["blocks"])
        assert "tierline:g" not in str(old["blocks"])
        assert "Fixed in version 4." in str(new["blocks"])
        assert (await company.reads.governance()).control("refunds").automation is Automation.ON
        assert "goes on" in company.told(ADA)[-1]
        await command(company, ADA, "pause refunds Again.")
        await company.click(ADA, "g:resume", OPS, as_seen=as_seen)
        ack = await company.fill_in(ADA, text="A late press.")
        assert "has changed" in str(ack.body)
        assert [kind for kind, _ in company.received.got] == ["workflow.paused", "workflow.resumed"]


async def test_who_may_not_is_told_and_it_is_recorded(sqlite_url: str) -> None:
    """By name; a guest does not even learn who may."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        assert "not yours to decide" in await command(company, ANNA, "pause refunds I want a break.")
        await command(company, ADA, "pause refunds Wrong totals.")
        await company.drain()
        assert "Guests cannot" in await command(company, "U0GUEST0001", "resume refunds Please.")
        events = [(one.kind.value, one.actor.id) for one in await company.reads.govern_events("w_refunds")]
        assert events == [("governance_refused", ANNA), ("automation_changed", ADA), ("governance_refused", "U0GUEST0001")]


async def test_the_same_message_delivered_twice_counts_once(sqlite_url: str) -> None:
    """Slack may send it again; it is answered as the first time."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        await company.commands.answer(ADA, TEAM, "pause refunds Wrong totals.", "trigger-1")
        again = await company.commands.answer(ADA, TEAM, "pause refunds Wrong totals.", "trigger-1")
        assert "recorded already" in again.text
        assert len(await company.reads.govern_events("w_refunds")) == 1


@pytest.mark.parametrize("mode", [Mode.DROP_REPLY, Mode.APPLY_LATE])
async def test_a_lost_reply_leads_to_no_second_bulletin(sqlite_url: str, mode: Mode) -> None:
    """It is found again by its mark, as cards are."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", mode, seconds=25))
        await command(company, ADA, "pause refunds Wrong totals.")
        await company.drain(70)
        assert len(company.sandbox.slack.messages(OPS)) == 1
        assert len(company.sandbox.slack.messages(TIER1)) == 1


async def test_a_bulletin_that_is_noted_while_it_is_pressed_is_ours(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it stands was not in the book when it was looked up, and is when its predecessors are."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        await command(company, ADA, "pause refunds Wrong totals.")
        await company.drain()
        looked_up = list[str]()

        async def just_before(_channel: str, ts: str) -> None:
            looked_up.append(ts)

        monkeypatch.setattr(company.reads, "card_at", just_before)
        bulletin = company.card(OPS)
        assert bulletin["blocks"]
        await company.click(ADA, "g:resume", OPS, as_seen=bulletin)
        assert looked_up == [bulletin["ts"]]
        assert not any("not a card" in text or "newer" in text for text in company.told(ADA))
        assert company.sandbox.slack.open_view(ADA) is not None


async def test_a_stopped_line_pages_and_is_read_at_three_in_the_morning(sqlite_url: str) -> None:
    """One incident: rule, case, what was done, who may resume; acknowledged in Slack it is acknowledged in PagerDuty."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        case = await company.submit()

        def stop(governed: Governed, now: datetime) -> Ruling:
            return stopped(governed, Stop("refunds", "The case is flagged prohibited_content."), case.id, now)

        await company.ledger.govern(stop)
        await company.drain()
        bulletin = company.card(OPS)
        shown = str(bulletin["blocks"])
        for expected in ("Incident", "prohibited_content", case.id, "is paused", "duty officer or policy owner", f"<@{GRACE}>"):
            assert expected in shown
        (incident,) = company.sandbox.pagerduty.incidents
        assert "refunds is now paused" in str(incident)
        await company.click(GRACE, "g:acknowledge_alert", OPS)
        await company.drain()
        assert "acknowledged by Grace Mwangi" in str(company.card(OPS)["blocks"])
        assert "nobody is paged for it any more" in company.told(GRACE)[-1]
        assert company.sandbox.pagerduty.incidents[0].status == "acknowledged"
        assert "stopped this workflow and is still open" in await command(company, HUGO, "resume refunds Looks fine.")


async def test_an_exception_is_asked_for_by_one_and_approved_by_another(sqlite_url: str) -> None:
    """The owners' channel has the buttons; the list shows what is in force."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        words = "exception request refunds waives=retrieval_weak,check_warned days=30 uses=50 The index is being rebuilt."
        assert "It waits for a policy owner who is not you" in await command(company, GRACE, words)
        await company.drain()
        await company.click(GRACE, "g:approve_exception", OWNERS)
        assert "somebody else has to approve it" in company.told(GRACE)[-1]
        await company.click(HUGO, "g:approve_exception", OWNERS)
        await company.drain()
        assert "in force until <!date^" in company.told(HUGO)[-1]
        assert "approved by Hugo Martins" in str(company.card(OWNERS)["blocks"])
        listed = await command(company, ANNA, "exception list")
        assert "The index is being rebuilt." in listed
        assert "used 0 of 50 times" in listed
        assert "has ended" in await command(company, ADA, f"exception end {(await company.reads.governance()).waivers[0].id} Rebuilt.")


async def test_the_weekly_list_is_posted_as_it_stands(sqlite_url: str) -> None:
    """Once, whoever of the replicas asks for it."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        await command(company, ADA, "exception request refunds waives=retrieval_weak days=30 The index is being rebuilt.")
        for _ in range(2):
            await company.ledger.govern(list_weekly("2026-W47"), key=InboxKey("govern", "weekly", "2026-W47"))
        await company.drain()
        listed = [one for one in company.sandbox.slack.messages(OWNERS) if "week 2026-W47" in str(one["blocks"])]
        assert len(listed) == 1
        assert "The index is being rebuilt." in str(listed[0]["blocks"])


async def test_an_order_without_its_reason_is_answered_with_how_it_is_typed(sqlite_url: str) -> None:
    """And nothing is recorded."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        assert "/review pause WORKFLOW REASON" in await command(company, ADA, "pause refunds")
        assert "waives=CODE" in await command(company, ADA, "exception request refunds because")
        assert not (await company.reads.govern_events("w_refunds"))
        assert "In force: policy 2026-11-20.1" in await command(company, ANNA, "policy")
        assert "`freeze`" in await command(company, ANNA, "help")


async def test_a_batch_is_held_and_one_case_released(sqlite_url: str) -> None:
    """Every open case of one model; a released one is decided again."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        mine = [await company.submit(f"t-{number}") for number in range(3)]
        other = await company.submit("t-other", model={"name": "another", "version": "9", "confidence": 0.85})
        answer = await command(company, ADA, "quarantine workflow=refunds model=m since=2h Wrong totals.")
        assert "3 cases of refunds in quarantine" in answer
        assert [(await company.case(one)).held_by for one in (*mine, other)] == ["quarantine"] * 3 + [""]
        assert "released" in await command(company, ADA, f"release {mine[0].id} Looked at.")
        assert (await company.case(mine[0])).held_by == ""
        assert "not" in await command(company, ANNA, f"release {mine[1].id} Looked at.")
        assert (await company.case(mine[1])).held_by == "quarantine"


async def test_a_button_on_a_message_that_is_none_of_ours_counts_for_nothing(sqlite_url: str) -> None:
    """Its value is believed only on a bulletin of this deployment; the attempt is recorded."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        rulings = Rulings(company.ledger, company.reads, company.people, lambda: load_policy(POLICY, {}), lambda _verb, _result: None)
        asked = Asked(GovernanceVerb.PAUSE, "w_refunds", ADA, TEAM, "press-1", "From nowhere.", known=False)
        outcome = await rulings.carry_out(asked)
        assert isinstance(outcome, Declined)
        assert outcome.reason == "unknown_message"
        assert [one.kind.value for one in await company.reads.govern_events("w_refunds")] == ["governance_refused"]


@pytest.mark.parametrize(
    "words", ["pause", "freeze refunds", "quarantine c_1", "quarantine workflow= x", "exception approve", "policy rollback", "acknowledge"]
)
def test_half_a_command_is_explained(words: str) -> None:
    """Never guessed."""
    assert isinstance(read_command(words, NOW), Unclear)


def test_since_is_a_span_or_a_moment() -> None:
    """Read against the clock; anything else is explained."""
    two_hours = read_command("quarantine workflow=refunds since=2h why", NOW)
    assert isinstance(two_hours, Batch)
    assert two_hours.since == NOW.replace(hour=10)
    assert read_command("quarantine workflow=refunds since=2026-11-20T10:00:00Z why", NOW) == two_hours
    assert isinstance(read_command("quarantine workflow=refunds since=soon why", NOW), Unclear)
    assert read_command("status", NOW) is None


async def command(company: Northwind, who: str, text: str) -> str:
    """What somebody is told who types it: the text and the blocks."""
    company.clock.forward(1)
    ack = await company.sandbox.slack.command(who, "C0TIER10001", "/review", text)
    assert ack.ok, ack
    assert isinstance(ack.body, dict)
    return f"{ack.body['text']} {ack.body['blocks']}"


def test_a_name_that_is_none_is_not_taken_into_the_log() -> None:
    """A word longer than any name or id is answered with how the order is typed."""
    assert isinstance(read_command(f"pause {'x' * 101} Because.", NOW), Unclear)
    assert isinstance(read_command(f"exception approve {'x' * 101}", NOW), Unclear)


async def test_a_workflow_that_is_none_is_answered_with_those_that_are(sqlite_url: str) -> None:
    """Whatever the order: the nearest name or all of them; one that is there in other letters is meant."""
    async with a_company(sqlite_url, policy=POLICY) as company:
        for order in ("pause {} Odd.", "freeze {} Odd.", "resume {} Fine.", "quarantine workflow={} Odd."):
            assert "no workflow “refnds”; did you mean" in await command(company, GRACE, order.format("refnds")), order
            assert "no workflow" not in await command(company, GRACE, order.format("REFUNDS")), order
            assert "no workflow “payroll”; known: refunds." in await command(company, GRACE, order.format("payroll")), order


@pytest.mark.parametrize("words", ["quarantine workflow=refunds model=m since=2h Wrong.", "quarantine t-1 Wrong."])
async def test_of_many_cases_each_that_counted_is_said_to(words: str, sqlite_url: str) -> None:
    """Whichever read fails meanwhile: what was held is never answered with that it did not count."""
    async with a_company(sqlite_url, policy=POLICY + b"  pairs: {ladder: standard, template: dual, requester: optional}\n") as company:
        mine = [await company.submit(*of) for of in (("t-1",), ("t-2",), ("t-1", "pairs"))]
        read, seen = company.reads.governance, set[str]()
        await command(company, ADA, "policy")
        for at in range(12):
            left = iter(range(at))

            async def fail(left: Iterator[int] = left) -> Governance:
                if next(left, None) is None:
                    raise OperationalError("SELECT", {}, OSError("gone"))
                return await read()

            company.reads.governance = fail  # type: ignore[method-assign]
            answer = await command(company, ADA, words)
            company.reads.governance = read  # type: ignore[method-assign]
            held = {case.id for case in mine if (await company.case(case)).held_by} - seen
            assert not held or "in quarantine" in answer, (at, answer)
            seen |= held
        assert seen


async def test_a_task_of_several_workflows_is_answered_case_by_case(sqlite_url: str) -> None:
    """Those that are held now, and those that were before."""
    async with a_company(sqlite_url, policy=POLICY + b"  pairs: {ladder: standard, template: dual, requester: optional}\n") as company:
        one, other = await company.submit("t-1"), await company.submit("t-1", "pairs")
        await command(company, ADA, f"quarantine {one.id} Wrong.")
        answer = await command(company, ADA, "quarantine t-1 Wrong.")
        assert f"{other.id} is in quarantine. {one.id}: This case is in quarantine already." in answer
        answer = await command(company, ADA, "release t-1 Fine.")
        assert all(f"{case.id}" in answer for case in (one, other))
        assert "are released." in answer
