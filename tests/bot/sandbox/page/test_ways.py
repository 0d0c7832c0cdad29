"""Ways through the page: links, unread marks, the keyboard, narrow screens, in a real browser."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.bot.sandbox.page.desk import CHIARA, TIER1, TIER2, Desk, card, plain


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


@pytest.mark.parametrize("width", [390, 1100, 1440])
async def test_nothing_overflows_at_either_width(desk: Desk, at_page: Page, width: int) -> None:
    """With long words everywhere the page never scrolls sideways."""
    await desk.client.chat_postMessage(
        channel=TIER1, text="card", blocks=[{"type": "section", "text": plain("W" * 2900)}, *card("X" * 140)]
    )
    await desk.page_incident("k" * 255)
    await at_page.set_viewport_size({"width": width, "height": 760})
    await expect(at_page.get_by_role("heading", name="X" * 140)).to_be_visible()
    await at_page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")


async def test_a_thread_stands_beside_pagerduty(desk: Desk, at_page: Page) -> None:
    """At every width that shows PagerDuty at all, an open thread leaves it there; Escape closes the thread and gives the focus back."""
    first = await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=card())
    await desk.client.chat_postMessage(channel=TIER1, thread_ts=first["ts"], text="a reply")
    await desk.page_incident()
    for width in (1000, 1280):
        await at_page.set_viewport_size({"width": width, "height": 800})
        await at_page.get_by_role("button", name="1 reply").focus()
        await at_page.keyboard.press("Enter")
        await expect(at_page.get_by_role("button", name="Close thread")).to_be_focused()
        thread, pane = at_page.get_by_role("region", name="Thread"), at_page.get_by_role("button", name="Acknowledge")
        await expect(thread.get_by_text("a reply")).to_be_in_viewport(ratio=1)
        await pane.click(trial=True)
        await at_page.keyboard.press("Escape")
        await expect(at_page.get_by_role("button", name="1 reply")).to_be_focused()


async def test_on_a_phone_everything_can_be_reached(desk: Desk, at_page: Page) -> None:
    """At 390 px the bar below leads to the people and channels, to the messages and to PagerDuty, and says where something waits."""
    await at_page.set_viewport_size({"width": 390, "height": 844})
    first = await desk.client.chat_postMessage(channel=TIER2, text="card", blocks=card())
    await desk.client.chat_postMessage(channel=TIER2, thread_ts=first["ts"], text="a reply")
    await desk.page_incident()
    bar = at_page.get_by_role("navigation", name="Parts of the page")
    await bar.get_by_role("button", name="Anna").click()
    await at_page.get_by_label("You are").select_option(CHIARA)
    await expect(bar.get_by_role("button", name="Chiara")).to_contain_text("unread: 1")
    await at_page.get_by_role("button", name="review-tier2").first.click()
    await at_page.get_by_role("button", name="1 reply").click()
    await expect(at_page.get_by_text("a reply")).to_be_in_viewport()
    await at_page.get_by_role("button", name="Close thread").click()
    await at_page.get_by_role("button", name="Reject").click()
    await expect(at_page.get_by_role("dialog", name="Reject").get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
    await at_page.keyboard.press("Escape")
    await expect(bar.get_by_role("button", name="PagerDuty")).to_contain_text("open: 1")
    await bar.get_by_role("button", name="PagerDuty").click()
    await at_page.get_by_role("button", name="Acknowledge").click()
    await expect(at_page.get_by_text("acknowledged", exact=True)).to_be_visible()
    await at_page.get_by_text("Faults: none").click()
    await expect(at_page.get_by_label("Slack is down")).to_be_in_viewport()


async def test_what_is_new_is_marked(desk: Desk, at_page: Page) -> None:
    """A count in the channel's line and in the title; once there, a line above what is new stays until one goes elsewhere."""
    workspace = desk.sandbox.slack.workspace
    anna, ada, general, tier1 = (
        workspace.user("anna"),
        workspace.user("ada"),
        workspace.any_channel("general"),
        workspace.any_channel(TIER1),
    )
    workspace.say(ada, tier1, "seen at once")
    await at_page.goto(at_page.url)
    await at_page.get_by_role("button", name="general").click()
    await expect(at_page.get_by_role("heading", name="#general")).to_be_visible()
    workspace.say(anna, tier1, "my own")
    await desk.client.chat_postMessage(channel=TIER1, text="came meanwhile")
    await expect(at_page.get_by_role("button", name="review-tier1")).to_contain_text("unread: 1")
    await expect(at_page).to_have_title("(1) Northwind · sandbox")
    await at_page.get_by_role("button", name="review-tier1").click()
    line = at_page.locator(".day.new + .message")
    await expect(line).to_contain_text("came meanwhile")
    await desk.client.chat_postMessage(channel=TIER1, text="and one more")
    await expect(at_page.get_by_text("and one more")).to_be_attached()
    await expect(line).to_contain_text("came meanwhile")
    await expect(at_page).to_have_title("Northwind · sandbox")
    await at_page.get_by_role("button", name="general").click()
    await expect(at_page.get_by_text("Nothing here yet")).to_be_visible()
    assert general.messages == {}
    await at_page.get_by_role("button", name="review-tier1").click()
    await expect(at_page.get_by_text("and one more")).to_be_attached()
    await expect(line).to_have_count(0)


async def test_a_reply_that_was_not_seen_is_counted(desk: Desk, at_page: Page) -> None:
    """At its message until the thread is opened; one's own is none, and what was there before one came is none either."""
    first = await desk.client.chat_postMessage(channel=TIER1, text="card")
    await desk.client.chat_postMessage(channel=TIER1, thread_ts=first["ts"], text="a reply")
    workspace = desk.sandbox.slack.workspace
    await at_page.get_by_label("You are").select_option(CHIARA)
    await expect(at_page.get_by_role("button", name="1 reply View thread")).to_be_visible()
    workspace.say(workspace.user(CHIARA), workspace.any_channel(TIER1), "my own", first["ts"])
    await desk.client.chat_postMessage(channel=TIER1, thread_ts=first["ts"], text="news")
    await at_page.get_by_role("button", name="3 replies 1 new").click()
    await expect(at_page.get_by_role("region", name="Thread").get_by_text("news")).to_be_visible()
    await expect(at_page.get_by_role("button", name="3 replies View thread")).to_be_visible()


async def test_links_lead_nowhere_else(desk: Desk, at_page: Page) -> None:
    """A channel's name leads to it, whoever may not go is told so, and an address that is made up opens nothing."""
    await desk.client.chat_postMessage(
        channel=TIER1, text="See <#C0GENERAL01>, <#C0TIER20001> and <https://docs.northwind.example/a|the rules>"
    )
    await at_page.get_by_role("link", name="the rules").click()
    await expect(at_page.get_by_role("status")).to_contain_text("docs.northwind.example is made up")
    assert len(at_page.context.pages) == 1
    await at_page.get_by_role("button", name="#review-tier2").click()
    await expect(at_page.get_by_role("status")).to_contain_text("not in that channel")
    await at_page.get_by_role("button", name="#general").click()
    await expect(at_page.get_by_role("heading", name="#general")).to_be_visible()


async def test_the_keyboard_is_enough(desk: Desk, at_page: Page) -> None:
    """Tab reaches the messages first; a menu opens, is walked through and closed by keys; the focus outlives what is drawn anew."""
    options = [{"text": plain(name), "value": name} for name in ("Claim", "Comment")]
    menu = {"type": "overflow", "action_id": "more", "options": options}
    buttons = [{"type": "button", "action_id": "reject", "text": plain("Reject")}, menu]
    await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=[{"type": "actions", "block_id": "verbs", "elements": buttons}])
    await expect(at_page.get_by_role("button", name="Reject")).to_be_visible()
    await at_page.keyboard.press("Tab")
    await expect(at_page.get_by_role("link", name="To the messages")).to_be_in_viewport()
    await at_page.keyboard.press("Enter")
    for _ in range(2):
        await at_page.keyboard.press("Tab")
    reject, more = at_page.get_by_role("button", name="Reject"), at_page.get_by_label("More actions", exact=True)
    await expect(reject).to_be_focused()
    await desk.client.chat_postMessage(channel=TIER1, text="another one")
    await expect(at_page.get_by_text("another one")).to_be_attached()
    await expect(reject).to_be_focused()
    assert await reject.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    await at_page.keyboard.press("Tab")
    await at_page.keyboard.press("ArrowDown")
    await at_page.keyboard.press("ArrowDown")
    await expect(at_page.get_by_role("menuitem", name="Comment")).to_be_focused()
    await desk.client.chat_postMessage(channel=TIER1, text="one more")
    await expect(at_page.get_by_text("one more")).to_be_attached()
    await expect(at_page.get_by_role("menuitem", name="Comment")).to_be_focused()
    await at_page.keyboard.press("Escape")
    await expect(more).to_be_focused()
    await expect(at_page.get_by_role("menuitem")).to_have_count(0)


async def test_what_is_typed_on_one_card_stays_on_that_card(desk: Desk, at_page: Page) -> None:
    """Two cards with inputs of the same names keep what each was given."""
    field = {"type": "input", "block_id": "note", "label": plain("Note"), "element": {"type": "plain_text_input", "action_id": "text"}}
    for _ in range(2):
        await desk.client.chat_postMessage(channel=TIER1, text="card", blocks=[field])
    await at_page.get_by_label("Note").first.fill("for the first")
    await desk.client.chat_postMessage(channel=TIER1, text="another one")
    await expect(at_page.get_by_text("another one")).to_be_attached()
    await expect(at_page.get_by_label("Note").first).to_have_value("for the first")
    await expect(at_page.get_by_label("Note").last).to_have_value("")
