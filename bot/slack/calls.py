"""One call of Slack's Web API, and how its failures read: what can never work, what may work later, what may have been done already.

Owns the lists of Slack's error codes; what is in none of them counts as mendable. It never tries twice. Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.timeouts import Timeouts
from store.outbox.delivery import SendError
from store.outbox.network_cause import network_cause

TIMEOUT_S = 10.0

UNCLEAR = frozenset({"internal_error", "fatal_error", "request_timeout"})
"""Slack: "it's possible some aspect of the operation succeeded before the error was raised"."""

LATER = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org"})
"""Slack is busy, which says nothing of us or of the channel."""

GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",  # also what is left of a deleted message with replies, and what another bot user of the app posted
        "edit_window_closed",
        "thread_not_found",
        "cannot_reply_to_message",
    }
)
"""The message cannot be reached any more. Source: https://docs.slack.dev/reference/methods/chat.update#errors"""


_CODE = re.compile(r"[a-z0-9_]+")
"""How Slack spells a code; other failures are said in words, or by the name of a class."""

UNDRAWABLE = frozenset(
    {
        "attachment_payload_limit_exceeded",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_json",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "json_not_object",
        "markdown_text_conflict",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
        "unknown_method",
    }
)
"""What we drew is refused, and would be so for ever. Whatever is in none of these lists is taken for something that a person can mend."""


class UnreadableError(SendError):
    """Something could not be read. `code` is Slack's, or the kind of the failure. Always ambiguous: what was asked stays unknown."""

    def __init__(self, method: str, code: str, retry_after_s: float | None = None) -> None:
        """`method` is that of the Web API."""
        super().__init__(f"{method}: unreadable ({code})", ambiguous=True, retry_after_s=retry_after_s)
        self.code = code

    @property
    def refused(self) -> bool:
        """Whether Slack refused for a cause that a person can mend, such as a scope the app lacks."""
        return _CODE.fullmatch(self.code) is not None and self.code not in UNDRAWABLE | LATER | UNCLEAR | GONE | {"invalid_cursor"}


async def call(client: AsyncWebClient, timeouts: Timeouts, method: str, **arguments: Any) -> Mapping[str, Any]:
    """Call `method` with a JSON body. Raises SendError."""
    try:
        async with timeouts.within(TIMEOUT_S):  # a session of our own has its own limit: five minutes
            response = await client.api_call(method, json=arguments)
    except SlackApiError as error:
        raise _send_error(error) from error
    except aiohttp.ClientConnectorError as error:
        raise SendError(f"{method}: {network_cause(error)}") from error
    except (aiohttp.ClientError, SlackRequestError, TimeoutError, OSError) as error:
        raise SendError(f"{method}: {network_cause(error)}", ambiguous=True) from error
    return response.data if isinstance(response.data, dict) else {}


async def read(client: AsyncWebClient, timeouts: Timeouts, method: str, **arguments: Any) -> Mapping[str, Any]:
    """Call a reading `method`, which takes its arguments from the address. Raises UnreadableError."""
    try:
        async with timeouts.within(TIMEOUT_S):
            response = await client.api_call(method, http_verb="GET", params=arguments)
    except (SlackApiError, SlackRequestError, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise UnreadableError(method, error_code(error), _asked_to_wait_s(error)) from error
    return response.data if isinstance(response.data, dict) else {}


def error_code(error: Exception) -> str:
    """Slack's code of a refusal, or the kind of the failure; never its message, which may quote what was sent."""
    data = getattr(getattr(error, "response", None), "data", None)
    if isinstance(data, dict):
        return str(data.get("error") or type(error).__name__)
    return type(error).__name__ if isinstance(error, SlackApiError) else network_cause(error)


def _send_error(error: SlackApiError) -> SendError:
    code = error_code(error)
    status = _status(error)
    if (wait_s := _asked_to_wait_s(error)) is not None:
        return SendError("ratelimited", retry_after_s=wait_s)
    if status >= 500 or code in UNCLEAR or code == SlackApiError.__name__:
        return SendError(f"HTTP {status} {code}", ambiguous=True)
    return SendError(code, permanent=code in UNDRAWABLE, mendable=code not in UNDRAWABLE | LATER | GONE)


def _status(error: SlackApiError) -> int:
    return int(getattr(error.response, "status_code", None) or getattr(error.response, "status", None) or 0)


def _asked_to_wait_s(error: Exception) -> float | None:
    """The seconds Slack asked to leave it alone for, None where it did not."""
    if not isinstance(error, SlackApiError) or _status(error) != 429:
        return None
    wait = str(error.response.headers.get("Retry-After", ""))
    return float(wait) if wait.isascii() and wait.isdigit() else 30.0
