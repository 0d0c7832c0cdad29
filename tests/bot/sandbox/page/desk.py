"""A small Slack app in front of the sandbox, and what its page draws for somebody: what the tests of the page share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.northwind import PAGERDUTY
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack.seed import SLACK
from tests.bot.sandbox.slack.northwind import LONG_S, Bolt

Json = dict[str, Any]
Ack = Callable[..., Awaitable[None]]
TIER1, TIER2 = "C0TIER10001", "C0TIER20001"
ANNA, CHIARA, ELENA, LARS = "U0ANNA00001", "U0CHIARA001", "U0ELENA0001", "U0LEFT00001"
FROM_PAGE = {"X-Sandbox": "page"}
SOON_S = 60
"""How long anything on the page is waited for, in real seconds: then Playwright says what it waited for and what it saw instead."""


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


async def regions(desk: Desk, user: str, channel: str = "") -> Json:
    """What the page would draw for somebody."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{desk.sandbox.page_url}/regions", params={"user": user, "channel": channel}) as answer,
    ):
        found: Json = await answer.json()
        return found
