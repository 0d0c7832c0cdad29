"""A press, from Slack's signed request to its acknowledgement, committed in between: at rest, and while intake runs at half its limit.

The payloads are those that the sandbox's Slack sends, with the card as it was drawn; the card is known by the mark that it carries, as in
the moments after it was posted. What Slack says of people comes from the sandbox over HTTP and is remembered for a minute.
"""

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from benchmarks.cases import posts, request
from benchmarks.figures import Figure, Target
from benchmarks.load import Measured, send
from benchmarks.rig import REVIEWER, Rig, a_rig
from bot import clock as wall
from bot.app import App
from bot.sandbox.slack.form import elements
from bot.sandbox.slack.http_delivery import sign
from bot.sandbox.slack.payloads import Payloads, action_of
from bot.slack.cards.card import draw_card
from bot.slack.sender import CARD_EVENT
from store.schema import cases

PRESSES_PER_S = 5
MOST_INTAKE_PER_S = 1_500


async def measure(folder: Path, runs: int, presses: int) -> Sequence[Figure]:
    """Time that many approvals, twice, in each run."""
    resting, busy = list[Measured](), list[Measured]()
    for run in range(runs):
        (folder / f"{run}").mkdir()
        async with a_rig(folder / f"{run}") as rig:
            async with rig.bot() as app:
                warm_up = await send(posts(0, 2 * presses + 500, wall.now()), app.port, 16)
                made = await approvals(rig, app, 2 * presses)
            async with rig.serving() as bot:  # Slack and services are elsewhere, as they always are
                await _settled(rig)
                resting.append(await send(made[:presses], bot.port, 1, PRESSES_PER_S))
                half = min(warm_up.rate / 2, MOST_INTAKE_PER_S)
                load = posts(1_000_000, int(half * presses / PRESSES_PER_S), wall.now())
                _, measured = await asyncio.gather(send(load, bot.port, 16, half), send(made[presses:], bot.port, 1, PRESSES_PER_S))
            busy.append(measured)
            assert {*resting[-1].statuses, *measured.statuses} == {"200"}, "Slack was not acknowledged"
            assert _count(rig, "SELECT count(*) FROM cases WHERE state = 'decided'") == 2 * presses
    return [
        Figure("press at rest, p50", [one.percentile(50) for one in resting], "ms", Target(15.0)),
        Figure("press at rest, p99", [one.percentile(99) for one in resting], "ms"),
        Figure("press while intake runs at half its limit, p50", [one.percentile(50) for one in busy], "ms"),
        Figure("press while intake runs at half its limit, p99", [one.percentile(99) for one in busy], "ms", Target(100.0)),
    ]


async def _settled(rig: Rig) -> None:
    """Wait until services were told of all cases that no person has to see."""
    async with asyncio.timeout(60.0):
        while _count(rig, "SELECT count(*) FROM outbox WHERE peer = 'callback'"):  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.2)


def _count(rig: Rig, query: str) -> int:
    with closing(sqlite3.connect(f"file:{rig.database}?mode=ro", uri=True)) as connection:
        count: int = connection.execute(query).fetchone()[0]
    return count


async def approvals(rig: Rig, app: App, count: int) -> Sequence[bytes]:
    """Signed requests with which a reviewer approves the newest cases, whose cards come last."""
    newest = select(cases.c.id).where(cases.c.state == "pending").order_by(cases.c.id.desc()).limit(count)
    ids = await app.database.read(lambda connection: list(connection.execute(newest).scalars()))
    return [await _approval(rig, app, case_id, number, wall.now()) for number, case_id in enumerate(ids)]


async def _approval(rig: Rig, app: App, case_id: str, number: int, now: datetime) -> bytes:
    slack = rig.sandbox.config.slack
    channel = rig.sandbox.slack.workspace.any_channel("airline-desk")
    message = await _card(rig, app, case_id, f"{int(now.timestamp())}.{number:06}")
    block, button = next(found for found in elements(message["blocks"]) if found[1]["action_id"] == "tierline:approve")
    payload = Payloads(slack).message_action(
        rig.sandbox.slack.workspace.user(REVIEWER),
        channel,
        dict(message),
        action=action_of(block, button, {"value": button["value"], "type": "button"}, f"{now.timestamp():.6f}"),
        state={},
        trigger_id=f"{number}.trigger",
        response_url=f"{rig.sandbox.url}/response/{number}",
    )
    return signed(slack.app.signing_secret, payload, now)


def signed(secret: str, payload: Mapping[str, Any], now: datetime) -> bytes:
    """A request as Slack sends interactions."""
    body = urlencode({"payload": json.dumps(payload)}).encode()
    timestamp = str(int(now.timestamp()))
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": sign(secret, timestamp, body),
    }
    return request("/slack/events", headers, body)


async def _card(rig: Rig, app: App, case_id: str, ts: str) -> Mapping[str, Any]:
    """The message as Slack shows it just after it was posted."""
    view = await app.views.view(case_id)
    assert view is not None, case_id
    mark = {"case": case_id, "tier": view.tier, "deployment": app.deployment, "outbox": 0}
    drawing = draw_card(view)
    return {
        "type": "message",
        "ts": ts,
        "bot_id": rig.sandbox.config.slack.app.bot_id,
        "text": drawing.text,
        "blocks": drawing.blocks,
        "metadata": {"event_type": CARD_EVENT, "event_payload": mark},
    }
