"""Whether Slack knows us: asks `auth.test` again and again, from the start. Owns what its refusals mean in words and how old its last
answer may be; it changes nothing and keeps nobody from trying.
"""

import asyncio
from collections.abc import Callable, Sequence

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.readiness import Obstacle
from bot.slack.calls import error_code
from bot.timeouts import REAL, RHYTHM, Rhythm, Timeouts
from store.outbox.network_cause import network_cause

ANSWER_S = 5.0

BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "TIERLINE_SLACK_BOT_TOKEN", "TIERLINE_SLACK_APP_TOKEN", "TIERLINE_SLACK_SIGNING_SECRET"
WHERE = {
    BOT_TOKEN: "the Bot User OAuth Token (xoxb-…), under OAuth & Permissions of the app",
    APP_TOKEN: "an App-Level Token (xapp-…) with connections:write, under Basic Information of the app",
    SIGNING_SECRET: "the Signing Secret, under Basic Information of the app",
}
"""What belongs into a setting and where it is found. Source: https://docs.slack.dev/authentication/tokens"""

_BEGINS = {BOT_TOKEN: ("xoxb-", "xoxe.xoxb-"), APP_TOKEN: ("xapp-",)}
_TOKEN = ("xox", "xapp-")

REFUSED = frozenset(
    {
        "access_denied",
        "account_inactive",
        "ekm_access_denied",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
"""Answers about the token, not about Slack's state. Source: https://docs.slack.dev/reference/methods/auth.test#errors"""

_LOG = structlog.get_logger("tierline.slack")


def refusal(setting: str, code: str) -> str:
    """The sentence for a token that Slack refuses with `code`."""
    return f"Slack refuses {setting} ({code}): it has to be {WHERE[setting]}. Put it there and start the bot again."


def shape_problem(setting: str, value: str) -> str:
    """Why `value` cannot be what belongs into `setting`, as far as its looks tell; empty when it can. Quotes nothing of it."""
    begins = _BEGINS.get(setting)
    looks_right = not value.startswith(_TOKEN) if begins is None else value.startswith(begins) and all("!" <= sign <= "~" for sign in value)
    if looks_right:
        return ""
    return f"{setting} does not look right: it has to be {WHERE[setting]}. Put it there and start the bot again."


class Reachability:
    """What Slack last said to our bot token. `steady` gives seconds that nobody can set; `token` is looked at, never told."""

    def __init__(
        self, client: AsyncWebClient, token: str, steady: Callable[[], float], timeouts: Timeouts = REAL, rhythm: Rhythm = RHYTHM
    ) -> None:
        self._client = client
        self._token = token
        self._steady = steady
        self._timeouts = timeouts
        self._rhythm = rhythm
        self._begun_at = steady()
        self._answered_at: float | None = None
        self._asked = asyncio.Event()
        self._refused = ""
        self._cause = ""

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(self._rhythm.peer_s)

    async def ask(self) -> None:
        """Ask once. Never raises."""
        try:
            async with self._timeouts.within(ANSWER_S):
                await self._client.api_call("auth.test")
        except SlackApiError as error:
            code = error_code(error)
            self._refused = code if code in REFUSED else ""
            self._cause = code
        except (SlackRequestError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._cause = network_cause(error)
        else:
            self._answered_at, self._refused, self._cause = self._steady(), "", ""
        self._asked.set()

    async def check(self) -> Sequence[Obstacle]:
        """Whether Slack has said lately who we are; the first time, once it has been asked. A refusal counts at once."""
        await self._asked.wait()
        problem = shape_problem(BOT_TOKEN, self._token) if self._cause else ""
        silent_s = self._steady() - (self._begun_at if self._answered_at is None else self._answered_at)
        if self._refused:
            return (Obstacle("slack", problem or refusal(BOT_TOKEN, self._refused), for_s=silent_s),)
        if self._answered_at is None:
            return (Obstacle("slack", problem or f"Slack cannot be reached ({self._cause}): nobody sees a card.", for_s=silent_s),)
        if silent_s <= self._rhythm.lately_s:
            return ()
        said = f"Slack has not answered for {silent_s:.0f} s ({self._cause}): cards and presses wait."
        return (Obstacle("slack", said, for_s=silent_s),)

    async def answers(self) -> Sequence[Obstacle]:
        """Whether Slack answers at this moment. Never raises."""
        await self.ask()
        return (Obstacle("slack", f"Slack does not answer now ({self._cause})."),) if self._cause else ()
