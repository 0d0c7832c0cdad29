"""The first tour on the page: what is ticked off and when, and that of the demonstration to its end, in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.demo.cases import read_cases
from bot.demo.stage import Stage, set_up
from bot.sandbox.page.tour import Task
from bot.sandbox.sandbox import Sandbox, SandboxConfig
from tests.bot.sandbox.page.desk import ANNA, CHIARA, SOON_S, TIER1, TIER2

CASES = ("small-refund", "price", "reply", "recall", "access")
"""Those that the tour of the demonstration is about."""


def task(title: str, user: str, channel: str, words: str) -> Task:
    """Something that is done once a message with these words was sent by the app."""
    return Task(title, f"How to {title}.", user, channel, words, lambda entry: words in str(entry.data.get("args")))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The demonstration with the cases that its tour is about."""
    async with set_up(tmp_path, unhurried=True) as stage:
        cases = read_cases(stage.clock())
        for name in CASES:
            status, _ = await stage.sandbox.customer.post(cases[name])
            assert status == 202
        yield stage


async def a_page(browser: Browser, address: str, width: int) -> tuple[Page, list[str]]:
    """A page of that width, and the errors of its script."""
    page = await browser.new_page(viewport={"width": width, "height": 844})
    errors: list[str] = []
    page.set_default_timeout(SOON_S * 1000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(address)
    return page, errors


async def test_it_opens_at_the_first_task_and_ticks_off_what_the_ledgers_saw(browser: Browser) -> None:
    """It begins as the person and in the channel of the first task, leads to each card, can be put away and come back, and ends."""
    tour = (task("read", CHIARA, TIER2, "the first card"), task("press", ANNA, TIER1, "the second card"))
    async with Sandbox(time.time, SandboxConfig(tour=tour)) as sandbox:
        page, errors = await a_page(browser, sandbox.page_url, 1280)
        steps = page.get_by_role("region", name="First steps")
        await expect(page.get_by_label("You are")).to_have_value(CHIARA)
        await expect(page.get_by_role("heading", name="#review-tier2")).to_be_visible()
        await expect(steps.get_by_text("How to read.")).to_be_visible()
        sandbox.slack.record.add("chat.postMessage", args={"text": "the second card"})
        await expect(steps.get_by_text("1 of 2 done")).to_be_visible()
        await expect(steps.get_by_text("How to read.")).to_be_visible()  # the first that is not done stays the one
        sandbox.slack.record.add("chat.postMessage", args={"text": "the first card"})
        await expect(steps.get_by_text("All done.")).to_be_visible()
        await steps.get_by_role("button", name="Close").click()
        await expect(steps.get_by_role("group")).to_have_count(0)
        await page.get_by_role("button", name="Show the first steps").click()
        await expect(steps.get_by_text("All done.")).to_be_visible()
        await page.close()
        assert errors == []


async def test_it_leads_to_the_card_of_the_task(browser: Browser) -> None:
    """Take me there becomes the person and brings the card into sight, in a long channel too; folded, it stays folded."""
    async with Sandbox(time.time, SandboxConfig(tour=(task("press", ANNA, TIER1, "this very card"),))) as sandbox:
        workspace = sandbox.slack.workspace
        for number in range(60):
            workspace.say(workspace.user("ben"), workspace.any_channel(TIER1), "this very card" if number == 9 else "more")
        page, errors = await a_page(browser, f"{sandbox.page_url}/?user={CHIARA}&channel={TIER2}", 390)
        await page.get_by_role("button", name="Take me there").click()
        await expect(page.get_by_text("this very card")).to_be_in_viewport()
        await page.get_by_text("First steps", exact=True).click()
        await expect(page.get_by_role("button", name="Take me there")).to_be_hidden()
        await page.get_by_role("button", name="Anna").click()
        await expect(page.get_by_label("You are")).to_have_value(ANNA)
        await page.get_by_role("button", name="general").click()
        await expect(page.get_by_role("heading", name="#general")).to_be_visible()
        await expect(page.get_by_role("button", name="Take me there")).to_be_hidden()
        await page.close()
        assert errors == []


@pytest.mark.parametrize("width", [1280, 390])
async def test_the_tour_of_the_demonstration_to_its_end(stage: Stage, browser: Browser, width: int) -> None:
    """Approve, modify, ask, acknowledge, be refused, each by clicking where the tour leads; every step ticks itself off."""
    page, errors = await a_page(browser, stage.sandbox.page_url, width)
    steps, dialog = page.get_by_role("region", name="First steps"), page.locator("#modal")
    card = page.locator(".main .message.found")

    async def there(done: int, words: str) -> None:
        await expect(steps.get_by_text(f"{done} of 5 done")).to_be_visible()
        await steps.locator("[data-card]:not([data-card=''])").wait_for()  # it may not have been posted yet
        await steps.get_by_role("button", name="Take me there").click()
        await expect(page.locator(".main .message").filter(has_text=words).first).to_be_attached()

    async def press(verb: str, words: str) -> None:
        pressed = page.locator(".main .message").filter(has_text=words).last
        button = pressed.locator("button").filter(has_text=re.compile(rf"^\s*{verb}")).first
        await button.wait_for(state="attached")
        if not await button.is_visible():
            await pressed.get_by_label("More actions", exact=True).click()
        await button.click()
        if await page.locator("#confirm").is_visible():
            await page.locator("#confirm-yes").click()

    async def send_to_the_end() -> None:
        """Every page of a form, with the first choice where one is required."""
        while await dialog.is_visible():
            for menu in await dialog.locator("[data-required] select").all():
                if not await menu.input_value():
                    await menu.select_option(index=1)
            seen = await page.locator("#view").get_attribute("data-hash")
            await dialog.locator("[type=submit]").click()
            await page.wait_for_function("seen => document.querySelector('#view')?.dataset.hash !== seen", arg=seen)

    await there(0, "broken teapot")
    await expect(card).to_contain_text("broken teapot")
    await press("Approve", "broken teapot")
    await there(1, "Nordlys")
    await press("Modify", "Nordlys")
    await dialog.locator("input[name*='price']").fill("119.00")
    await send_to_the_end()
    await there(2, "where her order is")
    await page.locator(".main .message").filter(has_text="where her order is").last.get_by_label("More actions", exact=True).click()
    await page.get_by_role("menuitem", name="Ask the service").click()
    await dialog.locator("textarea, input[type=text]").first.fill("Has the warehouse confirmed Friday?")
    await send_to_the_end()
    await there(3, "kettle")
    await page.get_by_role("button", name="Acknowledge").first.click()
    await there(4, "billing export")
    await press("Approve", "billing export")
    await expect(steps.get_by_text("All done.")).to_be_visible()
    await expect(page.locator(".main .ephemeral").last).to_be_visible()
    verdicts = {callback.data.get("verdict") for callback in stage.sandbox.customer.inbox}
    assert {"approved", "modified"} <= verdicts
    await page.close()
    assert errors == []
