"""A reviewer's work by clicking, wide and on a phone: approve and take it back, several at once, modify wrongly and rightly, Home."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bot.demo.cases import read_cases
from bot.demo.stage import Stage, set_up
from routing.vocabulary import Verdict
from tests.bot.sandbox.page.desk import ANNA, SOON_S, TIER1

ALIKE = 6


def refund(like: dict[str, Any], number: int, amount: str) -> dict[str, Any]:
    """A refund as the demonstration has one, of another customer and amount."""
    title = f"Refund {amount} EUR for cup {number}"
    action = like["action"] | {"params": like["action"]["params"] | {"order": f"NW-{number}", "amount": amount}}
    risk, subject = like["risk"] | {"amount": amount}, {"id": f"cust-{number}", "type": "customer"}
    return like | {"task_id": f"cup-{number}", "title": title, "action": action, "risk": risk, "subject": subject}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The demonstration with six refunds alike, one that stands out and a price; approvals may be taken back for minutes."""
    policy = files("bot.demo").joinpath("policy.yml").read_text()
    async with set_up(tmp_path, policy_text=policy.replace("undo: 0s", "undo: 5m").encode(), unhurried=True) as stage:
        cases = read_cases(stage.clock())
        refunds = [refund(cases["small-refund"], number, f"{30 + number}.00") for number in range(ALIKE)]
        for case in (*refunds, refund(cases["small-refund"], 99, "49.00"), cases["price"]):
            status, _ = await stage.sandbox.customer.post(case)
            assert status == 202
        yield stage


def card(page: Page, words: str) -> Locator:
    """The newest message with these words."""
    return page.locator(".main .message:not(.ephemeral)").filter(has_text=words).last


async def press(page: Page, words: str, verb: str) -> None:
    """A button of a card."""
    await card(page, words).locator("button").filter(has_text=re.compile(rf"^\s*{verb}")).first.click()


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_reviewer_works_by_clicking(stage: Stage, browser: Browser, width: int) -> None:
    """Whatever is pressed is seen where it was pressed, and stands in the database as it was meant."""
    page = await browser.new_page(viewport={"width": width, "height": 900})
    errors: list[str] = []
    page.set_default_timeout(SOON_S * 1000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{stage.sandbox.page_url}/?user={ANNA}&channel={TIER1}")
    dialog = page.locator("#modal")

    await press(page, "cup 0", "Approve")
    await press(page, "cup 0", "Undo")
    await expect(card(page, "cup 0").get_by_role("button", name="Approve")).to_be_visible()

    await page.get_by_label("Message or slash command").fill("/review batch")
    await page.get_by_label("Message or slash command").press("Enter")
    await expect(dialog).to_contain_text("Set aside: look at each by itself (1)")
    await expect(dialog).to_contain_text("its amount is far from the others'")
    boxes = dialog.locator("input[type=checkbox]")
    await expect(boxes).to_have_count(ALIKE)
    for box in await boxes.all():
        await box.check()
    await dialog.get_by_label("Approve them").check()
    await dialog.locator("[type=submit]").click()
    await expect(dialog).to_contain_text(f"Recorded: you approved {ALIKE} of {ALIKE}.")
    await page.keyboard.press("Escape")

    await press(page, "Nordlys", "Modify")
    price = dialog.locator("input[name*='price']")
    await price.fill("cheap")
    await dialog.locator("[type=submit]").click()
    await expect(dialog.locator(".error:not([hidden])")).to_be_visible()
    await price.fill("119.00")
    for menu in await dialog.locator("[data-required] select").all():
        await menu.select_option(index=1)
    await dialog.locator("textarea").last.fill("As the competitor has it.")
    await dialog.locator("[type=submit]").click()
    await expect(dialog).to_contain_text('"129.00" → "119.00"')
    await dialog.locator("[type=submit]").click()
    await expect(card(page, "Nordlys")).to_contain_text("119.00")

    if width == 390:
        await page.get_by_role("button", name="Anna").click()
    await page.get_by_role("button", name="Tierline · Home").click()
    await expect(page.locator(".main")).to_contain_text("cup 99")
    await page.locator(".main").get_by_role("button", name="Approve").first.click()
    await expect(page.locator(".main")).to_contain_text("Recorded: you approved revision 1 of “Refund 49.00 EUR for cup 99”")
    await page.close()
    assert errors == []
    cases = [await stage.app.reads.case(str(posted.answer["id"])) for posted in stage.sandbox.customer.posted]
    verdicts = [case.verdict for case in cases if case is not None]
    assert (verdicts.count(Verdict.APPROVED), verdicts.count(Verdict.MODIFIED)) == (ALIKE + 1, 1)
