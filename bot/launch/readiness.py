"""Everything a launch stands on, looked at together. Owns what is checked, and what has to be mended before what.

No second bot is started and no lock is held: what a running bot can say of itself is asked of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from bot.launch import completeness, files, named, paging
from bot.launch.callbacks import callbacks
from bot.launch.channels import channels
from bot.launch.checklist import UNSEEN, Check, Look, Report, Told, run
from bot.launch.checkpoints import checkpoints
from bot.launch.clock import behind, clock
from bot.launch.contacts import contacts
from bot.launch.files import Given, Variables
from bot.launch.finding import Finding, missing, ok, warn
from bot.launch.keys import keys
from bot.launch.members import Members
from bot.launch.outside import heartbeat, mail
from bot.launch.stored import Standing, Stored, look, open_to_read, unopened, writable
from bot.launch.workspace import Known, Workspace, scopes
from bot.settings import PREFIX, Settings
from bot.slack.inbound import make_client
from bot.timeouts import REAL, Timeouts
from escalation.pagerduty_client import EVENTS_TIMEOUT_S, REST_TIMEOUT_S, EventsClient, RestClient
from escalation.ways_out import rings
from routing.policy.policy import Policy
from store.database.database import Database

DATABASE_S = 10.0
"""How long the database may take to be opened and read."""

ENV_FILE = Path(".env")

Said = Mapping[str, Any]
"""What the bot that serves says of itself: `ready` (None where none serves), `obstacles`, `attention`, `served`."""


class Launch:
    """One look at everything. `ask` asks the bot that serves; `clock` gives aware UTC times; with `page`, routing keys are tried."""

    def __init__(
        self,
        environment: Mapping[str, str],
        variables: Variables,
        ask: Callable[[Settings], Awaitable[Said]],
        now: Callable[[], datetime],
        *,
        page: bool,
        timeouts: Timeouts = REAL,
    ) -> None:
        self._given = files.settings(environment, ENV_FILE)
        self._variables = variables
        self._ask = ask
        self._now = now
        self._page = page
        self._timeouts = timeouts
        self._stack = AsyncExitStack()

    async def look(self, told: Told = lambda _done, _total: None) -> Report:
        """Look at everything. `told` hears how far it is."""
        async with self._stack:
            return await run(await self._checks(), self._timeouts, told)

    async def _checks(self) -> Sequence[Check]:
        given, settings = self._given, self._given.settings
        database, stored = await self._database()
        offered, in_file = files.policy_file(settings.policy, self._variables)
        policy, about_policy = files.in_force(settings.policy, offered, stored, self._variables)
        services, in_services = files.services_file(settings.services, self._variables)
        no_policy = _without(policy)
        said: Said = {} if given.broken & {f"{PREFIX}DATABASE_URL"} else await self._ask(settings)
        served, workspace = said.get("ready") is not None, self._workspace()

        def of(policy_check: Callable[[Policy], Awaitable[Sequence[Finding]]]) -> Look:
            return lambda: policy_check(policy) if policy is not None else _nothing()

        return [
            Check("settings", partial(_as_found, given.found)),
            Check("policy", partial(_as_found, [*in_file, *about_policy])),
            Check("ladders", of(completeness.ladders), no_policy),
            Check("roles", of(completeness.roles), no_policy),
            Check("safeguards", of(partial(completeness.safeguards, governance=stored.governance)), no_policy),
            Check("contacts", of(partial(contacts, stored=stored, now=self._now(), name_of=workspace.name_of)), no_policy),
            *self._slack(policy, stored, workspace),
            *self._pagerduty(policy),
            Check("database", lambda: writable(settings, stored, database, served=served), _broken(given, "DATABASE_URL")),
            Check("keys", lambda: keys(settings, stored, database), _broken(given, "DATABASE_URL", "SIGNING_KEY_FILE", "VAULT_KEY_FILE")),
            Check("checkpoints", lambda: checkpoints(settings, stored, database), _broken(given, "DATABASE_URL", "CHECKPOINT_DIR")),
            Check("heartbeat", lambda: heartbeat(settings), _broken(given, "HEARTBEAT_URL")),
            Check("e-mail", lambda: mail(settings, given.tls, policy), _broken(given, "SMTP_URL")),
            Check("services", partial(_as_found, in_services or [ok("services", "The file can be read, and its secrets are there.")])),
            Check(
                "callbacks",
                lambda: callbacks(services, policy) if services is not None else _nothing(),
                "" if services is not None else "Have a services file that can be used first.",
            ),
            Check("bot", partial(_as_found, _running(said))),
        ]

    def _workspace(self) -> Workspace:
        given, settings = self._given, self._given.settings
        connector = aiohttp.TCPConnector(ssl=given.tls)
        session = aiohttp.ClientSession(connector=connector, trust_env=False)
        self._stack.push_async_callback(session.close)
        token = settings.slack_bot_token[0].get_secret_value() if settings.slack_bot_token else None
        return Workspace(make_client(session, settings.slack_api_url, token, given.tls), settings, self._now, self._timeouts)

    def _slack(self, policy: Policy | None, stored: Stored, workspace: Workspace) -> Sequence[Check]:
        bound = stored.governance.bindings
        broken, no_policy = _broken(self._given, "SLACK_API_URL"), _without(policy)
        members: list[Members] = []

        async def asked(about: str, look: Callable[[Known], Awaitable[Sequence[Finding]]]) -> Sequence[Finding]:
            known = await workspace.known()
            return await look(known) if known.team else [missing(about, UNSEEN, "Have Slack know the bot token first.")]

        def of(known: Known) -> Members:
            if not members:
                members.append(Members(workspace, _there(policy), known.team, bound))
            return members[0]

        async def the_time() -> Sequence[Finding]:
            reading = None if broken else (await workspace.known()).reading
            late = behind(stored.last, self._now())
            return [*([late] if late is not None else []), *clock([one for one in (reading, stored.reading) if one is not None])]

        return [
            Check("slack", lambda: _token(workspace), broken),
            Check("scopes", lambda: asked("scopes", lambda known: _as_found(scopes(known))), broken),
            Check("channels", lambda: asked("channels", lambda _: channels(workspace, _there(policy), bound)), broken or no_policy),
            Check("groups", lambda: asked("groups", lambda known: of(known).groups()), broken or no_policy),
            Check("people", lambda: asked("people", lambda known: of(known).people()), broken or no_policy),
            Check("clock", the_time),
        ]

    def _pagerduty(self, policy: Policy | None) -> Sequence[Check]:
        given, settings = self._given, self._given.settings
        no_policy = _without(policy)
        events = None
        if self._page:
            events = EventsClient(settings.pagerduty_events_url, self._timeouts.limit_s(EVENTS_TIMEOUT_S), given.tls)
            self._stack.callback(events.close)
        rest = None
        if settings.pagerduty_api_token:
            token = settings.pagerduty_api_token[0].get_secret_value()
            rest = RestClient(token, settings.pagerduty_api_url, self._timeouts.limit_s(REST_TIMEOUT_S), given.tls)
            self._stack.callback(rest.close)
        unset = frozenset(self._variables.unset.values())

        async def pages() -> Sequence[Finding]:
            there = _there(policy)
            return await paging.routing_keys(there, {**_watched(settings), **named.routing_keys(there)}, events, unset)

        async def people() -> Sequence[Finding]:
            there = _there(policy)
            return await paging.on_call(settings, named.escalation_policies(there), rest, pages=rings(there))

        return [
            Check("pages", pages, no_policy or _broken(given, "PAGERDUTY_EVENTS_URL")),
            Check("on call", people, no_policy or _broken(given, "PAGERDUTY_API_URL")),
        ]

    async def _database(self) -> tuple[Database | None, Stored]:
        settings = self._given.settings
        if self._given.broken & {f"{PREFIX}DATABASE_URL"}:
            return None, Stored(Standing.UNUSABLE)
        try:
            async with self._timeouts.within(DATABASE_S):
                database = await open_to_read(settings)
                if database is not None:
                    self._stack.push_async_callback(database.close)
                return database, await look(settings, database, self._now)
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being read is a line of the list
            return None, unopened(settings, error)


async def _token(workspace: Workspace) -> Sequence[Finding]:
    known, way_in = await asyncio.gather(workspace.known(), workspace.way_in())
    return [*known.found, *way_in]


def _running(said: Said) -> Sequence[Finding]:
    """What the bot that serves says of itself."""
    if said.get("ready") is None:
        return [ok("bot", str(said.get("served") or "It was not asked."))]
    mend = "Do what this says, then ask again: tierline status"
    found = [missing("bot", str(one), mend) for one in said["obstacles"]]
    silent = said.get("escalating") is False  # then the reason stands first
    found += [(missing if silent and not number else warn)("bot", str(one), mend) for number, one in enumerate(said["attention"])]
    return found or [ok("bot", "It serves, and is ready.")]


def _broken(given: Given, *names: str) -> str:
    wrong = sorted(given.broken & {f"{PREFIX}{name}" for name in names})
    return f"Correct {' and '.join(wrong)} first." if wrong else ""


def _without(policy: Policy | None) -> str:
    """Why what needs a policy cannot be looked at."""
    return "" if policy is not None else "Have a policy that can be used first."


def _there(policy: Policy | None) -> Policy:
    if policy is None:
        raise AssertionError("what needs a policy was looked at without one")
    return policy


def _watched(settings: Settings) -> Mapping[str, Sequence[str]]:
    """The key of `tierline watch`, by its setting; it is set where that runs, which is best another machine."""
    key = settings.watch_routing_key
    return {} if key is None else {key.get_secret_value(): [f"{PREFIX}WATCH_ROUTING_KEY"]}


async def _as_found(found: Sequence[Finding]) -> Sequence[Finding]:
    return found


async def _nothing() -> Sequence[Finding]:
    return ()
