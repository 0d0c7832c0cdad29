"""Why Slack refuses what is sent to a channel, and what a person can do about it. Owns these words; decides nothing.

Codes: https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

from dataclasses import dataclass

from routing.governance.binding import Binding


@dataclass(frozen=True, slots=True)
class Remedy:
    """The cause in words, and what mends it; two sentences without content."""

    cause: str
    mend: str


_TOKEN = "Install the app again, put its token into TIERLINE_SLACK_BOT_TOKEN and start the bot again."  # noqa: S105 - a name

REMEDIES = {
    "not_in_channel": Remedy("Tierline is no member of it.", "Invite the app there: /invite @Tierline."),
    "channel_not_found": Remedy(
        "Slack knows no such channel, or it is private and Tierline is no member.",
        "Create it, or invite the app there, or write another channel or its id into the policy.",
    ),
    "is_archived": Remedy("It is archived.", "Unarchive it, or write another channel into the policy."),
    "is_inactive": Remedy("It is archived or frozen.", "Unarchive it, or write another channel into the policy."),
    "restricted_action": Remedy("Only some people may post there.", "Let the app post there, in the channel's posting permissions."),
    "restricted_action_read_only_channel": Remedy("It is read-only.", "Let the app post there, in the channel's posting permissions."),
    "missing_scope": Remedy(
        "The app lacks a scope.", "Add the scopes of manifest.yml under OAuth & Permissions and install the app again."
    ),
    "account_inactive": Remedy("Slack has switched the app off: its account is inactive.", _TOKEN),
    "invalid_auth": Remedy("Slack refuses the app's token.", _TOKEN),
    "not_authed": Remedy("Slack got no token.", _TOKEN),
    "token_expired": Remedy("The app's token has expired.", _TOKEN),
    "token_revoked": Remedy("The app's token was revoked.", _TOKEN),
    "no_permission": Remedy(
        "The app's token may not post there.", "Let the app post there, or install it again with the scopes of manifest.yml."
    ),
    "ekm_access_denied": Remedy("The workspace's administrators have suspended messages.", "Ask them to let messages through again."),
    "org_login_required": Remedy("The workspace is being moved to an organization.", "Wait for the end of the move; then sign in again."),
    "user_group_gone": Remedy(
        "The user group is disabled or deleted, so nobody is in it.", "Enable it, or write another group into the policy."
    ),
}


def remedy(code: str) -> Remedy:
    """What belongs to a code; also to one that Slack adds tomorrow."""
    return REMEDIES.get(code) or Remedy("Slack refuses it.", "See what Slack says of this code, and mend that.")


def plain_code(code: str) -> str:
    """The code as it may stand anywhere: whoever answers as Slack could write anything into it."""
    return "".join(char for char in code if char.isascii() and (char.isalnum() or char in "_-"))[:60] or "no code"


def trouble_sentence(binding: Binding, waiting: int) -> str:
    """Of a channel that takes no messages, on one line: cause, remedy and what waits. No mrkdwn, and nothing in it needs escaping."""
    told, name = remedy(binding.trouble), binding.name.removeprefix("#")
    where = f"#{name}" if not binding.id or binding.id == name else f"#{name} ({binding.id})"
    waits = f"{waiting:,} message{'s wait' if waiting != 1 else ' waits'}." if waiting else "No message waits for it."
    if binding.name.startswith("@"):
        return f"The user group {binding.name} ({binding.id}): {told.cause} {told.mend}"
    return f"Nothing can be sent to {where}: {plain_code(binding.trouble)}. {told.cause} {told.mend} {waits}"
