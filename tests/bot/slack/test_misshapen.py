"""Whatever Slack sends, rightly signed, is read or turned away as what it is: never an error of ours, never a press that nobody made."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings

from bot.sandbox.slack.ack import Ack
from bot.sandbox.slack.http_delivery import sign
from bot.slack.answering import WRONG
from tests.bot.slack.damaged import damage, instead, places, without
from tests.bot.slack.northwind import ANNA, BEN, TIER1, Northwind, a_company
from tests.world import a_world, listeners_end

pytestmark = pytest.mark.outside

Sent = list[tuple[str, dict[str, Any]]]


@pytest.fixture
async def company(sqlite_url: str) -> AsyncIterator[Northwind]:
    """Northwind with a card."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        yield company


async def everything_sent(company: Northwind) -> Sent:
    """One payload of each kind that Slack knows, also of those that we never asked for."""
    http, sent = company.sandbox.slack._http, Sent()  # noqa: SLF001 - what goes over the wire
    send = http.send

    async def noting(kind: str, payload: dict[str, Any]) -> Ack:
        sent.append((kind, payload))
        return await send(kind, payload)

    http.send = noting  # type: ignore[method-assign]
    await company.click(ANNA, "open_evidence")
    await company.click(ANNA, "modify")
    await company.fill_in(ANNA, **{"param:/amount": "70.00", "reason": "other", "text": "Less."})
    await company.click(ANNA, "reject")
    await company.fill_in(ANNA, reason="other", text="No.")
    await company.answered(company.sandbox.slack.command(ANNA, TIER1, "/review", "status"))
    http.send = send  # type: ignore[method-assign]
    button = next(payload for kind, payload in sent if kind == "interactive" and payload["type"] == "block_actions")
    form = next(payload for kind, payload in sent if kind == "interactive" and payload["type"] == "view_submission")
    who = {name: button[name] for name in ("team", "user", "token", "api_app_id", "trigger_id")}
    event = {"type": "event_callback", "event": {"type": "app_mention", "user": ANNA, "channel": "C1", "text": "hi", "ts": "1.1"}}
    sent += [
        ("interactive", {**form, "type": "view_closed", "is_cleared": False}),
        ("interactive", {**who, "type": "shortcut", "callback_id": "tierline:approve", "action_ts": "1.1"}),
        ("interactive", {**who, "type": "message_action", "callback_id": "tierline:approve", "message": button["message"]}),
        ("interactive", {**who, "type": "block_suggestion", "action_id": "tierline:approve", "block_id": "b", "value": "x"}),
        ("interactive", {**who, "type": "interactive_message", "callback_id": "tierline:approve", "actions": [{"name": "a"}]}),
        ("interactive", {**who, "type": "dialog_submission", "callback_id": "tierline:approve", "submission": {"a": "b"}}),
        ("interactive", {**who, "type": "workflow_step_edit", "callback_id": "x", "workflow_step": {"inputs": {}}}),
        ("events_api", {**event, "authorizations": [{"enterprise_id": None, "team_id": "T1", "is_bot": True}], "team_id": "T1"}),
        ("events_api", {"type": "url_verification", "challenge": "c", "token": "t"}),
        ("events_api", {"type": "app_rate_limited", "minute_rate_limited": 1, "team_id": "T1"}),
    ]
    return sent


async def test_no_damaged_payload_is_an_error_of_ours(company: Northwind, full: bool) -> None:
    """Every kind of payload, damaged in every way in one to three places: 2xx or 4xx, and whoever pressed was not told of a bug."""
    sent = await everything_sent(company)
    before = await company.events(await company.case(await company.submit("t-18")))
    drawn = [
        (kind, payload)
        for kind, share in (("interactive", 1), ("slash_commands", 4), ("events_api", 4))
        for payload in _drawn([payload for other, payload in sent if other == kind], (4_000 if full else 120) // share)
    ]
    for kind, payload in drawn:
        ack = await _send(company, kind, payload)
        assert _no_error_of_ours(ack), payload
    assert before == ["received"]
    assert WRONG not in [one for who in (ANNA, BEN) for one in company.told(who)]
    await _still_works(company)


async def test_the_named_ones(company: Northwind) -> None:
    """What hard use has sent: each part of a press and of a form missing, null or empty."""
    sent = await everything_sent(company)
    for kind in ("block_actions", "view_submission"):
        payload = next(payload for _, payload in sent if payload.get("type") == kind)
        for path in places(payload):
            if len(path) <= 2 and path[0] not in ("message", "token", "api_app_id"):
                for damaged in (without(payload, path), instead(payload, path, None), instead(payload, path, [])):
                    assert _no_error_of_ours(await _send(company, "interactive", damaged)), (kind, path)
    assert WRONG not in company.told(ANNA)
    await _still_works(company)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"payload=", b"payload=%7Bnot+json", b"payload=null", b"payload=5", b"payload=%22x%22"])
async def test_bodies_that_are_no_payload(company: Northwind, body: bytes) -> None:
    """Nothing, no text, no JSON, JSON that is no object."""
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        assert await _post(company, body, content_type) in range(400, 500), body


async def test_over_socket_mode_what_is_misshapen_is_acknowledged_and_the_line_holds(tmp_path: Path, sqlite_url: str) -> None:
    """Not acknowledged, Slack would send it again; and a frame that is none must not cost the line."""
    async with a_world(tmp_path, sqlite_url, socket_mode=True) as world:
        case = await world.submit()
        await world.drain()
        line, sent = world.sandbox.slack.socket_mode, list[tuple[str, dict[str, Any]]]()
        send = line.send

        async def noting(kind: str, payload: dict[str, Any], **more: bool) -> Ack:
            sent.append((kind, payload))
            return await send(kind, payload, **more)

        line.send = noting  # type: ignore[method-assign]
        await world.click(ANNA, "reject", case)
        await world.fill_in(ANNA, {"reason": "other", "text": "No."})
        line.send = send  # type: ignore[method-assign]
        press, form = (payload for _, payload in sent)
        broken = [
            instead(press, ("actions",), []),
            instead(press, ("actions",), None),
            instead(press, ("actions", 0), "x"),
            instead(press, ("actions", 0, "value"), "[]"),
            instead(press, ("container",), None),
            instead(press, ("user",), None),
            instead(form, ("view",), None),
            instead(form, ("view", "private_metadata"), ""),
            instead(form, ("view", "state"), None),
            instead(form, ("view", "state", "values"), [1]),
        ]
        for payload in broken:
            assert (await send("interactive", payload)).status == 200, payload
        connection = line._ready()[0]  # noqa: SLF001 - no fault of the sandbox writes frames that are none
        for frame in ("[]", "null", "nonsense", "{}", '{"type": 5}', '{"envelope_id": "e", "type": "interactive"}', '{"envelope_id": 1}'):
            await connection.socket.send_str(frame)
        assert (await world.sandbox.slack.command(ANNA, TIER1, "/review", "status")).status == 200
        await listeners_end()
        assert WRONG not in world.told(ANNA)


def _drawn(payloads: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    @settings(max_examples=number, suppress_health_check=list(HealthCheck))
    @given(damage(payloads))
    def draw(payload: dict[str, Any]) -> None:
        found.append(payload)

    draw()
    return found


async def _send(company: Northwind, kind: str, payload: dict[str, Any]) -> Ack:
    if kind == "slash_commands":
        payload = {name: str(value).encode("utf-8", "replace").decode() for name, value in payload.items()}
    return await company.answered(company.sandbox.slack._http.send(kind, payload))  # noqa: SLF001 - what goes over the wire


def _no_error_of_ours(ack: Ack) -> bool:
    return isinstance(ack.status, int) and ack.status < 500


async def _post(company: Northwind, body: bytes, content_type: str) -> int:
    http = company.sandbox.slack._http  # noqa: SLF001 - what goes over the wire
    timestamp = str(int(company.clock.unix()))
    signed = sign(company.sandbox.config.slack.app.signing_secret, timestamp, body)
    headers = {"Content-Type": content_type, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signed}
    async with ClientSession() as session, session.post(str(http.url), data=body, headers=headers) as answer:
        return answer.status


async def _still_works(company: Northwind) -> None:
    case = await company.submit("t-19")
    await company.drain()
    await company.click(ANNA, "approve")
    await asyncio.sleep(0)
    assert "decided" in await company.events(case)
