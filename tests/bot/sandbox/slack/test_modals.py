"""Modals in the sandbox's Slack: opened by a real client with a real trigger, filled in by people, answered by a Bolt app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.errors import ClientError
from tests.bot.sandbox.slack.northwind import ANNA, TIER1, App, Json, Northwind, buttons, http_app, northwind, refused, socket_app


def plain(text: str) -> Json:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def option(name: str) -> Json:
    """An option whose value is its name."""
    return {"text": plain(name), "value": name}


def field(block_id: str, element: Json, **more: Any) -> Json:
    """An input block."""
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": {"action_id": "it", **element}, **more}


MODAL: Json = {
    "type": "modal",
    "callback_id": "reject",
    "private_metadata": "case-1",
    "title": plain("Reject"),
    "submit": plain("Reject"),
    "blocks": [
        field("reason", {"type": "plain_text_input", "multiline": True, "min_length": 5, "max_length": 50}),
        field("code", {"type": "static_select", "options": [option("fraud"), option("policy")], "initial_option": option("policy")}),
        field("severity", {"type": "radio_buttons", "options": [option("low"), option("high")]}, optional=True),
        field("flags", {"type": "checkboxes", "options": [option("legal"), option("press")]}, optional=True),
        field("tell", {"type": "multi_users_select"}, optional=True),
    ],
}


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind as it begins."""
    async with northwind() as company:
        yield company


@pytest.fixture(params=["http", "socket"])
async def app(company: Northwind, request: pytest.FixtureRequest) -> AsyncIterator[App]:
    """The same app, reached either way."""
    async with http_app(company) if request.param == "http" else socket_app(company) as app:
        yield app


@pytest.fixture
async def http(company: Northwind) -> AsyncIterator[App]:
    """The app over HTTP, for what does not depend on the way."""
    async with http_app(company) as app:
        yield app


async def open_modal(company: Northwind, app: App, **changes: Any) -> Json:
    """Anna presses, the app opens the modal before it acknowledges."""
    ts = await company.post(blocks=buttons("reject"))

    async def answer(client: AsyncWebClient, body: Json) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL | changes)

    app.then = answer
    assert (await company.slack.click("anna", TIER1, ts, "reject")).ok
    app.then = None
    app.seen.clear()
    view = company.slack.open_view("anna")
    assert view is not None
    return view


async def test_a_modal_is_opened_filled_in_and_submitted(company: Northwind, app: App) -> None:
    """The submission has every input's state, chosen or initial; an empty acknowledgement closes the modal."""
    view = await open_modal(company, app)
    assert company.slack.open_view("ben") is None
    values = {"reason": "wrong account", "severity": "high", "flags": ["legal", "press"], "tell": ["U0BEN000001"]}
    ack = await company.slack.submit("anna", view["id"], values)
    assert ack.ok
    (payload,) = app.seen
    sent = payload["view"]
    assert (payload["type"], payload["user"]["id"], payload["response_urls"]) == ("view_submission", ANNA, [])
    assert (sent["id"], sent["hash"], sent["private_metadata"], sent["callback_id"]) == (view["id"], view["hash"], "case-1", "reject")
    state = sent["state"]["values"]
    assert state["reason"]["it"] == {"type": "plain_text_input", "value": "wrong account"}
    assert state["code"]["it"]["selected_option"]["value"] == "policy"
    assert state["severity"]["it"]["selected_option"]["value"] == "high"
    assert [chosen["value"] for chosen in state["flags"]["it"]["selected_options"]] == ["legal", "press"]
    assert state["tell"]["it"]["selected_users"] == ["U0BEN000001"]
    assert company.slack.open_view("anna") is None


@pytest.mark.parametrize(
    "values", [{}, {"reason": "no"}, {"reason": "x" * 51}, {"reason": "long enough", "code": "other"}, {"nothing": "x"}]
)
async def test_the_client_stops_what_the_form_does_not_allow(company: Northwind, http: App, values: Json) -> None:
    """Required and empty, too short, too long, not offered, no such input: nothing is sent and the modal stays."""
    view = await open_modal(company, http)
    with pytest.raises(ClientError):
        await company.slack.submit("anna", view["id"], values)
    assert http.seen == []
    assert company.slack.open_view("anna") == view


async def test_errors_keep_the_modal_and_stand_at_their_inputs(company: Northwind, app: App) -> None:
    """The app's errors are shown; errors at blocks that are no inputs are trouble to the person."""
    view = await open_modal(company, app)
    app.answer = {"response_action": "errors", "errors": {"reason": "say more"}}
    assert (await company.slack.submit("anna", view["id"], {"reason": "because"})).ok
    assert company.slack.shown_errors("anna") == {"reason": "say more"}
    assert company.slack.open_view("anna") == view
    app.answer = {"response_action": "errors", "errors": {"elsewhere": "say more"}}
    ack = await company.slack.submit("anna", view["id"], {"reason": "because"})
    assert ack.problem is not None
    assert company.slack.shown_errors("anna") == {}


async def test_a_submission_may_update_push_and_clear(company: Northwind, app: App) -> None:
    """Update keeps the id, push stacks up to three, clear closes all; a broken view is trouble to the person."""
    view = await open_modal(company, app)
    typed = {"reason": "because"}
    app.answer = {"response_action": "update", "view": MODAL | {"callback_id": "sure"}}
    await company.slack.submit("anna", view["id"], typed)
    updated = company.slack.open_view("anna")
    assert updated is not None
    assert (updated["id"], updated["callback_id"], updated["hash"] != view["hash"]) == (view["id"], "sure", True)
    app.answer = {"response_action": "push", "view": MODAL}
    for _ in range(2):
        top = company.slack.open_view("anna")
        assert top is not None
        assert (await company.slack.submit("anna", top["id"], typed)).ok
    top = company.slack.open_view("anna")
    assert top is not None
    assert top["root_view_id"] == view["id"] != top["previous_view_id"]
    assert (await company.slack.submit("anna", top["id"], typed)).problem == "push_limit_reached"
    app.answer = {"response_action": "update", "view": MODAL | {"title": plain("x" * 25)}}
    assert "less than 25" in str((await company.slack.submit("anna", top["id"], typed)).problem)
    app.answer = {"response_action": "clear"}
    await company.slack.submit("anna", top["id"], typed)
    assert company.slack.open_view("anna") is None


async def test_a_trigger_is_good_once_and_for_three_seconds(company: Northwind, http: App) -> None:
    """Used twice, too old, made up: each has its own error."""
    ts = await company.post(blocks=buttons("reject"))
    client = company.client()
    first = (await company.slack.click("anna", TIER1, ts, "reject")).payload
    second = (await company.slack.click("anna", TIER1, ts, "reject")).payload
    assert first is not None
    assert second is not None
    company.clock.now += 3
    await client.views_open(trigger_id=first["trigger_id"], view=MODAL)
    assert (await refused(client.views_open(trigger_id=first["trigger_id"], view=MODAL)))["error"] == "exchanged_trigger_id"
    company.clock.now += 0.5
    assert (await refused(client.views_open(trigger_id=second["trigger_id"], view=MODAL)))["error"] == "expired_trigger_id"
    assert (await refused(client.views_open(trigger_id="1.2.abc", view=MODAL)))["error"] == "invalid_trigger_id"


async def test_an_update_of_a_view_loses_to_a_newer_one(company: Northwind, http: App) -> None:
    """A stale hash conflicts; a closed or unknown view is not found; an external id is taken once."""
    view = await open_modal(company, http, external_id="case-1")
    client = company.client()
    await client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL | {"external_id": "case-1"})
    assert (await refused(client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)))["error"] == "hash_conflict"
    await client.views_update(external_id="case-1", view=MODAL | {"external_id": "case-1"})
    ts = await company.post(blocks=buttons("reject"))
    pressed = (await company.slack.click("ben", TIER1, ts, "reject")).payload
    assert pressed is not None
    taken = await refused(client.views_open(trigger_id=pressed["trigger_id"], view=MODAL | {"external_id": "case-1"}))
    assert taken["error"] == "duplicate_external_id"
    await company.slack.close_view("anna")
    assert (await refused(client.views_update(view_id=view["id"], view=MODAL)))["error"] == "not_found"


async def test_closing_is_told_only_when_asked_for(company: Northwind, app: App) -> None:
    """view_closed comes with notify_on_close and says whether everything was cleared."""
    await open_modal(company, app)
    assert await company.slack.close_view("anna") is None
    view = await open_modal(company, app, notify_on_close=True, clear_on_close=True)
    ack = await company.slack.close_view("anna")
    assert ack is not None
    assert ack.ok
    assert [(payload["type"], payload["view"]["id"], payload["is_cleared"]) for payload in app.seen] == [("view_closed", view["id"], True)]


async def test_a_button_in_a_modal_may_push_another(company: Northwind, http: App) -> None:
    """The press carries what is filled in so far; its trigger pushes on top, and closing goes back."""
    view = await open_modal(company, http, blocks=[*MODAL["blocks"], *buttons("evidence")])
    ack = await company.slack.click_in_view("anna", view["id"], "evidence", values={"reason": "half"})
    assert ack.payload is not None
    assert ack.payload["view"]["state"]["values"]["reason"]["it"]["value"] == "half"
    assert not {"channel", "message", "response_url"} & ack.payload.keys()
    await company.client().views_push(trigger_id=ack.payload["trigger_id"], view=MODAL)
    top = company.slack.open_view("anna")
    assert top is not None
    assert top["previous_view_id"] == view["id"]
    with pytest.raises(ClientError):
        await company.slack.submit("anna", view["id"], {"reason": "not on top"})
    await company.slack.close_view("anna")
    assert company.slack.open_view("anna") == view


async def test_a_modal_not_acknowledged_stays_open() -> None:
    """What was typed is not lost when the app does not answer."""
    async with northwind() as company:
        async with http_app(company) as app:
            view = await open_modal(company, app)
        ack = await company.slack.submit("anna", view["id"], {"reason": "because"})
        assert not ack.ok
        assert company.slack.open_view("anna") == view


async def test_the_home_tab_is_a_persons_own(company: Northwind) -> None:
    """Published to one person; a stale hash conflicts; a modal cannot be published nor a home opened."""
    client = company.client()
    home = {"type": "home", "blocks": buttons("next")}
    first = (await client.views_publish(user_id=ANNA, view=home))["view"]
    assert company.slack.home("ben") is None
    second = (await client.views_publish(user_id=ANNA, view=home, hash=first["hash"]))["view"]
    assert second["id"] == first["id"]
    assert (await refused(client.views_publish(user_id=ANNA, view=home, hash=first["hash"])))["error"] == "hash_conflict"
    assert (await refused(client.views_publish(user_id=ANNA, view=MODAL)))["error"] == "invalid_arguments"
    assert (await refused(client.views_publish(user_id="U0NOBODY", view=home)))["error"] == "invalid_arguments"
