"""Break-glass: one person decides outside the normal path, and everybody who has to know does, at once and afterwards."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack.ack import Ack
from escalation.page_words import why_settled
from routing.vocabulary import CaseKind, State, Verdict
from tests.governed import GovernedWorld as World
from tests.promises.replay import replay
from tests.world import ANNA, CHIARA, DMITRI, ELENA, FARID, GRACE, HUGO, running
from tests.written import POLICY

RULE = "break_glass: {group: rescuers, supervisors: owners, within: 8h, most: 3, per: 1d, review_within: 3d}\nladders:\n"
RESCUERS = "  rescuers: {users: [U0FARID0001, U0ELENA0001, U0GRACE0001]}\n  nobody: {usergroup"
WITH = POLICY.replace("ladders:\n", RULE, 1).replace("  nobody: {usergroup", RESCUERS, 1)
WHY = "The customer loses the flat tonight and nobody of the frontline answers."
APPROVE = {"verdict": "approve", "text": WHY}
REJECT = {"verdict": "reject", "text": WHY}


@pytest.fixture
async def rescued(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The company of the other stories, with a policy that lets three people break the glass."""
    async with running(World(tmp_path, database_url, False, policy=WITH)) as world:
        yield world


@pytest.fixture
async def once(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The same on one database, for what does not hang on it."""
    async with running(World(tmp_path, sqlite_url, False, policy=WITH)) as world:
        yield world


async def use(world: World, person: str, case_id: str, values: dict[str, Any] | None = None) -> Ack:
    """Somebody types the command and sends the form."""
    await world.drain()
    await world.say(person, f"break-glass {case_id} {WHY}")
    ack = await world.fill_in(person, values or APPROVE)
    await world.drain()
    return ack


async def refused(world: World, person: str, case_id: str) -> str:
    """What somebody is told who types the command and gets no form."""
    await world.drain()
    before = world.sandbox.slack.open_view(person)
    await world.say(person, f"break-glass {case_id} {WHY}")
    assert world.sandbox.slack.open_view(person) == before
    return world.told(person)


def direct(world: World, person: str) -> str:
    """Everything in the direct messages with somebody."""
    return json.dumps(world.sandbox.slack.direct_messages(person), ensure_ascii=False)


async def test_the_whole_way_of_one_use(rescued: World) -> None:
    """A dual case at the wrong tier for Farid: form, verdict, callback, card, thread, supervisors, review, weekly list."""
    world = rescued
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    await world.say(FARID, f"break-glass {case_id} {WHY}")
    form = json.dumps(world.sandbox.slack.open_view(FARID), ensure_ascii=False)
    case = await world.case(case_id)
    known = ("refund.create", "8841", case.action_sha256[:12], WHY)
    for said in (*known, "you are not in the group", "more people than you alone", "2 people"):
        assert said in form, said
    assert (await world.case(case_id)).state is State.PENDING
    ack = await world.fill_in(FARID, APPROVE)
    assert "Recorded: you approved" in json.dumps(ack.body)
    await world.drain()
    case = await world.case(case_id)
    assert case.verdict is Verdict.APPROVED
    assert case.break_glass
    decided = world.callbacks(case_id)[-1]
    assert decided["break_glass"]["passed_over"] == ["group", "people"]
    assert decided["rationale"] == WHY
    assert [one["slack_id"] for one in decided["decided_by"]] == [FARID]
    assert (await world.answer(case_id))["break_glass"]["passed_over"] == ["group", "people"]
    assert "Approved by break-glass" in world.text(case_id)
    assert "Passed over:* the group that answers for it, the other people whom it takes." in world.text(case_id)
    assert "decided this by break-glass" in world.thread(case_id)
    review = await world.child(case_id, CaseKind.REVIEW)
    card = world.card(review.id)
    assert card["channel"] == "C0OPS000001"
    assert "<!subteam^S0OWNERS001>" in json.dumps(card["blocks"])
    assert WHY in json.dumps(card["blocks"], ensure_ascii=False)
    for supervisor in (GRACE, HUGO):
        assert "by break-glass" in direct(world, supervisor)
    await world.say(ANNA, "break-glass")
    assert "1 of them not reviewed yet" in world.told(ANNA)
    await world.click(HUGO, "approve", review.id)
    await world.drain()
    assert (await world.case(review.id)).verdict is Verdict.APPROVED
    assert "it was right" in world.text(case_id)
    [one] = (await world.bot.reads.governance()).break_glass
    assert (one.outcome, one.reviewed_by, one.review, one.by) == ("right", HUGO, review.id, FARID)
    assert await world.leaves("break_glass_used") == 1
    assert await world.leaves("break_glass_reviewed") == 1
    await world.pass_time(days=7)
    [listed] = [one for one in world.bulletins("review-ops") if "Break-glass, week" in world.read(one)]
    assert "Right, says Hugo Martins" in world.read(listed)
    assert await replay(world.bot.database) == []
    await world.pass_time(days=7)
    assert len([one for one in world.bulletins("review-ops") if "Break-glass, week" in world.read(one)]) == 1


async def test_a_review_reminds_until_it_is_done_and_wrong_leads_to_undoing(rescued: World) -> None:
    """Half way, near the end, then every day, ringing the supervisors; never by time alone is it over."""
    world = rescued
    case_id = await world.submit()
    await use(world, FARID, case_id)
    review = await world.child(case_id, CaseKind.REVIEW)
    await world.pass_time(days=6)
    assert (await world.case(review.id)).state is State.PENDING
    reminders = world.sandbox.slack.thread(world.card(review.id)["channel"], world.card(review.id)["ts"])
    assert sum("still waits for a decision" in str(one["text"]) for one in reminders) == 2 + 4
    assert "<!subteam^S0OWNERS001>" in world.thread(review.id)
    await world.click(GRACE, "reject", review.id)
    await world.fill_in(GRACE, {"reason": "policy_violation", "text": "There was no emergency at all."})
    await world.drain()
    assert "it was *wrong*" in world.text(case_id)
    assert (await world.child(case_id, CaseKind.ROLLBACK)).open
    assert (await world.bot.reads.governance()).break_glass[0].outcome == "wrong"
    assert await replay(world.bot.database) == []


async def test_rejecting_executes_nothing_and_its_review_says_so(once: World) -> None:
    """A rejection by break-glass is reviewed as well; found wrong there is nothing to undo."""
    world = once
    case_id = await world.submit(workflow="audited")
    await use(world, FARID, case_id, REJECT)
    assert (await world.case(case_id)).verdict is Verdict.REJECTED
    review = await world.child(case_id, CaseKind.REVIEW)
    assert "Was rejected" in world.text(review.id)
    await world.click(HUGO, "reject", review.id)
    await world.fill_in(HUGO, {"reason": "other"})
    await world.drain()
    assert [(await world.case(child)).kind for child in (await world.case(case_id)).children] == [CaseKind.REVIEW]


async def test_what_an_exhausted_ladder_holds_and_what_waits_for_its_service(once: World) -> None:
    """Both are passed over, and both are said."""
    world = once
    held = await world.submit()
    await world.pass_time(hours=8)
    assert (await world.case(held)).state is State.HELD
    await use(world, FARID, held)
    assert world.callbacks(held)[-1]["break_glass"]["passed_over"] == ["group", "hold"]
    waiting = await world.submit()
    await world.drain()
    await world.click(ANNA, "ask", waiting)
    await world.fill_in(ANNA, {"question": "Which charge?"})
    await use(world, FARID, waiting)
    assert world.callbacks(waiting)[-1]["break_glass"]["passed_over"] == ["group", "information"]


async def test_nobody_outside_the_role_and_never_the_requester(once: World) -> None:
    """Neither the tier's own people, nor whoever asked for it under any name; each refusal is on record."""
    world = once
    own = await world.submit(requester={"slack_id": FARID})
    mailed = await world.submit(requester={"email": "Farid@Northwind.example"})
    assert "Only the group that the policy names" in await refused(world, DMITRI, own)
    assert "You asked for this action" in await refused(world, FARID, own)
    assert "You asked for this action" in await refused(world, FARID, mailed)
    assert await world.leaves("press_refused") == 3
    assert await world.leaves("break_glass_used") == 0
    assert (await world.case(own)).state is State.PENDING


async def test_a_supervisor_who_used_it_does_not_review_it(once: World) -> None:
    """Grace is both: another supervisor answers, and she is not told to."""
    world = once
    case_id = await world.submit()
    await use(world, GRACE, case_id)
    assert "supervisors" not in direct(world, GRACE)
    review = await world.child(case_id, CaseKind.REVIEW)
    await world.click(GRACE, "approve", review.id)
    assert "took part in deciding it" in world.told(GRACE)
    assert (await world.case(review.id)).open


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        ("pause", "break-glass passes no brake"),
        ("quarantine", "break-glass does not lift one"),
        ("decided", "already decided"),
        ("withdrawn", "already decided"),
        ("stop", "break-glass passes no brake"),
        ("voted", "already taken a step"),
    ],
)
async def test_what_it_never_passes(once: World, prepare: str, words: str) -> None:
    """A brake, a quarantine, a decision, a stopped line, a step of one's own."""
    world = once
    flags: dict[str, Any] = {"risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy", "flags": ["prohibited_content"]}}
    case_id = await world.submit(workflow="payouts" if prepare == "voted" else "refunds", **(flags if prepare == "stop" else {}))
    await world.drain()
    match prepare:
        case "pause":
            await world.say(GRACE, "pause refunds The model invents order numbers.")
        case "quarantine":
            await world.say(GRACE, f"quarantine {case_id} Looks forged.")
        case "decided":
            await world.click(ANNA, "approve", case_id)
        case "withdrawn":
            await world.sandbox.customer.withdraw(case_id, "No longer needed.")
        case "voted":
            await world.click(ANNA, "escalate", case_id)
            await world.fill_in(ANNA, {"reason": "unsure"})
            await world.drain()
            world.policy = WITH.replace("rescuers: {users: [", f"rescuers: {{users: [{CHIARA}, ")
            await world.propose(world.policy)
            await world.drain()
            await world.press(HUGO, world.bulletins("review-owners")[-1], "accept_policy")
            await world.bot.tick()
            await world.click(CHIARA, "approve", case_id)
            assert words in await refused(world, CHIARA, case_id)
            return
        case _:
            pass
    assert words in await refused(world, FARID, case_id)
    assert await world.leaves("break_glass_used") == 0


async def test_what_is_known_to_be_wrong_can_only_be_rejected(once: World) -> None:
    """A check that failed, and a point of the checklist that somebody found wrong."""
    world = once
    failed = await world.submit(checks=[{"name": "iban", "result": "fail", "detail": "It belongs to somebody else."}])
    await world.drain()
    await world.say(FARID, f"break-glass {failed} {WHY}")
    form = json.dumps(world.sandbox.slack.open_view(FARID))
    assert '"approve"' not in form
    assert "never over what is known to be wrong" in form
    await world.fill_in(FARID, REJECT)
    assert (await world.case(failed)).verdict is Verdict.REJECTED
    checked = await world.submit(workflow="audited")
    await world.drain()
    await world.click(ANNA, "approve", checked)
    first = (await world.case(checked)).route.steps[0].checklist[0].id
    await world.fill_in(ANNA, {**await world.checked(checked, **{first: "fail"}), "text": "The amount is wrong."})
    await world.drain()
    await world.say(FARID, f"break-glass {checked} {WHY}")
    assert "never over what is known to be wrong" in json.dumps(world.sandbox.slack.open_view(FARID))
    await world.fill_in(FARID, REJECT)
    assert (await world.case(checked)).verdict is Verdict.REJECTED


async def test_a_form_of_a_case_that_changed_counts_no_longer(once: World) -> None:
    """It moved on while the form was open: what the form shows is not what would be decided."""
    world = once
    case_id = await world.submit()
    await world.drain()
    await world.say(FARID, f"break-glass {case_id} {WHY}")
    await world.click(ANNA, "escalate", case_id)
    await world.fill_in(ANNA, {"reason": "unsure"})
    ack = await world.fill_in(FARID, APPROVE)
    assert "has changed" in json.dumps(ack.body)
    assert (await world.case(case_id)).open


@pytest.mark.parametrize("text", ["now", "asap!!! " * 10, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "   ", "Because I say so."])
async def test_a_reason_of_no_length_is_none(once: World, text: str) -> None:
    """Refused beside the input; what was typed stays."""
    world = once
    case_id = await world.submit()
    ack = await use(world, FARID, case_id, {"verdict": "approve", "text": text})
    assert "errors" in json.dumps(ack.body)
    assert (await world.case(case_id)).open


async def test_the_last_use_is_used_once(database_url: str, tmp_path: Path) -> None:
    """Two people have the form of two cases open and send it at the same moment, when the policy allows one more."""
    async with running(World(tmp_path, database_url, False, policy=WITH.replace("most: 3", "most: 1"))) as world:
        cases = {FARID: await world.submit(), ELENA: await world.submit()}
        await world.drain()
        for person, case_id in cases.items():
            await world.say(person, f"break-glass {case_id} {WHY}")
        acks = await asyncio.gather(*(world.fill_in(person, APPROVE) for person in cases))
        await world.drain()
        assert [(await world.case(one)).break_glass for one in cases.values()].count(True) == 1
        assert sum("1 times within 1d already" in json.dumps(ack.body) for ack in acks) == 1
        assert await world.leaves("break_glass_used") == 1
        third = await world.submit()
        assert "1 times within 1d already" in await refused(world, GRACE, third)


async def test_without_the_key_nobody_may(world: World) -> None:
    """A policy that does not name it behaves as before."""
    case_id = await world.submit()
    assert "lets nobody decide" in await refused(world, FARID, case_id)
    await world.say(FARID, "break-glass")
    assert "was not used" in world.told(FARID)
    await world.say(FARID, f"break-glass {case_id}")
    assert "Type it so" in world.told(FARID)


async def test_the_supervisors_are_paged_where_the_policy_says_so(sqlite_url: str, tmp_path: Path) -> None:
    """One page that says what it is about, ended by the answer."""
    paging = WITH.replace("review_within: 3d}", 'review_within: 3d, pagerduty: {routing_key: "${PD_INCIDENTS}", severity: error}}')
    async with running(World(tmp_path, sqlite_url, False, policy=paging)) as world:
        case_id = await world.submit()
        await use(world, FARID, case_id)
        [incident] = world.sandbox.pagerduty.incidents
        assert incident.title.startswith("Break-glass to review: refund.create of refunds was decided outside the normal path")
        review = await world.child(case_id, CaseKind.REVIEW)
        await world.click(HUGO, "approve", review.id)
        await world.drain()
        [incident] = world.sandbox.pagerduty.incidents
        assert incident.status == "resolved"
        assert why_settled(await world.case(review.id), 2) == "reviewed, break-glass was right"
