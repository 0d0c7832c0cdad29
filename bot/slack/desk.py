"""What one person has before them: what they took, what waits for them, how the channels stand, what is stopped. Owns finding these, each
within bounds; whether somebody may decide a case says `routing.authorize`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.slack.cards.command_answers import ChannelStatus
from bot.slack.people import Identity, People
from routing.authority import Automation, GovernanceVerb, Role
from routing.authorize import Allowed, answering_groups, authorize, reason_codes
from routing.canonical import digest
from routing.case.case import Case
from routing.case.people import GovernancePress, Person, Press
from routing.governance.control import Control
from routing.governance.governance import Governance
from routing.governance.permissions import MAY, obstacle, role_groups, roles_of
from routing.governance.waiver import Waiver
from routing.policy.policy import Policy
from routing.review.outlook import upcoming
from routing.vocabulary import State, Verb
from store.database.database import Database
from store.reads.cases import Reads
from store.reads.due_cases import due_cases
from store.reads.tier_status import TierStatus, tier_statuses

LISTED = 7
"""Cases of each list."""

STRANGE = 3
"""After so many cases for others in a row the rest of a tier's queue is taken to be for others as well."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What `person` has before them. `claims` and `queue` begin with what is due first; `more_claims` and `more_queue`: there are others.
    `may_approve` are ids of those that this person may approve without a further word. `brakes` and `waivers` only for whoever may do
    something about them, and of `waivers` those that are asked for or in force. `paused` are workflows whose approvals stay here.
    """

    person: Person
    claims: tuple[Case, ...] = ()
    queue: tuple[Case, ...] = ()
    more_claims: int = 0
    more_queue: bool = False
    may_approve: frozenset[str] = frozenset()
    brakes: tuple[Control, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    supervises: bool = False
    paused: frozenset[str] = frozenset()

    @property
    def mark(self) -> str:
        """The same as long as a drawing of it would show the same."""
        cases = [
            [one.id, one.face, one.claimed_by, one.tier, str(one.clocks), one.id in self.may_approve] for one in self.claims + self.queue
        ]
        stopped = [*map(str, self.brakes), *map(str, self.waivers)]
        paused = sorted(self.paused & {one.workflow for one in self.claims + self.queue})
        return digest([cases, self.more_claims, self.more_queue, stopped, paused])


@dataclass(frozen=True, slots=True)
class Standing:
    """What the policy in force makes of a person: the channels in which they answer, and their roles."""

    answers_in: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()


class Desks:
    """Reads desks. `clock` gives aware UTC times, `policy` the active policy."""

    def __init__(
        self, database: Database, reads: Reads, people: People, clock: Callable[[], datetime], policy: Callable[[], Policy]
    ) -> None:
        self._database = database
        self._reads = reads
        self._people = people
        self._clock = clock
        self._policy = policy

    async def of(self, user: str, us: Identity) -> Desk:
        """What this person has before them now. Somebody of whom Slack says nothing has nothing."""
        policy = self._policy()
        person = await self._people.person(user, us.team, role_groups(policy))
        roles = roles_of(person, policy)
        governance = await self._reads.governance()
        claimed = sorted(await self._reads.claimed_by(user), key=_due)
        queue, more = await self._queue(user, us)
        listed = [*claimed[:LISTED], *queue]
        allowed = [case.id for case in listed if await self._approves(user, us, case)]
        return Desk(
            person,
            tuple(claimed[:LISTED]),
            tuple(queue),
            max(0, len(claimed) - LISTED),
            more,
            frozenset(allowed),
            brakes=stopped(governance) if roles & MAY[GovernanceVerb.RESUME] else (),
            waivers=_waiving(governance) if roles & (MAY[GovernanceVerb.APPROVE_EXCEPTION] | MAY[GovernanceVerb.END_EXCEPTION]) else (),
            supervises=bool(roles & MAY[GovernanceVerb.RESUME]),
            paused=frozenset(one.workflow for one in stopped(governance) if one.automation.level >= Automation.PAUSED.level),
        )

    async def _queue(self, user: str, us: Identity) -> tuple[list[Case], bool]:
        """Those that wait for this person, due first, and whether there are more."""
        found, strange = list[Case](), Counter[tuple[str, int, str]]()
        for case in await self._database.read(due_cases):
            place = (case.workflow, case.tier, case.route.lane)
            if strange[place] >= STRANGE:
                continue
            person = await self._people.person(user, us.team, case.route.groups)
            if not person.groups & answering_groups(case):
                strange[place] += 1
                continue
            strange[place] = 0
            if isinstance(authorize(pressing(Verb.APPROVE, person, case), case), Allowed):
                if len(found) == LISTED:
                    return found, True
                found.append(case)
        return found, False

    async def _approves(self, user: str, us: Identity, case: Case) -> bool:
        """Whether this person's bare press of Approve would count."""
        person = await self._people.person(user, us.team, case.route.groups)
        press = Press(verb=Verb.APPROVE, person=person, case_id=case.id, face=case.face, team=us.team)
        return case.state is State.PENDING and isinstance(authorize(press, case), Allowed)

    async def standing(self, user: str, us: Identity) -> Standing:
        """What this person is by the policy in force."""
        person = await self._people.person(user, us.team, role_groups(self._policy()))
        held = roles_of(person, self._policy())
        return Standing(tuple(await self.answers_in(person, us)), tuple(role for role in Role if role in held))

    async def who_may(self, user: str, us: Identity, word: str) -> str:
        """Whether this person may do what a word of `/review` does, and else who; "" for what hangs on no role."""
        verb = next((verb for verb in MAY if verb.value.replace("_", "-") == word), None)
        if verb is None:
            return ""
        person = await self._people.person(user, us.team, role_groups(self._policy()))
        refused = obstacle(GovernancePress(verb, person, us.team, ""), self._policy())
        return "You may." if refused is None else refused.text

    async def answers_in(self, person: Person, us: Identity) -> Sequence[str]:
        """The channels of the tiers for which this person answers by the policy in force."""
        policy = self._policy()
        ladders = {workflow.ladder for workflow in policy.workflows.values()}
        tiers = [tier for ladder in sorted(ladders) for tier in policy.tiers[ladder]]
        groups = {tier.group: policy.groups[tier.group] for tier in tiers if tier.group in policy.groups}
        ours = (await self._people.person(person.id, us.team, groups)).groups
        return [*dict.fromkeys(tier.channel for tier in tiers if tier.group in ours)]

    async def channels(self) -> list[ChannelStatus]:
        """How each channel stands, whichever workflows and ladders have a tier there."""
        tiers = await self._database.read(partial(tier_statuses, now=self._clock()))
        by_channel: dict[str, list[TierStatus]] = {}
        for one in tiers:
            by_channel.setdefault(self._channel(one), []).append(one)
        return [_together(channel, found) for channel, found in by_channel.items()]

    def _channel(self, status: TierStatus) -> str:
        """Where these cases wait by the active policy; the number of the tier where it has no such place any more."""
        workflow = self._policy().workflow(status.workflow)
        tiers = self._policy().tiers[workflow.ladder] if workflow is not None else ()
        return tiers[status.tier].channel if status.tier < len(tiers) else f"tier {status.tier + 1}"


def pressing(verb: Verb, person: Person, case: Case) -> Press:
    """The press this person could make, with whatever words it takes."""
    reason = next(iter(reason_codes(verb, case)), "")
    return Press(verb=verb, person=person, case_id=case.id, face=case.face, team=person.team, reason_code=reason, text="filled in")


def stopped(governance: Governance) -> tuple[Control, ...]:
    """The workflows that may not act as their policy lets them."""
    return tuple(one for one in governance.controls.values() if one.automation is not Automation.ON)


def _waiving(governance: Governance) -> tuple[Waiver, ...]:
    return tuple(sorted((one for one in governance.waivers if not one.over), key=lambda one: (one.state, one.until)))


def _due(case: Case) -> tuple[bool, float, str]:
    first = upcoming(case)
    return first is None, first.at.timestamp() if first is not None else 0.0, case.id


def _together(channel: str, statuses: Sequence[TierStatus]) -> ChannelStatus:
    """What waits in a channel, whichever workflow and ladder it comes from."""
    waiting = sum(one.waiting for one in statuses)
    due = min((one.next for one in statuses if one.next is not None), key=lambda move: move.at, default=None)
    return ChannelStatus(channel, waiting, waiting - sum(one.claimed for one in statuses), sum(one.late for one in statuses), due)
