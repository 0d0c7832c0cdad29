"""PagerDuty's two programming interfaces as we use them: the vendor's client with its own retries and sleeps turned off.

Owns the clients, their threads and how their failures read. It never decides what is sent, nor when it is tried again (the
outbox does). The client is synchronous, so it runs in threads of its own: a PagerDuty that hangs holds up nothing else.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx2
import pagerduty

from store.outbox.delivery import SendError
from store.outbox.network_cause import network_cause

T = TypeVar("T")

EVENTS_URL = "https://events.pagerduty.com"
API_URL = "https://api.pagerduty.com"
THREADS = 48
"""As many events as may be under way to one destination (`bot.delivery.rate_limits`): with fewer, some would spend their time waiting for
others, of which PagerDuty takes some 0.2 s for each.
"""

EVENTS_TIMEOUT_S, REST_TIMEOUT_S, CONNECT_TIMEOUT_S = 8.0, 3.0, 3.0

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_FINAL = range(400, 500)
_LATER = frozenset({408, 425, 429})
_FAILING = 500


class PagerDutyUnreadable(RuntimeError):
    """PagerDuty could not be asked just now; nothing is known about what it holds."""

    def __init__(self, kind: str, status: int | None = None) -> None:
        """`kind` of the failure; `status` of the answer, where there was one."""
        super().__init__(kind)
        self.status = status


def is_loopback(url: str) -> bool:
    """Whether `url` names this machine, the only place where a plain http:// PagerDuty may be."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _OneTry(pagerduty.ApiClient):
    """What both clients share: one try, no sleeping in between, a real timeout, plain http for loopback."""

    def prepare(self, timeout_s: float | None) -> None:
        """Turn off what the constructor turned on; only attributes are heeded (pagerduty 7.2)."""
        self.retry = {429: 1}  # a 429 without an entry here would be retried for ever
        self.max_http_attempts = -1  # …and with this, not even once
        self.max_network_attempts = 0
        self.timeout = _timeout(timeout_s)  # type: ignore[assignment]  # handed on to httpx2 as it is

    @property
    def url(self) -> str:
        return self._url or ""

    @url.setter
    def url(self, url: str) -> None:
        if not url.startswith("https://") and not (url.startswith("http://") and is_loopback(url)):
            raise pagerduty.UrlError("PagerDuty is spoken to over https")
        self._url = url


class _EventsClient(_OneTry, pagerduty.EventsApiV2Client):
    pass


class _RestClient(_OneTry, pagerduty.RestApiV2Client):
    pass


class EventsClient:
    """Sends events to the Events API v2. `timeout_s` bounds each wait for the peer (None: nothing does); `tls` says whom to trust."""

    def __init__(self, url: str = EVENTS_URL, timeout_s: float | None = EVENTS_TIMEOUT_S, tls: ssl.SSLContext | None = None) -> None:
        self._url = url.rstrip("/").removesuffix("/v2/enqueue")
        self._timeout_s = timeout_s
        self._tls = tls or ssl.create_default_context()
        self._clients: dict[str, _EventsClient] = {}
        self._plain: httpx2.Client | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pagerduty-events")

    async def send(self, routing_key: str, event: Mapping[str, Any]) -> None:
        """Hand one event over; returns once PagerDuty has accepted it (202).

        Raises SendError: permanent for a 4xx ("the request is invalid, do not retry"), ambiguous where the reply got lost.
        Source: https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic
        """
        client = self._client(routing_key)  # here and not in a thread: two of them would each make one, and nobody would close the first
        try:
            await _in_thread(self._threads, lambda: client.send_event(event["event_action"], **_properties(event)))
        except pagerduty.Error as error:
            raise _send_error(error) from error

    async def reach(self) -> None:
        """Whether anybody answers where events are sent; none is. Raises SendError where nobody does, or only to say that it fails."""
        client = self._anonymous()
        try:
            response = await _in_thread(self._threads, lambda: client.get(f"{self._url}/v2/enqueue"))
        except httpx2.HTTPError as error:
            raise SendError(f"network: {network_cause(error)}") from error
        if response.status_code >= _FAILING:
            raise SendError(f"HTTP {response.status_code}")

    def close(self) -> None:
        """Close the connections; what a thread is still waiting for is let go."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()
        if self._plain is not None:
            self._plain.close()

    def _anonymous(self) -> httpx2.Client:
        if self._plain is None:
            self._plain = httpx2.Client(verify=self._tls, timeout=_timeout(self._timeout_s), trust_env=False)
        return self._plain

    def _client(self, routing_key: str) -> _EventsClient:
        if routing_key not in self._clients:
            client = _EventsClient(routing_key, base_url=self._url, trust_env=False, verify=self._tls)
            client.prepare(self._timeout_s)
            self._clients[routing_key] = client
        return self._clients[routing_key]


class RestClient:
    """Reads PagerDuty's REST API v2 with an API token. `timeout_s` bounds each wait for the peer (None: nothing does)."""

    def __init__(self, token: str, url: str = API_URL, timeout_s: float | None = REST_TIMEOUT_S, tls: ssl.SSLContext | None = None) -> None:
        self._client = _RestClient(token, base_url=url.rstrip("/"), trust_env=False, verify=tls or ssl.create_default_context())
        self._client.prepare(timeout_s)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="pagerduty-rest")

    async def knows(self, dedup_key: str) -> bool:
        """Whether an incident with this key was ever opened. Raises PagerDutyUnreadable."""
        return bool(await self._statuses(dedup_key))

    async def resolved(self, dedup_key: str) -> bool:
        """Whether incidents with this key were opened and none is open any more. Raises PagerDutyUnreadable."""
        return await self._statuses(dedup_key) == {"resolved"}

    async def key_of(self, incident_id: str) -> str:
        """The dedup key of an incident by PagerDuty's id for it, "" where it has none. Raises PagerDutyUnreadable."""
        found = await self._get(f"/incidents/{quote(incident_id, safe='')}", {})
        return str((found.get("incident") or {}).get("incident_key") or "")

    async def has_escalation_policy(self, escalation_policy: str) -> bool:
        """Whether there is an escalation policy with this id. Raises PagerDutyUnreadable."""
        try:
            await self._get(f"/escalation_policies/{quote(escalation_policy, safe='')}", {})
        except PagerDutyUnreadable as error:
            if error.status == 404:
                return False
            raise
        return True

    async def on_call(self, escalation_policy: str) -> str:
        """Who answers first for an escalation policy now, by name; "" when nobody does. Raises PagerDutyUnreadable."""
        found = await self._get("/oncalls", {"escalation_policy_ids[]": [escalation_policy]})
        first = [entry["user"] for entry in found.get("oncalls", []) if entry.get("escalation_level") == 1 and entry.get("user")]
        return str(first[0].get("summary") or "") if first else ""

    def close(self) -> None:
        """Close the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    async def _statuses(self, dedup_key: str) -> set[str]:
        found = await self._get("/incidents", {"incident_key": dedup_key, "date_range": "all"})
        return {str(one.get("status")) for one in found.get("incidents") or ()}

    async def _get(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        def get() -> dict[str, Any]:
            response = self._client.get(path, params=params)
            response.raise_for_status()
            answer = response.json()
            return answer if isinstance(answer, dict) else {}

        try:
            return await _in_thread(self._threads, get)
        except (pagerduty.Error, httpx2.HTTPError, ValueError) as error:
            response = getattr(error, "response", None)
            raise PagerDutyUnreadable(type(error).__name__, getattr(response, "status_code", None)) from error


def _timeout(timeout_s: float | None) -> httpx2.Timeout:
    return httpx2.Timeout(timeout_s, connect=timeout_s and min(timeout_s, CONNECT_TIMEOUT_S))


def _properties(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "event_action"}


def _send_error(error: pagerduty.Error) -> SendError:
    if error.response is None:
        never_sent = isinstance(error.__cause__, _NEVER_SENT)
        return SendError(f"network: {network_cause(error)}", ambiguous=not never_sent)
    status = int(error.response.status_code)
    wait = error.response.headers.get("Retry-After", "")
    return SendError(
        f"HTTP {status}",
        permanent=status in _FINAL and status not in _LATER,
        retry_after_s=float(wait) if wait.isascii() and wait.isdigit() else None,
    )


async def _in_thread(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)
