"""How much room a card takes: lines and pixels of every case of the demonstration and of the airline, in a browser, wide and on a phone.

The sandbox's page draws them; `python -m benchmarks.cards FOLDER` keeps what it drew there, to be looked at.
"""

import argparse
import asyncio
import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup
from playwright.async_api import Page, async_playwright

from benchmarks.cases import POLICY, SECRETS
from benchmarks.figures import HEADING, Figure, Target, row
from bot import clock as wall
from bot.demo.cases import read_cases
from bot.demo.people import SLACK_IDS
from bot.sandbox import page as sandbox_page
from bot.sandbox.page.blocks import Drawing
from bot.sandbox.page.views import make_environment
from bot.slack.cards.card import draw_card
from bot.slack.cards.view import View
from bot.slack.masking import Masking
from routing.case.facts import Facts
from routing.case.submission import read_submission
from routing.change import Arrival
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.review.opening import open_case

WIDTHS = {"700 px": 700, "390 px": 390}
"""Of the text of a message on a desktop; of a phone as a whole, of which the picture beside a message takes 60."""
BESIDE = 60

LINES = Target(14.0)
HEIGHT = Target(420.0)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_LINES = """e => { const boxes = []; const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) { const node = walk.currentNode;
    if (!node.data.trim() || node.parentElement.closest(".menu, .visually-hidden")) continue;
    const range = document.createRange(); range.selectNodeContents(node);
    boxes.push(...[...range.getClientRects()].filter(box => box.width > 1)); }
  boxes.sort((a, b) => a.top - b.top);
  let lines = 0, bottom = 0;
  for (const box of boxes) { if (box.top > bottom - 8) { lines += 1; bottom = box.bottom; } }
  return lines; }"""
"""Lines that a reader sees; what stands beside each other is one."""


class _Nobody:
    """A reader in UTC who knows no ids."""

    timezone: tzinfo = UTC
    now = wall.now().timestamp()

    def user(self, _: str) -> str | None:
        """Nobody is known."""
        return None

    channel = group = user


async def measure(folder: Path) -> Sequence[Figure]:
    """Lines and height of the first card of each case, at both widths; pictures of all of them in `folder`."""
    drawn = {"demonstration": _demonstration(), "airline": _airline()}
    figures = list[Figure]()
    async with async_playwright() as playwright:
        executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for width, pixels in WIDTHS.items():
            page = await browser.new_page(viewport={"width": pixels + (40 if pixels > 600 else 0), "height": 900})
            for name, views in drawn.items():
                room = pixels if pixels > 600 else pixels - BESIDE
                found = [
                    await _measured(page, view, room, folder / f"{name}-{number:02}-{pixels}.png") for number, view in enumerate(views)
                ]
                figures += _figures(f"{name}, {width}", found, targets=pixels > 600)
        await browser.close()
    return figures


def _figures(of: str, found: Sequence[tuple[int, float]], *, targets: bool) -> list[Figure]:
    lines, heights = sorted(one for one, _ in found), sorted(one for _, one in found)
    return [
        Figure(f"lines of a card ({of}), of {len(found)}", lines, "", LINES if targets else None),
        Figure(f"height of a card ({of})", heights, "px", HEIGHT if targets else None),
    ]


async def _measured(page: Page, view: View, room: int, picture: Path) -> tuple[int, float]:
    """Lines and height of a card in a column of `room` pixels."""
    drawing = Drawing(make_environment(), _Nobody())
    style = f"<style>{_css()} body {{display: block; padding: 8px; overflow: auto}} #card {{width: {room}px}}</style>"
    body = Markup('<div id="card" class="message-body">{}</div>').format(drawing.blocks(draw_card(view).blocks))
    await page.set_content(style + str(body))
    card = page.locator("#card")
    box = await card.bounding_box()
    await card.screenshot(path=picture)
    return await card.evaluate(_LINES), box["height"] if box is not None else 0.0


def _css() -> str:
    static = Path(sandbox_page.__file__).with_name("static")
    return "".join(static.joinpath(name).read_text() for name in ("page.css", "blocks.css", "narrow.css"))


def _demonstration() -> list[View]:
    policy = _policy(files("bot.demo").joinpath("policy.yml").read_bytes())
    return [_view(policy, case, number) for number, case in enumerate(read_cases(wall.now()).values())]


def _airline() -> list[View]:
    policy = _policy(POLICY.read_bytes())
    return [
        _view(policy, json.loads(case), number)
        for number, case in enumerate(POLICY.with_name("airline-cases.jsonl").read_text().splitlines())
    ]


def _policy(source: bytes) -> Policy:
    """A policy with a value for every name that it takes from the environment; none of them is used here."""
    names = re.findall(r"\$\{(\w+)\}", source.decode())
    return load_policy(
        source,
        {name: _VALUES.get(name.rpartition("_")[2], hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()) for name in names},
    )


_VALUES = {"DAY": "mon-fri", "URL": "https://sandbox.example/", "SECRET": SECRETS[0]}


_NAMES = {person: name for name, person in SLACK_IDS.items()} | {"U0DESKLEAD": "Dana Desk", "U0SUPLEAD": "Sam Super"}
"""Of the people whom the policies name, as Slack would tell them."""


def _view(policy: Policy, document: Mapping[str, Any], number: int) -> View:
    submission = read_submission(dict(document))
    now = wall.now()
    arrival = Arrival(case_id=f"c_01kbenchmark{number:016}", policy=policy, facts=Facts(), now=now)
    case = open_case("benchmark", submission)(arrival).case
    masking = Masking(lambda _: policy)
    shown, paths = masking.content(case, submission)
    workflow = policy.form.workflows.get(case.workflow)
    return View(case, shown, (), now, tier=case.tier, names=_NAMES, masked=paths, original=submission, workflow=workflow)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.cards", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print("\n".join([HEADING, *map(row, asyncio.run(measure(given.folder)))]))


if __name__ == "__main__":
    _main()
