"""The sandbox's page: what a person sees in it and does with it, over HTTP and in a real browser."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Browser, Locator, Page, Route, expect
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.northwind import PAGERDUTY
from bot.sandbox.sandbox import Sandbox, SandboxConfig
from bot.sandbox.slack.seed import SLACK
from tests.bot.sandbox.slack.northwind import LONG_S, Bolt, serve

Json = dict[str, Any]
Ack = Callable[..., Awaitable[None]]
TIER1, TIER2 = "C0TIER10001", "C0TIER20001"
ANNA, CHIARA, ELENA, LARS = "U0ANNA00001", "U0CHIARA001", "U0ELENA0001", "U0LEFT00001"
FROM_PAGE = {"X-Sandbox": "page"}
SOON_S = 60
"""How long anything on the page is waited for, in real seconds: then Playwright says what it waited for and what it saw instead."""

expect.set_options(timeout=SOON_S * 1000)


def plain(text: str) -> Json:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def card(title: str = "Refund 1,240.00 USD") -> list[Json]:
    """A card with a button that asks first, one that opens a form and one nobody answers in time."""
    asks = {"title": plain("Sure?"), "text": plain("It goes out at once."), "confirm": plain("Yes"), "deny": plain("No")}
    buttons = [
        {"type": "button", "action_id": "approve", "text": plain("Approve"), "style": "primary", "confirm": asks},
        {"type": "button", "action_id": "reject", "text": plain("Reject"), "style": "danger"},
        {"type": "button", "action_id": "sleep", "text": plain("Sleep")},
    ]
    return [{"type": "header", "text": plain(title)}, {"type": "actions", "block_id": "verbs", "elements": buttons}]


FORM = {
    "type": "modal",
    "callback_id": "reject",
    "title": plain("Reject"),
    "submit": plain("Send"),
    "blocks": [
        {"type": "input", "block_id": "why", "label": plain("Why"), "element": {"type": "plain_text_input", "action_id": "text"}},
        {
            "type": "input",
            "block_id": "code",
            "label": plain("Code"),
            "element": {
                "type": "static_select",
                "action_id": "code",
                "options": [{"text": plain(name), "value": name} for name in ("unsure", "policy")],
            },
        },
    ],
}


class Desk:
    """The sandbox with a small Slack app in front of it, and a page."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.pressed: list[Json] = []
        self.rejected: list[Json] = []
        self.client = AsyncWebClient(token=SLACK.app.bot_token, base_url=sandbox.slack_api_url, retry_handlers=[], timeout=LONG_S)
        self.bolt = Bolt(signing_secret=SLACK.app.signing_secret, client=self.client)
        self.bolt.action("approve")(self.approve)
        self.bolt.action("reject")(self.reject)
        self.bolt.action("sleep")(self.sleep)
        self.bolt.view("reject")(self.submitted)
        self.bolt.command("/review")(self.review)

    async def approve(self, ack: Ack, body: Json) -> None:
        """Decided: the card loses its buttons and a reply says so."""
        await ack()
        self.pressed.append(body)
        channel, ts = body["channel"]["id"], body["message"]["ts"]
        await self.client.chat_update(
            channel=channel, ts=ts, text="Approved", blocks=[*card()[:1], {"type": "section", "text": plain("Approved")}]
        )
        await self.client.chat_postMessage(channel=channel, thread_ts=ts, text=f"<@{body['user']['id']}> approved.")

    async def reject(self, ack: Ack, body: Json) -> None:
        """Asks why."""
        await ack()
        await self.client.views_open(trigger_id=body["trigger_id"], view=FORM)

    async def sleep(self, ack: Ack) -> None:
        """Never acknowledges."""

    async def submitted(self, ack: Ack, body: Json) -> None:
        """Takes no one-word reason."""
        values = body["view"]["state"]["values"]
        if " " not in values["why"]["text"]["value"]:
            await ack(response_action="errors", errors={"why": "More than one word, please."})
            return
        await ack()
        self.rejected.append(values)

    async def review(self, ack: Ack) -> None:
        """Answers a command."""
        await ack("*Queue* is empty")

    async def take(self, request: web.Request) -> web.StreamResponse:
        """The app's request URL."""
        return await to_aiohttp_response(await self.bolt.async_dispatch(await to_bolt_request(request)))

    async def page_incident(self, key: str = "demo/case-1/tier2/1") -> None:
        """Somebody is paged."""
        event = {"routing_key": PAGERDUTY.services[0].routing_key, "event_action": "trigger", "dedup_key": key}
        payload = {"summary": "Refund waits", "severity": "critical", "source": "tierline"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.sandbox.url + "/v2/enqueue", json={**event, "payload": payload}) as answer,
        ):
            assert answer.status == 202


@pytest.fixture
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """A sandbox whose Slack takes messages as fast as they come; the parameter: how long it waits for an acknowledgement."""
    slack = replace(SLACK, burst=100, trigger_s=LONG_S, ack_timeout_s=getattr(request, "param", None))
    config = SandboxConfig(slack=slack)
    async with Sandbox(time.time, config) as sandbox:
        made = Desk(sandbox)
        async with serve([web.post("/slack/events", made.take)]) as url:
            sandbox.connect(slack_events_url=url + "/slack/events")
            yield made


@pytest.fixture
async def at_page(desk: Desk, browser: Browser) -> AsyncIterator[Page]:
    """Anna at the page; an error in its script fails the test."""
    async with asyncio.timeout(SOON_S):
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    page.set_default_timeout(SOON_S * 1000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    await page.goto(f"{desk.sandbox.page_url}/?user={ANNA}&channel={TIER1}")
    yield page
    async with asyncio.timeout(SOON_S):
        await page.close()
    assert errors == []


async def regions(desk: Desk, user: str, channel: str = "") -> Json:
    """What the page would draw for somebody."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{desk.sandbox.page_url}/regions", params={"user": user, "channel": channel}) as answer,
    ):
        found: Json = await answer.json()
        return found


# Over HTTP


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
        assert re.findall(r'(?:src|href)="((?!/static/|data:,)[^"]*)"', await answer.text()) == []


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


# In a browser


async def test_a_reviewer_switches_person_presses_and_fills_in_a_form(desk: Desk, at_page: Page) -> None:
    """Become Chiara, press reject, meet the app's error, correct it, send: the app gets what was filled in."""
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=card())
    await expect(at_page.get_by_role("heading", name="Refund 1,240.00 USD")).to_be_visible()  # it came without a reload
    await at_page.get_by_label("You are").select_option(CHIARA)
    await expect(at_page.get_by_text("Senior reviewer", exact=True)).to_be_visible()
    await at_page.get_by_role("button", name="Reject").click()
    dialog = at_page.get_by_role("dialog", name="Reject")
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog.get_by_text("Please complete this required field.")).to_have_count(2)
    await dialog.get_by_label("Why").fill("no")
    await dialog.get_by_label("Code").select_option("policy")
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog.get_by_text("More than one word, please.")).to_be_visible()
    await dialog.get_by_label("Why").fill("the photos differ")
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog).to_be_hidden()
    (values,) = desk.rejected
    assert values["why"]["text"]["value"] == "the photos differ"
    assert values["code"]["code"]["selected_option"]["value"] == "policy"


async def test_a_checklist_is_ticked_off_one_by_one(desk: Desk, at_page: Page) -> None:
    """Each item is marked until it is answered, keeps its answer while the page is redrawn, and arrives as Slack sends radio buttons."""
    answers = [{"text": plain(name), "value": name} for name in ("pass", "fail")]
    radio = {"type": "radio_buttons", "action_id": "value", "options": answers}
    items = [{"type": "input", "block_id": f"check:{name}", "label": plain(name), "element": radio} for name in ("evidence", "wording")]
    opening = {"type": "button", "action_id": "checklist", "text": plain("Verify")}
    got: list[Json] = []

    async def ask(ack: Ack, body: Json) -> None:
        await ack()
        form = {"type": "modal", "callback_id": "checklist", "title": plain("Verify"), "submit": plain("Send"), "blocks": items}
        await desk.client.views_open(trigger_id=body["trigger_id"], view=form)

    async def take(ack: Ack, body: Json) -> None:
        await ack()
        got.append(body["view"]["state"]["values"])

    desk.bolt.action("checklist")(ask)
    desk.bolt.view("checklist")(take)
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=[{"type": "actions", "elements": [opening]}])
    await at_page.get_by_role("button", name="Verify").click()
    dialog = at_page.get_by_role("dialog", name="Verify")
    await dialog.get_by_role("group", name="evidence").get_by_label("pass").check()
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog.get_by_text("Please complete this required field.")).to_have_count(1)
    await desk.client.chat_postMessage(channel=TIER1, text="another one")
    await expect(at_page.get_by_text("another one")).to_be_attached()
    await dialog.get_by_role("group", name="wording").get_by_label("fail").check()
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog).to_be_hidden()
    (values,) = got
    assert {block: state["value"]["selected_option"]["value"] for block, state in values.items()} == {
        "check:evidence": "pass",
        "check:wording": "fail",
    }


async def test_a_button_that_asks_first_and_the_thread_of_its_card(desk: Desk, at_page: Page) -> None:
    """Saying no sends nothing; saying yes decides, the buttons go, and the reply is in the thread."""
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=card())
    await at_page.get_by_role("button", name="Approve").click()
    await at_page.get_by_role("button", name="No", exact=True).click()
    assert desk.pressed == []
    await at_page.get_by_role("button", name="Approve").click()
    await at_page.get_by_role("button", name="Yes", exact=True).click()
    await expect(at_page.get_by_role("button", name="Approve")).to_have_count(0)
    assert desk.pressed[0]["user"]["id"] == ANNA
    await at_page.get_by_role("button", name="1 reply").click()
    await expect(at_page.get_by_role("region", name="Thread").get_by_text("@Anna Lindqvist approved.")).to_be_visible()


async def go_to_thread(page: Page) -> Locator:
    """Open the thread of the card."""
    await page.get_by_role("button", name="1 reply").click()
    return page.get_by_role("region", name="Thread").get_by_text("a reply")


async def become_chiara(page: Page) -> Locator:
    """Sit there as somebody else."""
    await page.get_by_label("You are").select_option(CHIARA)
    return page.get_by_text("Senior reviewer", exact=True)


@pytest.mark.parametrize("go", [go_to_thread, become_chiara])
async def test_an_answer_on_its_way_takes_nobody_back(desk: Desk, at_page: Page, go: Callable[[Page], Awaitable[Locator]]) -> None:
    """Whoever goes elsewhere while the page is being fetched gets there."""
    first = await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=card())
    await desk.client.chat_postMessage(channel=TIER1, thread_ts=first["ts"], text="a reply")
    await expect(at_page.get_by_role("button", name="1 reply")).to_be_visible()
    on_its_way, gone = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        answer = await route.fetch()
        on_its_way.set()
        await gone.wait()
        await route.fulfill(response=answer)

    await at_page.route("**/regions?*", hold)
    await desk.client.chat_postMessage(channel=TIER1, text="another one")
    async with asyncio.timeout(SOON_S):
        await on_its_way.wait()
    there = await go(at_page)
    gone.set()
    await expect(there).to_be_visible()


async def test_a_question_before_the_last_one_says_that_it_is_closed(desk: Desk, at_page: Page) -> None:
    """No and, in the same instant, the button once more: the Yes that follows counts, once."""
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=card())
    await expect(at_page.get_by_role("button", name="Approve")).to_be_visible()
    await at_page.evaluate("""() => {
        const approve = document.querySelector('[data-action-id="approve"]');
        approve.click();
        document.querySelector("#confirm-deny").click();
        approve.click();
    }""")
    await at_page.get_by_role("button", name="Yes", exact=True).click()
    await expect(at_page.get_by_role("button", name="Approve")).to_have_count(0)
    assert len(desk.pressed) == 1


async def test_a_button_that_is_down_is_not_drawn_anew(desk: Desk, at_page: Page) -> None:
    """The channel goes on between the button's going down and up: it was pressed all the same."""
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=card())
    await at_page.get_by_role("button", name="Reject").hover()
    async with at_page.expect_response("**/regions?*") as answer:
        await at_page.mouse.down()
        await desk.client.chat_postMessage(channel=TIER1, text="another one")
    await (await answer.value).finished()
    await at_page.evaluate("() => new Promise(requestAnimationFrame)")
    await at_page.mouse.up()
    await expect(at_page.get_by_role("dialog", name="Reject")).to_be_visible()
    await expect(at_page.get_by_text("another one")).to_be_attached()


@pytest.mark.parametrize("desk", [0.3], indirect=True)
async def test_an_app_that_does_not_acknowledge_leaves_a_warning(desk: Desk, at_page: Page) -> None:
    """The person sees what Slack would tell them, at the message they pressed on."""
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=card())
    await at_page.get_by_role("button", name="Sleep").click()
    await expect(at_page.get_by_text("Operation timed out")).to_be_visible()


async def test_a_slash_command_is_answered_to_one_person(desk: Desk, at_page: Page) -> None:
    """The answer is visible to who typed it, and a failed command says so."""
    box = at_page.get_by_label("Message or slash command")
    await box.fill("/review status")
    await box.press("Enter")
    await expect(at_page.get_by_text("Queue is empty")).to_be_visible()
    await expect(at_page.get_by_text("Only visible to you")).to_be_visible()
    desk.sandbox.connect()
    await box.fill("/review status")
    await box.press("Enter")
    await expect(at_page.get_by_text("/review failed with the error")).to_be_visible()


async def test_a_responder_acknowledges_and_notes_in_pagerduty(desk: Desk, at_page: Page) -> None:
    """The incident beside Slack is answered there, by the same person if PagerDuty knows them, else by who is on call."""
    await desk.page_incident()
    pane = at_page.get_by_label("PagerDuty", exact=True)
    await pane.get_by_role("button", name="Acknowledge").click()
    await expect(pane.get_by_text("acknowledged", exact=True)).to_be_visible()
    await pane.get_by_text("Details, log and note").click()
    await pane.get_by_label("Note").fill("Calling them")
    await pane.get_by_role("button", name="Add note").click()
    await expect(pane.get_by_text("Dmitri Volkov: Calling them")).to_be_visible()
    (incident,) = desk.sandbox.pagerduty.incidents
    assert (incident.status, [note.content for note in incident.notes]) == ("acknowledged", ["Calling them"])


async def test_a_link_to_a_message_leads_to_it_on_this_page(desk: Desk, at_page: Page) -> None:
    """Whoever sits there stays, and nothing is asked of Slack's real address; one typed into a browser leads to the channel."""
    me = await desk.client.auth_test()
    assert me["url"] == f"{desk.sandbox.page_url}/"
    told = await desk.client.chat_postMessage(channel=TIER2, text="The card of case 7")
    link = (await desk.client.chat_getPermalink(channel=told["channel"], message_ts=told["ts"]))["permalink"]
    assert link.startswith(f"{desk.sandbox.page_url}/archives/{told['channel']}/p")
    await desk.client.chat_postMessage(channel=TIER1, text=f"See <{link}|its card>")
    await at_page.get_by_label("You are").select_option(CHIARA)
    await at_page.get_by_role("link", name="its card").click()
    await expect(at_page.locator(f".main [data-ts='{told['ts']}']")).to_be_visible()
    await expect(at_page.get_by_label("You are")).to_have_value(CHIARA)
    await at_page.goto(link)
    assert f"channel={told['channel']}" in at_page.url


async def test_what_is_being_typed_survives_a_refresh(desk: Desk, at_page: Page) -> None:
    """A half-filled form keeps its values while the channel goes on behind it."""
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=card())
    await at_page.get_by_role("button", name="Reject").click()
    await at_page.get_by_label("Why").fill("half a sen")
    await desk.client.chat_postMessage(channel=TIER1, text="another one")
    await expect(at_page.get_by_text("another one")).to_be_attached()
    await expect(at_page.get_by_label("Why")).to_have_value("half a sen")
    await at_page.keyboard.press("Escape")
    await expect(at_page.get_by_role("dialog", name="Reject")).to_be_hidden()
    assert desk.sandbox.slack.open_view(ANNA) is None


@pytest.mark.parametrize("width", [1100, 1440])
async def test_nothing_overflows_at_either_width(desk: Desk, at_page: Page, width: int) -> None:
    """With long words everywhere the page never scrolls sideways."""
    await desk.client.chat_postMessage(
        channel=TIER1, text="card", blocks=[{"type": "section", "text": plain("W" * 2900)}, *card("X" * 140)]
    )
    await desk.page_incident("k" * 255)
    await at_page.set_viewport_size({"width": width, "height": 760})
    await expect(at_page.get_by_role("heading", name="X" * 140)).to_be_visible()
    await at_page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
