"""The menu of a message, files, tables and quiet buttons on the page, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.bot.sandbox.page.desk import TIER1, Ack, Desk, Json, plain


@pytest.mark.parametrize("width", [390, 1280])
async def test_any_message_may_be_sent_to_the_app(desk: Desk, at_page: Page, width: int) -> None:
    """The menu of a message holds the app's shortcuts, by pointer and by keyboard, and a form may follow."""
    form = {"type": "modal", "callback_id": "send", "title": plain("Send to review"), "blocks": [{"type": "divider"}]}
    sent: list[str] = []

    async def take(ack: Ack, body: Json) -> None:
        await ack()
        sent.append(body["message"]["text"])
        await desk.client.views_open(trigger_id=body["trigger_id"], view=form)

    desk.bolt.message_shortcut("send_to_review")(take)
    await at_page.set_viewport_size({"width": width, "height": 844})
    workspace = desk.sandbox.slack.workspace
    workspace.say(workspace.user("ben"), workspace.any_channel(TIER1), "Please refund order 7.")
    await at_page.reload()
    more = at_page.get_by_label("More actions for this message")
    await at_page.get_by_text("Please refund order 7.").hover()
    await more.click()
    await at_page.get_by_role("menuitem", name="Send to review").click()
    dialog = at_page.get_by_role("dialog", name="Send to review")
    await expect(dialog).to_be_visible()
    await at_page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await more.focus()
    await at_page.keyboard.press("ArrowDown")
    await at_page.keyboard.press("Enter")
    await expect(dialog).to_be_visible()
    assert sent == ["Please refund order 7."] * 2


async def test_a_file_is_shown_and_saved(desk: Desk, at_page: Page, tmp_path: Path) -> None:
    """Its title, size and first lines stand in the thread; the link saves what was uploaded, and never opens it as a page."""
    first = await desk.client.chat_postMessage(channel=TIER1, text="card")
    text = "<script>alert(1)</script>\n" + "\n".join(f"line {number}" for number in range(40))
    await desk.client.files_upload_v2(channel=TIER1, thread_ts=first["ts"], filename="case.html", title="All of it", content=text)
    await at_page.get_by_role("button", name="1 reply").click()
    thread = at_page.get_by_role("region", name="Thread")
    await expect(thread.get_by_text("<script>alert(1)</script>")).to_be_visible()
    await expect(thread.get_by_text("line 30")).to_have_count(0)
    async with at_page.expect_download() as download:
        await thread.get_by_role("link", name="All of it").click()
    await (await download.value).save_as(tmp_path / "case.html")
    assert (tmp_path / "case.html").read_text() == text


async def test_a_table_and_quiet_buttons(desk: Desk, at_page: Page) -> None:
    """Cells stand as they are set, feedback and icon buttons can be pressed."""
    good, bad = ({"text": plain(text), "value": text} for text in ("It was right", "It was wrong"))
    quiet = [
        {"type": "feedback_buttons", "action_id": "judge", "positive_button": good, "negative_button": bad},
        {"type": "icon_button", "action_id": "drop", "icon": "trash", "text": plain("Drop"), "visible_to_user_ids": ["U0BEN000001"]},
    ]
    rows = [[{"type": "raw_text", "text": text} for text in row] for row in (("field", "now"), ("price", "11.90"))]
    judged: list[Json] = []

    async def judge(ack: Ack, body: Json) -> None:
        await ack()
        judged.append(body["actions"][0])
        await desk.client.chat_postMessage(channel=TIER1, text="thank you")

    desk.bolt.action("judge")(judge)
    table = {"type": "table", "rows": rows, "column_settings": [{}, {"align": "right"}]}
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=[table, {"type": "context_actions", "elements": quiet}])
    await expect(at_page.get_by_role("cell", name="11.90")).to_have_css("text-align", "right")
    await expect(at_page.get_by_role("button", name="Drop")).to_have_count(0)
    await at_page.get_by_role("button", name="It was wrong").click()
    await expect(at_page.get_by_text("thank you")).to_be_visible()
    assert [(one["type"], one["value"]) for one in judged] == [("feedback_buttons", "It was wrong")]


async def test_a_number_that_does_not_fit_is_marked(desk: Desk, at_page: Page) -> None:
    """Before anything is sent, at its field; corrected, it goes."""
    element = {"type": "number_input", "action_id": "it", "is_decimal_allowed": True, "max_value": "100"}
    fields = [{"type": "input", "block_id": "n", "label": plain("Amount"), "element": element}]
    got: list[Json] = []

    async def ask(ack: Ack, body: Json) -> None:
        await ack()
        form = {"type": "modal", "callback_id": "amount", "title": plain("Amount"), "submit": plain("Send"), "blocks": fields}
        await desk.client.views_open(trigger_id=body["trigger_id"], view=form)

    async def take(ack: Ack, body: Json) -> None:
        await ack()
        got.append(body["view"]["state"]["values"]["n"]["it"])

    desk.bolt.action("ask")(ask)
    desk.bolt.view("amount")(take)
    button = {"type": "button", "action_id": "ask", "text": plain("Modify")}
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=[{"type": "actions", "elements": [button]}])
    await at_page.get_by_role("button", name="Modify").click()
    dialog = at_page.get_by_role("dialog", name="Amount")
    await dialog.get_by_label("Amount").fill("101")
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("100")
    await expect(dialog.get_by_label("Amount")).to_be_focused()
    await dialog.get_by_label("Amount").fill("99.5")
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog).to_be_hidden()
    assert [one["value"] for one in got] == ["99.5"]


async def test_a_modal_of_several_pages(desk: Desk, at_page: Page) -> None:
    """A page is turned in place and keeps the focus on the button; what is pushed on top is closed back to it."""
    hashes: list[str] = []

    def page(number: int) -> Json:
        buttons = [{"type": "button", "action_id": name, "text": plain(name)} for name in ("Next", "More")]
        words = {"type": "section", "text": plain(f"{number} of 7")}
        return {
            "type": "modal",
            "title": plain("Evidence"),
            "blocks": [words, {"type": "actions", "block_id": "turn", "elements": buttons}],
        }

    async def ask(ack: Ack, body: Json) -> None:
        await ack()
        await desk.client.views_open(trigger_id=body["trigger_id"], view=page(1))

    async def turn(ack: Ack, body: Json) -> None:
        await ack()
        hashes.append(body["view"]["hash"])
        await desk.client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=page(len(hashes) + 1))

    async def push(ack: Ack, body: Json) -> None:
        await ack()
        on_top = {"type": "modal", "title": plain("Source"), "blocks": [{"type": "divider"}]}
        await desk.client.views_push(trigger_id=body["trigger_id"], view=on_top)

    for name, listener in (("ask", ask), ("Next", turn), ("More", push)):
        desk.bolt.action(name)(listener)
    opening = {"type": "button", "action_id": "ask", "text": plain("Details")}
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=[{"type": "actions", "elements": [opening]}])
    await at_page.get_by_role("button", name="Details").click()
    dialog = at_page.get_by_role("dialog", name="Evidence")
    await dialog.get_by_role("button", name="Next").focus()
    for number in (2, 3):
        await at_page.keyboard.press("Enter")
        await expect(dialog.get_by_text(f"{number} of 7")).to_be_visible()
        await expect(dialog.get_by_role("button", name="Next")).to_be_focused()
    await dialog.get_by_role("button", name="More").click()
    await expect(at_page.get_by_role("dialog", name="Source")).to_be_visible()
    await at_page.keyboard.press("Escape")
    await expect(dialog.get_by_text("3 of 7")).to_be_visible()
    assert len(set(hashes)) == 2
