"""The tokens by which Slack knows us: what they look like, where they are found, what it means that Slack refuses one. Owns these words,
and how Slack is asked who we are; quotes nothing of a token.
"""

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient

from bot.reachability import Ask, NoAnswerError
from bot.slack.calls import error_code
from store.outbox.network_cause import network_cause

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


def asking_slack(client: AsyncWebClient, token: str) -> Ask:
    """Asks Slack who we are. `token` is looked at, never told."""

    async def ask() -> None:
        try:
            await client.api_call("auth.test")
        except SlackApiError as error:
            code = error_code(error)
            refused = code in REFUSED
            means = shape_problem(BOT_TOKEN, token) or (refusal(BOT_TOKEN, code) if refused else "")
            raise NoAnswerError(code, means, refused=refused) from error
        except (SlackRequestError, aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswerError(network_cause(error), shape_problem(BOT_TOKEN, token)) from error

    return ask
