"""How Slack says no. Owns the error value and its JSON; which error applies is decided where the rule lives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


class SlackError(Exception):
    """Slack refused the call."""

    def __init__(self, error: str, messages: Sequence[str] = (), retry_after_s: int | None = None, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.messages = tuple(messages)
        self.retry_after_s = retry_after_s
        self.extra = extra

    def body(self) -> Json:
        """The JSON Slack answers with; details go to `errors` and `response_metadata.messages` as Slack has them."""
        body: Json = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            body["errors"] = list(self.messages)
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body


class ClientError(Exception):
    """What a Slack client would not let this person do (no such button, a required input left empty), so nothing was sent."""
