"""Channels as the policy names them and as Slack has them: resolved once, then addressed by id; looked at now and then, and when Slack says
that something changed; and whether messages arrive there.

Owns asking Slack about channels, never on the way of a message once its name is bound. What follows from what it finds is decided in
`routing.governance.binding_lifecycle`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.readiness import Obstacle
from bot.slack.calls import UnreadableError, read
from bot.slack.cards.text.remedies import trouble_sentence
from bot.slack.names import Names
from bot.timeouts import REAL, Timeouts
from routing.governance.binding import Binding, channel_name, group_name, is_channel_id, is_group_id, is_person_id
from routing.governance.binding_lifecycle import part, reachable, unreachable
from routing.policy.policy import Policy
from store.ledger.ledger import Ledger
from store.outbox.delivery import SendError
from store.reads.cases import Reads

LOOK_EVERY = timedelta(minutes=5)
TROUBLED_EVERY = timedelta(minutes=1)
"""How often channels are looked at: all, and those to which nothing can be sent."""

SCAN_FRESH = timedelta(minutes=1)
"""How long a listing of the workspace's channels answers for names that it did not have; what Slack tells meanwhile is noted in it."""

NEVER = datetime.min.replace(tzinfo=UTC)

PAGE_SIZE = 999
"""Slack: "must be an integer under 1000". https://docs.slack.dev/reference/methods/conversations.list"""

SEEN_BY_LOOKING = frozenset({"not_in_channel", "channel_not_found", "is_archived", "is_inactive", "user_group_gone"})
TOKENS = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})
"""Causes that are gone once Slack answers that we are a member of an open channel. Others show in what is sent alone."""

UNDOUBTED = frozenset({"is_archived", "channel_not_found"})
"""Causes that looking tells before anything was sent; who is no member may be allowed to post all the same."""

_LOG = structlog.get_logger("tierline.channels")


@dataclass(frozen=True, slots=True)
class _Scan:
    """Ids by name, as a listing had them; `cursor` where it goes on, "" once it is whole."""

    found: Mapping[str, str]
    cursor: str
    at: datetime

    def called(self, channel: str, name: str) -> "_Scan":
        """The same after Slack said that `channel` has this name now."""
        others = {one: wanted for one, wanted in self.found.items() if wanted != channel}
        return replace(self, found={**others, name: channel})


class Channels:
    """`hasten` lets go at once what waits for these destinations; `policy` gives the active one, `clock` aware UTC times."""

    def __init__(
        self,
        client: AsyncWebClient,
        ledger: Ledger,
        reads: Reads,
        policy: Callable[[], Policy],
        clock: Callable[[], datetime],
        *,
        hasten: Callable[[Collection[str]], Awaitable[None]],
        timeouts: Timeouts = REAL,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._reads = reads
        self._names = Names(ledger, reads)
        self._policy = policy
        self._clock = clock
        self._hasten = hasten
        self._timeouts = timeouts
        self._scan: _Scan | None = None
        self._scanning = asyncio.Lock()
        self._looked_at: datetime | None = None
        self._probed_at: datetime | None = None
        self._compared: dict[str, datetime] = {}

    async def id_of(self, destination: str) -> str:
        """The id to post to, for a channel that the policy names by name or id, or a person. Raises SendError."""
        plain = destination.removeprefix("#")
        if is_channel_id(plain) or is_person_id(plain):
            return plain
        name = channel_name(plain)
        known = (await self._names.known()).get(name)
        if known is not None and known.id:
            return known.id
        await self._resolve_channels(None)  # one listing serves all names of the policy
        found = (await self._listing()).get(plain)
        if found is None:
            raise SendError("channel_not_found", mendable=True)
        return await self._names.bind(name, found)

    async def refused(self, destination: str, error: str) -> None:
        """Slack refuses what is sent there, with this code."""
        if not is_person_id(destination):
            await self._ledger.govern(unreachable(channel_name(destination), error))

    async def reached(self, destination: str) -> None:
        """Something arrived there."""
        known = (await self._names.known()).get(channel_name(destination))
        if known is not None and known.trouble:
            await self._ledger.govern(reachable(known.name, "a message arrived"))
            await self._let_go([known])

    async def moved(self, name: str) -> None:
        """An owner said what the name stands for from now on: what waits for it goes there."""
        if (bound := (await self._names.known()).get(name)) is not None:
            await self._let_go([bound])

    async def tick(self) -> None:
        """Look at what is due to be looked at. Never raises for what Slack says or fails to say."""
        now = self._clock()
        troubled = [one for one in (await self._names.known()).values() if one.trouble or not one.id]
        everything = self._looked_at is None or now - self._looked_at >= LOOK_EVERY
        if everything:
            self._looked_at = self._probed_at = now
            await self.look()
        elif troubled and (self._probed_at is None or now - self._probed_at >= TROUBLED_EVERY):
            self._probed_at = now
            await self.look([one.name for one in troubled])

    async def look(self, only: Collection[str] | None = None) -> None:
        """Compare the names in use (or `only` these) with what Slack says of them, and resolve those that stand for nothing yet.

        Those that were not compared for the longest come first: where Slack asks to wait, the next look goes on.
        """
        for resolve in (self._resolve_channels, self._resolve_groups):
            try:
                await resolve(only)
            except SendError as error:  # Slack does not answer, or is busy: it is asked again later
                _LOG.warning("names not resolved", cause=error.reason)
        concerned = [one for one in await self._watched() if only is None or one.name in only]
        for bound in sorted(concerned, key=lambda one: self._compared.get(one.name, NEVER)):
            try:
                await self._compare(bound)
            except SendError as error:
                _LOG.warning("channels not looked at", cause=error.reason)
                if error.retry_after_s is None:  # it alone may be to blame, so the others come first next time
                    self._compared[bound.name] = self._clock()
                return
            self._compared[bound.name] = self._clock()

    async def heard(self, event: Mapping[str, Any]) -> None:
        """Slack says that a channel or a user group changed, or that we were let into one. Raises SendError."""
        of_group = "channel" not in event
        about = event.get("channel") or event.get("subteam") or {}
        wanted, called = (about, "") if isinstance(about, str) else (str(about.get("id") or ""), str(about.get("name") or ""))
        if event.get("type") == "member_joined_channel":
            _, called = await self._seen(wanted)  # a private channel's name, which no listing had before we were let in
        if called and not of_group and self._scan is not None:
            self._scan = self._scan.called(wanted, called)
        alike = [one for one in await self._watched() if one.name.startswith("@") == of_group]
        unsure = [one for one in alike if not (one.id or is_channel_id(one.name[1:])) or one.trouble or one.parted]
        concerned = [one for one in alike if one in unsure or wanted in (one.id, one.name[1:]) or one.name == channel_name(called)]
        if concerned:
            await self._let_go(concerned)
            await self.look([one.name for one in concerned])

    async def obstacles(self) -> Sequence[Obstacle]:
        """Channels to which nothing can be sent: cause, remedy and how much waits, a sentence each; the others go on.

        Raises what the database raises.
        """
        troubled = [one for one in (await self._names.known()).values() if one.trouble]
        said = [trouble_sentence(one, await self._reads.waiting_for(destinations_of(one))) for one in troubled]
        return [Obstacle("channels", sentence, stops=False) for sentence in said]

    async def _watched(self) -> Sequence[Binding]:
        """What names stand for, and the channels that the policy has by their ids."""
        known, now = await self._names.known(), self._clock()
        by_id = [one for one in channels_in_use(self._policy(), ids=True) if is_channel_id(one.removeprefix("#"))]
        return [*known.values(), *(Binding(name=one, since=now) for one in by_id if one not in known)]

    async def _resolve_channels(self, only: Collection[str] | None) -> None:
        if new := await self._unbound(channels_in_use(self._policy()), only):
            listing, known = await self._listing(), await self._names.known()
            for name in new:
                if (found := listing.get(name.removeprefix("#"))) is not None:
                    await self._names.bind(name, found)
                    if (waited := known.get(name)) is not None:
                        await self._let_go([waited])

    async def _resolve_groups(self, only: Collection[str] | None) -> None:
        if new := await self._unbound(groups_in_use(self._policy()), only):
            handles = {handle: group for group, handle in (await self._groups()).items()}
            for name in new:
                if (found := handles.get(name.removeprefix("@"))) is not None:
                    await self._names.bind(name, found)

    async def _unbound(self, names: Sequence[str], only: Collection[str] | None) -> Sequence[str]:
        known = await self._names.known()
        return [name for name in names if (only is None or name in only) and (name not in known or not known[name].id)]

    async def _groups(self) -> Mapping[str, str]:
        """Handle by id of every user group in use. Raises SendError."""
        listed = (await read(self._client, self._timeouts, "usergroups.list")).get("usergroups", [])
        return {str(one.get("id")): str(one.get("handle")) for one in listed if not one.get("date_delete")}

    async def _compare(self, bound: Binding) -> None:
        """Hold one binding against Slack."""
        if bound.name.startswith("@"):
            if bound.name in groups_in_use(self._policy()):
                await self._compare_group(bound)
            return
        idle = not await self._reads.waiting_for(destinations_of(bound))
        if idle and bound.name not in channels_in_use(self._policy(), ids=True):
            await self._ledger.govern(reachable(bound.name, "the policy does not send there any more"))
            return
        wanted = bound.id or (plain if is_channel_id(plain := bound.name.removeprefix("#")) else "")
        if not wanted:
            return
        trouble, called = await self._seen(wanted)
        if bound.id:
            await self._compare_names(bound, called, trouble)
        if bound.trouble and not trouble and bound.trouble in SEEN_BY_LOOKING | TOKENS:
            await self._ledger.govern(reachable(bound.name, "looked at"))
            await self._let_go([bound])
        elif bound.trouble and idle and bound.trouble not in SEEN_BY_LOOKING | TOKENS:
            await self._ledger.govern(reachable(bound.name, "nothing waits for it any more"))
        elif trouble in UNDOUBTED and trouble != bound.trouble:
            await self._ledger.govern(unreachable(bound.name, trouble))

    async def _seen(self, channel: str) -> tuple[str, str]:
        """What keeps messages from a channel as far as looking tells, and what it is called now. Raises SendError."""
        try:
            told = (await read(self._client, self._timeouts, "conversations.info", channel=channel)).get("channel") or {}
        except UnreadableError as error:
            if error.code not in SEEN_BY_LOOKING | TOKENS:
                raise
            return error.code, ""
        trouble = "is_archived" if told.get("is_archived") else "not_in_channel" if told.get("is_member") is False else ""
        return trouble, str(told.get("name") or "")

    async def _compare_names(self, bound: Binding, called: str, trouble: str) -> None:
        plain = bound.name.removeprefix("#")
        other = called if called and called != plain else ""
        claimant = ""
        if other or trouble in UNDOUBTED:
            carries = (await self._listing()).get(plain, "")
            claimant = carries if carries != bound.id else ""
        if (other, claimant) != (bound.called, bound.claimant):
            await self._ledger.govern(part(bound.name, other, claimant))

    async def _compare_group(self, bound: Binding) -> None:
        in_use = await self._groups()
        plain = bound.name.removeprefix("@")
        called = in_use.get(bound.id, "")
        other = called if called != plain else ""
        claimant = next((one for one, handle in in_use.items() if handle == plain and one != bound.id), "")
        if (other, claimant) != (bound.called, bound.claimant):
            await self._ledger.govern(part(bound.name, other, claimant))
        gone = bool(bound.id) and not called
        if gone and not bound.trouble:
            await self._ledger.govern(unreachable(bound.name, "user_group_gone"))
        if not gone and bound.trouble:
            await self._ledger.govern(reachable(bound.name, "looked at"))

    async def _listing(self) -> Mapping[str, str]:
        """Ids by name. A listing that ran into Slack's limit goes on where it stopped.

        Raises SendError, then with the wait Slack asked for.
        """
        async with self._scanning:
            scan, now = self._scan, self._clock()
            if scan is not None and not scan.cursor and now - scan.at < SCAN_FRESH:
                return scan.found
            scan = scan if scan is not None and scan.cursor else _Scan({}, "", now)
            async for page in self._pages(scan):
                scan = self._scan = page
            return scan.found

    async def _pages(self, scan: _Scan) -> AsyncIterator[_Scan]:
        while True:
            arguments = {"types": "public_channel,private_channel", "limit": str(PAGE_SIZE)}
            try:
                page = await read(
                    self._client,
                    self._timeouts,
                    "conversations.list",
                    **arguments,
                    **({"cursor": scan.cursor} if scan.cursor else {}),
                )
            except UnreadableError as error:
                if error.code == "invalid_cursor":
                    self._scan = None
                if error.refused:
                    raise SendError(error.code, mendable=True) from error
                raise SendError(error.reason, retry_after_s=error.retry_after_s) from error
            found = dict(scan.found)
            for channel in sorted(page.get("channels", []), key=lambda one: not one.get("is_archived")):
                name, open_one = str(channel.get("name")), not channel.get("is_archived")
                if open_one or name not in found:  # an open channel before an archived one, should both carry the name
                    found[name] = str(channel.get("id"))
            scan = _Scan(found, str((page.get("response_metadata") or {}).get("next_cursor") or ""), self._clock())
            yield scan
            if not scan.cursor:
                return

    async def _let_go(self, bindings: Iterable[Binding]) -> None:
        await self._hasten([one for binding in bindings for one in destinations_of(binding)])


def destinations_of(binding: Binding) -> tuple[str, ...]:
    """How messages to this channel are addressed in the outbox."""
    return (binding.name, binding.name.removeprefix("#"))


def channels_in_use(policy: Policy, *, ids: bool = False) -> Sequence[str]:
    """Every name of a channel that the policy sends to; with `ids` also those it names by id, which need no resolving."""
    rungs = [rung for ladder in policy.form.ladders.values() for rung in ladder.tiers]
    desks = [desk.channel for rung in rungs for desk in rung.queues]
    said, told = policy.form.channels, [one.channel for playbook in policy.form.playbooks for one in playbook.tell]
    channels = [one for one in (*(rung.channel for rung in rungs), *desks, *told, said.operations, said.owners) if one is not None]
    return tuple(dict.fromkeys(channel_name(one) for one in channels if ids or not is_channel_id(one.removeprefix("#"))))


def groups_in_use(policy: Policy) -> Sequence[str]:
    """Every name of a user group by which the policy says who answers."""
    handles = (group.usergroup for group in policy.groups.values())
    return tuple(dict.fromkeys(group_name(one) for one in handles if one is not None and not is_group_id(one.removeprefix("@"))))
