"""The sandbox's page over HTTP: what it draws for whom, and whose actions it takes."""

from __future__ import annotations

import re

import aiohttp
import pytest

from tests.bot.sandbox.page.desk import ANNA, CHIARA, ELENA, FROM_PAGE, LARS, TIER1, TIER2, Desk, regions


async def test_everybody_sees_their_own_channels_and_whispers(desk: Desk) -> None:
    """Channels by membership, unread counts, and what was shown to one person alone."""
    await desk.client.chat_postMessage(channel=TIER2, text="for the seniors")
    await desk.client.chat_postEphemeral(channel=TIER1, user=CHIARA, text="for Chiara alone")
    chiara, anna, lars = await regions(desk, CHIARA, TIER1), await regions(desk, ANNA, TIER1), await regions(desk, LARS)
    assert "for Chiara alone" in chiara["main"]
    assert "Only visible to you" in chiara["main"]
    assert "for Chiara alone" not in anna["main"]
    assert re.search(r"unread: </span>1</span>", chiara["sidebar"])
    assert "review-tier2" not in anna["sidebar"]
    assert "No channel you can see" in lars["sidebar"]
    assert "for the seniors" in (await regions(desk, CHIARA, TIER2))["main"]
    assert "unread: " not in (await regions(desk, CHIARA, TIER1))["sidebar"]


async def test_a_channel_one_is_not_in_is_not_shown(desk: Desk) -> None:
    """Asking for it by address leads to one's own first channel."""
    await desk.client.chat_postMessage(channel=TIER2, text="for the seniors")
    shown = await regions(desk, ELENA, TIER2)
    assert "for the seniors" not in shown["main"]
    assert shown["seat"]["channel"] == "C0EXPERTS01"


@pytest.mark.parametrize(("headers", "status"), [({}, 403), ({"X-Sandbox": "page", "Host": "evil.example"}, 403), (FROM_PAGE, 200)])
async def test_actions_come_from_this_machines_page_only(desk: Desk, headers: dict[str, str], status: int) -> None:
    """Another origin cannot add the header, a rebound name is not ours."""
    action = {"verb": "fault", "user": ANNA, "fault": "slack_down", "on": True}
    async with aiohttp.ClientSession() as session, session.post(desk.sandbox.page_url + "/do", json=action, headers=headers) as answer:
        assert answer.status == status


async def test_the_page_loads_nothing_from_elsewhere(desk: Desk) -> None:
    """The policy header forbids it and no address in the page leads away."""
    async with aiohttp.ClientSession() as session, session.get(desk.sandbox.page_url) as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert re.findall(r'(?:src|href)="((?!/static/|data:,|#)[^"]*)"', await answer.text()) == []


async def test_a_fault_can_be_switched_on_and_off(desk: Desk) -> None:
    """With PagerDuty down an event never arrives; afterwards it does."""
    url = desk.sandbox.page_url + "/do"
    async with aiohttp.ClientSession(headers=FROM_PAGE) as session:
        await session.post(url, json={"verb": "fault", "fault": "pagerduty_down", "on": True})
        assert "PagerDuty is down" in (await regions(desk, ANNA))["faults"].split("</summary>")[0]
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await desk.page_incident()
        await session.post(url, json={"verb": "fault", "fault": "pagerduty_down", "on": False})
    await desk.page_incident()
    assert len(desk.sandbox.pagerduty.incidents) == 1


async def test_what_is_gone_is_a_notice(desk: Desk) -> None:
    """An unknown verb or incident is answered, not raised."""
    async with aiohttp.ClientSession(headers=FROM_PAGE) as session:
        for action in ({"verb": "fly"}, {"verb": "resolve", "incident": "QNONE"}):
            async with session.post(desk.sandbox.page_url + "/do", json=action) as answer:
                assert answer.status == 404


async def test_a_flood_does_not_stall_the_page(desk: Desk) -> None:
    """Of many messages the newest are drawn, and the rest is counted."""
    workspace = desk.sandbox.slack.workspace
    for number in range(103):
        workspace.say(workspace.user(CHIARA), workspace.any_channel(TIER1), f"message no. {number}.")
    main = (await regions(desk, ANNA, TIER1))["main"]
    assert "3 earlier messages" in main
    assert "message no. 2." not in main
    assert "message no. 3." in main
    assert "message no. 102." in main
