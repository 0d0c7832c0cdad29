"""While the page draws itself anew nothing of what a person does there is lost, in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.bot.sandbox.page.desk import ANNA, CHIARA, SOON_S, TIER1, Desk, card


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
