"""What PagerDuty sends and is not for us is taken with thanks: answers of 4xx are held against us there, until it sends no more."""

import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.world import World, a_world

pytestmark = pytest.mark.outside

TYPES = (
    "pagey.ping",
    *(f"incident.{what}" for what in ("triggered", "acknowledged", "resolved", "annotated", "delegated", "escalated", "reassigned")),
    *(f"incident.{what}" for what in ("reopened", "unacknowledged", "priority_updated", "status_update_published", "workflow.started")),
    *(
        "incident.responder.added",
        "incident.responder.replied",
        "incident.conference_bridge.updated",
        "incident.custom_field_values.updated",
    ),
    *("incident.service_updated", "incident.incident_type.changed", "service.created", "service.updated", "service.deleted"),
    "of.tomorrow",
)
"""Source: https://developer.pagerduty.com/docs/webhooks-overview#event-types"""

DATA: tuple[Any, ...] = (
    {"message": "Hello from your friend Pagey!", "type": "ping"},
    {
        "incident": {"id": "P1", "type": "incident_reference"},
        "user": {"id": "PU1"},
        "escalation_policy": None,
        "type": "incident_responder",
    },
    {"incident": None, "conference_numbers": [{"label": "x", "number": "+1"}], "conference_url": None},
    {"id": None, "incident_key": None},
    {"id": "P\u0000", "incident_key": "\ud800"},
    {"id": ["P1"], "incident_key": {"a": 1}},
    *({}, None, [], "text", 7),
)


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A running bot."""
    async with a_world(tmp_path, sqlite_url) as world:
        yield world


async def test_whatever_is_signed_and_not_for_us_gets_2xx(world: World) -> None:
    """Every type there is and one that is not, with data of every shape, without id, agent or data."""
    async with aiohttp.ClientSession() as session:
        for number, kind in enumerate(TYPES):
            for data in DATA:
                for agent in (None, "somebody", {"id": "PU1", "type": "user_reference"}):
                    event = {"id": f"01E{number}", "event_type": kind, "agent": agent, "client": None, "data": data}
                    assert await _status(world, session, {"event": event}) == 202, event
        oddities: tuple[Any, ...] = (
            {},
            [],
            None,
            "event",
            {"event": None},
            {"event": []},
            {"event": {"event_type": None}},
            {"messages": [{"event": {}}]},
        )
        for odd in oddities:
            assert await _status(world, session, odd) == 202, odd


async def test_what_is_not_signed_or_no_json_is_refused(world: World) -> None:
    """The signature comes first; what PagerDuty cannot have sent is no event of a type we do not know."""
    async with aiohttp.ClientSession() as session:
        assert await _status(world, session, {"event": {}}, secret="another") == 401
        assert await _status(world, session, b"{not json") == 400
        assert await _status(world, session, b"[" * 100_000) == 400


async def _status(world: World, session: aiohttp.ClientSession, body: object, secret: str | None = None) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    key = (secret or world.sandbox.config.pagerduty.webhook_secrets[0]).encode()
    headers = {"X-PagerDuty-Signature": "v1=" + hmac.new(key, raw, "sha256").hexdigest()}
    async with session.post(f"{world.bot.url}/pagerduty/webhooks", data=raw, headers=headers) as response:
        return response.status
