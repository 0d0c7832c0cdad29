"""Slack as the app's token sees it: who we are, with which scopes, at what time by Slack's clock. Owns asking that once, with as few calls
as will do: a bot that runs has the same limits to live on.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.launch.clock import Reading
from bot.launch.finding import Finding, missing, ok
from bot.launch.scopes import SCOPES
from bot.settings import Settings
from bot.slack.calls import TIMEOUT_S, UnreadableError, error_code, read
from bot.slack.cards.text.remedies import plain_code
from bot.slack.cards.text.safe_text import line
from bot.slack.people import person_of
from bot.slack.tokens import APP_TOKEN, BOT_TOKEN, REFUSED, SIGNING_SECRET, WHERE, shape_problem
from bot.timeouts import Timeouts
from routing.governance.binding import is_person_id
from routing.governance.drill_report import named

AT_ONCE = 4
"""Calls of one method under way at once; one that hangs holds up no other."""

GRANTED, DATE = "x-oauth-scopes", "date"
"""Headers of an answer: the scopes of the token that asked, and Slack's time. Source: https://docs.slack.dev/authentication/installing-with-oauth"""

AGAIN = "See that this machine reaches slack.com over https, then run this again."
LATER = "Slack asks to be left alone for a while: run this again in a minute."


@dataclass(frozen=True, slots=True)
class Known:
    """What auth.test said. `team`: our workspace, "" where Slack does not know the token; `scopes` None where Slack names none."""

    found: tuple[Finding, ...]
    team: str = ""
    scopes: frozenset[str] | None = None
    reading: Reading | None = None


class Workspace:
    """Asks Slack with one token. `clock` gives aware UTC times."""

    def __init__(self, client: AsyncWebClient, settings: Settings, clock: Callable[[], datetime], timeouts: Timeouts) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._timeouts = timeouts
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._knowing: asyncio.Task[Known] | None = None

    async def known(self) -> Known:
        """Whether Slack knows the bot token; asked once, when it is first wanted to be known."""
        if self._knowing is None:
            self._knowing = asyncio.create_task(self._look())
        return await asyncio.shield(self._knowing)

    async def _look(self) -> Known:
        if not self._settings.slack_bot_token:
            said, mend = f"{BOT_TOKEN} is not set.", f"Set it to {WHERE[BOT_TOKEN]}."
            return Known((missing("bot token", said, mend),))
        token = self._settings.slack_bot_token[0].get_secret_value()
        if shape_problem(BOT_TOKEN, token):
            return Known((missing("bot token", f"{BOT_TOKEN} does not look right.", f"Set it to {WHERE[BOT_TOKEN]}."),))
        before = self._clock()
        try:
            async with self._timeouts.within(TIMEOUT_S):
                response = await self._client.api_call("auth.test")
        except (SlackApiError, SlackRequestError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            reading = _reading(_headers(error.response), before, self._clock()) if isinstance(error, SlackApiError) else None
            return Known((_refused("bot token", BOT_TOKEN, error),), reading=reading)
        headers = _headers(response)
        told: Mapping[str, Any] = response.data if isinstance(response.data, dict) else {}
        listed = headers.get(GRANTED)
        return Known(
            (ok("bot token", f"Slack knows it: {plain_code(str(told.get('user')))} in {plain_code(str(told.get('team')))}."),),
            team=str(told.get("team_id") or ""),
            scopes=None if listed is None else frozenset(one.strip() for one in listed.split(",") if one.strip()),
            reading=_reading(headers, before, self._clock()),
        )

    async def way_in(self) -> Sequence[Finding]:
        """How Slack reaches us: the app token of Socket Mode, which is tried, or the signing secret, which only Slack can prove."""
        if self._settings.socket_mode:
            return [await self._socket_mode()]
        if not self._settings.slack_signing_secret:
            said = f"Neither {APP_TOKEN} (Socket Mode) nor {SIGNING_SECRET} (HTTP) is set."
            return [missing("way in", said, f"Set {APP_TOKEN} to {WHERE[APP_TOKEN]}, or {SIGNING_SECRET} to {WHERE[SIGNING_SECRET]}.")]
        if any(shape_problem(SIGNING_SECRET, one.get_secret_value()) for one in self._settings.slack_signing_secret):
            said = f"{SIGNING_SECRET} does not look right."
            return [missing("way in", said, f"Set it to {WHERE[SIGNING_SECRET]}.")]
        return [ok("way in", "HTTP; whether the signing secret is the right one shows when Slack first calls.")]

    async def _socket_mode(self) -> Finding:
        """The token is good for opening a connection; none is opened, since Slack would send what is meant for the bot there."""
        token = self._settings.slack_app_token[0].get_secret_value()
        if shape_problem(APP_TOKEN, token):
            return missing("way in", f"{APP_TOKEN} does not look right.", f"Set it to {WHERE[APP_TOKEN]}.")
        try:
            async with self._timeouts.within(TIMEOUT_S):
                await self._client.apps_connections_open(app_token=token)
        except (SlackApiError, SlackRequestError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return _refused("way in", APP_TOKEN, error)
        return ok("way in", "Socket Mode; Slack lets the app connect.")

    async def ask(self, method: str, **arguments: str) -> Mapping[str, Any]:
        """One reading call. Raises UnreadableError."""
        async with self._turns[method]:
            return await read(self._client, self._timeouts, method, **arguments)

    async def name_of(self, person: str) -> str:
        """What Slack calls somebody, by their id; the id as it is where Slack does not say, and `PX1 in PagerDuty` where it is theirs."""
        if not is_person_id(person):
            return named(person)
        try:
            told = (await self.ask("users.info", user=person)).get("user")
        except UnreadableError:
            return person
        known = person_of(told, person, "", frozenset()) if isinstance(told, dict) and "id" in told else None
        return line(known.name) if known is not None and known.name else person


def scopes(known: Known) -> Sequence[Finding]:
    """Which of the manifest's scopes the token lacks, and what does not work without each."""
    mend = "Add the scopes of manifest.yml under OAuth & Permissions of the app, then install it again."
    if known.scopes is None:
        return [missing("scopes", "Slack does not say which scopes the token has.", "See that TIERLINE_SLACK_API_URL is Slack's.")]
    lacking = [(scope, without) for scope, without in SCOPES.items() if scope not in known.scopes]
    if not lacking:
        return [ok("scopes", f"The token has the {len(SCOPES)} scopes of manifest.yml.")]
    return [missing(f"scope {scope}", f"The token lacks it: {without}.", mend) for scope, without in lacking]


def unreadable(about: str, error: UnreadableError) -> Finding:
    """The line for what Slack did not tell."""
    if error.retry_after_s is not None:
        return missing(about, "Slack did not say: too much is asked at once.", LATER)
    if error.code == "missing_scope":
        return missing(about, "Slack does not say: the app lacks a scope.", "Add the scopes of manifest.yml, then install the app again.")
    return missing(about, f"Slack does not say ({error.code if not error.refused else plain_code(error.code)}).", AGAIN)


def _refused(about: str, setting: str, error: Exception) -> Finding:
    code = error_code(error)
    if code in REFUSED:
        return missing(about, f"Slack refuses {setting} ({code}).", f"Set it to {WHERE[setting]}.")
    return missing(about, f"Slack cannot be asked ({plain_code(code) if isinstance(error, SlackApiError) else code}).", AGAIN)


def _headers(response: object) -> Mapping[str, str]:
    found = getattr(response, "headers", None) or {}
    return {str(name).lower(): str(value) for name, value in found.items()}


def _reading(headers: Mapping[str, str], before: datetime, after: datetime) -> Reading | None:
    """Slack's clock by the header that RFC 9110, section 6.6.1, has answers carry: whole seconds, cut."""
    try:
        theirs = parsedate_to_datetime(headers.get(DATE, ""))
    except ValueError:
        return None
    if theirs.tzinfo is None:
        return None
    half = (after - before) / 2
    return Reading("Slack", theirs, before + half, half.total_seconds() + 1.0)
