"""The facts about a person at the moment they press: what Slack says of the account and to which groups of the policy it belongs.

Owns asking Slack, within one second, and remembering the answer for at most sixty. It judges nothing (`routing.authorize` does), and where
Slack does not answer it says so: then nobody decides.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.names import Names
from bot.timeouts import REAL, Timeouts
from routing.authorize import answering_groups
from routing.case.address import DOTLESS
from routing.case.case import Case, Group
from routing.case.people import Person
from routing.governance.binding import Binding, group_name, is_group_id
from store.ledger.writer import CannotRecordError, WriterClosedError

FRESH = timedelta(seconds=60)
NAME_FRESH = timedelta(days=1)
"""Names are shown, nothing hangs on them."""

BUDGET_S = 1.0
REMEMBERED = 5_000
"""Answers kept at most; the whole memory is dropped when it is full."""


class SlackUnreachable(RuntimeError):
    """Slack could not be asked, or gave no answer that could be read; nothing is known."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in Slack, as auth.test says: the workspace and its address, our bot and the user it posts as."""

    team: str
    url: str
    user: str
    bot: str

    def permalink(self, channel: str, ts: str) -> str:
        """Address of a message of this workspace, spelled as chat.getPermalink spells it."""
        return f"{self.url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"


@dataclass(frozen=True, slots=True)
class _Remembered:
    answer: Mapping[str, Any]
    until: datetime


class People:
    """Asks Slack about people. `clock` gives aware UTC times.

    The policy names a user group by its id or by its handle; the handle is looked up in `usergroups.list` once and bound to the id. A group
    that is disabled or gone has no members, whoever carries its handle now.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        clock: Callable[[], datetime],
        timeouts: Timeouts = REAL,
        *,
        names: Names | None = None,
        dotless: Callable[[], Collection[str]] = lambda: DOTLESS,
    ) -> None:
        """`names` says what handles stand for; without it whoever carries a handle now is meant. `dotless` gives the mail domains where the
        policy in force says that dots before the @ mean nothing.
        """
        self._dotless = dotless
        self._names_bound = names
        self._client = client
        self._clock = clock
        self._timeouts = timeouts
        self._memory: dict[tuple[str, str], _Remembered] = {}
        self._names: dict[str, tuple[str, datetime]] = {}
        self.us: Identity | None = None
        """Who we are, once Slack has said so."""

    async def identity(self) -> Identity:
        """Who we are; asked once, because a token stays with its bot. Raises SlackUnreachable."""
        if self.us is None:
            try:
                async with self._timeouts.within(BUDGET_S):
                    answer = await self._call("auth.test", "")
            except TimeoutError as error:
                raise SlackUnreachable("auth.test") from error
            self.us = Identity(
                str(answer["team_id"]), str(answer.get("url") or ""), str(answer["user_id"]), str(answer.get("bot_id") or "")
            )
        return self.us

    async def person(self, user: str, team: str, groups: Mapping[str, Group]) -> Person:
        """What is known of `user`, who pressed in `team`, and which of `groups` (by the policy's name) they are in. Raises
        what reading the bindings of names raises; where Slack does not answer, the person is not known.
        """
        try:
            async with self._timeouts.within(BUDGET_S):
                profile, memberships = await asyncio.gather(self._ask("users.info", user), self._memberships(user, groups))
        except (SlackUnreachable, TimeoutError):
            return Person(id=user, team=team, known=False)
        return replace(person_of(profile["user"], user, team, memberships), dotless=self._dotless())

    async def with_ids(self, person: Person, others: Collection[str]) -> Person:
        """The person with those of the `others`, ids of people, that are theirs as well, by id or by e-mail address, as far as Slack says
        it in time.
        """
        if not person.known:
            return person
        found = await asyncio.gather(*(self.person(other, person.team, {}) for other in sorted({*others} - person.ids)))
        same = {name for one in found if one.known and one.names & person.names for name in one.ids}
        return replace(person, aliases=person.aliases | same)

    async def addressed(self, text: str, team: str, case: Case) -> tuple[Person | None, str]:
        """Whom a text begins with, and the rest of it: somebody by Slack's own `<@U…>`, by id, or, after an `@`, by the name of somebody
        who answers for the case now. None where it is nobody. Raises SlackUnreachable, and what `person` raises.
        """
        groups = case.route.groups
        if (mentioned := _MENTION.match(text)) is not None:
            return await self.person(mentioned["escaped"] or mentioned["bare"], team, groups), text[mentioned.end() :].strip()
        if not text.startswith("@"):
            return None, text
        typed = text[1:].strip()
        answering = [groups[name] for name in sorted(answering_groups(case)) if name in groups]
        found: list[tuple[int, str]] = []
        for group in answering:
            for user in (await self.members(group))[0]:
                profile = (await self._ask("users.info", user))["user"]
                found += [(len(name), user) for name in _called(profile) if _begins(typed, name)]
        if not found:
            return None, text
        length, user = max(found)
        alike = {one for many, one in found if many == length}
        return (await self.person(user, team, groups), typed[length:].strip()) if len(alike) == 1 else (None, text)

    async def members(self, group: Group) -> tuple[frozenset[str], str]:
        """Who is in a group, and the id of its user group, "" where it is none or not in use. Raises SlackUnreachable, and what reading the
        bindings of names raises.
        """
        if group.usergroup is None:
            return frozenset(group.users), ""
        reference = group.usergroup.removeprefix("@")
        try:
            async with self._timeouts.within(BUDGET_S):
                listed = (await self._ask("usergroups.list", "")).get("usergroups", [])
                bound = await self._names_bound.known() if not is_group_id(reference) and self._names_bound is not None else {}
                found = await self._group_id(listed, reference, bound)
                return (await self._members(found), found) if found else (frozenset(), "")
        except TimeoutError as error:
            raise SlackUnreachable("usergroups.users.list") from error

    async def names(self, users: Collection[str]) -> dict[str, str]:
        """The names of these users, to show them: at most a day old, without those whom Slack cannot name just now. Never raises."""
        now = self._clock()
        unknown = [user for user in users if user not in self._names or self._names[user][1] <= now]
        found = await asyncio.gather(*map(self._name, unknown))
        self._names |= {user: (name, now + (NAME_FRESH if name else FRESH)) for user, name in zip(unknown, found, strict=True)}
        return {user: self._names[user][0] for user in users if self._names[user][0]}

    async def _name(self, user: str) -> str:
        try:
            async with self._timeouts.within(BUDGET_S):
                return _name((await self._call("users.info", user))["user"])
        except (SlackUnreachable, TimeoutError):
            return ""

    async def user_groups(self, references: Collection[str]) -> dict[str, str]:
        """Slack's ids of user groups in use, by handle or id as given; what is not in use is left out. Raises SlackUnreachable."""
        listed = (await self._ask("usergroups.list", "")).get("usergroups", [])
        bound = await self._names_bound.known() if self._names_bound is not None else {}
        found = {one: await self._group_id(listed, one.removeprefix("@"), bound) for one in references}
        return {one: group for one, group in found.items() if group}

    async def _memberships(self, user: str, groups: Mapping[str, Group]) -> frozenset[str]:
        wanted = {name: group.usergroup.removeprefix("@") for name, group in groups.items() if group.usergroup is not None}
        listed = (await self._ask("usergroups.list", "")).get("usergroups", []) if wanted else []
        by_handle = any(not is_group_id(reference) for reference in wanted.values())
        bound = await self._names_bound.known() if by_handle and self._names_bound is not None else {}
        ids = {name: await self._group_id(listed, reference, bound) for name, reference in wanted.items()}
        found = sorted({one for one in ids.values() if one})
        members = dict(zip(found, await asyncio.gather(*map(self._members, found)), strict=True))
        return frozenset(name for name, group in groups.items() if user in group.users or user in members.get(ids.get(name, ""), ()))

    async def _group_id(self, listed: list[Mapping[str, Any]], reference: str, bound: Mapping[str, Binding]) -> str:
        """The id of the group that is meant, "" where it is not in use. A handle means for good the group that had it when first asked."""
        found = group_id(listed, reference)
        if self._names_bound is None or is_group_id(reference):
            return found
        name = group_name(reference)
        known = bound.get(name)
        if known is not None and known.id:
            return group_id(listed, known.id)
        if not found:
            return ""
        try:
            return group_id(listed, await self._names_bound.bind(name, found))
        except (CannotRecordError, WriterClosedError) as error:
            raise SlackUnreachable("what a user group's handle stands for could not be recorded") from error

    async def _members(self, group_id: str) -> frozenset[str]:
        return frozenset((await self._ask("usergroups.users.list", group_id)).get("users", []))

    async def _ask(self, method: str, about: str) -> Mapping[str, Any]:
        """One reading call, or its answer if it is fresh."""
        now, key = self._clock(), (method, about)
        known = self._memory.get(key)
        if known is not None and now < known.until:
            return known.answer
        answer = await self._call(method, about)
        if len(self._memory) >= REMEMBERED:
            self._memory.clear()
        self._memory[key] = _Remembered(answer, now + FRESH)
        return answer

    async def _call(self, method: str, about: str) -> Mapping[str, Any]:
        arguments = {"users.info": {"user": about}, "usergroups.users.list": {"usergroup": about}}.get(method, {})
        try:
            response = await self._client.api_call(method, http_verb="GET", params=arguments)
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlackUnreachable(method) from error
        if not isinstance(response.data, dict):
            raise SlackUnreachable(method)
        return response.data


def person_of(user: Mapping[str, Any], pressed_as: str, team: str, groups: frozenset[str]) -> Person:
    """A `users.info` user as the facts that count. Source: https://docs.slack.dev/reference/objects/user-object

    In an enterprise one person has an id of the enterprise and may have one in each workspace; which one comes where is Slack's to say.
    """
    enterprise = user.get("enterprise_user") or {}
    enterprise_teams = enterprise.get("teams") or []
    return Person(
        id=str(user["id"]),
        team=team if team in enterprise_teams else str(user.get("team_id") or ""),
        name=_name(user),
        email=str((user.get("profile") or {}).get("email") or ""),
        groups=groups,
        deleted=bool(user.get("deleted")),
        bot=bool(user.get("is_bot")) or user["id"] == "USLACKBOT",
        guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        stranger=bool(user.get("is_stranger")),
        aliases=frozenset({pressed_as, str(enterprise.get("id") or "")} - {"", str(user["id"])}),
    )


def group_id(listed: Sequence[Mapping[str, Any]], reference: str) -> str:
    """The id of the group in use that has this id or handle, "" where there is none."""
    return next((str(one["id"]) for one in listed if reference in (one.get("id"), one.get("handle")) and not one.get("date_delete")), "")


_MENTION = re.compile(r"\s*(?:<@(?P<escaped>[UW][A-Z0-9]{2,30})(?:\|[^<>]*)?>|(?P<bare>[UW][A-Z0-9]{2,30})\b)")


def _called(user: Mapping[str, Any]) -> set[str]:
    """The names somebody may be called by, as their profile has them."""
    profile = user.get("profile") or {}
    names = (user.get("name"), profile.get("display_name"), profile.get("real_name"), user.get("real_name"))
    return {str(name) for name in names if name}


def _begins(text: str, name: str) -> bool:
    """Whether the text begins with this name, whole, in whatever capitals."""
    rest = text[len(name) : len(name) + 1]
    return text[: len(name)].casefold() == name.casefold() and not rest.isalnum()


def _name(user: Mapping[str, Any]) -> str:
    profile = user.get("profile") or {}
    return str(profile.get("real_name") or user.get("real_name") or user.get("name") or "")
