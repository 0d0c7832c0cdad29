"""The whole sandbox on loopback: Slack, PagerDuty, a customer's service, a ticket system and a monitor on one port, the mail server and the
page each on another.

The one place where they meet; it decides nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from aiohttp import web

from bot.sandbox.customer import Customer, CustomerConfig, Verify
from bot.sandbox.faults import Faults
from bot.sandbox.mail import Mail
from bot.sandbox.monitor import PATH as MONITOR_PATH
from bot.sandbox.monitor import Monitor
from bot.sandbox.northwind import PAGERDUTY, REFUND_AGENT, TICKETS
from bot.sandbox.page.tour import Task, Tour
from bot.sandbox.page.views import Page
from bot.sandbox.pagerduty.account import PagerDutyConfig
from bot.sandbox.pagerduty.pagerduty import PagerDuty
from bot.sandbox.pagerduty.rest import RestApi
from bot.sandbox.slack.config import SlackConfig
from bot.sandbox.slack.seed import SLACK
from bot.sandbox.slack.slack import Slack
from bot.sandbox.tickets import PATH, Tickets

HOST = "127.0.0.1"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Who is in it, with every token and secret; Northwind unless told otherwise. `hook_retry_s`: real seconds between webhook tries.
    `tour`: what the page leads a newcomer through.
    """

    slack: SlackConfig = SLACK
    pagerduty: PagerDutyConfig = PAGERDUTY
    customer: CustomerConfig = REFUND_AGENT
    ticket_secret: str = TICKETS
    hook_retry_s: float = 1.0
    tour: tuple[Task, ...] = ()


class Sandbox:
    """The peers and their faults. `clock`: unix seconds; tests bring one that they move.

    Use `async with`, or `start` and `stop`; addresses are known after `start`.
    """

    def __init__(self, clock: Callable[[], float], config: SandboxConfig | None = None, verify: Verify | None = None) -> None:
        self.config = config or SandboxConfig()
        self.faults = Faults(clock)
        self.slack = Slack(self.config.slack, clock, self.faults)
        self.pagerduty = PagerDuty(self.config.pagerduty, clock, self.faults, self.config.hook_retry_s)
        self.customer = Customer(self.config.customer, clock, self.faults, verify)
        self.tickets = Tickets(self.config.ticket_secret, clock, self.faults)
        self.mail = Mail(clock, self.faults)
        self.monitor = Monitor(clock)
        self.url = ""
        self.page_url = ""
        self._runners: list[web.AppRunner] = []

    @property
    def slack_api_url(self) -> str:
        """`base_url` of Slack's client."""
        return f"{self.url}/api/"

    @property
    def pagerduty_events_url(self) -> str:
        """In place of https://events.pagerduty.com; events go to /v2/enqueue under it."""
        return self.url

    @property
    def pagerduty_api_url(self) -> str:
        """In place of https://api.pagerduty.com."""
        return self.url

    @property
    def customer_callback_url(self) -> str:
        """Where the service takes callbacks."""
        return f"{self.url}/callbacks"

    @property
    def tickets_url(self) -> str:
        """Where the ticket system takes tickets."""
        return f"{self.url}{PATH}"

    @property
    def monitor_url(self) -> str:
        """Where the monitor waits for a GET."""
        return f"{self.url}{MONITOR_PATH}"

    async def start(self, port: int = 0, page_ports: Sequence[int] = (0,)) -> None:
        """Listen on 127.0.0.1, on a port of the system's choice where it is 0; the page on the first of its ports that nobody has.

        Raises OSError when each is taken.
        """
        peers = web.Application()
        peers.add_routes(
            [
                *self.slack.routes(),
                *self.pagerduty.routes(),
                *RestApi(self.pagerduty, self.faults).routes(),
                *self.customer.routes(),
                *self.tickets.routes(),
                *self.monitor.routes(),
            ]
        )
        tour = Tour(self.config.tour, (self.slack.record, self.pagerduty.record, self.customer.record))
        page = Page(self.slack, self.pagerduty, self.customer, self.mail, self.faults, tour=tour).app()
        try:
            self.url = await self._listen(peers, (port,))
            self.page_url = await self._listen(page, page_ports)
            await self.mail.start()
        except OSError:
            await self.stop()
            raise
        self.slack.serve_at(self.url, self.page_url)
        await self.pagerduty.start()
        await self.customer.start()

    def connect(self, slack_events_url: str | None = None, pagerduty_webhook_url: str | None = None, cases_url: str | None = None) -> None:
        """Where the bot listens. Without a `slack_events_url` Slack uses Socket Mode; without the others nothing is sent there."""
        self.slack.connect(slack_events_url)
        self.pagerduty.connect(pagerduty_webhook_url)
        if cases_url is not None:
            self.customer.connect(cases_url)

    async def stop(self) -> None:
        """Close everything; what is on its way is lost."""
        await self.slack.stop()
        await self.pagerduty.stop()
        await self.customer.stop()
        await self.mail.stop()
        while self._runners:
            await self._runners.pop().cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _listen(self, app: web.Application, ports: Sequence[int]) -> str:
        runner = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
        self._runners.append(runner)
        await runner.setup()
        await on_first_free(ports, lambda port: web.TCPSite(runner, HOST, port).start())
        return f"http://{HOST}:{runner.addresses[0][1]}"


async def on_first_free(ports: Sequence[int], listen: Callable[[int], Awaitable[_T]]) -> _T:
    """What `listen` gives on the first of the ports that nobody has: found by taking it, since whoever asks first is too late by then.

    Raises OSError for the last one, and at once for what is not about a taken port.
    """
    *preferred, last = ports
    for port in preferred:
        try:
            return await listen(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return await listen(last)
