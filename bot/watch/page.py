"""What the watcher tells PagerDuty: one incident for each bot that is watched, in words for somebody who was asleep. Owns the key and the
words. Pure.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from bot.watch.look import Look

SUMMARY_MOST, KEY_MOST = 1024, 255
"""Characters of a summary and of a key. Source: PagerDuty, Events API v2, Send an Event"""

MEANS = "While this lasts, nobody may be asked, reminded or paged for what AI systems propose; nothing is released by itself."


def key_of(url: str) -> str:
    """The dedup key of a bot's incident: the same after every restart, and from every machine that watches it."""
    parts = urlsplit(url)
    key = f"tierline/watch/{parts.netloc}{parts.path.removesuffix('/readyz')}"
    return key if len(key) <= KEY_MOST else f"tierline/watch/{sha256(url.encode()).hexdigest()}"


def trigger(url: str, seen: Look, since: datetime) -> dict[str, Any]:
    """The page. `since`: the moment from which the bot was not seen well."""
    place, at = urlsplit(url).netloc, since.astimezone(UTC)
    summary = f"Tierline at {place} cannot be relied on since {at:%H:%M} UTC: {_sentence(seen.wrong)} First: {seen.first}"
    return {
        "event_action": "trigger",
        "dedup_key": key_of(url),
        "client": "tierline watch",
        "client_url": url,
        "links": [{"href": url, "text": "What it says of itself now"}],
        "payload": {
            "summary": summary[:SUMMARY_MOST],
            "source": place[:KEY_MOST],
            "severity": "critical",
            "component": "tierline",
            "class": "dead-man's switch",
            "timestamp": at.isoformat(timespec="seconds"),
            "custom_details": {"wrong": seen.wrong, "since": at.isoformat(timespec="seconds"), "first": seen.first, "means": MEANS},
        },
    }


def resolve(url: str) -> dict[str, Any]:
    """It is well again, or nothing was known of it and it is well."""
    summary = f"Tierline at {urlsplit(url).netloc} is ready again."
    payload = {"summary": summary[:SUMMARY_MOST], "source": urlsplit(url).netloc[:KEY_MOST], "severity": "critical"}
    return {"event_action": "resolve", "dedup_key": key_of(url), "payload": payload}


def _sentence(words: str) -> str:
    return words if words.endswith((".", "…", "!", "?")) else f"{words}."
