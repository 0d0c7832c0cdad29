"""The people whom the policy names, and those in its groups: known to Slack, and allowed to decide. Owns these lines."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.launch.finding import Finding, missing, ok, warn
from bot.launch.headcount import headcount
from bot.launch.named import people
from bot.launch.workspace import Workspace, unreadable
from bot.slack.calls import UnreadableError
from bot.slack.people import group_id, person_of
from routing.authorize import outsider
from routing.case.case import Group
from routing.governance.binding import Binding, group_name, is_group_id
from routing.policy.policy import Policy

TRIED = 20
"""Members of a group that are looked at until one is found who may decide."""

NOBODY = "Add members of this workspace to it; guests, bots and people of other workspaces do not count."

CANNOT = {
    "deactivated": "is deactivated",
    "bot": "is a bot",
    "stranger": "belongs to another workspace",
    "guest": "is a guest",
}
"""Why somebody who is known decides nothing, by the code of `routing.authorize.outsider`."""


class Members:
    """Asks about people, each once."""

    def __init__(self, workspace: Workspace, policy: Policy, team: str, bound: Mapping[str, Binding]) -> None:
        """`team` is our workspace's id; `bound` what names of groups stand for already."""
        self._workspace = workspace
        self._policy = policy
        self._team = team
        self._bound = bound
        self._asked: dict[str, asyncio.Task[str]] = {}
        self._members: dict[str, Sequence[str]] = {}

    async def groups(self) -> Sequence[Finding]:
        """A line for each group: it is there, and somebody in it may decide; and for work that takes more people than there are."""
        try:
            told = await self._workspace.ask("usergroups.list", include_users="true") if self._by_handle else {}
            listed = [one for one in told.get("usergroups", []) if isinstance(one, dict)]
            lines = await asyncio.gather(*(self._group(name, group, listed) for name, group in self._policy.groups.items()))
            return [*lines, *headcount(self._policy, self._members)]
        except UnreadableError as error:
            return [unreadable("groups", error)]

    async def people(self) -> Sequence[Finding]:
        """A line for each person who is named and could not decide."""
        named = people(self._policy)
        try:
            why = dict(zip(named, await asyncio.gather(*map(self._unfit, named)), strict=True))
        except UnreadableError as error:
            return [unreadable("people", error)]
        found = [
            missing(person, f"{said[:1].upper()}{said[1:]} ({'; '.join(named[person])}).", "Write somebody else into the policy there.")
            for person, said in why.items()
            if said
        ]
        return found or [ok("people", f"All {len(named)} who are named may decide." if named else "The policy names nobody by id.")]

    @property
    def _by_handle(self) -> bool:
        return any(group.usergroup is not None for group in self._policy.groups.values())

    async def _group(self, name: str, group: Group, listed: Sequence[Mapping[str, Any]]) -> Finding:
        about = f"group {name}"
        if group.usergroup is None:
            return await self._somebody(name, "It", group.users)
        reference, called = group.usergroup.removeprefix("@"), f"The user group {group_name(group.usergroup)}"
        known = self._bound.get(group_name(reference))
        wanted = known.id if known is not None and known.id and not is_group_id(reference) else reference
        found = group_id(listed, wanted)
        if not found:
            said = f"Slack has no {called[4:]}, or it is disabled."
            return missing(about, said, "Make it in Slack under People & user groups, enable it, or name another in the policy.")
        members = next(one for one in listed if one.get("id") == found).get("users")
        if not isinstance(members, list):
            members = (await self._workspace.ask("usergroups.users.list", usergroup=found)).get("users", [])
        return await self._somebody(name, called, members)

    async def _somebody(self, name: str, called: str, members: Sequence[str]) -> Finding:
        about = f"group {name}"
        if members:
            self._members[name] = members
        else:
            return missing(about, f"{called} is empty: nobody decides.", NOBODY)
        for member in members[:TRIED]:
            if not await self._unfit(member):
                break
        else:
            return missing(about, f"Nobody of the {len(members)} in it who were looked at may decide.", NOBODY)
        if len(members) == 1:
            return warn(about, f"{called} has one member: nobody stands in.", "Add a second member of this workspace to it.")
        return ok(about, f"{called} has {len(members)} members.")

    async def _unfit(self, user: str) -> str:
        """Why this person could not decide, empty where they could. Each is asked about once. Raises UnreadableError."""
        if user not in self._asked:
            self._asked[user] = asyncio.create_task(self._ask(user))
        return await asyncio.shield(self._asked[user])  # the other check may wait for it too

    async def _ask(self, user: str) -> str:
        try:
            told = (await self._workspace.ask("users.info", user=user)).get("user")
        except UnreadableError as error:
            if error.code in ("user_not_found", "user_not_visible"):
                return "is not known to Slack"
            raise
        if not isinstance(told, dict) or "id" not in told:
            return "is not known to Slack"
        code = outsider(person_of(told, user, self._team, frozenset()), self._team)
        return CANNOT.get(code, code) if code else ""
