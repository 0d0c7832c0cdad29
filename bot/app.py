"""The one composition root: every part is made here, given what it needs, started in order and stopped in reverse. It decides nothing."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from importlib.metadata import version
from ssl import SSLContext

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import clock as wall
from bot.database_watch import DatabaseWatch
from bot.delivery.callback import Callbacks
from bot.delivery.courier import Courier
from bot.delivery.guarded_client import TIMEOUT_S as CALLBACK_TIMEOUT_S
from bot.delivery.rate_limits import RateLimits
from bot.delivery.signed_post import SignedPosts
from bot.delivery.ticket import Tickets
from bot.escalation_status import EscalationStatus
from bot.failures import failure
from bot.heartbeat import PEER_S, Heartbeat
from bot.http.admission import Admission, name_signer
from bot.http.bodies import Bodies
from bot.http.connections import Connections, Door, descriptors, most_connections
from bot.http.database_status import SILENT, DatabaseStatus
from bot.http.followups import Followups
from bot.http.health import Health
from bot.http.intake import Intake
from bot.http.metrics import Metrics
from bot.http.openapi import openapi_route
from bot.http.pagerduty_webhooks import PagerDutyWebhooks
from bot.http.precheck import Precheck
from bot.http.problem import problems
from bot.http.rate_limit import RateLimit
from bot.http.reading import MAX_WAITING, Api
from bot.http.turns import MOST_WAIT_S, Turns
from bot.loops import end, for_ever
from bot.policy.active import ActivePolicy, read_policy
from bot.policy.proposing import Proposing
from bot.policy.scheduled_replay import ScheduledReplay
from bot.reachability import PAGERDUTY, SLACK, Reachability, asking_pagerduty
from bot.readiness import Obstacle, Pulse, Readiness
from bot.reports import Reports
from bot.services import Services, read_services
from bot.settings import Secrets, Settings, require_slack
from bot.slack.actions.break_glass import BreakGlassFacts
from bot.slack.actions.listeners import Listeners
from bot.slack.actions.presses import Presses
from bot.slack.actions.replies import Replies
from bot.slack.actions.taking import TakeNext
from bot.slack.answering import Answering
from bot.slack.batch import BatchReview
from bot.slack.break_glass import BreakGlassCommand
from bot.slack.channels import Channels
from bot.slack.commands import Commands
from bot.slack.desk import Desks
from bot.slack.governance.batches import Batches
from bot.slack.governance.bulletins import Bulletins
from bot.slack.governance.buttons import GovernanceButtons
from bot.slack.governance.commands import GovernanceCommands
from bot.slack.governance.rulings import Rulings
from bot.slack.homes import Homes
from bot.slack.inbound import Inbound, make_bolt, make_client
from bot.slack.names import Names
from bot.slack.people import People
from bot.slack.requests import Requests
from bot.slack.sender import SlackSender
from bot.slack.tokens import asking_slack
from bot.slack.views import Views
from bot.slack.workspace_events import WorkspaceEvents
from bot.timeouts import REAL, RHYTHM, Rhythm, Timeouts
from bot.tls import trusted
from escalation.acknowledgements import Acknowledgements
from escalation.brake_watch import BrakeWatch
from escalation.breaker_watch import BreakerWatch
from escalation.digest_watch import DigestWatch
from escalation.drill_watch import DrillWatch
from escalation.mailer import Mailer
from escalation.owed_watch import OwedWatch
from escalation.pager import Pager
from escalation.pagerduty_client import EVENTS_TIMEOUT_S, REST_TIMEOUT_S, EventsClient, RestClient
from escalation.paging_watch import PagingWatch
from escalation.rota import Rota
from escalation.smtp_client import SMTP_TIMEOUT_S, SmtpClient
from escalation.smtp_url import read_smtp_url
from escalation.ticker import Ticker
from escalation.unseen_cases import UnseenCases
from escalation.watch import Watch
from escalation.ways_out import rings, unsendable
from routing.case.case import Case
from routing.policy.file import load_policy
from store.audit.checkpoint_directory import CheckpointDirectory
from store.audit.signed_note import Signer
from store.audit.stored_tree import frontier
from store.checkpoint_signing import Signing
from store.database.database import Database
from store.deployment import name_deployment
from store.homes import HomeBook
from store.integrity.database_check import DatabaseCheck
from store.ledger.ledger import Ledger
from store.ledger.timekeeper import Timekeeper
from store.ledger.writer import CannotRecordError, Writer
from store.outbox.outbox import Outbox
from store.outbox.token_buckets import Buckets
from store.policies import Policies
from store.reads.cases import Reads
from store.reads.history import check_vault_key
from store.reads.on_call import OnCallBook
from store.reads.receipts import Receipts
from store.vault.keys import signing_key, vault_key
from store.vault.vault import Vault
from store.wakeups import Wakeups

_LOG = structlog.get_logger("tierline")

CHANNELS_EVERY_S = 10.0
"""How often it is asked whether a channel is due to be looked at."""

Passing = Callable[[str], None]


class App:
    """One running bot. Made by `App.start`, ended by `stop`."""

    def __init__(self, rhythm: Rhythm = RHYTHM) -> None:
        """Use `App.start`."""
        self._rhythm = rhythm
        self.heartbeat: Heartbeat | None = None
        self._stack = AsyncExitStack()
        self.deployment = ""
        self.host = ""
        self.port = 0
        self.metrics = Metrics()
        self.wakeups = Wakeups()
        unlooked = "The clocks of cases have not been looked at: nothing climbs, pages or expires"
        self._sweep_pulse = Pulse("clocks", unlooked, wall.steady, rhythm.late_s)
        unwatched = "Breakers, brakes, digests and pages that do not get through have not been looked at"
        self._watches_pulse = Pulse("watches", unwatched, wall.steady, rhythm.late_s)
        self._courier_pulse = Pulse("courier", "The courier has not come round: nothing is sent", wall.steady, rhythm.late_s)
        self._signing_pulse = Pulse("signing", "No checkpoint could be signed: decisions wait for one", wall.steady, rhythm.late_s)

    @classmethod
    async def start(
        cls,
        settings: Settings,
        environment: Mapping[str, str],
        *,
        clock: Callable[[], datetime] | None = None,
        background: bool = True,
        passing: Passing = lambda _name: None,
        timeouts: Timeouts = REAL,
        rhythm: Rhythm = RHYTHM,
    ) -> "App":
        """Open the database, bring it up to date, and begin to serve.

        `clock` replaces the machine's clock. Without `background` nothing happens by itself: the caller turns `tick`, `courier` and
        `signing`. `passing` is called at each step that touches the database or a peer; `timeouts` says how long peers may take, `rhythm`
        how long anything may be amiss before nobody outside is told that all is well. Raises what any part raises on bad settings.
        """
        app = cls(rhythm)
        try:
            await app._compose(settings, environment, clock, passing, timeouts)
            await app._look_at_database()
            app._tell_outside(settings, timeouts, trusted(environment))
            if background:
                app._run_by_itself()
        except BaseException:
            await app.stop()
            raise
        return app

    @property
    def url(self) -> str:
        """Where the bot answers."""
        return f"http://{self.host}:{self.port}"

    async def tick(self) -> int:
        """One turn of every clock. Gives how many clocks acted."""
        return await self._sweep() + await self._look_around()

    async def _sweep(self) -> int:
        """One turn of the clocks of cases, which wait for nothing else."""
        await self.writer.look_at_clock()
        return await self.watch.tick()

    async def _look_around(self) -> int:
        """One turn of everything else that has its time."""
        acted = await self.brake_watch.tick() + await self.unseen.tick() + await self.scheduled_replay.tick()
        acted += await self.digest_watch.tick() + await self.paging_watch.tick() + await self.drill_watch.tick()
        acted += await self.owed_watch.tick()
        await self.policy.refresh()
        return acted

    async def stop(self) -> None:
        """Stop in reverse order of starting; what is under way gets a little time to end."""
        await self._stack.aclose()

    async def _compose(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        clock: Callable[[], datetime] | None,
        passing: Passing,
        timeouts: Timeouts,
    ) -> None:
        require_slack(settings)
        peers_now = clock or wall.now
        services, tls = read_services(settings.services, environment), trusted(environment)
        offered = read_policy(settings.policy, environment)
        self.readiness = Readiness(timeouts)
        self._stack.push_async_callback(self.readiness.stop)
        now = await self._open_store(settings, environment, services, clock, passing)
        self.policy = ActivePolicy(self.database, self.ledger, self.reads, self._policies, self.proposing)
        reason = await self.signing.check()
        await self.policy.load(offered, recording=not reason)
        if reason:
            # What a restored database wants to send may have been sent before it was restored: look before posting anything.
            doubtful = await self.outbox.doubt_all()
            _LOG.error("not recording: cases and presses are refused until an operator has looked", reason=reason, doubtful=doubtful)

        session = await self._stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), trust_env=False))
        client = make_client(session, settings.slack_api_url, _first(settings.slack_bot_token), tls)
        people = People(client, now, timeouts, names=Names(self.ledger, self.reads), dotless=lambda: self.policy().form.dotless_domains)
        self.channels = Channels(client, self.ledger, self.reads, self.policy, now, hasten=self._hasten, timeouts=timeouts)
        rest = self._rest_client(settings, timeouts, tls)
        rota = Rota(OnCallBook(self.database, self.writer), self._escalation_policy, now, rest, self.ledger, report=self.reports.on_call)
        self.views = Views(self.reads, rota, people, now, self.policy.of)
        bulletins = self._bulletins = Bulletins(self.reads, people, self.policy, now)
        events = EventsClient(settings.pagerduty_events_url, timeouts.limit_s(EVENTS_TIMEOUT_S), tls)
        self._stack.callback(events.close)
        posts = SignedPosts(peers_now, steady=now, timeout_s=timeouts.limit_s(CALLBACK_TIMEOUT_S), tls=tls)
        self._stack.push_async_callback(posts.close)
        sender = SlackSender(client, self.database, self.deployment, people.identity, now, channels=self.channels, timeouts=timeouts)
        self.courier = Courier(
            self.outbox,
            RateLimits(Buckets(self.writer)),
            {
                "slack": sender,
                "pagerduty": Pager(self.deployment, events, self._routing_key, rest, incidents=lambda: self.policy().form.incidents),
                "email": self._mailer(settings, timeouts, tls),
                "callback": Callbacks(services, self.receipts, posts),
                "ticket": Tickets(posts, self.policy.of),
            },
            ledger=self.ledger,
            wakeups=self.wakeups,
            views=self.views,
            bulletins=bulletins,
            reach=self.channels,
            clock=now,
            tally=self.metrics.carried,
            pulse=self._courier_pulse,
            passing=passing,
            timeouts=timeouts,
        )
        self._watch_over_time(now)
        self.scheduled_replay = ScheduledReplay(self.ledger, self.reads, self.proposing, self.policy, now)
        bolt = make_bolt(session, settings.slack_api_url)
        self._open_homes(client, people, now, timeouts)
        self._listen_to_slack(bolt, people, Replies(client, session, timeouts, at_home=self.homes.draw), now, timeouts)
        pagerduty = asking_pagerduty(events.reach, lambda: rings(self.policy()))
        self.pagerduty = Reachability(PAGERDUTY, pagerduty, wall.steady, timeouts, self._rhythm)
        bodies, self.connections = Bodies(), Connections(most_connections(len(services.by_name), descriptors()), wall.steady)
        self.slack = Reachability(SLACK, asking_slack(client, _first(settings.slack_bot_token)), wall.steady, timeouts, self._rhythm)
        slack_secrets, app_token = _all(settings.slack_signing_secret), _first(settings.slack_app_token)
        inbound = self._inbound = Inbound(bolt, slack_secrets, peers_now, client, app_token, steady=now, bodies=bodies)

        admission = Admission(services, peers_now, RateLimit(wall.steady), now, bodies=bodies)
        api = Api(
            admission, self.reads, self.receipts, self.wakeups, self.policy, most_waiting=min(MAX_WAITING, self.connections.most // 2)
        )
        status = self._status = DatabaseStatus(self.database, self.writer, self.ledger, now, wall.steady, rhythm=self._rhythm)
        late = EscalationStatus(self.database, self.writer, now, self._rhythm)
        self.readiness.add(
            *(status.recording, status.writing, status.signed), *(late.clocks, late.messages, late.wall_clock), silent=SILENT
        )
        acknowledgements = Acknowledgements(self.ledger, self.deployment, _all(settings.pagerduty_webhook_secret), rest)
        routes = [
            *Intake(admission, self.ledger, self.policy, self.metrics.intake_answered, Turns(timeouts.limit_s(MOST_WAIT_S))).routes(),
            *Precheck(admission, self.policy, self.reads.governance, now).routes(),
            *Followups(admission, self.ledger, self.reads, self.metrics.followup_answered).routes(),
            *api.routes(),
            *inbound.routes(),
            *PagerDutyWebhooks(acknowledgements, bodies).routes(),
            *Health(self.metrics, status.snapshot, self.readiness, timeouts).routes(),
            openapi_route(version("tierline")),
        ]
        await self._listen(settings, routes)
        self._stack.callback(api.stop_waiting)
        self._stack.push_async_callback(inbound.stop)
        await inbound.start()
        await self.reports.started(version("tierline"))

    async def _open_store(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        services: Services,
        clock: Callable[[], datetime] | None,
        passing: Passing,
    ) -> Callable[[], datetime]:
        """Database, keys, writer, ledger, log, outbox; gives the clock of the ledger, which is not set when somebody sets the machine's.

        A key that is missing beside a log that has events refuses to start.
        """
        self.database = await Database.open(settings.database_url.get_secret_value())
        self._stack.push_async_callback(self.database.close)
        first_start = settings.on_sqlite and (await self.database.read(frontier)).size == 0
        key = signing_key(settings.signing_key_path, create=first_start)
        vault = self.vault = Vault(vault_key(settings.vault_key_path, create=first_start))
        await self.database.read(partial(check_vault_key, vault=vault))
        self._policies = Policies(partial(load_policy, environment=environment))
        timekeeper = Timekeeper(wall.now, wall.steady, by_database=True) if clock is None else Timekeeper.of(clock)
        now = timekeeper.now
        self.writer = Writer(self.database, timekeeper, vault, self._policies, self.wakeups, passing=passing, services=services.by_workflow)
        self.ledger = Ledger(self.writer)
        self.reports = Reports(self.ledger)
        self.writer.start(self.reports.jump)
        self._stack.push_async_callback(self.writer.close)
        self.deployment = await name_deployment(self.database, self.writer, os.urandom)
        self.reads = Reads(self.database, vault, self._policies)
        self.proposing = Proposing(self.database, self.ledger, self.reads, vault)
        self._services = services
        self.receipts = Receipts(self.database, vault)
        signer = Signer(f"tierline/{self.deployment}", key)
        self.vkey = signer.vkey
        directory = CheckpointDirectory(settings.checkpoint_path, [signer.vkey])
        self.signing = Signing(self.database, self.writer, self.ledger, self.wakeups, directory=directory, signer=signer, clock=now)
        self.outbox = Outbox(self.database, self.writer, self.ledger, secrets.token_hex(8), passing=passing)
        await self.outbox.start()
        return now

    async def _look_at_database(self) -> None:
        """The first part of the log held against the rows; the others follow while the bot runs."""
        check = DatabaseCheck(self.database, self.vault, [self.vkey])
        self.database_watch = DatabaseWatch(check, self.ledger, lambda: tuple(self.policy().workflows))
        self.readiness.add(self.database_watch.obstacles, silent=SILENT)
        try:
            await self.database_watch.look()
        except CannotRecordError as error:
            _LOG.error("what was found in the database could not be recorded", **failure(error))

    def _tell_outside(self, settings: Settings, timeouts: Timeouts, tls: SSLContext) -> None:
        """The heartbeat for somebody outside, where one is wanted, and what it asks besides what `/readyz` asks."""
        if settings.heartbeat_url is None:
            return
        now = Readiness(timeouts, PEER_S)
        self._stack.push_async_callback(now.stop)
        now.add(self._status.written, silent=SILENT)
        now.add(self.slack.answers, silent=Obstacle("slack", "Slack does not answer now."))
        now.add(self.pagerduty.answers, silent=Obstacle("pagerduty", "PagerDuty does not answer now."))
        url = settings.heartbeat_url.get_secret_value()
        self.heartbeat = Heartbeat(
            url, [now, self.readiness], wall.steady, tls=tls, tally=self.metrics.beaten, timeouts=timeouts, rhythm=self._rhythm
        )
        self._stack.push_async_callback(self.heartbeat.close)
        self.readiness.add(self.heartbeat.check, silent=Obstacle("heartbeat", "The heartbeat does not say how it is.", stops=False))

    def _mailer(self, settings: Settings, timeouts: Timeouts, tls: SSLContext) -> Mailer:
        url = settings.smtp_url
        self._has_mail_server = url is not None
        server = read_smtp_url(url.get_secret_value()) if url is not None else None
        client = SmtpClient(server, timeouts.limit_s(SMTP_TIMEOUT_S), tls) if server is not None else None
        return Mailer(self.deployment, client, self._addresses)

    def _watch_over_time(self, now: Callable[[], datetime]) -> None:
        """Whoever looks at the clock: over cases, over cards that Slack does not show, over pages that do not get through."""
        breakers = BreakerWatch(self.ledger, self.reads, self.database, self.policy, now, report=self.reports.breaker)
        self.watch = Watch(self.ledger, self.reads, now, report=self.reports.case, late=self.metrics.swept)
        self.brake_watch = BrakeWatch(self.ledger, self.reads, breakers, now, report=self.reports.case)
        self.unseen = UnseenCases(self.ledger, self.reads, self.policy, now, report=self.reports.case)
        self.paging_watch = PagingWatch(self.ledger, self.reads, now)
        self.digest_watch = DigestWatch(self.ledger, self.reads, now)
        self.owed_watch = OwedWatch(self.ledger, self.reads, self.policy, now)
        self.drill_watch = DrillWatch(self.ledger, self.reads, self.policy, now)
        self.readiness.add(self._paging_obstacles, silent=SILENT)

    def _rest_client(self, settings: Settings, timeouts: Timeouts, tls: SSLContext) -> RestClient | None:
        token = _first(settings.pagerduty_api_token)
        if not token:
            return None
        rest = RestClient(token, settings.pagerduty_api_url, timeouts.limit_s(REST_TIMEOUT_S), tls)
        self._stack.callback(rest.close)
        return rest

    def _open_homes(self, client: AsyncWebClient, people: People, now: Callable[[], datetime], timeouts: Timeouts) -> None:
        """What somebody has before them, and the Home tab that shows it."""
        self._desks = Desks(self.database, self.reads, people, now, self.policy)
        book = HomeBook(self.database, self.writer)
        self.homes = Homes(client, self._desks, self.views, people, book, clock=now, timeouts=timeouts)

    def _listen_to_slack(self, bolt: AsyncApp, people: People, replies: Replies, now: Callable[[], datetime], timeouts: Timeouts) -> None:
        """Everything that people press, submit and type, and what Slack says of its channels."""
        facts = BreakGlassFacts(self.reads, people, self.policy, now)
        presses = Presses(self.ledger, self.reads, people, self.deployment, self.metrics.pressed, clock=now, break_glass=facts)
        alone = BreakGlassCommand(self.database, self.reads, people, self.policy, presses=presses, views=self.views, replies=replies)
        answering = Answering(timeouts)
        self._stack.push_async_callback(answering.stop)
        self.homes.listen(bolt, answering)
        batch = BatchReview(self.database, people, presses=presses, views=self.views, replies=replies, answering=answering)
        batch.listen(bolt)
        Listeners(presses, self.views, replies, answering).listen(bolt)
        TakeNext(self.ledger, self.reads, self.views, people, replies, answering=answering, clock=now).listen(bolt)
        WorkspaceEvents(self.channels, people.identity, answering).listen(bolt)
        Requests(self.ledger, people, self.policy, self._services.by_workflow, replies, answering).listen(bolt)
        rulings = Rulings(self.ledger, self.reads, people, self.policy, self.metrics.pressed)
        buttons = GovernanceButtons(
            rulings, self.reads, people, replies, channels=self.channels, deployment=self.deployment, answering=answering
        )
        buttons.listen(bolt)
        batches = Batches(self.database, self.ledger, people, rulings)
        many = GovernanceCommands(rulings, batches, self.reads, self.policy, now, bulletins=self._bulletins)
        Commands(
            self.database,
            self.reads,
            self.views,
            people,
            now,
            desks=self._desks,
            replies=replies,
            answering=answering,
            about_many=many,
            break_glass=alone,
            batch=batch,
        ).listen(bolt)

    async def _listen(self, settings: Settings, routes: list[web.RouteDef]) -> None:
        application = web.Application(middlewares=[problems])
        application.add_routes(routes)
        application.on_response_prepare.append(name_signer)
        runner = web.AppRunner(application, shutdown_timeout=5.0)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await Door(runner, self.connections, settings.host, settings.port).start()
        self.host, self.port = runner.addresses[0][:2]

    def _run_by_itself(self) -> None:
        loops = (
            for_ever("courier", self.courier.run),
            self.signing.run(partial(self.reports.signing, self._signing_pulse), self._signing_pulse.came_round),
            self.slack.run(),
            self.pagerduty.run(),
            self.database_watch.run(),
            for_ever("channels", self._look_at_channels),
            for_ever("homes", self.homes.run),
            *([for_ever("replicas", partial(self.wakeups.share, self.database))] if self.database.is_postgres else []),
        )
        for pulse in (self._sweep_pulse, self._watches_pulse, self._courier_pulse, self._signing_pulse):
            self.readiness.add(pulse.check, silent=pulse.late)
        self.readiness.add(self.channels.obstacles, silent=SILENT)
        self.readiness.add(self.slack.check, silent=Obstacle("slack", "Slack has not answered yet: nobody sees a card."))
        self.readiness.add(self._inbound.check, silent=Obstacle("socket_mode", "Socket Mode does not answer."))
        self.readiness.add(self.pagerduty.check, silent=Obstacle("pagerduty", "PagerDuty has not answered yet.", stops=False))
        for loop in (*loops, *([for_ever("heartbeat", self.heartbeat.run)] if self.heartbeat is not None else [])):
            self._stack.push_async_callback(end, asyncio.create_task(loop))
        for tick, pulse in ((self._sweep, self._sweep_pulse), (self._look_around, self._watches_pulse)):
            ticker = Ticker(partial(_beat, tick, pulse), partial(self.reports.tick, pulse))
            ticker.start()
            self._stack.push_async_callback(ticker.stop)

    async def _hasten(self, destinations: Collection[str]) -> None:
        await self.courier.hasten(destinations)

    async def _look_at_channels(self) -> None:
        while True:
            await self.channels.tick()
            await asyncio.sleep(CHANNELS_EVERY_S)

    def _routing_key(self, sha256: str, ladder: str, tier: int, second: bool) -> str | None:  # noqa: FBT001 - as the pager asks
        return self.policy.of(sha256).routing_key(ladder, tier, second=second)

    def _addresses(self, sha256: str, ladder: str, tier: int) -> tuple[str, ...]:
        return self.policy.of(sha256).addresses(ladder, tier)

    async def _paging_obstacles(self) -> Sequence[Obstacle]:
        """What keeps pages from getting through: for somebody to mend, though no other replica would fare better."""
        found = [self.paging_watch.trouble(), unsendable(self.policy(), mail_server=self._has_mail_server)]
        return [Obstacle("paging", sentence, stops=False) for sentence in found if sentence]

    def _escalation_policy(self, case: Case, tier: int) -> str | None:
        return self.policy.of(case.route.policy_sha256).escalation_policy(case.route.ladder, tier)


async def _beat(tick: Callable[[], Awaitable[int]], pulse: Pulse) -> None:
    await tick()
    pulse.came_round()


def _all(values: Secrets) -> list[str]:
    return [secret.get_secret_value() for secret in values]


def _first(values: Secrets) -> str:
    return values[0].get_secret_value() if values else ""
