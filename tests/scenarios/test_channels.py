"""Channels that take no cards, and channels that are not the ones any more that the policy meant."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import select

from bot.sandbox.faults import Fault, Mode
from bot.sandbox.slack.conversations import Channel
from routing.case.case import Case
from routing.case.submission import moment_text
from routing.governance.binding_lifecycle import unreachable
from routing.review.outlook import upcoming
from routing.vocabulary import Consequence, State
from store.schema import outbox
from tests.governed import GovernedWorld
from tests.world import ANNA, BEN, CHIARA, DMITRI, FARID, GRACE, HUGO, listeners_end, running
from tests.written import POLICY

BOT = "U0TIERLINE1"
TIER1, TIER2 = "review-tier1", "review-tier2"
ID = re.compile(r"[CDGUW][A-Z0-9]{7,}")

A_SECOND = timedelta(seconds=1)
"""Slack's pace: one message a second into a channel, whatever became of the one before."""


@pytest.fixture(params=["http-sqlite", "socket-postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[GovernedWorld]:
    """A running bot over either way and engine."""
    way, engine = request.param.split("-")
    url = request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url")
    async with running(GovernedWorld(tmp_path, url, way == "socket")) as world:
        yield world


@pytest.fixture
async def small(tmp_path: Path, sqlite_url: str) -> AsyncIterator[GovernedWorld]:
    """The same, where neither engine nor way can matter."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False)) as world:
        yield world


T = TypeVar("T")


async def heard(happening: Awaitable[T]) -> T:
    """Something happens in the workspace, and the bot has heard of it."""
    result = await happening
    await listeners_end()
    return result


async def leave(world: GovernedWorld) -> None:
    """The app is taken out of the channel."""
    await heard(world.sandbox.slack.remove_app(TIER1))


async def come_back(world: GovernedWorld) -> None:
    """And let in again."""
    await heard(world.sandbox.slack.invite_app(TIER1))


async def leave_private(world: GovernedWorld) -> None:
    """The same where the channel is private by now, so that it is not even known any more."""
    world.sandbox.slack.workspace.any_channel(TIER1).is_private = True
    await heard(world.sandbox.slack.remove_app(TIER1))


async def archive(world: GovernedWorld) -> None:
    """Somebody archives the channel."""
    await heard(world.sandbox.slack.archive_channel(TIER1))


async def unarchive(world: GovernedWorld) -> None:
    """And opens it again."""
    await heard(world.sandbox.slack.unarchive_channel(TIER1))


CAUSES = {"not_in_channel": (leave, come_back), "channel_not_found": (leave_private, come_back), "is_archived": (archive, unarchive)}
CODES = ("missing_scope", "account_inactive", "invalid_auth", "token_revoked", "restricted_action", "no_permission", "a_code_of_tomorrow")


async def obstacles(world: GovernedWorld) -> str:
    """What readiness says of channels."""
    return " ".join(one.sentence for one in await world.bot.channels.obstacles())


@pytest.mark.parametrize("cause", CAUSES)
async def test_a_card_that_a_channel_refuses_waits_and_goes_at_once_when_it_is_mended(world: GovernedWorld, cause: str) -> None:
    """The alarm names cause, remedy and what waits; Slack's own event lets the card go in the same second."""
    breaks, mends = CAUSES[cause]
    await world.bot.channels.tick()
    await breaks(world)
    case_id = await world.submit()
    await world.drain()
    assert world.cards(case_id) == []
    said = await obstacles(world)
    assert "#review-tier1" in said
    assert "1 message waits" in said
    [alarm] = world.bulletins("review-ops")
    assert "nothing arrives there" in world.read(alarm)
    assert cause in world.read(alarm)
    status = await world.say(GRACE, "status")
    assert "Nothing can be sent to #review-tier1" in json.dumps(status.body)
    world.clock.now += A_SECOND
    await mends(world)
    await world.bot.courier.drain_once()
    [card] = world.cards(case_id)
    assert card["channel"] == "C0TIER10001"
    assert await obstacles(world) == ""
    await world.drain()
    assert "This is over" in world.read(world.bulletins("review-ops")[0]) or "stands for" in world.read(world.bulletins("review-ops")[0])
    assert (await world.leaves("channel_unreachable"), await world.leaves("channel_reachable")) == (1, 1)


@pytest.mark.parametrize("code", CODES)
async def test_what_slack_refuses_for_any_other_cause_is_tried_until_it_is_taken(small: GovernedWorld, code: str) -> None:
    """At growing intervals, never faster; every code counts as mendable that does not blame what we drew."""
    world = small
    refusal = world.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.REFUSED, times=None, error=code))
    case_id = await world.submit(workflow="lonely")
    await world.pass_time(minutes=12)
    tries = [one.at for one in world.sandbox.slack.record.find("fault", where=lambda data: data["args"]["channel"] == "C0TIER10001")]
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert 5 <= len(tries) <= 20
    assert waits[-1] > 4 * waits[0]
    assert "#review-tier1" in await obstacles(world)
    world.sandbox.faults.remove(refusal)
    await world.pass_time(minutes=6)
    assert len(world.cards(case_id)) == 1
    assert await obstacles(world) == ""


@pytest.mark.parametrize("code", ["missing_scope", "invalid_auth", "a_code_of_tomorrow"])
async def test_names_that_cannot_be_resolved_are_an_alarm_too(small: GovernedWorld, code: str) -> None:
    """Without a channel's id nothing can be sent there, whatever keeps Slack from telling it; the owners hear of it directly."""
    world = small
    refusal = world.sandbox.faults.add(Fault("slack", "conversations.list", Mode.REFUSED, times=None, error=code))
    case_id = await world.submit(workflow="lonely")
    await world.pass_time(minutes=6)
    assert f"Nothing can be sent to #review-tier1: {code}" in await obstacles(world)
    for owner in (GRACE, HUGO):
        assert f"`/review case {case_id}`" in json.dumps(world.sandbox.slack.direct_messages(owner))
    world.sandbox.faults.remove(refusal)
    await world.pass_time(minutes=1)
    assert len(world.cards(case_id)) == 1
    assert await obstacles(world) == ""


async def test_a_case_passes_every_tier_whose_channel_is_closed(tmp_path: Path, sqlite_url: str) -> None:
    """And its card says which one it has come to, and why."""
    third = "      - {channel: review-experts, group: experts, decide: 1h}\n    exhausted: hold"
    policy = POLICY.replace("    exhausted: hold", third, 1)
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=policy)) as world:
        await world.bot.channels.tick()
        for channel in (TIER1, TIER2):
            await heard(world.sandbox.slack.archive_channel(channel))
        await world.bot.channels.look()
        case_id = await world.submit()
        await world.pass_time(minutes=6)
        assert (await world.case(case_id)).tier == 2
        assert "to tier 3 because its card could not be shown where it was" in world.text(case_id, tier=3)
        assert "card of tier 1 (`is_archived`)" in world.thread(case_id, tier=3)


async def test_a_case_whose_card_is_refused_goes_to_the_next_tier_in_time(world: GovernedWorld) -> None:
    """Long before its clock runs out, with a page as for any climb; the log and the new card's thread say why."""
    await world.bot.channels.tick()
    await archive(world)
    case_id = await world.submit()
    await world.pass_time(minutes=4, seconds=50)
    assert (await world.case(case_id)).tier == 0
    await world.pass_time(seconds=20)
    await world.bot.tick()
    await world.drain()
    case = await world.case(case_id)
    assert case.tier == 1
    assert "so nobody could see it there" in world.thread(case_id, tier=2)
    assert "because its card could not be shown where it was" in world.text(case_id, tier=2)
    assert "nobody decided" not in world.text(case_id, tier=2)
    await world.click(DMITRI, "approve", case_id, tier=2)
    assert (await world.case(case_id)).state is State.DECIDED
    await unarchive(world)
    await world.drain()
    assert "approve" not in world.buttons(case_id, tier=1)


async def test_a_card_in_an_archived_channel_loses_its_buttons_once_it_is_opened_again(small: GovernedWorld) -> None:
    """Its update is refused, waits and is counted in what is said of the channel; no second card is posted anywhere."""
    world = small
    await world.bot.channels.tick()
    case_id = await world.submit()
    await world.drain()
    await archive(world)
    await world.sandbox.customer.withdraw(case_id, "the customer called it off")
    await world.pass_time(minutes=30)
    assert "approve" in world.buttons(case_id)
    assert "1 message waits" in await obstacles(world)
    await unarchive(world)
    await world.bot.courier.drain_once()
    assert world.buttons(case_id) == []
    assert len(world.cards(case_id)) == 1
    assert await obstacles(world) == ""


async def test_the_owners_hear_directly_of_a_case_that_no_channel_shows(world: GovernedWorld) -> None:
    """Once, with what helps; the case stays where it is and its clocks run on."""
    await world.bot.channels.tick()
    await archive(world)
    await heard(world.sandbox.slack.archive_channel(TIER2))
    case_id = await world.submit()
    other = await world.submit()
    await world.bot.channels.tick()
    await world.pass_time(minutes=6)
    await world.bot.tick()
    await world.drain()
    for owner in (GRACE, HUGO):
        told = json.dumps(world.sandbox.slack.direct_messages(owner))
        assert told.count(f"`/review case {case_id}`") == 1
        assert other in told
        assert "Unarchive it" in told
    assert (await world.case(case_id)).tier == 0
    case = await world.case(case_id)
    assert case.unseen
    assert await world.leaves("not_seen") == 2
    left = await world.bot.reads.unseen_cards([case.rung.channel], [], world.clock.now, 10)
    assert left == []  # they keep no other case from being found


async def test_a_card_that_cannot_be_drawn_is_given_up_and_its_case_goes_on(small: GovernedWorld) -> None:
    """Trying again would not help, so only that message ends: the case climbs as one whose channel is closed."""
    world = small
    await world.bot.channels.tick()
    world.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.REFUSED, error="invalid_blocks"))
    case_id = await world.submit()
    await world.drain()
    await world.bot.tick()
    await world.pass_time(minutes=6)
    assert (await world.case(case_id)).tier == 1
    assert len(world.cards(case_id)) == 1


async def leaves_when_announced(world: GovernedWorld, case_id: str, said: str) -> None:
    """The case says that it leaves its tier, and stays until then."""
    announced = upcoming(await world.case(case_id))
    assert announced is not None
    assert (announced.clock, announced.consequence) == ("unseen", Consequence.ESCALATED)
    _, told = await world.sandbox.customer.get(f"/v1/cases/{case_id}")
    assert isinstance(told, dict)
    assert (told["due_at"], told["next"]) == (moment_text(announced.at), "escalated")
    assert f"{announced.at:%H:%M} UTC" in json.dumps((await world.say(GRACE, "status")).body)
    assert said in json.dumps((await world.say(GRACE, f"case {case_id}")).body)
    world.clock.now = announced.at - A_SECOND
    await world.bot.tick()
    assert (await world.case(case_id)).tier == 0
    world.clock.now = announced.at
    await world.bot.tick()
    assert (await world.case(case_id)).tier == 1


@pytest.mark.parametrize("tried_after", [0, 180, 420])
async def test_every_surface_announces_when_a_case_leaves_whose_card_is_refused(small: GovernedWorld, tried_after: int) -> None:
    """However long after the case came that was found out (seconds), it goes at the time that was announced and not before."""
    world = small
    await world.bot.channels.tick()
    case_id = await world.submit()
    world.clock.now += tried_after * A_SECOND
    await archive(world)
    await world.bot.courier.drain_once()
    await world.bot.tick()
    await leaves_when_announced(world, case_id, "#review-tier1 does not show its card")


async def test_a_case_whose_card_is_taken_in_time_stays_and_says_so(small: GovernedWorld) -> None:
    """Nothing of the announcement is left, on the card neither."""
    world = small
    await world.bot.channels.tick()
    case_id = await world.submit()
    before = upcoming(await world.case(case_id))
    await archive(world)
    await world.bot.courier.drain_once()
    await world.bot.tick()
    assert upcoming(await world.case(case_id)) != before
    world.clock.now += A_SECOND
    await unarchive(world)
    await world.bot.courier.drain_once()
    assert "does not show" not in world.text(case_id)
    await world.pass_time(minutes=5)
    assert upcoming(await world.case(case_id)) == before
    assert (await world.case(case_id)).tier == 0


async def test_a_case_whose_card_stands_in_a_channel_that_was_closed_goes_on(small: GovernedWorld) -> None:
    """It was shown, and nobody can act on it any more."""
    world = small
    await world.bot.channels.tick()
    case_id = await world.submit()
    await world.drain()
    assert len(world.cards(case_id)) == 1
    await world.pass_time(minutes=6)
    await archive(world)
    await world.bot.channels.look()
    world.clock.now += 5 * A_SECOND
    await world.bot.tick()
    await world.bot.courier.drain_once()
    alarm = world.read(world.bulletins("review-ops")[-1])
    assert "No message waits for it" in alarm
    status = json.dumps((await world.say(GRACE, "status")).body)
    assert "#review-tier1 (C0TIER10001): is_archived" in status
    await leaves_when_announced(world, case_id, "#review-tier1 does not show its card")
    await world.drain()
    assert "Slack did not show the card of tier 1" in world.thread(case_id, tier=2)
    assert "approve" in world.buttons(case_id, tier=2)


def says_now(case: Case, answer: Mapping[str, object]) -> bool:
    """Whether an answer says of a case that it leaves its tier for not being shown there, as the case itself has it."""
    first = upcoming(case)
    assert first is not None
    return first.clock == "unseen" and (answer["due_at"], answer["next"]) == (moment_text(first.at), "escalated")


@pytest.mark.parametrize("spelled", ["review-tier1", "'#review-tier1'", "C0TIER10001"])
async def test_what_is_posted_for_a_closed_channel_is_answered_with_what_will_happen(tmp_path: Path, sqlite_url: str, spelled: str) -> None:
    """At once, before anybody looked at the case, however the policy writes the channel; and so it happens."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=POLICY.replace("review-tier1", spelled))) as world:
        await world.bot.channels.tick()
        await archive(world)
        await world.bot.channels.look()
        _, answer = await world.post()
        case_id = str(answer["id"])
        assert says_now(await world.case(case_id), answer)
        await world.bot.tick()
        assert says_now(await world.case(case_id), answer)
        await leaves_when_announced(world, case_id, "does not show its card")


async def test_a_case_that_is_informed_while_its_channel_is_closed_says_so_at_once(small: GovernedWorld) -> None:
    """The card stands where nobody acts on it any more; so the clocks that go on end sooner."""
    world = small
    await world.bot.channels.tick()
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "ask", case_id)
    await world.fill_in(ANNA, {"question": "Which of the two cards was charged?"})
    await archive(world)
    await world.bot.channels.look()
    _, answer = await world.sandbox.customer.supply_information(case_id, answer="The one ending in 17.")
    assert says_now(await world.case(case_id), answer)
    await leaves_when_announced(world, case_id, "does not show its card")


async def test_a_page_for_a_tier_whose_channel_is_closed_says_until_when_the_case_is_there(tmp_path: Path, sqlite_url: str) -> None:
    """It goes out before anybody looks for cards that are not shown."""
    third = "      - {channel: review-ops, group: experts, ack: 15m, decide: 30m}\n    exhausted: hold\n  deserted"
    policy = POLICY.replace("    exhausted: hold\n  deserted", third)
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=policy)) as world:
        await world.bot.channels.tick()
        await heard(world.sandbox.slack.archive_channel(TIER2))
        await world.bot.channels.look()
        case_id = await world.submit()
        await world.drain()
        leaves = upcoming(await world.case(case_id))
        assert leaves is not None
        world.clock.now = leaves.at - A_SECOND
        await world.bot.tick()
        world.clock.now = leaves.at
        await world.bot.tick()
        await world.bot.courier.drain_once()
        first = upcoming(case := await world.case(case_id))
        assert first is not None
        assert (case.tier, first.clock) == (1, "unseen")
        [incident] = world.sandbox.pagerduty.incidents
        assert f"due {first.at:%H:%M} UTC, else escalated" in incident.title


@pytest.mark.parametrize("opened_again", [False, True])
async def test_more_cases_than_are_looked_at_in_one_round_are_announced_and_leave(
    small: GovernedWorld, monkeypatch: pytest.MonkeyPatch, *, opened_again: bool
) -> None:
    """Those that wait for their time keep no other from being found, neither those to be announced nor those that may stay."""
    monkeypatch.setattr("escalation.unseen_cases.BATCH", 2)
    world = small
    await world.bot.channels.tick()
    waiting = [await world.submit() for _ in range(7)]
    await archive(world)
    await world.bot.courier.drain_once()
    for _ in range(4):
        await world.bot.tick()
    announced = {upcoming(await world.case(case_id)) for case_id in waiting}
    assert {one.clock for one in announced if one is not None} == {"unseen"}
    if opened_again:
        await unarchive(world)
        await world.bot.courier.drain_once()
    await world.pass_time(minutes=5)
    for _ in range(4):
        await world.bot.tick()
    tiers = [(await world.case(case_id)).tier for case_id in waiting]
    assert tiers == [0 if opened_again else 1] * 7


async def test_an_alarm_about_the_operations_channel_goes_elsewhere(small: GovernedWorld) -> None:
    """To the owners' channel; where that is closed too, to the owners themselves."""
    world = small
    await world.bot.channels.tick()
    await heard(world.sandbox.slack.archive_channel("review-ops"))
    await world.bot.channels.look()
    await world.drain()
    assert "#review-ops" in world.read(world.bulletins("review-owners")[-1])
    await heard(world.sandbox.slack.archive_channel("review-owners"))
    await world.bot.channels.look()
    await world.drain()
    for owner in (GRACE, HUGO):
        assert "#review-owners" in json.dumps(world.sandbox.slack.direct_messages(owner))


async def test_everything_is_sent_to_ids_that_were_recorded_once(world: GovernedWorld) -> None:
    """Each name is resolved once, the pair is in the log, and no call names a channel otherwise."""
    await world.submit()
    await world.pass_time(minutes=16)
    await world.submit()
    await world.drain()
    assert world.sandbox.slack.record.count("conversations.list") == 1
    posted = world.sandbox.slack.record.find("chat.postMessage")
    assert posted
    assert all(ID.fullmatch(one.data["args"]["channel"]) for one in posted)
    assert await world.leaves("name_bound") == len((await world.bot.reads.governance()).bindings)


@pytest.mark.parametrize("taken_over", [False, True])
async def test_a_renamed_channel_keeps_its_cards(world: GovernedWorld, taken_over: bool) -> None:
    """Whoever makes a channel under the old name gets nothing, until an owner has said that it is meant."""
    await world.bot.channels.tick()
    await heard(world.sandbox.slack.rename_channel(TIER1, "front-desk"))
    new = ""
    if taken_over:
        new = await heard(world.sandbox.slack.create_channel(TIER1, (BOT, FARID)))
    await world.bot.channels.look()
    case_id = await world.submit()
    await world.drain()
    assert world.card(case_id)["channel"] == "C0TIER10001"
    alarm = world.bulletins("review-owners")[-1]
    assert "called #front-desk now" in world.read(alarm)
    if not taken_over:
        await world.press(GRACE, alarm, "keep_name")
        await world.bot.channels.look()
        assert await world.leaves("name_parted") == 1
        assert await world.leaves("name_confirmed") == 1
        return
    assert world.sandbox.slack.messages(new) == []
    await world.press(ANNA, alarm, "move_name")
    assert "policy owner" in world.told(ANNA)
    await world.press(GRACE, alarm, "move_name")
    await world.submit()
    await world.drain()
    [moved] = world.sandbox.slack.messages(new)
    assert (moved.get("metadata") or {})["event_type"] == "tierline_card"
    assert await world.leaves("name_confirmed") == 1
    await world.sandbox.slack.click(GRACE, alarm["channel"], alarm["ts"], "tierline:g:move_name", as_seen=alarm)
    assert await world.leaves("name_confirmed") == 1


async def test_a_name_that_moved_on_after_the_alarm_is_asked_about_anew(small: GovernedWorld) -> None:
    """An older alarm must not confirm a third channel that nobody saw in it."""
    world = small
    await world.bot.channels.tick()
    await heard(world.sandbox.slack.rename_channel(TIER1, "front-desk"))
    second = await heard(world.sandbox.slack.create_channel(TIER1, (BOT,)))
    await world.bot.channels.look()
    await world.drain()
    old = world.bulletins("review-owners")[-1]
    await heard(world.sandbox.slack.rename_channel(second, "side-desk"))
    third = await heard(world.sandbox.slack.create_channel(TIER1, (BOT, FARID)))
    world.clock.now = world.clock.now.replace(minute=world.clock.now.minute + 1)
    await world.bot.channels.look()
    await world.press(GRACE, old, "move_name")
    binding = (await world.bot.reads.governance()).binding("#review-tier1")
    assert binding is not None
    assert (binding.id, binding.claimant) == ("C0TIER10001", third)


async def test_a_channel_that_was_archived_and_made_anew_is_confirmed(world: GovernedWorld) -> None:
    """Cards wait for the old one, the alarm shows the new one, and what waits goes there once an owner says so."""
    await world.bot.channels.tick()
    await archive(world)
    case_id = await world.submit(workflow="lonely")
    await world.drain()
    await heard(world.sandbox.slack.rename_channel(TIER1, "old-desk"))
    new = await heard(world.sandbox.slack.create_channel(TIER1, (BOT,)))
    await world.bot.channels.look()
    await world.drain()
    assert world.sandbox.slack.messages(new) == []
    world.clock.now += A_SECOND
    await world.press(HUGO, world.bulletins("review-owners")[-1], "move_name")
    await world.bot.courier.drain_once()
    assert len(world.sandbox.slack.messages(new)) == 1
    assert case_id in json.dumps(world.sandbox.slack.messages(new))
    assert await obstacles(world) == ""


async def test_the_policy_may_name_a_channel_by_its_id(tmp_path: Path, sqlite_url: str) -> None:
    """Then nothing is looked up, and no renaming concerns it."""
    policy = POLICY.replace("channel: review-tier1", "channel: C0TIER10001")
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=policy)) as world:
        case_id = await world.submit()
        await world.drain()
        assert world.card(case_id)["channel"] == "C0TIER10001"
        assert world.sandbox.slack.record.count("conversations.list") == 0
        await heard(world.sandbox.slack.archive_channel(TIER1))
        await world.submit()
        await world.drain()
        assert "C0TIER10001" in await obstacles(world)


def many_channels(world: GovernedWorld) -> None:
    """Three pages of channels, those of the policy on the last."""
    channels = world.sandbox.slack.workspace.channels
    seeds = list(channels.items())
    channels.clear()
    channels.update({f"C1{number:09d}": Channel(f"C1{number:09d}", f"team-{number}", []) for number in range(2_500)})
    channels.update(dict(seeds))


@contextmanager
def taking(world: GovernedWorld, method: str, calls: int) -> Iterator[None]:
    """Slack answers so many calls of a method, and asks to wait at the next."""
    faults = [
        world.sandbox.faults.add(Fault("slack", method, Mode.DELAY, times=calls)),
        world.sandbox.faults.add(Fault("slack", method, Mode.RATE_LIMITED, times=None)),
    ]
    yield
    for fault in faults:
        world.sandbox.faults.remove(fault)


async def test_a_large_workspace_is_listed_once_within_slacks_limit(small: GovernedWorld) -> None:
    """Pages are read as far as Slack lets us; the next try goes on where that stopped, and no card pays for it again."""
    world = small
    many_channels(world)
    world.sandbox.faults.add(Fault("slack", "conversations.list", Mode.RATE_LIMITED, retry_after_s=7))
    case_id = await world.submit()
    await world.drain()
    assert world.card(case_id)["channel"] == "C0TIER10001"
    assert world.sandbox.slack.record.count("conversations.list", ok=True) == 3
    await world.submit()
    await world.drain()
    assert world.sandbox.slack.record.count("conversations.list", ok=True) == 3


async def test_a_listing_comes_to_its_end_whatever_happens_meanwhile(small: GovernedWorld) -> None:
    """Slack gives a page at a time and tells of something after each. What it tells is noted, and the whole is listed once a minute."""
    world = small
    many_channels(world)
    slack = world.sandbox.slack
    missing = slack.workspace.any_channel(TIER1)
    missing.name = "elsewhere"
    await world.bot.ledger.govern(unreachable("#review-tier1", "channel_not_found"))

    async def others_do() -> int:
        """What other people do; gives how many pages were read by now."""
        joined = {"type": "member_joined_channel", "user": FARID, "channel": "C1000000007", "channel_type": "C"}
        group = {"type": "subteam_updated", "subteam": {"id": "S0EXPERTS01", "handle": "experts"}}
        with taking(world, "conversations.list", 1):
            for event in (joined, group, joined):
                await heard(slack._tell_app(event))  # noqa: SLF001 - what happens in a workspace
            await heard(slack.archive_channel("C1000000009"))
        return slack.record.count("conversations.list", ok=True)

    assert [await others_do() for _ in range(6)] == [1, 2, 3, 3, 3, 3]
    world.clock.now += timedelta(minutes=1)
    assert [await others_do() for _ in range(2)] == [4, 5]
    await heard(slack.rename_channel(missing.id, TIER1))
    assert (await world.bot.reads.governance()).bindings["#review-tier1"].id == missing.id


async def test_a_private_channel_is_found_when_we_are_let_in(small: GovernedWorld) -> None:
    """No listing had it before, and there was one within the minute."""
    world = small
    channel = world.sandbox.slack.workspace.any_channel(TIER1)
    channel.is_private = True
    channel.members.remove(BOT)
    case_id = await world.submit(workflow="lonely")
    await world.bot.courier.drain_once()
    assert world.cards(case_id) == []
    world.clock.now += A_SECOND
    await come_back(world)
    await world.bot.courier.drain_once()
    assert len(world.cards(case_id)) == 1


async def test_looking_goes_on_where_slack_asked_to_wait(small: GovernedWorld) -> None:
    """However few calls it takes at a time, each channel is looked at in its turn."""
    world = small
    await world.bot.channels.look()
    names = [one for one in (await world.bot.reads.governance()).bindings.values() if one.name.startswith("#")]
    asked = list[str]()
    for _ in names:
        before = world.sandbox.slack.record.count("conversations.info", ok=True)
        world.clock.now += A_SECOND
        with taking(world, "conversations.info", 1):
            await world.bot.channels.look()
        asked += [one.data["args"]["channel"] for one in world.sandbox.slack.record.find("conversations.info", ok=True)[before:]]
    assert sorted(asked) == sorted(one.id for one in names)


async def test_what_waits_behind_a_refused_message_stays_as_it_is(world: GovernedWorld) -> None:
    """One row is tried and put back, and no look takes up the others; all go once the cause is gone."""
    await world.bot.channels.tick()
    await archive(world)
    cases = [await world.submit(workflow="lonely") for _ in range(6)]
    await world.drain()
    rows = await world.bot.database.read(lambda c: c.execute(select(outbox).where(outbox.c.kind == "card").order_by(outbox.c.id)).all())
    assert [(row.attempts > 0, row.not_before > 0) for row in rows] == [(True, True)] + [(False, False)] * 5
    paused = world.bot.courier._rate_limits.paused("slack", world.clock.now)  # noqa: SLF001 - what the very courier keeps back
    assert await world.bot.outbox.waiting(world.clock.now, {"slack": paused}) == set()
    await unarchive(world)
    await world.pass_time(seconds=10)
    assert [len(world.cards(case_id)) for case_id in cases] == [1] * 6


async def test_a_user_group_under_an_old_handle_decides_nothing(world: GovernedWorld) -> None:
    """The handle was bound when it was first asked for; whoever takes it over is nobody until an owner says so."""
    await world.bot.channels.tick()
    case_id = await world.submit()
    await world.drain()
    workspace = world.sandbox.slack.workspace
    workspace.change_group("S0FRONTLINE", handle="front-of-house")
    workspace.change_group("S0EXPERTS01", handle="review-frontline")
    world.clock.now = world.clock.now.replace(minute=world.clock.now.minute + 2)
    await world.bot.channels.look()
    await world.drain()
    await world.click(FARID, "approve", case_id)
    assert (await world.case(case_id)).open
    [alarm] = [one for one in world.bulletins("review-owners") if "b_@review-frontline" in world.read(one)]
    await world.click(BEN, "approve", case_id)
    assert not (await world.case(case_id)).open
    await world.press(GRACE, alarm, "move_name")
    other = await world.submit()
    await world.drain()
    await world.click(CHIARA, "approve", other)
    assert (await world.case(other)).open
    await world.click(FARID, "approve", other)
    assert not (await world.case(other)).open
