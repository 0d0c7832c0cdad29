"""PagerDuty's real client with the one routing key of a watcher. Owns that it can begin anew when what it began hangs."""

from collections.abc import Mapping
from ssl import SSLContext
from typing import Any

from escalation.pagerduty_client import EventsClient

TIMEOUT_S = 8.0


class RoutedEvents:
    """As `bot.watch.watcher.Events`. `timeout_s` bounds each try (None: nothing does)."""

    def __init__(self, url: str, routing_key: str, tls: SSLContext, timeout_s: float | None = TIMEOUT_S) -> None:
        self.tls = tls
        self._url = url
        self._timeout_s = timeout_s
        self._routing_key = routing_key
        self._client = self._make()

    async def send(self, event: Mapping[str, Any]) -> None:
        """Hand an event over. Raises SendError."""
        await self._client.send(self._routing_key, event)

    async def reach(self) -> None:
        """Whether anybody is there. Raises SendError."""
        await self._client.reach()

    def renew(self) -> None:
        """What was begun may hang for ever: go on without it."""
        self._client.close()
        self._client = self._make()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _make(self) -> EventsClient:
        return EventsClient(self._url, self._timeout_s, self.tls)
