"""A whole company in a test: the bot with its real database, and a Slack, a PagerDuty and a service that it reaches over real HTTP.

Stories are told with `submit`, `click`, `pass_time` and `drain`. Time moves only when the story says so; nothing happens in the background.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select

from bot.app import App
from bot.delivery.rate_limits import POSTS
from bot.demo.pressing import offered_by, place_of
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack.ack import Ack
from bot.settings import Settings, read_settings
from bot.slack.answering import UNDER_WAY
from bot.timeouts import ManualTimeouts
from routing.case.case import Case
from routing.governance.digest_routes import due_at
from store.outbox.claiming import PAGING
from store.schema import cases, micros, moment, outbox
from store.vault.keys import signing_key, vault_key
from tests.examples.customer import kit
from tests.written import POLICY, SERVICES

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ANNA, BEN, CHIARA, DMITRI, ELENA, FARID = "U0ANNA00001", "U0BEN000001", "U0CHIARA001", "U0DMITRI001", "U0ELENA0001", "U0FARID0001"
GRACE, HUGO = "U0GRACE0001", "U0HUGO00001"
GUEST, STRANGER = "U0GUEST0001", "U0STRANGER1"
LONGEST_WAIT = timedelta(minutes=2)
"""How far `drain` moves the clock to let a message go that waits for its turn or for a quiet peer."""


@dataclass
class Clock:
    """The one clock of this world."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """The time, for the bot."""
        return self.now

    def unix(self) -> float:
        """The time, for everybody else."""
        return self.now.timestamp()


@dataclass
class World:
    """Everything that is there."""

    folder: Path
    database_url: str
    socket_mode: bool
    clock: Clock = field(default_factory=Clock)
    passing: Callable[[str], None] = lambda _name: None
    policy: str = POLICY
    services: str = SERVICES
    timeouts: ManualTimeouts = field(default_factory=ManualTimeouts)
    smtp_url: str = ""
    keys: bool = True
    """Whether keys that are missing are made, as an operator would once."""

    def __post_init__(self) -> None:
        """Make the sandbox; the bot is started by `start`."""
        self.sandbox = Sandbox(self.clock.unix)
        self.app: App | None = None
        self._posted = 0

    @property
    def bot(self) -> App:
        """The bot, which runs."""
        assert self.app is not None
        return self.app

    # How it is set up

    async def start(self) -> None:
        """Start the bot as an operator would: settings and two files."""
        environment = self.write_files()
        self.app = await App.start(
            self.settings(environment), environment, clock=self.clock, background=False, passing=self.passing, timeouts=self.timeouts
        )
        self.sandbox.customer.verify = self._receiver_kit(str(self.app.vkey))
        events = None if self.socket_mode else f"{self.app.url}/slack/events"
        self.sandbox.connect(slack_events_url=events, pagerduty_webhook_url=f"{self.app.url}/pagerduty/webhooks", cases_url=self.app.url)
        if self.socket_mode:
            await self.sandbox.slack.socket_mode.until_connected()

    def write_files(self) -> dict[str, str]:
        """Write the two files and make the keys; gives the environment that goes with them."""
        (self.folder / "policy.yml").write_text(self.policy)
        (self.folder / "services.yml").write_text(self.services)
        return self._environment()

    def settings(self, environment: Mapping[str, str]) -> Settings:
        """The settings in this environment."""
        return read_settings({name: value for name, value in environment.items() if name.startswith("TIERLINE_")})

    async def stop(self) -> None:
        """Stop the bot; the others go on."""
        if self.app is not None:
            await self.app.stop()
            self.app = None

    async def restart(self) -> None:
        """Stop and start the bot."""
        await self.stop()
        await self.start()

    # What a story says

    async def submit(self, webhook_id: str | None = None, **changes: Any) -> str:
        """The service posts a case that is accepted; gives its id."""
        status, answer = await self.post(webhook_id, **changes)
        assert status == 202, answer
        return str(answer["id"])

    async def post(self, webhook_id: str | None = None, **changes: Any) -> tuple[int, Mapping[str, Any]]:
        """The service posts a case; gives what it was answered."""
        self._posted += 1
        return await self.sandbox.customer.post(a_case(self._posted, **changes), webhook_id)

    async def click(self, person: str, verb: str, case_id: str, *, tier: int | None = None, **more: Any) -> Ack:
        """Somebody presses a button on the case's newest card, or on that of a tier (counted from 1)."""
        card = self.card(case_id, tier)
        self.clock.now += timedelta(seconds=1)  # nobody presses twice in the same microsecond
        ack = await self.sandbox.slack.click(person, card["channel"], card["ts"], *place_of(more.get("as_seen") or card, verb), **more)
        await listeners_end()
        return ack

    async def fill_in(self, person: str, values: Mapping[str, Any]) -> Ack:
        """Somebody sends the modal that is open before them."""
        view = self.sandbox.slack.open_view(person)
        assert view is not None, f"{person} sees no modal; told: {self.told(person)}"
        ack = await self.sandbox.slack.submit(person, view["id"], dict(values))
        await listeners_end()
        return ack

    async def pass_time(self, **amount: float) -> None:
        """Let time pass, everything happening at its time."""
        end = self.clock.now + timedelta(**amount)
        await self.drain()
        while (due := await self._next_happening()) is not None and due <= end:
            self.clock.now = max(self.clock.now, due)
            await self.bot.tick()
            await self.drain()
        self.clock.now = max(self.clock.now, end)
        await self.drain()

    async def _next_happening(self) -> datetime | None:
        """When a clock runs out or something is tried again, whichever is first."""
        digests = (due_at(one) for one in (await self.bot.reads.governance()).digests)
        moments = (await self.bot.database.read(next_due), await self._next_try(), *digests)
        return min((at for at in moments if at is not None), default=None)

    async def _next_try(self) -> datetime | None:
        held = self.bot.courier._rate_limits._held  # noqa: SLF001 - what the very courier keeps back
        return await self.bot.database.read(partial(_next_try, held=held))

    async def drain(self) -> None:
        """Let everything out that can go out, waiting a little for turns and quiet peers, but not past the next clock."""
        due = await self.bot.database.read(next_due)
        limit = self.clock.now + LONGEST_WAIT if due is None else min(due, self.clock.now + LONGEST_WAIT)
        while True:
            await self.bot.signing.tick()
            await self.bot.courier.drain_once()
            again = await self._next_try()
            if again is None or max(again, self.clock.now + timedelta(milliseconds=50)) > limit:
                return
            self.clock.now = max(self.clock.now + timedelta(milliseconds=50), again)

    # What a story looks at

    async def case(self, case_id: str) -> Case:
        """The case as the bot has it."""
        case = await self.bot.reads.case(case_id)
        assert case is not None
        return case

    def cards(self, case_id: str) -> list[dict[str, Any]]:
        """Every card of the case that Slack shows, oldest first, each with its channel."""
        shown = [
            {**message, "channel": channel.id}
            for channel in self.sandbox.config.slack.channels
            for message in self.sandbox.slack.messages(channel.id)
            if (message.get("metadata") or {}).get("event_payload", {}).get("case") == case_id
        ]
        return sorted(shown, key=lambda message: message["ts"])

    def card(self, case_id: str, tier: int | None = None) -> dict[str, Any]:
        """The newest card, or that of a tier (counted from 1)."""
        cards = [card for card in self.cards(case_id) if tier is None or card["metadata"]["event_payload"]["tier"] == tier - 1]
        assert cards, f"no card of {case_id}"
        return cards[-1]

    def buttons(self, case_id: str, tier: int | None = None) -> list[str]:
        """Verbs that the card offers."""
        return [action.removeprefix("tierline:") for action in offered_by(self.card(case_id, tier))]

    def text(self, case_id: str, tier: int | None = None) -> str:
        """Everything a reader can read on the card."""
        return json.dumps(self.card(case_id, tier)["blocks"], ensure_ascii=False)

    def thread(self, case_id: str, tier: int | None = None) -> str:
        """Everything a reader can read in the card's thread."""
        card = self.card(case_id, tier)
        return json.dumps(self.sandbox.slack.thread(card["channel"], card["ts"]), ensure_ascii=False)

    def told(self, person: str) -> str:
        """What only this person was told, newest first."""
        return json.dumps(self.sandbox.slack.ephemerals(person)[::-1], ensure_ascii=False)

    def callbacks(self, case_id: str) -> list[dict[str, Any]]:
        """What the service was called back with, in order."""
        return [one.data for one in self.sandbox.customer.inbox if one.data.get("case_id") == case_id]

    def _receiver_kit(self, vkey: str) -> Callable[[bytes, Mapping[str, str]], object]:
        """What a careful service checks: signature, action hash and receipt, with the kit we ship."""
        secrets = [self.sandbox.config.customer.callback_secrets[0]]
        receiver = kit.Receiver(
            str(self.folder / "kit.db"), secrets=secrets, vkeys=[vkey], act=lambda _db, _callback: None, clock=self.clock.unix
        )

        def verify(body: bytes, headers: Mapping[str, str]) -> object:
            try:
                return receiver.check(headers, body)
            except kit.Refused as refusal:
                raise ValueError(str(refusal)) from refusal

        return verify

    def _environment(self) -> dict[str, str]:
        slack, pagerduty, customer = self.sandbox.config.slack.app, self.sandbox.config.pagerduty, self.sandbox.config.customer
        here = self.folder
        if self.keys:
            signing_key(here / "signing.pem", create=True)
            vault_key(here / "vault.key", create=True)
        return {
            "TIERLINE_DATABASE_URL": self.database_url,
            "TIERLINE_POLICY": str(here / "policy.yml"),
            "TIERLINE_SERVICES": str(here / "services.yml"),
            "TIERLINE_SLACK_BOT_TOKEN": slack.bot_token,
            "TIERLINE_SLACK_SIGNING_SECRET": slack.signing_secret,
            "TIERLINE_SLACK_APP_TOKEN": slack.app_token if self.socket_mode else "",
            "TIERLINE_SLACK_API_URL": self.sandbox.slack_api_url,
            "TIERLINE_PAGERDUTY_EVENTS_URL": self.sandbox.pagerduty_events_url,
            "TIERLINE_PAGERDUTY_API_URL": self.sandbox.pagerduty_api_url,
            "TIERLINE_PAGERDUTY_API_TOKEN": pagerduty.api_token,
            "TIERLINE_PAGERDUTY_WEBHOOK_SECRET": pagerduty.webhook_secrets[0],
            "TIERLINE_SIGNING_KEY_FILE": str(here / "signing.pem"),
            "TIERLINE_VAULT_KEY_FILE": str(here / "vault.key"),
            "TIERLINE_CHECKPOINT_DIR": str(here / "checkpoints"),
            "TIERLINE_PORT": "0",
            "PD_TIER2": pagerduty.services[0].routing_key,
            "PD_INCIDENTS": pagerduty.services[2].routing_key,
            "PD_SECOND": pagerduty.services[1].routing_key,
            **({"TIERLINE_SMTP_URL": self.smtp_url} if self.smtp_url else {}),
            "SERVICE_SECRET": customer.secret,
            "CALLBACK_SECRET": customer.callback_secrets[0],
            "CALLBACK_URL": self.sandbox.customer_callback_url,
            "TICKETS_URL": self.sandbox.tickets_url,
            "TICKETS_SECRET": self.sandbox.config.ticket_secret,
        }


W = TypeVar("W", bound=World)


@asynccontextmanager
async def a_world(folder: Path, database_url: str, *, socket_mode: bool = False, **more: Any) -> AsyncIterator[World]:
    """A world with its bot running, and an end of both."""
    async with running(World(folder, database_url, socket_mode, **more)) as world:
        yield world


@asynccontextmanager
async def running(world: W) -> AsyncIterator[W]:
    """This world with its bot running, and an end of both."""
    async with world.sandbox:
        try:
            await world.start()
            yield world
        finally:
            await world.stop()


def a_case(number: int, **changes: Any) -> dict[str, Any]:
    """A refund of 80 USD that one person of the frontline reviews."""
    document: dict[str, Any] = {
        "workflow": "refunds",
        "task_id": f"t-{number}",
        "title": "Refund 80.00 USD to customer 8841",
        "request": "I was charged twice for order 17.",
        "output": "The order was charged twice; refund the second charge.",
        "action": {
            "type": "refund.create",
            "params": {"customer": "8841", "amount": "80.00", "currency": "USD"},
            "before": {"refunded": "0.00"},
            "reversible": True,
        },
        "model": {
            "name": "support-model",
            "version": "2026-10",
            "prompt_version": "7",
            "confidence": 0.95,
            "rationale": "Two charges, one order.",
        },
        "evidence": [{"id": "charge-1", "kind": "record", "title": "Charges of order 17", "text": "80.00 USD, twice, 2 minutes apart"}],
        "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy"},
        "subject": {"id": "cust-8841", "type": "customer"},
    }
    document |= changes
    return {name: value for name, value in document.items() if value is not None}


async def listeners_end() -> None:
    """Wait for what a listener still does after it has acknowledged: opening a modal, telling the person."""
    while running := [task for task in asyncio.all_tasks() if task.get_name() == UNDER_WAY]:
        await asyncio.wait(running)


def next_due(connection: Connection) -> datetime | None:
    """When the first clock of a case runs out."""
    first = connection.execute(select(func.min(cases.c.due_at))).scalar_one()
    return None if first is None else moment(first)


def _next_try(connection: Connection, *, held: Mapping[str, datetime]) -> datetime | None:
    """When the first message that is at the head of its lane may go; none is posted to a destination in `held` before then."""
    columns = (outbox.c.case_id, outbox.c.peer, outbox.c.destination, outbox.c.kind, outbox.c.round, outbox.c.not_before)
    waiting = select(*columns).where(outbox.c.state.in_(("ready", "ambiguous", "trying"))).order_by(outbox.c.id)
    heads: dict[tuple[str, str, str, int], int] = {}
    for row in connection.execute(waiting):
        until = held.get(row.destination) if row.kind in POSTS else None
        at = max(row.not_before, micros(until)) if until is not None else row.not_before
        heads.setdefault((row.case_id, row.peer, row.destination, row.round if row.peer in PAGING else 0), at)
    return moment(min(heads.values())) if heads else None
