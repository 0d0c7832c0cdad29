"""A person at the page presses, chooses, fills in and types, in a real browser."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.bot.sandbox.page.desk import ANNA, CHIARA, TIER1, Ack, Desk, Json, card, plain


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
