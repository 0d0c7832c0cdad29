"""What PagerDuty's Events API v2 refuses, as a pure function of the request; it never acts on an event.

Source: PagerDuty api-schema, reference/events-v2; lengths from its documentation.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.pagerduty.account import ROUTING_KEY_LENGTH

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "warning", "error", "info")
SUMMARY_LENGTH = 1024
DEDUP_KEY_LENGTH = 255
EVENT_BYTES = 512 * 1024


def read_event(body: bytes, routing_keys: Collection[str]) -> tuple[dict[str, Any], list[str]]:
    """The event in `body` and everything wrong with it (empty: accepted)."""
    if len(body) > EVENT_BYTES:
        return {}, [f"Event is larger than {EVENT_BYTES} bytes"]
    try:
        event = json.loads(body)
    except ValueError:  # also what is not UTF-8
        return {}, ["JSON parse error"]
    if not isinstance(event, dict):
        return {}, ["Event must be a JSON object"]
    return event, _event_errors(event, routing_keys)


def _event_errors(event: dict[str, Any], routing_keys: Collection[str]) -> list[str]:
    errors = _routing_errors(event.get("routing_key"), routing_keys)
    action = event.get("event_action")
    if action not in ACTIONS:
        errors.append("'event_action' is missing or invalid (should be one of trigger, acknowledge, resolve)")
    key = event.get("dedup_key")
    if key is not None and not isinstance(key, str):
        errors.append("'dedup_key' must be a string")
    elif isinstance(key, str) and len(key) > DEDUP_KEY_LENGTH:
        errors.append(f"Length of 'dedup_key' is incorrect (should be at most {DEDUP_KEY_LENGTH} characters)")
    elif not key and action in ("acknowledge", "resolve"):
        errors.append("'dedup_key' is missing or blank")
    errors += [f"'{name}' must be a string" for name in ("client", "client_url") if not isinstance(event.get(name, ""), str)]
    if "client_url" in event and not _is_url(event["client_url"]):
        errors.append("'client_url' is not a valid URL")
    errors += _attachment_errors(event, "links", "href")
    errors += _attachment_errors(event, "images", "src")
    if action == "trigger" or "payload" in event:
        errors += _payload_errors(event.get("payload"))
    return errors


def _routing_errors(key: object, routing_keys: Collection[str]) -> list[str]:
    if not isinstance(key, str) or not key:
        return ["'routing_key' is missing or blank"]
    if len(key) != ROUTING_KEY_LENGTH:
        return [f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY_LENGTH} characters)"]
    return [] if key in routing_keys else ["'routing_key' is not an active integration key"]


def _payload_errors(payload: object) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    errors = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source")
        if not isinstance(payload.get(name), str) or not payload[name].strip()
    ]
    if isinstance(payload.get("summary"), str) and len(payload["summary"]) > SUMMARY_LENGTH:
        errors.append(f"Length of 'payload.summary' is incorrect (should be at most {SUMMARY_LENGTH} characters)")
    if payload.get("severity") not in SEVERITIES:
        errors.append("'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
    optional = [name for name in ("component", "group", "class") if name in payload]
    errors += [f"'payload.{name}' must be a string" for name in optional if not isinstance(payload[name], str)]
    if not isinstance(payload.get("custom_details", {}), dict):
        errors.append("'payload.custom_details' must be an object")
    if "timestamp" in payload and not _is_time(payload["timestamp"]):
        errors.append("'payload.timestamp' is not a valid ISO 8601 time")
    return errors


def _attachment_errors(event: dict[str, Any], name: str, required: str) -> list[str]:
    items = event.get(name, [])
    if not isinstance(items, list):
        return [f"'{name}' must be an array"]
    errors = []
    for index, item in enumerate(items):
        given = item if isinstance(item, dict) else {}
        address = given.get(required)
        if not isinstance(address, str) or not address:
            errors.append(f"'{name}[{index}].{required}' is missing or blank")
        elif not _is_url(address):
            errors.append(f"'{name}[{index}].{required}' is not a valid URL")
        elif name == "images" and not address.startswith("https://"):
            errors.append(f"'{name}[{index}].{required}' must be served via HTTPS")
        texts = [one for one in ("text", "href", "alt") if one in given and not isinstance(given[one], str)]
        errors += [f"'{name}[{index}].{one}' must be a string" for one in texts if one != required]
    return errors


def _is_url(value: object) -> bool:
    try:
        found = urlsplit(str(value))
    except ValueError:
        return False
    return found.scheme in ("http", "https") and bool(found.hostname) and str(value).isprintable() and " " not in str(value)


def _is_time(value: object) -> bool:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True
