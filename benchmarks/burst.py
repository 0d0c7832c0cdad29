"""A thousand cases at one instant into one channel, at Slack's pace: when the critical ones are seen, when the rest can be reached, and how
many calls of Slack a decided case takes.

Time is virtual: it moves when nothing can be sent at this moment, so the figures are those of the schedule and not of the machine. The
sandbox's Slack grants one message a second in a channel by the same clock. Three people then take five each from the board, again and
again, and approve what they took, one case in six seconds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from benchmarks.cases import BAGGAGE, POLICY, SECRETS, a_case, request
from benchmarks.figures import Figure, Target
from benchmarks.load import send
from benchmarks.rig import Rig, a_rig
from bot import clock as wall
from bot.app import App
from bot.demo.pressing import offered_by, place_of
from bot.standard_webhooks import sign
from routing.webhook import read_secret
from store.schema import cases

CHANNEL = "C0AIRLINE00"
PEOPLE = ("U0ANNA00001", "U0BEN000001", "U0GRACE0001")
CRITICAL = 50
"""Of a thousand, one in twenty."""

STEP = timedelta(seconds=1)
WATCHED_S = 120
DECIDE_S = 6
"""Between two decisions of one person."""

APPROVE = "tierline:approve"
_LADDER = "    ladder: airline\n"
_PATIENT = "owner: U0DESKLEAD, backup: U0DESKDEPUTY, ack: 5m, decide: 20m, calendar: desk}"


@dataclass
class _Clock:
    """Stands still until it is moved."""

    now: datetime = field(default_factory=wall.now)

    def __call__(self) -> datetime:
        return self.now


async def measure(folder: Path, arriving: int, deciding: int) -> Sequence[Figure]:
    """`arriving` cases at once, of which people then decide `deciding`."""
    clock = _Clock()
    async with a_rig(folder, clock, policy=_one_channel(folder)) as rig, rig.bot(clock=clock) as app:
        came = clock()
        sent = await send(_posts(arriving, came), app.port, 16)
        assert set(sent.statuses) == {"202"}, sent.statuses
        board_s = await _watch(rig, app, clock, WATCHED_S)
        critical = await app.database.read(_critical)
        seen = {case_id: at - came.timestamp() for case_id, at in _posted(rig).items()}
        visible = sorted(seen[case_id] for case_id in critical if case_id in seen)
        others = sum(case_id not in critical for case_id in seen)
        before = _calls(rig)
        decided = await _decide(rig, app, clock, deciding)
        calls = _calls(rig) - before
    assert len(visible) == len(critical), f"{len(visible)} of {len(critical)} critical cases are visible after {WATCHED_S} s"
    what = f"{arriving:,} cases at once"
    return [
        Figure(f"{what}: the board stands, all within reach", [board_s], "s", Target(5.0)),
        Figure(f"{what}: {len(critical)} critical visible, p95", [visible[int(len(visible) * 0.95)]], "s", Target(60.0)),
        Figure(f"{what}: the last critical visible", [visible[-1]], "s"),
        Figure(f"{what}: cards of others in {WATCHED_S} s", [others], ""),
        Figure(f"{what}: {decided} decided from the board: calls of Slack, each", [calls / decided], ""),
    ]


def _one_channel(folder: Path) -> Path:
    """The airline's policy, by which every case comes to the desk and has time."""
    text, file = POLICY.read_text(), folder / "burst.yml"
    assert text.count(_LADDER) == text.count(_PATIENT) == 1
    text = text.replace(_LADDER, f"{_LADDER}    start: {{specialist: 1, expert: 1, stop: 1}}\n    expert: {{group: desk}}\n")
    file.write_text(text.replace(_PATIENT, "decide: 8h}"))
    return file


def _posts(many: int, now: datetime) -> Sequence[bytes]:
    """Requests that post them, the critical ones spread among the others."""
    keys, found = [read_secret(secret) for secret in SECRETS], []
    for number in range(many):
        document = json.loads(a_case(number, BAGGAGE))
        if number % (1_000 // CRITICAL) == 7:
            document["risk"] = {"impact": "critical", "likelihood": 0.9, "recoverability": "none"}
        elif number % 5 == 1:
            document["risk"] = {"impact": "medium", "likelihood": 0.6}
        body = json.dumps(document).encode()
        headers = sign([keys[number % len(keys)]], f"msg_{number}", now, body)
        found.append(request("/v1/cases", headers | {"content-type": "application/json"}, body))
    return found


async def _watch(rig: Rig, app: App, clock: _Clock, seconds: int) -> float:
    """Let what may go out go out, for so long; gives after how many seconds the board stood."""
    began, stood = clock(), float("inf")
    while clock() < began + timedelta(seconds=seconds):
        await app.signing.tick()
        await app.courier.drain_once()
        if _board(rig) is not None:
            stood = min(stood, (clock() - began).total_seconds())
        clock.now += STEP
    return stood


async def _decide(rig: Rig, app: App, clock: _Clock, wanted: int) -> int:
    """People take from the board and approve what they took; gives how many cases they decided, which may be a few more."""
    decided = 0
    for _ in range(wanted):
        cards = _cards(rig)
        for person in PEOPLE:
            held = await app.reads.claimed_by(person)
            board = _board(rig)
            if not held and board is not None:
                await rig.sandbox.slack.click(person, CHANNEL, board["ts"], "tierline:q:take_more")
            ready = [cards[case.id] for case in held if case.id in cards and APPROVE in offered_by(cards[case.id])]
            for card in ready[:1]:
                await rig.sandbox.slack.click(person, CHANNEL, card["ts"], *place_of(card, "approve"))
        for _ in range(DECIDE_S):
            await app.signing.tick()
            await app.courier.drain_once()
            clock.now += STEP
        if (decided := await app.database.read(_decided)) >= wanted:
            break
    return decided


def _board(rig: Rig) -> dict[str, Any] | None:
    return next((message for message in rig.sandbox.slack.messages(CHANNEL) if _told(message).get("subject", "").startswith("q_")), None)


def _cards(rig: Rig) -> dict[str, dict[str, Any]]:
    return {_told(message)["case"]: message for message in rig.sandbox.slack.messages(CHANNEL) if "case" in _told(message)}


def _posted(rig: Rig) -> dict[str, float]:
    return {case_id: float(message["ts"]) for case_id, message in _cards(rig).items()}


def _told(message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (message.get("metadata") or {}).get("event_payload") or {}
    return found


def _calls(rig: Rig) -> int:
    """Messages that were posted and changed."""
    return sum(map(rig.sandbox.slack.record.count, ("chat.postMessage", "chat.update")))


def _critical(connection: Connection) -> set[str]:
    return set(connection.execute(select(cases.c.id).where(cases.c.risk == "critical")).scalars())


def _decided(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(cases).where(cases.c.decided_at.is_not(None))).scalar_one()
