"""Northwind with our bot in it: the sandbox's Slack and PagerDuty over real HTTP, and everything between a case and its cards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession, web

from bot.delivery.courier import Courier
from bot.delivery.rate_limits import RateLimits
from bot.demo.pressing import place_of
from bot.http.pagerduty_webhooks import PATH as HOOKS
from bot.http.pagerduty_webhooks import PagerDutyWebhooks
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack.ack import Ack
from bot.slack.actions.listeners import Listeners
from bot.slack.actions.presses import Presses
from bot.slack.actions.replies import Replies
from bot.slack.answering import UNDER_WAY, Answering
from bot.slack.cards.view import Bulletin, View
from bot.slack.channels import Channels
from bot.slack.commands import Commands
from bot.slack.desk import Desks
from bot.slack.governance.batches import Batches
from bot.slack.governance.bulletins import Bulletins
from bot.slack.governance.buttons import GovernanceButtons
from bot.slack.governance.commands import GovernanceCommands
from bot.slack.governance.rulings import Rulings
from bot.slack.inbound import PATH, Inbound, make_bolt, make_client
from bot.slack.names import Names
from bot.slack.people import People
from bot.slack.sender import SlackSender
from bot.slack.views import Views
from bot.slack.workspace_events import WorkspaceEvents
from bot.timeouts import ManualTimeouts
from escalation.acknowledgements import Acknowledgements
from escalation.brake_watch import BrakeWatch
from escalation.breaker_watch import BreakerWatch
from escalation.pager import Pager
from escalation.pagerduty_client import EventsClient, RestClient
from escalation.rota import Rota
from escalation.unseen_cases import UnseenCases
from escalation.watch import Watch
from routing.case.case import Case
from routing.case.near_duplicate import likeness
from routing.case.submission import read_submission
from routing.policy.file import load_policy
from routing.review.opening import open_case
from store.database.database import Database
from store.ledger.answers import Delivery, Opened
from store.ledger.ledger import Ledger
from store.ledger.timekeeper import Timekeeper
from store.ledger.writer import Writer
from store.outbox.delivery import Delivered, Outgoing, Sender
from store.outbox.outbox import Outbox
from store.outbox.token_buckets import Buckets
from store.policies import Policies
from store.reads.cases import Reads
from store.reads.on_call import OnCallBook
from store.vault.vault import Vault
from store.wakeups import Wakeups

ANNA, BEN, CHIARA, DMITRI = "U0ANNA00001", "U0BEN000001", "U0CHIARA001", "U0DMITRI001"
TIER1, TIER2 = "review-tier1", "review-tier2"
DEPLOYMENT = "northwind"
POLICY = b"""
version: "2026-11-20.1"
changes: "for tests of the bot"
defaults: {undo: 0s}
groups:
  frontline: {usergroup: review-frontline}
  seniors: {usergroup: S0SENIOR001}
  nobody: {usergroup: review-nobody}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline, owner: U0GRACE0001, ack: 15m, decide: 4h}
      - channel: review-tier2
        group: seniors
        owner: U0HUGO00001
        ack: 15m
        decide: 30m
        pagerduty: {routing_key: c0ffee0000000000000000000000t1r2, severity: warning, escalation_policy: PPTIER2A}
  paged:
    tiers:
      - channel: review-tier2
        group: seniors
        decide: 30m
        pagerduty: {routing_key: c0ffee0000000000000000000000t1r2, severity: critical, escalation_policy: PPTIER2A}
workflows:
  refunds: {ladder: standard, template: approval, requester: optional}
  pairs: {ladder: standard, template: dual, requester: optional}
"""


class ProcessDied(BaseException):
    """The process was killed at this point."""


@dataclass
class Clock:
    """The one clock of bot and sandbox; it moves when told. Begins now, because signatures are checked against it."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def unix(self) -> float:
        """The same in unix seconds."""
        return self.now.timestamp()

    def forward(self, seconds: float) -> None:
        """Let that much time pass."""
        self.now += timedelta(seconds=seconds)


class Receiver:
    """Stands in for the sender of callbacks, which has tests of its own."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []

    async def send(self, outgoing: Outgoing, view: View | Bulletin) -> Delivered:
        """Take one."""
        self.got.append((outgoing.message.callback, outgoing.message.sequence))
        return Delivered()


@dataclass
class Northwind:
    """Everything that a story needs."""

    sandbox: Sandbox
    clock: Clock
    database: Database
    ledger: Ledger
    reads: Reads
    outbox: Outbox
    courier: Courier
    wakeups: Wakeups
    views: Views
    people: People
    watch: Watch
    brakes: BrakeWatch
    acknowledgements: Acknowledgements
    commands: Commands
    channels: Channels
    unseen: UnseenCases
    bulletins: Bulletins
    tally: list[tuple[str, str]]
    poison: list[str]
    received: Receiver
    timeouts: ManualTimeouts

    async def submit(self, task_id: str = "t-17", workflow: str = "refunds", **changes: Any) -> Case:
        """A service posts a case that is new."""
        submission = read_submission(a_document(task_id=task_id, workflow=workflow, **changes))
        digest = submission.sha256
        service, alike = "refund-agent", likeness("refund-agent", submission)
        delivery = Delivery(service, f"msg_{workflow}_{task_id}", digest, workflow, task_id, digest, alike, submission.action.sha256)
        result = await self.ledger.open(delivery, open_case(service, submission))
        assert isinstance(result, Opened)
        return result.case

    async def drain(self, seconds: int = 12) -> None:
        """Let everything out that can go within so many seconds of Slack's pace."""
        await self.courier.drain_once()
        for _ in range(seconds):
            self.clock.forward(1)
            await self.courier.drain_once()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, then sweep and send."""
        self.clock.forward(seconds)
        await self.watch.tick()
        await self.brakes.tick()
        await self.unseen.tick()
        await self.drain()

    async def case(self, case: Case) -> Case:
        """The case as it is now."""
        found = await self.reads.case(case.id)
        assert found is not None
        return found

    def card(self, channel: str = TIER1, number: int = -1) -> dict[str, Any]:
        """A card in a channel as it is shown now."""
        return self.sandbox.slack.messages(channel)[number]

    async def click(self, who: str, verb: str, channel: str = TIER1, **more: Any) -> Ack:
        """Press a button of the newest card in a channel, a second after whatever was before."""
        self.clock.forward(1)
        seen = more.get("as_seen") or self.card(channel)
        return await self.answered(self.sandbox.slack.click(who, channel, seen["ts"], *place_of(seen, verb), **more))

    async def fill_in(self, who: str, **values: object) -> Ack:
        """Submit the form that this person has before them."""
        view = self.sandbox.slack.open_view(who)
        assert view is not None
        return await self.answered(self.sandbox.slack.submit(who, view["id"], values))

    async def answered(self, doing: Awaitable[Ack]) -> Ack:
        """Do something in Slack and wait until our listeners have ended: they still answer after they have acknowledged."""
        ack = await doing
        while listening := [task for task in asyncio.all_tasks() if task.get_name() == UNDER_WAY]:
            await asyncio.wait(listening)
        return ack

    def told(self, who: str) -> list[str]:
        """The sentences only this person was shown."""
        return [str(message["text"]) for message in self.sandbox.slack.ephemerals(who)]

    async def events(self, case: Case) -> list[str]:
        """What happened, by kind."""
        return [one.kind.value for one in await self.reads.history(case.id)]


@asynccontextmanager
async def a_company(  # noqa: PLR0915  # a composition root: one line a part
    url: str,
    *,
    senders: Callable[[Sandbox], Mapping[str, Sender[View | Bulletin]]] | None = None,
    passing: Callable[[str], None] = lambda _name: None,
    rest: bool = True,
    policy: bytes = POLICY,
) -> AsyncIterator[Northwind]:
    """Open everything over the database at `url`. `senders` replaces some of the senders."""
    clock, timeouts = Clock(), ManualTimeouts()
    async with Sandbox(clock.unix) as sandbox, ClientSession(trust_env=False) as session:
        config = sandbox.config
        database, wakeups, vault = await Database.open(url), Wakeups(), Vault(b"v" * 32)
        policies = Policies(lambda text: load_policy(text, {}))
        active = load_policy(policy, {})
        services = {"refunds": ("refund-agent",)}
        writer = Writer(database, Timekeeper.of(clock), vault, policies, wakeups, services=services)
        ledger, reads = Ledger(writer), Reads(database, vault, policies)
        writer.start()
        await ledger.activate(active)
        outbox = Outbox(database, writer, ledger, "boot-1")
        await outbox.start()
        client = make_client(session, sandbox.slack_api_url, config.slack.app.bot_token)
        people = People(client, clock, timeouts, names=Names(ledger, reads))
        couriers = list[Courier]()

        async def hasten(destinations: Collection[str]) -> None:
            for one in couriers:
                await one.hasten(destinations)

        channels = Channels(client, ledger, reads, lambda: active, clock, hasten=hasten, timeouts=timeouts)
        rest_client = RestClient(config.pagerduty.api_token, sandbox.pagerduty_api_url, timeout_s=None) if rest else None
        events_client = EventsClient(sandbox.pagerduty_events_url, timeout_s=None)
        rota = Rota(OnCallBook(database, writer), lambda case, tier: active.escalation_policy(case.route.ladder, tier), clock, rest_client)
        views = Views(reads, rota, people, clock)
        tally, poison, receiver = list[tuple[str, str]](), list[str](), Receiver()
        pager = Pager(
            DEPLOYMENT,
            events_client,
            lambda _sha256, ladder, tier, second: active.routing_key(ladder, tier, second=second),
            rest_client,
            lambda: active.form.incidents,
        )
        ways: dict[str, Sender[View | Bulletin]] = {
            "slack": SlackSender(client, database, DEPLOYMENT, people.identity, clock, channels=channels, timeouts=timeouts),
            "pagerduty": pager,
            "callback": receiver,
        }
        bulletins = Bulletins(reads, people, lambda: active, clock)
        courier = Courier(
            outbox,
            RateLimits(Buckets(writer)),
            ways | dict(senders(sandbox) if senders else {}),
            ledger=ledger,
            wakeups=wakeups,
            views=views,
            bulletins=bulletins,
            reach=channels,
            clock=clock,
            tally=lambda peer, result: tally.append((peer, result)),
            passing=passing,
            timeouts=timeouts,
        )
        couriers.append(courier)
        bolt = make_bolt(session, sandbox.slack_api_url)
        presses = Presses(ledger, views, people, DEPLOYMENT, lambda verb, result: tally.append((verb, result)), clock=clock)
        replies = Replies(client, session, timeouts)
        answering = Answering(timeouts)
        Listeners(presses, views, replies, answering).listen(bolt)
        WorkspaceEvents(channels, people.identity, answering).listen(bolt)
        rulings = Rulings(ledger, reads, people, lambda: active, lambda verb, result: tally.append((verb, result)))
        GovernanceButtons(rulings, reads, people, replies, channels=channels, deployment=DEPLOYMENT, answering=answering).listen(bolt)
        about_many = GovernanceCommands(
            rulings, Batches(database, ledger, people, rulings), reads, lambda: active, clock, bulletins=bulletins
        )
        desks = Desks(database, reads, people, clock, lambda: active)
        commands = Commands(database, reads, views, people, clock, desks=desks, replies=replies, answering=answering, about_many=about_many)
        commands.listen(bolt)
        inbound = Inbound(bolt, [config.slack.app.signing_secret], clock, client)
        acknowledgements = Acknowledgements(ledger, DEPLOYMENT, config.pagerduty.webhook_secrets, rest_client)

        app = web.Application()
        app.add_routes([*inbound.routes(), *PagerDutyWebhooks(acknowledgements).routes()])
        runner = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        sandbox.connect(slack_events_url=base + PATH, pagerduty_webhook_url=base + HOOKS)
        breakers = BreakerWatch(ledger, reads, database, lambda: active, clock, report=lambda name, _error: poison.append(name))
        watch = Watch(ledger, reads, clock, report=lambda case_id, _error: poison.append(case_id), late=lambda _s: None)
        brakes = BrakeWatch(ledger, reads, breakers, clock, report=lambda case_id, _error: poison.append(case_id))
        try:
            yield Northwind(
                sandbox=sandbox,
                clock=clock,
                database=database,
                ledger=ledger,
                reads=reads,
                outbox=outbox,
                courier=courier,
                wakeups=wakeups,
                views=views,
                people=people,
                watch=watch,
                brakes=brakes,
                acknowledgements=acknowledgements,
                commands=commands,
                channels=channels,
                unseen=UnseenCases(ledger, reads, lambda: active, clock, report=lambda case_id, _error: poison.append(case_id)),
                bulletins=bulletins,
                tally=tally,
                poison=poison,
                received=receiver,
                timeouts=timeouts,
            )
        finally:
            await runner.cleanup()
            await answering.stop()
            await writer.close()
            await database.close()
            events_client.close()
            if rest_client is not None:
                rest_client.close()


def a_document(**changes: Any) -> dict[str, Any]:
    """A refund of 80 USD that a person has to look at."""
    document: dict[str, Any] = {
        "workflow": "refunds",
        "task_id": "t-17",
        "title": "Refund 80.00 USD to customer 8841",
        "request": "I was charged twice.",
        "output": "Both charges are on the statement.",
        "action": {"type": "refund.create", "params": {"customer": "8841", "amount": "80.00"}, "reversible": True},
        "model": {"name": "m", "version": "1", "confidence": 0.85},
        "evidence": [{"id": "src-1", "kind": "record", "title": "Statement", "text": "Two charges."}],
        "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy"},
    }
    return document | changes
