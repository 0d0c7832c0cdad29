"""The app's Home tab, questions before a press, and what a person sets for themselves, in a real browser."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.bot.sandbox.page.desk import ANNA, CHIARA, TIER1, Ack, Desk, Json, plain


def home(*names: str) -> Json:
    """A Home tab with a button for each name."""
    buttons = [{"type": "button", "action_id": "next", "value": name, "text": plain(name)} for name in names]
    return {"type": "home", "blocks": [{"type": "header", "text": plain("My queue")}, {"type": "actions", "elements": buttons}]}


@pytest.mark.parametrize("width", [390, 1280])
async def test_home_is_published_when_it_is_opened_and_its_buttons_work(desk: Desk, at_page: Page, width: int) -> None:
    """Opening it tells the app, which publishes; a press there carries the view, and what is published anew is seen without a reload."""
    opened: list[Json] = []

    async def publish(event: Json) -> None:
        opened.append(event)
        if event["tab"] == "home":
            await desk.client.views_publish(user_id=event["user"], view=home("Take next"))
        else:
            await desk.client.chat_postMessage(channel=event["channel"], text="Nobody owes anything.")

    async def take(ack: Ack, body: Json) -> None:
        await ack()
        desk.pressed.append(body)
        await desk.client.views_publish(user_id=body["user"]["id"], view=home("Nothing waits"), hash=body["view"]["hash"])

    desk.bolt.event("app_home_opened")(publish)
    desk.bolt.action("next")(take)
    await at_page.set_viewport_size({"width": width, "height": 844})
    if width == 390:
        await at_page.get_by_role("button", name="Anna").click()
    await at_page.get_by_role("button", name="Tierline · Home").click()
    await at_page.get_by_role("button", name="Take next").click()
    await expect(at_page.get_by_role("button", name="Nothing waits")).to_be_visible()
    await expect(at_page.get_by_label("Message or slash command")).to_be_hidden()
    assert (desk.pressed[0]["container"]["type"], desk.pressed[0]["view"]["type"]) == ("view", "home")
    await at_page.reload()
    await expect(at_page.get_by_role("button", name="Take next")).to_be_visible()
    if width == 390:
        await at_page.get_by_role("button", name="Anna").click()
    await at_page.get_by_role("button", name="Tierline · Messages").click()
    await expect(at_page.get_by_text("Nobody owes anything.")).to_be_visible()
    assert [event["tab"] for event in opened] == ["home", "home", "messages"]
    assert ["view" in event for event in opened] == [False, True, False]


async def test_a_choice_that_is_not_confirmed_is_not_made(desk: Desk, at_page: Page) -> None:
    """The question is drawn with its markup; No leaves the menu as it was and sends nothing."""
    asks = {
        "title": plain("Sure?"),
        "text": {"type": "mrkdwn", "text": "*All 12* go to <@U0CHIARA001>."},
        "confirm": plain("Yes"),
        "deny": plain("No"),
    }
    options = [{"text": plain(name), "value": name} for name in ("here", "there")]
    menu = {"type": "static_select", "action_id": "move", "options": options, "initial_option": options[0], "confirm": asks}

    async def move(ack: Ack, body: Json) -> None:
        await ack()
        desk.pressed.append(body)
        await desk.client.chat_postMessage(channel=TIER1, text="moved")

    desk.bolt.action("move")(move)
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=[{"type": "actions", "elements": [menu]}])
    await at_page.get_by_label("move").select_option("there")
    question = at_page.get_by_role("dialog", name="Sure?")
    await expect(question.locator("strong")).to_have_text("All 12")
    await expect(question).to_contain_text("@Chiara Rossi")
    await question.get_by_role("button", name="No").click()
    await expect(at_page.get_by_label("move")).to_have_value("here")
    await at_page.get_by_label("move").select_option("there")
    await question.get_by_role("button", name="Yes").click()
    await expect(at_page.get_by_text("moved")).to_be_visible()
    await expect(at_page.get_by_label("move")).to_have_value("there")
    assert [body["actions"][0]["selected_option"]["value"] for body in desk.pressed] == ["there"]


async def test_a_person_sets_language_and_status(desk: Desk, at_page: Page) -> None:
    """What is chosen under one's name is what Slack says of that person from then on, and of nobody else."""
    await at_page.get_by_text("Active · English").click()
    await at_page.get_by_label("Language").select_option("Deutsch")
    await at_page.get_by_label("On holiday").check()
    await expect(at_page.get_by_text("On holiday · Deutsch")).to_be_visible()
    anna, chiara = [desk.sandbox.slack.workspace.user(user) for user in (ANNA, CHIARA)]
    assert (anna.locale, anna.status_text, chiara.locale, chiara.status_text) == ("de-DE", "On holiday", "en-US", "")
    await at_page.get_by_label("On holiday").uncheck()
    await expect(at_page.get_by_text("Active · Deutsch")).to_be_visible()
