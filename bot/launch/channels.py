"""The channels that the policy names: there, open, and the app a member. Owns these lines."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.launch.finding import Finding, missing, ok
from bot.launch.workspace import Workspace, unreadable
from bot.slack.calls import UnreadableError
from bot.slack.cards.text.remedies import remedy
from bot.slack.channels import PAGE_SIZE, channels_in_use
from routing.governance.binding import Binding, is_channel_id, is_person_id
from routing.policy.policy import Policy

Channel = Mapping[str, Any]


async def channels(workspace: Workspace, policy: Policy, bound: Mapping[str, Binding]) -> Sequence[Finding]:
    """A line for each channel. A name that the bot has bound to an id already stands for that id, whoever carries the name now."""
    wanted = {name: _id_of(name, bound) for name in channels_in_use(policy, ids=True)}
    places = {name: found for name, found in wanted.items() if not is_person_id(name.removeprefix("#"))}
    try:
        listed = await _listed(workspace) if not all(places.values()) else None
        return [await _channel(workspace, name, found, listed) for name, found in places.items()]
    except UnreadableError as error:
        return [unreadable("channels", error)]


def _id_of(name: str, bound: Mapping[str, Binding]) -> str:
    plain = name.removeprefix("#")
    if is_channel_id(plain):
        return plain
    return bound[name].id if name in bound else ""


async def _channel(workspace: Workspace, name: str, channel_id: str, listed: Sequence[Channel] | None) -> Finding:
    if channel_id:
        channel = await _by_id(workspace, channel_id)
    else:
        carrying = [one for one in listed or () if one.get("name") == name.removeprefix("#")]
        channel = min(carrying, key=lambda one: bool(one.get("is_archived")), default=None)
    if channel is None:
        return _closed(name, "channel_not_found")
    if channel.get("is_archived"):
        return _closed(name, "is_archived")
    if channel.get("is_member") is False:
        return _closed(name, "not_in_channel")
    return ok(name, "It is there, and the app is in it.")


async def _by_id(workspace: Workspace, channel_id: str) -> Channel | None:
    try:
        told = (await workspace.ask("conversations.info", channel=channel_id)).get("channel")
    except UnreadableError as error:
        if error.code == "channel_not_found":
            return None
        raise
    return told if isinstance(told, dict) else None


def _closed(name: str, code: str) -> Finding:
    told = remedy(code)
    return missing(name, told.cause, told.mend)


async def _listed(workspace: Workspace) -> Sequence[Channel]:
    """Every channel that the app may see. Raises UnreadableError."""
    found: list[Channel] = []
    cursor: dict[str, str] = {}
    while True:
        page = await workspace.ask("conversations.list", types="public_channel,private_channel", limit=str(PAGE_SIZE), **cursor)
        found += [one for one in page.get("channels", []) if isinstance(one, dict)]
        following = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not following:
            return found
        cursor = {"cursor": following}
