"""Drills: the real ladder end to end, marked everywhere, counted nowhere, with a report of who answered and what failed."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.faults import Fault, Mode
from escalation.drill_watch import opener
from routing.change import Refused
from routing.governance.drill import Drill
from routing.governance.drill_lifecycle import come_round
from routing.vocabulary import State, Verdict
from store.integrity.database_check import DatabaseCheck
from store.reads.breaker_samples import open_cases
from store.reads.queue import open_by_state
from tests.governed import GovernedWorld
from tests.mail_server import MailServer, a_mail_server
from tests.promises.replay_governance import replay_governance
from tests.world import ANNA, BEN, DMITRI, ELENA, GRACE, HUGO, NOON, listeners_end, running
from tests.written import POLICY

TOP = """      - {channel: review-experts, group: experts, owner: U0ELENA0001, decide: 4h, repeat: {every: 5m, most: 3},
         pagerduty: {routing_key: "${PD_SECOND}", severity: critical}, email: [chief@northwind.example]}
"""
THREE = POLICY.replace("    exhausted: hold\n  deserted:", f"{TOP}    exhausted: hold\n  deserted:", 1)
assert THREE != POLICY


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with a_mail_server() as server:
        yield server


@pytest.fixture
async def world(database_url: str, tmp_path: Path, mail: MailServer) -> AsyncIterator[GovernedWorld]:
    """A company whose ladder has three tiers, the last of which is paged and written to again and again; on both databases."""
    async with running(GovernedWorld(tmp_path, database_url, socket_mode=False, policy=THREE, smtp_url=mail.url)) as world:
        yield world


@pytest.fixture
async def once(sqlite_url: str, tmp_path: Path, mail: MailServer) -> AsyncIterator[GovernedWorld]:
    """The same on one database, for what does not hang on it."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=THREE, smtp_url=mail.url)) as world:
        yield world


async def drill(world: GovernedWorld, words: str, person: str = GRACE) -> Drill:
    """Somebody starts a drill; gives it."""
    await world.say(person, f"drill {words}")
    await world.drain()
    found = (await world.bot.reads.governance()).drills
    assert found, world.told(person)
    return found[-1]


async def again(world: GovernedWorld, one: Drill) -> Drill:
    """The drill as it is now."""
    found = (await world.bot.reads.governance()).drill(one.id)
    assert found is not None
    return found


def posted(world: GovernedWorld, one: Drill) -> dict[str, Any]:
    """Its message in the operations channel."""
    [found] = [two for two in world.bulletins("review-ops") if two["metadata"]["event_payload"]["subject"] == one.id]
    return found


def report(world: GovernedWorld, one: Drill) -> str:
    """What stands in the thread of that."""
    message = posted(world, one)
    return json.dumps(world.sandbox.slack.thread(message["channel"], message["ts"]), ensure_ascii=False)


async def test_a_case_reaches_every_tier_and_each_that_answers_is_told_of(world: GovernedWorld, mail: MailServer) -> None:
    """Anna claims it, so it goes on at once; nobody takes it at the second tier, whose page rings; Elena takes it at the third."""
    one = await drill(world, "nobody-available refunds")
    [case_id] = one.cases
    assert (await world.case(case_id)).drill is not None
    assert "This is a drill" in world.text(case_id)
    assert "[DRILL]" in world.text(case_id)
    assert world.buttons(case_id) == ["claim", "escalate", "comment", "open_evidence"]
    await world.pass_time(minutes=3)
    await world.click(ANNA, "claim", case_id)
    await world.drain()
    assert (await world.case(case_id)).tier == 1
    [page] = world.sandbox.pagerduty.incidents
    assert page.title.startswith("[DRILL] nobody-available of refunds")
    await world.pass_time(minutes=18)
    assert (await world.case(case_id)).tier == 2
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["resolved", "triggered"]
    assert mail.taken
    assert all(one["Subject"].startswith("[Tierline] [DRILL] nobody-available of refunds") for one in mail.taken)
    assert "This is a drill: nothing is executed" in mail.texts[0]
    await world.click(ELENA, "claim", case_id)
    await world.pass_time(minutes=1)
    case, done = await world.case(case_id), await again(world, one)
    assert (case.state, case.verdict, case.reason_code) == (State.DECIDED, Verdict.WITHDRAWN, "drill_answered")
    assert (done.outcome, done.left) == ("answered", ())
    assert not [one for one in world.sandbox.pagerduty.incidents if one.is_open]
    assert "Drill over, answered" in world.text(case_id)
    assert "Drill over, answered" in world.read(posted(world, one))
    told = report(world, one)
    assert "tier 1 (#review-tier1): answered by Anna" in told
    assert "tier 2 (#review-tier2): nobody answered after" in told
    assert "tier 3 (#review-experts): answered by Elena" in told
    assert "Nobody answered at tier 2 (#review-tier2)." in told
    assert world.callbacks(case_id) == []


async def test_an_acknowledgement_in_pagerduty_is_an_answer(once: GovernedWorld) -> None:
    """Dmitri takes the page of the second tier there: it goes on to the third, and his name is in the report."""
    one = await drill(once, "nobody-available refunds")
    await once.pass_time(minutes=16)
    [page] = once.sandbox.pagerduty.incidents
    await once.sandbox.pagerduty.acknowledge(page.id, "PDMITRI1")
    await once.drain()
    assert (await once.case(one.cases[0])).tier == 2
    await once.click(ELENA, "claim", one.cases[0])
    await once.pass_time(minutes=1)
    assert "tier 2 (#review-tier2): answered by" in report(once, one)


async def test_it_climbs_as_far_as_it_is_to_and_is_not_decided_below(once: GovernedWorld) -> None:
    """To the second tier only: at the first nobody can decide it, Dmitri's decision at the second ends it."""
    one = await drill(once, "nobody-available refunds tier=2")
    [case_id] = one.cases
    assert "approve" not in once.buttons(case_id)
    await once.pass_time(minutes=16)
    assert "approve" in once.buttons(case_id)
    await once.click(DMITRI, "approve", case_id)
    await once.pass_time(minutes=1)
    assert "answered the drill and approved" in once.told(DMITRI)
    assert (await again(once, one)).outcome == "answered"
    assert len(once.cards(case_id)) == 2


async def test_nobody_answers_anywhere(once: GovernedWorld) -> None:
    """The ladder's end ends it, unanswered; no alarm, no postmortem, no safe state of the workflow, and every page is settled."""
    one = await drill(once, "nobody-available refunds")
    await once.pass_time(hours=1)
    case, done = await once.case(one.cases[0]), await again(once, one)
    assert (case.verdict, done.outcome, done.unanswered) == (Verdict.EXPIRED, "unanswered", 1)
    governance = await once.bot.reads.governance()
    assert not governance.alerts
    assert not governance.incidents
    assert not [page for page in once.sandbox.pagerduty.incidents if page.is_open]
    assert "Nobody answered at tier 3 (#review-experts)." in report(once, one)


async def test_many_at_once(once: GovernedWorld) -> None:
    """Each ends with whoever takes it; what nobody takes climbs as it would. They are counted apart from the queue."""
    real = await once.submit()
    one = await drill(once, "volume-spike refunds cases=3")
    assert len(one.cases) == 3
    await once.say(GRACE, "status")
    assert "1 case waiting" in once.told(GRACE)
    assert "3 cases of drills, counted nowhere else" in once.told(GRACE)
    await once.click(ANNA, "claim", one.cases[0])
    await once.click(BEN, "approve", one.cases[1])
    await once.pass_time(minutes=1)
    assert (await again(once, one)).left == (one.cases[2],)
    await once.pass_time(hours=1)
    done = await again(once, one)
    assert (done.outcome, done.unanswered) == ("unanswered", 1)
    assert "Report: 2 of 3 answered" in report(once, one)
    assert (await once.case(real)).open


async def test_the_policy_itself_routes_what_the_model_is_not_sure_of(once: GovernedWorld) -> None:
    """Its card says by which rule it is there; a decision as always ends it, and no service hears of it."""
    one = await drill(once, "low-confidence summaries")
    [case_id] = one.cases
    assert "confidence_low" in [reason.code for reason in (await once.case(case_id)).route.reasons]
    assert "By the policy it is here because" in once.text(case_id)
    await once.click(ANNA, "approve", case_id)
    await once.pass_time(minutes=1)
    assert (await again(once, one)).outcome == "answered"
    assert not once.sandbox.customer.inbox


LAX = THREE.replace("summaries: {", "summaries: {autonomy: informational, thresholds: {auto: 0.1, review: 0.1}, ")


async def test_a_policy_that_would_ask_nobody_is_found_out(sqlite_url: str, tmp_path: Path) -> None:
    """Where nothing asks for people, the drill says so, and nothing was approved."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=LAX)) as world:
        one = await drill(world, "low-confidence summaries")
        await world.pass_time(minutes=1)
        assert one.outcome == "not_asked"
        assert "the policy asks nobody" in report(world, one)
        assert world.cards(one.cases[0]) == []
        assert (await world.case(one.cases[0])).verdict is Verdict.WITHDRAWN


async def test_a_violation_pages_and_pauses_nothing(once: GovernedWorld) -> None:
    """The stop lane's tier is paged at once; the workflow runs on, and no postmortem is called for."""
    one = await drill(once, "violation refunds")
    [case_id] = one.cases
    assert (await once.case(case_id)).route.lane == "stop"
    assert "the workflow itself is not paused" in once.text(case_id)
    assert sorted(page.title.partition(" ")[0] for page in once.sandbox.pagerduty.incidents if page.is_open) == ["[DRILL]", "[DRILL]"]
    [alarm] = [two for two in once.bulletins("review-ops") if two["metadata"]["event_payload"]["subject"] == one.alert]
    await once.press(HUGO, alarm, "acknowledge_alert")
    await once.pass_time(minutes=1)
    assert not (await again(once, one)).over
    assert (await once.automation("refunds"))["automation"] == "on"
    await once.click(ELENA, "claim", case_id)
    await once.pass_time(minutes=1)
    assert (await again(once, one)).outcome == "answered"
    assert not [page for page in once.sandbox.pagerduty.incidents if page.is_open]
    assert "Report: 2 of 2 answered" in report(once, one)
    assert (await once.automation("refunds"))["automation"] == "on"
    await check_nothing_counts(once, one)


async def test_the_alarm_of_a_service_that_takes_nothing(once: GovernedWorld) -> None:
    """It rings and is said where such an alarm is said, marked; whoever acknowledges it ends the drill. No brake has to do with it."""
    one = await drill(once, "downstream-failure refunds")
    assert one.cases == ()
    [page] = once.sandbox.pagerduty.incidents
    assert page.title.startswith("[DRILL] refunds: This is a drill")
    [alarm] = [two for two in once.bulletins("review-ops") if two["metadata"]["event_payload"]["subject"] == one.alert]
    assert "[DRILL] Alarm" in once.read(alarm)
    await once.pass_time(minutes=4)
    await once.press(HUGO, alarm, "acknowledge_alert")
    await once.pass_time(minutes=1)
    assert (await again(once, one)).outcome == "answered"
    assert not [two for two in once.sandbox.pagerduty.incidents if two.is_open]
    assert "the alarm: answered by Hugo" in report(once, one)
    assert await once.leaves("breaker_tripped") == 0


async def test_an_alarm_that_nobody_acknowledges_ends_by_itself(once: GovernedWorld) -> None:
    """After the time that the policy gives it."""
    one = await drill(once, "downstream-failure refunds")
    await once.pass_time(minutes=31)
    assert (await again(once, one)).outcome == "unanswered"
    assert not [page for page in once.sandbox.pagerduty.incidents if page.is_open]


@pytest.mark.parametrize("kind", ["nobody-available", "volume-spike", "downstream-failure", "low-confidence", "violation"])
async def test_any_can_be_stopped_and_none_counts(once: GovernedWorld, kind: str) -> None:
    """Its cards close, its pages stop; nothing is left of it but its own record: no callback, no ticket, no brake, nothing in a queue."""
    one = await drill(once, f"{kind} refunds{' cases=2' if kind == 'volume-spike' else ''}")
    await once.say(HUGO, "drill stop")
    await once.pass_time(minutes=1)
    done = await again(once, one)
    assert (done.outcome, done.stopped_by, done.left) == ("stopped", HUGO, ())
    assert not [page for page in once.sandbox.pagerduty.incidents if page.is_open]
    assert all("Drill stopped" in once.text(case_id) for case_id in one.cases)
    await check_nothing_counts(once, one)


async def check_nothing_counts(world: GovernedWorld, one: Drill) -> None:
    """Whatever counts cases, calls services or holds them back knows nothing of it; the log and the rows agree."""
    governance = await world.bot.reads.governance()
    assert all(control.since is None and not control.known_versions for control in governance.controls.values())
    assert not governance.incidents
    assert not [alert for alert in governance.alerts if not alert.drill]
    assert not world.sandbox.customer.inbox
    assert not world.sandbox.tickets.opened
    for case_id in one.cases:
        status, _ = await world.sandbox.customer.get(f"/v1/cases/{case_id}")
        assert status == 404
    samples = await world.bot.database.read(open_cases)
    assert all(each.open == 0 for each in samples.values())
    assert await world.bot.database.read(open_by_state) == {}
    segments = dict.fromkeys(one.cases, "")
    assert await world.bot.database.read(lambda connection: replay_governance(connection, segments)) == []
    check = DatabaseCheck(world.bot.database, world.bot.vault, [world.bot.vkey])
    assert [str(found) for found in (await check.everything()).findings] == []


ROUND = """drills:
  schedule: [{name: ladder, every: 30d, kinds: [nobody_available, violation], workflow: refunds, tier: 2, calendar: office}]
calendars: {office: {timezone: Europe/Berlin, hours: "09:00-17:00", holidays: DE-BE}}
"""


@pytest.fixture
async def scheduled(postgres_url: str, tmp_path: Path) -> AsyncIterator[GovernedWorld]:
    """A company whose ladder is tried every 30 days, in office hours. It is Friday, an hour before they end."""
    world = GovernedWorld(tmp_path, postgres_url, socket_mode=False, policy=THREE + ROUND)
    world.clock.now = NOON + timedelta(hours=4, minutes=30)
    async with running(world):
        yield world


async def kinds(world: GovernedWorld) -> list[str]:
    """What was played so far."""
    return [one.kind.value for one in (await world.bot.reads.governance()).drills]


async def sleep_until(world: GovernedWorld, at: datetime) -> None:
    """Let time pass without anything else of interest."""
    world.clock.now = at
    for _ in range(2):
        await world.bot.tick()
        await world.drain()


async def test_it_comes_round_in_office_hours_once_in_its_time_whoever_asks(scheduled: GovernedWorld) -> None:
    """Not on Friday evening, not while a workflow is held back; on Monday morning one, however many replicas and restarts; then the next
    kind after 30 days.
    """
    world, monday = scheduled, datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    await sleep_until(world, world.clock.now)
    assert await kinds(world) == []
    await world.say(GRACE, "review-all tags We look at all of it for an hour.")
    await sleep_until(world, monday)
    assert await kinds(world) == []
    await world.say(GRACE, "drill list")
    assert "None begins by itself now: The workflow tags is held back." in world.told(GRACE)
    await world.say(GRACE, "resume tags It was looked at.")
    await sleep_until(world, monday + timedelta(minutes=2))
    steps = [world.bot.ledger.govern(come_round("ladder", opener)) for _ in range(3)]  # as other replicas would
    assert all(isinstance(result, Refused) for result in await asyncio.gather(*steps))
    await world.restart()
    await sleep_until(world, monday + timedelta(minutes=4))
    [one] = (await world.bot.reads.governance()).drills
    assert (one.kind, one.by, one.schedule, one.to) == ("nobody_available", "tierline", "ladder", 1)
    await world.click(ANNA, "claim", one.cases[0])
    await world.drain()
    await world.click(DMITRI, "claim", one.cases[0])
    await world.drain()
    assert "by itself, as the policy has it" in world.read(posted(world, one))
    await sleep_until(world, monday + timedelta(days=30))
    assert await kinds(world) == ["nobody_available"]
    await sleep_until(world, monday + timedelta(days=30, minutes=5))
    assert await kinds(world) == ["nobody_available", "violation"]


async def test_what_does_not_get_through_is_reported(once: GovernedWorld) -> None:
    """PagerDuty refuses the page of the second tier, for which nobody is on call; the report says both, and when who was tested."""
    once.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, status=403, times=None))
    one = await drill(once, "nobody-available refunds")
    await once.pass_time(minutes=3)
    await once.click(ANNA, "claim", one.cases[0])
    await once.pass_time(minutes=20)
    await once.click(ELENA, "claim", one.cases[0])
    await once.pass_time(minutes=1)
    told = report(once, one)
    assert "The page of tier 2 was not taken by PagerDuty: HTTP 403" in told
    assert "Nobody answered at tier 2 (#review-tier2)." in told
    assert "standard, tier 1:" in told
    assert "standard, tier 2: *never*" in told


async def test_who_may_and_what_cannot_be_played(once: GovernedWorld) -> None:
    """Each with what to do about it; nothing begins."""
    for words, person, said in (
        ("nobody-available refunds", ANNA, "It takes a supervisor, a duty officer or an admin"),
        ("nobody-available refund", GRACE, "did you mean"),
        ("nobody-available refunds tier=4", GRACE, "the ladder of refunds has 3 tiers"),
        ("violation refunds tier=2", GRACE, "Only nobody-available climbs"),
        ("violation refunds cases=3", GRACE, "Only volume-spike has a number of cases"),
        ("earthquake refunds", GRACE, "KIND is nobody-available"),
        ("stop", GRACE, "There is no such drill"),
        ("show d_0", GRACE, "There is no such drill"),
        ("list", GRACE, "There was no drill yet"),
    ):
        await once.say(person, f"drill {words}")
        assert said in once.told(person), (words, once.told(person))
    assert (await once.bot.reads.governance()).drills == ()
    await once.say(GRACE, "incident list")
    assert "There was no incident." in once.told(GRACE)


async def test_a_channel_that_shows_nothing_is_reported(once: GovernedWorld) -> None:
    """The first tier's is archived: its owners are told directly, the case leaves for the second, and the report says so."""
    await once.sandbox.slack.archive_channel("review-tier1")
    await listeners_end()
    one = await drill(once, "nobody-available refunds tier=2")
    await once.pass_time(minutes=8)
    await once.click(DMITRI, "claim", one.cases[0])
    await once.pass_time(minutes=1)
    told = report(once, one)
    assert "Slack did not show the card of tier 1 (#review-tier1)." in told
    assert "tier 2 (#review-tier2): answered by" in told


async def test_the_report_says_of_a_page_that_rang_nobody(once: GovernedWorld) -> None:
    """PagerDuty took nothing, and nobody was on call: what somebody happened to see in Slack hides neither."""
    once.sandbox.pagerduty.put_on_call("PPTIER2A")
    once.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, times=None))
    one = await drill(once, "nobody-available refunds tier=2")
    await once.pass_time(minutes=17)
    await once.click(DMITRI, "claim", one.cases[0])
    await once.pass_time(minutes=1)
    told = report(once, one)
    assert "tier 2 (#review-tier2): answered by Dmitri" in told
    assert "The page of tier 2 was not taken by PagerDuty in " in told
    assert "PagerDuty had nobody on call for tier 2." in told


async def test_nobody_further_is_rung_once_it_is_stopped(once: GovernedWorld) -> None:
    """Whoever claims a card before it is closed closes it: the next tier hears nothing."""
    one = await drill(once, "nobody-available refunds")
    await once.say(HUGO, "drill stop")
    await once.click(ANNA, "claim", one.cases[0])
    await once.drain()
    case = await once.case(one.cases[0])
    assert (case.state, case.reason_code, case.tier) == (State.DECIDED, "drill_stopped", 0)
    assert once.sandbox.pagerduty.incidents == []
    assert (await again(once, one)).outcome == "stopped"
