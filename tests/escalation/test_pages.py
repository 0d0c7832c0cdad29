"""Pages, there and back: one incident per case, tier and round, none after our resolve, and what people do there comes back."""

import pytest

from bot.sandbox.faults import Fault, Mode
from bot.sandbox.pagerduty.account import Incident
from escalation.pager import PageKey
from routing.case.case import Case
from routing.vocabulary import State
from tests.bot.slack.northwind import ANNA, DEPLOYMENT, DMITRI, TIER2, Northwind, a_company

UNACKNOWLEDGED = 16 * 60.0


async def _paged(company: Northwind) -> tuple[Case, Incident]:
    """A case nobody acknowledged at the first tier, and the incident that paged the second."""
    case = await company.submit(title="Refund for Jane Roe, IBAN DE89370400440532013000")
    await company.drain()
    await company.pass_time(UNACKNOWLEDGED)
    [incident] = company.sandbox.pagerduty.incidents
    return case, incident


async def test_a_page_says_what_is_open_and_nothing_confidential(sqlite_url: str) -> None:
    """Key, severity, reasons and a link to the card; no title, no parameters."""
    async with a_company(sqlite_url) as company:
        case, incident = await _paged(company)
        assert incident.key == f"{DEPLOYMENT}/{case.id}/2/1"
        assert incident.severity == "warning"
        assert incident.custom_details["workflow"] == "refunds"
        assert "Jane" not in str(incident)
        assert "8841" not in str(incident)
        assert len(incident.title) <= 1_024


async def test_a_page_can_be_read_at_night(sqlite_url: str) -> None:
    """What, of which workflow, and until when as a time of day."""
    async with a_company(sqlite_url) as company:
        case, incident = await _paged(company)
        due = (await company.case(case)).clocks.acknowledge  # before its decide clock, and then it is held
        assert due is not None
        assert f"{case.action_type} of refunds waits for a decision at tier 2, due {due:%H:%M} UTC, else held" in incident.title


async def test_a_lost_reply_pages_once(database_url: str) -> None:
    """PagerDuty took it, we did not hear: after the quiet time it is asked, and not triggered again."""
    async with a_company(database_url) as company:
        company.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.DROP_REPLY))
        _, incident = await _paged(company)
        await company.drain(40)
        assert company.sandbox.pagerduty.opened(incident.key) == 1
        assert company.sandbox.pagerduty.incidents[0].triggers == 1


async def test_without_a_rest_token_the_key_keeps_it_one_incident(sqlite_url: str) -> None:
    """The second trigger joins the first: the same key while it is open."""
    async with a_company(sqlite_url, rest=False) as company:
        company.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.DROP_REPLY))
        _, incident = await _paged(company)
        await company.drain(40)
        assert company.sandbox.pagerduty.opened(incident.key) == 1
        assert company.sandbox.pagerduty.incidents[0].triggers == 2


async def test_no_trigger_after_our_resolve(sqlite_url: str) -> None:
    """The trigger is applied 25 seconds late, the case is decided meanwhile: no incident stays open and none opens anew."""
    async with a_company(sqlite_url, rest=False) as company:
        await company.submit()
        await company.drain()
        company.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.APPLY_LATE, seconds=25))
        await company.pass_time(UNACKNOWLEDGED)
        await company.click(DMITRI, "approve", TIER2)
        await company.drain(60)
        assert [incident.status for incident in company.sandbox.pagerduty.incidents] == ["resolved"]


async def test_a_page_that_is_no_longer_needed_is_never_sent(sqlite_url: str) -> None:
    """PagerDuty was away until the case was decided."""
    async with a_company(sqlite_url) as company:
        away = company.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, times=None))
        case = await company.submit()
        await company.drain()
        await company.pass_time(UNACKNOWLEDGED)
        await company.click(DMITRI, "approve", TIER2)
        company.sandbox.faults.remove(away)
        await company.drain(60)
        assert (await company.case(case)).state is State.DECIDED
        assert company.sandbox.pagerduty.incidents == []


async def test_pagerduty_comes_back_and_has_the_page_within_a_minute(sqlite_url: str) -> None:
    """However long it was away."""
    async with a_company(sqlite_url) as company:
        away = company.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, times=None))
        await company.submit()
        await company.drain()
        await company.pass_time(UNACKNOWLEDGED)
        await company.drain(240)
        company.sandbox.faults.remove(away)
        await company.drain(60)
        assert len(company.sandbox.pagerduty.incidents) == 1


async def test_a_page_that_is_refused_is_on_record_and_tried_on(sqlite_url: str) -> None:
    """Somebody may mend the routing key; nothing is resolved that was never opened."""
    policy = b"""
version: "1"
changes: "a routing key that PagerDuty does not know"
defaults: {undo: 0s}
groups: {seniors: {usergroup: S0SENIOR001}}
ladders:
  standard:
    tiers: [{channel: review-tier1, group: seniors, ack: 1m, decide: 1h, pagerduty: {routing_key: c0ffee00000000000000000000000bad}}]
workflows: {refunds: {ladder: standard, template: approval, requester: optional}}
"""
    async with a_company(sqlite_url, policy=policy) as company:
        case = await company.submit()
        await company.drain()
        await company.pass_time(61)
        assert "page_not_accepted" in await company.events(case)
        await company.click(DMITRI, "approve")
        await company.drain()
        assert company.sandbox.pagerduty.record.count("refused") > 1
        assert company.sandbox.pagerduty.record.count("event") == 0


async def test_acknowledging_there_stops_the_clock_here(sqlite_url: str) -> None:
    """The card names who is on it, the case does not climb, and it still has to be decided here."""
    async with a_company(sqlite_url) as company:
        case, incident = await _paged(company)
        await company.sandbox.pagerduty.acknowledge(incident.id, "PDMITRI1")
        now = await company.case(case)
        assert (now.acknowledged_by, now.clocks.acknowledge) == ("pagerduty:PDMITRI1", None)
        assert now.state is State.PENDING
        await company.drain()
        assert "Dmitri Volkov" in str(company.card(TIER2)["blocks"])


async def test_acknowledging_here_acknowledges_there(sqlite_url: str) -> None:
    """And the echo of our own acknowledgement is no news."""
    async with a_company(sqlite_url) as company:
        case, incident = await _paged(company)
        await company.click(DMITRI, "claim", TIER2)
        await company.drain()
        await company.sandbox.pagerduty.webhooks.settled()
        assert company.sandbox.pagerduty.incidents[0].status == "acknowledged"
        assert incident.id == company.sandbox.pagerduty.incidents[0].id
        assert "page_acknowledged" not in await company.events(case)


async def test_an_acknowledgement_given_back_before_it_went_out_silences_nobody(sqlite_url: str) -> None:
    """PagerDuty was away for it, and asks somebody else by the time it is back: whom it asks is rung."""
    async with a_company(sqlite_url) as company:
        _, incident = await _paged(company)
        away = company.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, times=None))
        await company.click(DMITRI, "claim", TIER2)
        await company.drain()
        await company.sandbox.pagerduty.escalate(incident.id)
        await company.sandbox.pagerduty.webhooks.settled()
        company.sandbox.faults.remove(away)
        await company.drain(60)
        assert company.sandbox.pagerduty.incidents[0].status == "triggered"


async def test_resolving_there_is_a_comment_and_the_next_round_pages(sqlite_url: str) -> None:
    """PagerDuty never decides a case."""
    async with a_company(sqlite_url) as company:
        case, incident = await _paged(company)
        await company.sandbox.pagerduty.resolve(incident.id, "PDMITRI1")
        assert (await company.case(case)).state is State.PENDING
        assert "page_resolved" in await company.events(case)
        await company.pass_time(15 * 60 + 1)
        keys = [one.key for one in company.sandbox.pagerduty.incidents]
        assert keys == [f"{DEPLOYMENT}/{case.id}/2/1", f"{DEPLOYMENT}/{case.id}/2/2"]


@pytest.mark.parametrize("rest", [True, False])
async def test_a_note_written_there_stands_in_the_thread_here(sqlite_url: str, *, rest: bool) -> None:
    """A note names its incident only by PagerDuty's id; we know it from the webhook before, or ask."""
    async with a_company(sqlite_url, rest=rest) as company:
        company.sandbox.pagerduty.webhooks.lose = int(rest)
        case, incident = await _paged(company)
        await company.sandbox.pagerduty.webhooks.settled()
        await company.sandbox.pagerduty.note(incident.id, "PDMITRI1", "The bank confirmed the double charge.")
        await company.drain()
        assert "page_noted" in await company.events(case)
        assert "The bank confirmed" in str(company.sandbox.slack.thread(TIER2, company.card(TIER2)["ts"]))


async def test_a_webhook_that_comes_twice_counts_once(sqlite_url: str) -> None:
    """PagerDuty repeats what it did not hear answered."""
    async with a_company(sqlite_url) as company:
        case, incident = await _paged(company)
        company.sandbox.pagerduty.webhooks.copies = 2
        await company.sandbox.pagerduty.note(incident.id, "PDMITRI1", "Once.")
        await company.sandbox.pagerduty.webhooks.settled()
        assert (await company.events(case)).count("page_noted") == 1


@pytest.mark.parametrize("signature", ["", "v1=", "v1=" + "0" * 64, "v2=" + "0" * 64, "v1=\N{SNOWMAN}"])
async def test_a_forged_webhook_is_refused(sqlite_url: str, signature: str) -> None:
    """Nobody but PagerDuty acknowledges."""
    async with a_company(sqlite_url) as company:
        receipt = await company.acknowledgements.take(b'{"event": {}}', signature)
        assert receipt.value == 401


async def test_the_person_on_call_is_named_on_the_card(sqlite_url: str) -> None:
    """Asked of PagerDuty; while it is away, as it said last."""
    async with a_company(sqlite_url) as company:
        case, _ = await _paged(company)
        assert "Dmitri Volkov" in str(company.card(TIER2)["blocks"])
        company.sandbox.faults.add(Fault("pagerduty", "oncalls", Mode.SERVER_ERROR, times=None))
        company.clock.forward(600)
        view = await company.views.view(case.id)
        assert view is not None
        assert view.on_call == {1: "Dmitri Volkov"}


async def test_without_a_token_the_owner_of_the_tier_is_named(sqlite_url: str) -> None:
    """As the policy has it."""
    async with a_company(sqlite_url, rest=False) as company:
        case, _ = await _paged(company)
        view = await company.views.view(case.id)
        assert view is not None
        assert view.on_call == {1: "U0HUGO00001"}


def test_a_key_is_read_back_as_it_was_written() -> None:
    """Also with a deployment that holds a slash; anybody else's key is none of ours."""
    key = PageKey("eu/prod", "c_" + "0" * 26, 1, 3)
    assert str(key) == "eu/prod/c_" + "0" * 26 + "/2/3"
    assert PageKey.read(str(key)) == key
    assert PageKey.read("somebody/else") is None


async def test_the_first_tier_is_not_paged(sqlite_url: str) -> None:
    """It has no pager: Anna's tier hears of it in Slack only."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        await company.click(ANNA, "claim")
        await company.drain()
        assert company.sandbox.pagerduty.incidents == []
