"""App Home: what waits for whoever opens it, with Approve only where its card would ask for nothing more."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.slack.homes import WATCHED
from tests.world import ANNA, BEN, CHIARA, GRACE, GUEST, STRANGER, World, a_world, listeners_end

APPROVE, DETAILS = "tierline:approve", "tierline:open_evidence"


async def opened(world: World, person: str) -> str:
    """What somebody reads on the Home tab that they open."""
    await world.sandbox.slack.open_home(person)
    await listeners_end()
    return shown(world, person)


def shown(world: World, person: str) -> str:
    """What stands there."""
    view = world.sandbox.slack.home(person)
    assert view is not None
    return json.dumps(view["blocks"], ensure_ascii=False)


def offered(world: World, person: str) -> dict[str, list[str]]:
    """The buttons of each case."""
    view = world.sandbox.slack.home(person)
    assert view is not None
    rows = [block for block in view["blocks"] if block["type"] == "actions"]
    return {json.loads(row["elements"][0]["value"])["c"]: [button["action_id"] for button in row["elements"]] for row in rows}


async def press(world: World, person: str, action: str, case_id: str, as_seen: dict[str, Any] | None = None) -> None:
    """Press a case's button on the Home tab, also one of a Home tab as it was."""
    view = as_seen or world.sandbox.slack.home(person)
    assert view is not None
    row = next(block for block in view["blocks"] if block.get("block_id") == f"tierline:h:{case_id}")
    value = next(button["value"] for button in row["elements"] if button["action_id"] == action)
    world.clock.now += timedelta(seconds=1)
    if as_seen is not None:
        newer = world.sandbox.slack.modals.home(person)
        assert newer is not None
        newer["blocks"] = as_seen["blocks"]  # a client that has not heard of the newer one
    await world.sandbox.slack.click_in_view(person, view["id"], action, value)
    await listeners_end()


async def redrawn(world: World) -> None:
    """Let the tabs that were opened lately be looked at once more."""
    world.clock.now += timedelta(seconds=16)
    while await world.bot.homes.tick():
        world.clock.now += timedelta(seconds=16)


async def test_what_waits_is_approved_where_nothing_more_is_asked(world: World) -> None:
    """The answer stands in front of the tab, the card and the service have it, and what was pressed on is gone."""
    case_id = await world.submit()
    await world.drain()
    text = await opened(world, ANNA)
    assert "Waits for you (1)" in text
    assert "Refund 80.00 USD to customer 8841" in text
    assert "As of" in text
    assert offered(world, ANNA) == {case_id: [APPROVE, DETAILS]}
    await press(world, ANNA, APPROVE, case_id)
    assert "Recorded: you approved revision 1" in shown(world, ANNA)
    assert offered(world, ANNA) == {}
    await world.drain()
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["approved"]
    told = await world.bot.reads.history(case_id)
    [approved] = [one for one in told if one.kind == "approved"]
    assert len(str(approved.fields["saw"])) == 64  # of what stood on the tab, not of the card


async def test_a_tab_that_is_out_of_date_approves_nothing(world: World) -> None:
    """Somebody asked meanwhile, so the proposal is another: the press is refused, and the tab is right again."""
    case_id = await world.submit()
    await world.drain()
    await opened(world, ANNA)
    before = world.sandbox.slack.home(ANNA)
    assert before is not None
    await world.click(BEN, "claim", case_id)
    await world.click(BEN, "approve", case_id)
    await world.drain()
    await redrawn(world)
    assert offered(world, ANNA) == {}
    await press(world, ANNA, APPROVE, case_id, before)
    modal = world.sandbox.slack.open_view(ANNA)
    assert modal is not None
    assert "already decided" in json.dumps(modal["blocks"])
    assert offered(world, ANNA) == {}
    assert len((await world.case(case_id)).votes) == 1


MORE_TO_LOOK_AT: dict[str, dict[str, Any]] = {
    "failed check": {"checks": [{"name": "limits", "result": "fail", "detail": "over"}]},
    "warned check": {"checks": [{"name": "limits", "result": "warn", "detail": "near"}]},
    "critical": {"risk": {"impact": "critical", "likelihood": 0.9, "recoverability": "none"}},
    "cut": {"output": "A long letter. " * 200},
    "to be opened": {"request": "A long story. " * 100},
    "contradiction": {"context": {"conflicts": ["two orders"]}},
    "masked": {"request": "My card is 4111 1111 1111 1111."},
    "triage": {"workflow": "tickets", "prefill": {"summary": "A refund."}},
    "checklist": {"workflow": "audited"},
}


async def test_a_pause_takes_approve_away_from_a_tab_that_is_open(plain: World) -> None:
    """As of a card: what would be approved then is not told to the service."""
    case_id = await plain.submit()
    await plain.drain()
    await opened(plain, ANNA)
    assert offered(plain, ANNA)[case_id] == [APPROVE, DETAILS]
    await plain.sandbox.slack.command(GRACE, "review-tier1", "/review", "pause refunds The model invents orders.")
    await redrawn(plain)
    assert offered(plain, ANNA)[case_id] == [DETAILS]


async def test_what_the_card_asks_to_be_looked_at_is_decided_there(plain: World) -> None:
    """Where anything has to be typed, opened, confirmed or weighed first, the tab offers the details and the way to the card."""
    for why, changes in MORE_TO_LOOK_AT.items():
        case_id = await plain.submit(**changes)
        await plain.drain()
        offers = []
        for person in (ANNA, CHIARA, BEN):
            await opened(plain, person)
            offers.append(offered(plain, person).get(case_id))
        assert [DETAILS] in offers, f"{why}: it is listed all the same"
        assert not any(APPROVE in (offer or []) for offer in offers), why
        assert (await plain.sandbox.customer.withdraw(case_id, "It was asked for by mistake."))[0] < 300


async def test_nobody_sees_what_is_not_theirs(plain: World) -> None:
    """A guest, a stranger and a member of no group see no case; nor does a requester see what others decide for them."""
    case_id = await plain.submit(requester={"slack_id": ANNA}, title="Refund nobody else may read of")
    await plain.drain()
    for person in (GUEST, STRANGER, ANNA, GRACE):
        assert "nobody else may read of" not in await opened(plain, person), person
    assert "Guests cannot review" in shown(plain, GUEST)
    assert "nobody else may read of" in await opened(plain, BEN)
    assert case_id in offered(plain, BEN)


async def test_it_follows_what_changes_and_lets_go_after_an_hour(plain: World) -> None:
    """New cases come, decided ones go, nothing is published where nothing changed; what nobody looks at holds no case."""
    await opened(plain, ANNA)
    assert "Nothing waits for you" in shown(plain, ANNA)
    case_id = await plain.submit(title="Refund that came later")
    await plain.drain()
    assert await plain.bot.homes.tick() == 0, "not at once: it was drawn a moment ago"
    await redrawn(plain)
    assert "Refund that came later" in shown(plain, ANNA)
    before = len(published(plain))
    await redrawn(plain)
    assert len(published(plain)) == before
    await plain.click(ANNA, "claim", case_id)
    await redrawn(plain)
    assert "Taken by you (1)" in shown(plain, ANNA)
    await plain.restart()  # who looks after it may end meanwhile
    plain.clock.now += WATCHED
    await redrawn(plain)
    assert "Refund that came later" not in shown(plain, ANNA)
    assert await plain.bot.homes._book.kept() == {}  # noqa: SLF001 - nothing is left to look after
    assert "Refund that came later" in await opened(plain, ANNA)


async def test_a_queue_of_others_hides_none_of_mine(plain: World) -> None:
    """However many cases for others are due before mine, mine stand there; there are at most 100 blocks, whatever waits."""
    for _ in range(15):
        await plain.submit(workflow="lonely")
    mine = [await plain.submit(title=f"Refund {number}") for number in range(12)]
    text = await opened(plain, ANNA)
    assert sum(one in text for one in mine) == 7
    assert "the 7 due first" in text
    view = plain.sandbox.slack.home(ANNA)
    assert view is not None
    assert len(view["blocks"]) <= 100


async def test_whoever_may_resume_sees_what_is_stopped(plain: World) -> None:
    """A reviewer does not; and where a workflow is paused nobody approves from the tab."""
    case_id = await plain.submit()
    await plain.sandbox.slack.command(GRACE, "#review-ops", "/review", "pause refunds The model invents numbers.")
    await plain.drain()
    await listeners_end()
    assert "The model invents numbers" in await opened(plain, GRACE)
    assert "Stopped workflows" not in await opened(plain, ANNA)
    assert offered(plain, ANNA)[case_id] == [DETAILS]


async def test_one_that_another_process_drew_is_drawn_over(plain: World) -> None:
    """Slack says that it is not the one we know: what we have just read is shown all the same."""
    await opened(plain, ANNA)
    view = {"type": "home", "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "of another"}}]}
    plain.sandbox.slack.modals.publish(ANNA, view)
    await plain.submit(title="Refund that came later")
    await redrawn(plain)
    assert "Refund that came later" in shown(plain, ANNA)


async def test_details_open_beside_it(plain: World) -> None:
    """And a press of somebody whom the case is no longer asked of is refused as on its card."""
    case_id = await plain.submit()
    await plain.drain()
    await opened(plain, ANNA)
    await press(plain, ANNA, DETAILS, case_id)
    modal = plain.sandbox.slack.open_view(ANNA)
    assert modal is not None
    assert modal["type"] == "modal"
    assert case_id in json.dumps(modal["blocks"])


async def test_when_the_database_is_away_it_says_so(plain: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And Refresh, which is there then too, draws it again."""

    async def away(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(plain.bot.homes._desks, "of", away)  # noqa: SLF001 - whatever fails there
        assert "cannot read its database" in await opened(plain, ANNA)
    view = plain.sandbox.slack.home(ANNA)
    assert view is not None
    await plain.sandbox.slack.click_in_view(ANNA, view["id"], "tierline:h:refresh")
    await listeners_end()
    assert "Nothing waits for you" in shown(plain, ANNA)


def published(world: World) -> list[Any]:
    """Every call of views.publish."""
    return world.sandbox.slack.record.find(method="views.publish")


@pytest.fixture
async def plain(tmp_path: Path, sqlite_url: str) -> AsyncIterator[World]:
    """A world on one database and one way in: what is told of it hangs on neither."""
    async with a_world(tmp_path, sqlite_url) as world:
        yield world
