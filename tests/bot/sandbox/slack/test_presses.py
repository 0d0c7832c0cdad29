"""What people do on messages, received by a real Bolt app over signed HTTP and over Socket Mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from bot.sandbox.slack.errors import ClientError
from bot.sandbox.slack.seed import SLACK
from bot.sandbox.slack.slack import actions_of
from tests.bot.sandbox.slack.northwind import ANNA, PRIVATE, TIER1, App, Northwind, buttons, http_app, northwind, socket_app

CARD = {"event_type": "review_card", "event_payload": {"case": "case-1"}}


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind as it begins."""
    async with northwind() as company:
        yield company


def _reached(company: Northwind, transport: str) -> AbstractAsyncContextManager[App]:
    return http_app(company) if transport == "http" else socket_app(company)


@pytest.fixture(params=["http", "socket"])
async def app(company: Northwind, request: pytest.FixtureRequest) -> AsyncIterator[App]:
    """The same app, reached either way."""
    async with _reached(company, request.param) as app:
        yield app


async def test_a_press_arrives_field_complete(company: Northwind, app: App) -> None:
    """The payload says who, where, on which message with its metadata, what, when, and how to answer."""
    ts = await company.post(text="case", blocks=buttons("approve", "reject"), metadata=CARD)
    ack = await company.slack.click("anna", "review-tier1", ts, "approve")
    assert (ack.ok, ack.status, ack.timed_out) == (True, 200, False)
    (payload,) = app.seen
    assert payload["type"] == "block_actions"
    assert payload["user"] == {"id": ANNA, "username": "anna", "name": "anna", "team_id": SLACK.team.id}
    assert payload["team"] == {"id": SLACK.team.id, "domain": "northwind"}
    assert payload["channel"] == {"id": TIER1, "name": "review-tier1"}
    assert payload["container"] == {"type": "message", "message_ts": ts, "channel_id": TIER1, "is_ephemeral": False}
    assert (payload["message"]["ts"], payload["message"]["metadata"]) == (ts, CARD)
    assert (payload["api_app_id"], payload["token"]) == (SLACK.app.app_id, SLACK.app.verification_token)
    (action,) = payload["actions"]
    assert {key: action[key] for key in ("type", "action_id", "block_id", "value")} == {
        "type": "button",
        "action_id": "approve",
        "block_id": "verdict",
        "value": "case-1:approve",
    }
    assert float(action["action_ts"]) == company.clock.now
    assert payload["trigger_id"]
    assert payload["response_url"].startswith(company.url)
    assert (payload["enterprise"], payload["is_enterprise_install"], payload["state"]) == (None, False, {"values": {}})
    assert company.slack.record.count("block_actions", user=ANNA, channel=TIER1, ts=ts, status=200) == 1


async def test_what_is_not_there_cannot_be_pressed(company: Northwind, app: App) -> None:
    """A button gone after an update, an outsider, a guest, somebody deactivated: nothing is sent."""
    ts = await company.post(blocks=buttons("approve"))
    card = company.slack.message(TIER1, ts)
    assert actions_of(card) == ["approve"]
    await company.client().chat_update(channel=TIER1, ts=ts, text="decided", blocks=buttons())
    with pytest.raises(ClientError, match="not there"):
        await company.slack.click("anna", TIER1, ts, "approve")
    open_ts = await company.post(blocks=buttons("approve"))
    for person, why in (("lars", "deactivated"), ("uma", "cannot see")):
        with pytest.raises(ClientError, match=why):
            await company.slack.click(person, TIER1, open_ts, "approve")
    assert app.seen == []


async def test_a_stale_client_still_presses_what_it_shows(company: Northwind, app: App) -> None:
    """The press carries the old message, though the card was decided meanwhile."""
    ts = await company.post(text="open", blocks=buttons("approve"))
    snapshot = company.slack.message(TIER1, ts)
    await company.client().chat_update(channel=TIER1, ts=ts, text="decided", blocks=buttons())
    assert (await company.slack.click("anna", TIER1, ts, "approve", as_seen=snapshot)).ok
    assert (app.seen[0]["message"]["text"], app.seen[0]["actions"][0]["value"]) == ("open", "case-1:approve")


async def test_a_payload_may_come_twice(company: Northwind, app: App) -> None:
    """Both deliveries are the same press: same trigger, same action_ts."""
    ts = await company.post(blocks=buttons("approve"))
    ack = await company.slack.click("anna", TIER1, ts, "approve", deliver_twice=True)
    assert ack.again is not None
    assert ack.again.ok
    first, second = app.seen
    assert first["actions"] == second["actions"]
    assert first["trigger_id"] == second["trigger_id"]


async def test_two_people_press_at_once(company: Northwind, app: App) -> None:
    """Both presses are with the app before either is acknowledged."""
    ts = await company.post(blocks=buttons("approve", "reject"))
    app.hold = asyncio.Event()
    both = asyncio.gather(company.slack.click("anna", TIER1, ts, "approve"), company.slack.click("ben", TIER1, ts, "reject"))
    await app.until_seen(2)
    app.hold.set()
    assert [ack.ok for ack in await both] == [True, True]
    assert {payload["user"]["name"] for payload in app.seen} == {"anna", "ben"}


async def test_menus_say_what_was_chosen(company: Northwind, app: App) -> None:
    """A select and an overflow carry the option; the select also stands in the state; nothing else can be chosen."""
    options = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("fraud", "policy")]
    elements: list[dict[str, Any]] = [
        {"type": "static_select", "action_id": "reason", "options": options},
        {"type": "overflow", "action_id": "more", "options": options},
        {"type": "users_select", "action_id": "assign"},
    ]
    ts = await company.post(blocks=[{"type": "actions", "block_id": "row", "elements": elements}])
    await company.slack.click("anna", TIER1, ts, "reason", "policy")
    await company.slack.click("anna", TIER1, ts, "more", "fraud", values={"row": {"reason": "policy"}})
    await company.slack.click("anna", TIER1, ts, "assign", "U0BEN000001")
    reason, more, assign = app.seen
    assert reason["actions"][0]["selected_option"]["value"] == "policy"
    assert reason["state"]["values"]["row"]["reason"]["selected_option"]["value"] == "policy"
    assert more["actions"][0]["selected_option"]["value"] == "fraud"
    assert more["state"]["values"]["row"]["reason"]["selected_option"]["value"] == "policy"
    assert assign["actions"][0]["selected_user"] == "U0BEN000001"
    with pytest.raises(ClientError):
        await company.slack.click("anna", TIER1, ts, "reason", "no such reason")


async def test_buttons_in_an_attachment_work_too(company: Northwind, app: App) -> None:
    """A card with a coloured bar is an attachment with blocks."""
    ts = await company.post(attachments=[{"color": "#e01e5a", "blocks": buttons("approve")}])
    assert (await company.slack.click("anna", TIER1, ts, "approve")).ok
    assert app.seen[0]["actions"][0]["value"] == "case-1:approve"


async def test_an_ephemeral_can_be_pressed_by_whoever_sees_it(company: Northwind, app: App) -> None:
    """The payload says it is ephemeral and does not carry the message."""
    answer = await company.client().chat_postEphemeral(channel=TIER1, user=ANNA, text="sure?", blocks=buttons("yes"))
    await company.slack.click("anna", TIER1, answer["message_ts"], "yes")
    assert app.seen[0]["container"]["is_ephemeral"] is True
    assert "message" not in app.seen[0]
    with pytest.raises(ClientError):
        await company.slack.click("ben", TIER1, answer["message_ts"], "yes")


async def test_a_command_is_answered_in_the_channel_to_one_person(company: Northwind, app: App) -> None:
    """The text of the acknowledgement is an ephemeral; a public one says so."""
    app.answer = {"text": "3 cases wait"}
    ack = await company.slack.command("anna", "review-tier1", "/review", "status")
    assert ack.ok
    assert [message["text"] for message in company.slack.ephemerals("anna")] == ["3 cases wait"]
    command = app.seen[0]
    assert (command["command"], command["text"], command["user_id"], command["channel_id"]) == ("/review", "status", ANNA, TIER1)
    assert (command["team_domain"], command["is_enterprise_install"]) == ("northwind", "false")
    app.answer = {"text": "paused", "response_type": "in_channel"}
    await company.slack.command("anna", "review-tier1", "/review", "pause")
    assert [message["text"] for message in company.slack.messages(TIER1)] == ["paused"]
    with pytest.raises(ClientError):
        await company.slack.command("anna", PRIVATE, "/review", "status")


async def test_opening_the_home_tab_is_an_event(company: Northwind, app: App) -> None:
    """The event names the person and carries the Home view once there is one."""
    assert (await company.slack.open_home("anna")).ok
    await company.client().views_publish(user_id=ANNA, view={"type": "home", "blocks": buttons("take_next")})
    await company.slack.open_home("anna")
    await app.until_seen(2)
    first, second = (payload["event"] for payload in app.seen)
    assert (first["type"], first["user"], first["tab"], "view" in first) == ("app_home_opened", ANNA, "home", False)
    home = company.slack.home("anna")
    assert home is not None
    assert second["view"]["id"] == home["id"]
    await company.slack.click_in_view("anna", home["id"], "take_next")
    assert app.seen[2]["container"] == {"type": "view", "view_id": home["id"]}


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_an_app_that_is_too_slow_shows_an_error(transport: str) -> None:
    """Not acknowledged in time: the person sees that the operation timed out, and a command shows nothing."""
    async with northwind(ack_timeout_s=0.1) as company, _reached(company, transport) as app:
        app.hold = asyncio.Event()
        ack = await company.slack.command("anna", TIER1, "/review", "status")
        assert (ack.timed_out, ack.ok, ack.problem) == (True, False, "operation_timeout")
        assert company.slack.ephemerals("anna") == []
        app.hold.set()


async def test_a_failing_listener_is_an_error_to_the_person(company: Northwind) -> None:
    """Over HTTP the app answers 500, which is no acknowledgement."""
    async with http_app(company) as app:

        async def fail(*_: object) -> None:
            raise RuntimeError("broken")

        app.then = fail
        ts = await company.post(blocks=buttons("approve"))
        ack = await company.slack.click("anna", TIER1, ts, "approve")
        assert (ack.status, ack.ok) == (500, False)


async def test_the_signature_is_the_one_slack_makes(company: Northwind) -> None:
    """An app with another signing secret refuses every request; one whose clock is far off does too."""
    ts = await company.post(blocks=buttons("approve"))
    async with http_app(company, signing_secret="another") as app:
        assert (await company.slack.click("anna", TIER1, ts, "approve")).status == 401
        assert app.seen == []
    async with http_app(company) as app:
        company.clock.now += 600
        assert (await company.slack.click("anna", TIER1, ts, "approve")).status == 401
        assert app.seen == []


async def test_nobody_there_to_take_the_press(company: Northwind) -> None:
    """Without a socket, or with a dead request URL, the person sees a failure."""
    ts = await company.post(blocks=buttons("approve"))
    assert (await company.slack.click("anna", TIER1, ts, "approve")).status == "no_connection"
    async with http_app(company):
        pass
    assert (await company.slack.click("anna", TIER1, ts, "approve")).status == "connection_lost"
