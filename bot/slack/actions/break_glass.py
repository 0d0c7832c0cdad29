"""What is known of somebody who wants to decide by break-glass: whether the policy in force lets them, who would be told, what it would
pass over. Owns looking these facts up; `routing.review.break_glass` judges them, again, on the locked case.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.slack.people import People
from routing.case.case import Case
from routing.case.people import Press
from routing.change import Refused, Subject
from routing.governance.governance import Governance
from routing.policy.policy import Policy
from routing.review.break_glass import Terms, obstacle, standing_of
from routing.vocabulary import EventKind
from store.reads.history import Happening

_OF_CHECKLISTS = (EventKind.VERIFICATION_FAILED, EventKind.MODIFIED, EventKind.INFORMATION_SUPPLIED)
"""A point that was found wrong stands until the content changes."""


class Reads(Protocol):
    """What is read of the uses so far and of the case."""

    async def governance(self) -> Governance:
        """The uses, and the brakes."""
        ...

    async def history(self, case_id: str) -> Sequence[Happening]:
        """The events of a case."""
        ...


class BreakGlassFacts:
    """Looks the facts up. `policy` gives the policy in force, `clock` aware UTC times."""

    def __init__(self, reads: Reads, people: People, policy: Callable[[], Policy], clock: Callable[[], datetime]) -> None:
        self._reads = reads
        self._people = people
        self._policy = policy
        self._clock = clock

    async def of(self, press: Press, user: str) -> Press:
        """The press with what it takes. Raises SlackUnreachable."""
        policy = self._policy()
        rule = policy.form.break_glass
        person = press.person
        if rule is None or not person.known:
            return press
        holder = await self._people.person(user, press.team, {rule.group: policy.groups[rule.group]})
        supervisors, handle = await self._people.members(policy.groups[rule.supervisors])
        told = [one.kind for one in await self._reads.history(press.case_id) if one.kind in _OF_CHECKLISTS]
        wrong = told[-1:] == [EventKind.VERIFICATION_FAILED]
        return replace(press, standing=standing_of(policy, holder, sorted(supervisors), handle), found_wrong=wrong)

    async def weigh(self, press: Press, case: Case) -> Refused | Terms:
        """What using it would come to now, or why it would be refused."""
        governance = await self._reads.governance()
        automation, uses = governance.control(case.workflow).automation, governance.break_glass
        subject = Subject(case, automation=automation, dark=governance.dark, break_glass=uses, active=self._policy())
        return obstacle(replace(press, text="filled in", confirmed=True), subject, self._clock())
