"""From a press or a typed command about more than one case to the ledger, and back to the person. The one path of every such verb.

Owns putting together what is known of the press and which step belongs to which verb. It decides nothing: the steps do, on the locked
value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

import structlog

from bot.failures import failure
from bot.slack.actions.presses import Declined
from bot.slack.answering import unrecorded
from bot.slack.people import People, SlackUnreachable
from escalation.drill_watch import opener
from routing.authority import GovernanceVerb
from routing.case.people import GovernancePress, Person
from routing.change import Actor, Refused
from routing.governance.absence import answering_groups, come_back, leave, named_by_tiers
from routing.governance.alert_lifecycle import acknowledge
from routing.governance.automation import resume, tighten, workflow_of
from routing.governance.binding_lifecycle import confirm
from routing.governance.drill_lifecycle import Order, start, stop
from routing.governance.governance import Governance
from routing.governance.owed import want
from routing.governance.permissions import obstacle, refuse, role_groups
from routing.governance.policy_lifecycle import accept, before, decline, roll_back, widen
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.governance.waiver_lifecycle import Wish, approve, end, request
from routing.policy.policy import Policy
from store.ledger.answers import Conflict, Repeated, Ruled
from store.ledger.ledger import Ledger
from store.ledger.prefetch import InboxKey
from store.reads.cases import Reads

_OF_ONESELF = (GovernanceVerb.AWAY, GovernanceVerb.BACK)

_LOG = structlog.get_logger("tierline.rulings")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants. `key` names this one wish for ever; `number` is that of the bulletin pressed, None for a command; `known` is
    False for a message that is none of ours; `wish` belongs to the request of an exception, `order` to the start of a drill, `figure` to
    the verbs that need one.
    """

    verb: GovernanceVerb
    subject: str
    user: str
    team: str
    key: str
    reason: str = ""
    number: int | None = None
    figure: int = 0
    wish: Wish | None = None
    order: Order | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """It counts. `governance` as it is since, None where the same had been recorded before; `told` what the step answered."""

    governance: Governance | None
    told: str = ""


class Rulings:
    """Carries out what people decide about more than one case. `tally` counts by verb and result; `policy` gives the active one."""

    def __init__(
        self, ledger: Ledger, reads: Reads, people: People, policy: Callable[[], Policy], tally: Callable[[str, str], None]
    ) -> None:
        self._ledger = ledger
        self._reads = reads
        self._people = people
        self._policy = policy
        self._tally = tally

    async def carry_out(self, asked: Asked) -> Done | Declined:
        """Record it, or say why it does not count. What is answered `Done` is committed."""
        try:
            press = await self._press(asked)
            governance = await self._reads.governance()
            closed = await self._closed(governance, asked)
            step = step_of(press, asked, closed) if asked.known else _never("unknown_message")
            return self._told(asked, await self._govern(asked, press, step, _wanted(asked, governance)))
        except Exception as problem:  # noqa: BLE001 - whatever was raised, nobody knows that it is recorded, and whoever pressed must be told so
            return self._told(asked, _unrecorded(asked, problem))

    async def may_begin(self, asked: Asked) -> Declined | None:
        """Why this person may not do this at all, recorded as every refused press is; None when they may."""
        try:
            press = await self._press(asked)
            refused = obstacle(press, self._policy()) if asked.known else refuse("unknown_message")
            if refused is None:
                return None
            outcome = await self._govern(asked, press, lambda _governed, _now: refused, ())
            return Declined(refused.reason, refused.text) if isinstance(outcome, Done) else outcome
        except Exception as problem:  # noqa: BLE001 - as above
            return _unrecorded(asked, problem)

    async def person(self, asked: Asked) -> Person:
        """Who asks, with the groups that give roles and, for what is said of oneself, those that review."""
        try:
            us = await self._people.identity()
        except SlackUnreachable:
            return Person(id=asked.user, team=asked.team, known=False)
        policy = self._policy()
        groups = role_groups(policy) | (answering_groups(policy) if asked.verb in _OF_ONESELF else {})
        person = await self._people.person(asked.user, us.team, groups)
        return person if asked.team == us.team == person.team else replace(person, stranger=True)

    async def _press(self, asked: Asked) -> GovernancePress:
        person = await self.person(asked)
        if asked.verb in _OF_ONESELF:
            away = (await self._reads.governance()).away
            person = await self._people.with_ids(person, named_by_tiers(self._policy()) | away.keys())
        us = self._people.us
        return GovernancePress(asked.verb, person, us.team if us is not None else asked.team, asked.subject, asked.reason)

    async def _closed(self, governance: Governance, asked: Asked) -> frozenset[str]:
        """Which of the cases that stopped the workflow are decided; a decided case is never open again under the same stop."""
        if asked.verb is not GovernanceVerb.RESUME:
            return frozenset()
        cases = {one: await self._reads.case(one) for one in governance.control(workflow_of(asked.subject)).stop_cases}
        return frozenset(one for one, case in cases.items() if case is None or not case.open)

    async def _govern(self, asked: Asked, press: GovernancePress, step: GovernStep, wanted: Sequence[str]) -> Done | Declined:
        key = InboxKey("govern", f"{asked.team}/{asked.user}", asked.key)
        match await self._ledger.govern(step, wanted=wanted, press=press, key=key):
            case Ruled(governance=governance, answer=answer):
                return Done(governance, _answer(answer))
            case Refused() as refused:
                return Declined(refused.reason, refused.text)
            case Repeated(answer=answer):
                return _first_answer(answer)
            case Conflict():
                return Done(None)
            case unknown:
                assert_never(unknown)

    def _told(self, asked: Asked, outcome: Done | Declined) -> Done | Declined:
        self._tally(asked.verb.value, outcome.reason if isinstance(outcome, Declined) else "recorded")
        return outcome


Factory = Callable[[GovernancePress, Asked, frozenset[str]], GovernStep]

STEPS: Mapping[GovernanceVerb, Factory] = {
    GovernanceVerb.PAUSE: lambda press, _asked, _closed: tighten(press),
    GovernanceVerb.REVIEW_ALL: lambda press, _asked, _closed: tighten(press),
    GovernanceVerb.FREEZE: lambda press, _asked, _closed: tighten(press),
    GovernanceVerb.RESUME: lambda press, asked, closed: resume(press, closed=closed, seen=asked.number),
    GovernanceVerb.REQUEST_EXCEPTION: lambda press, asked, _closed: request(press, asked.wish or Wish((), timedelta(0))),
    GovernanceVerb.APPROVE_EXCEPTION: lambda press, _asked, _closed: approve(press),
    GovernanceVerb.END_EXCEPTION: lambda press, _asked, _closed: end(press),
    GovernanceVerb.ACKNOWLEDGE_ALERT: lambda press, _asked, _closed: acknowledge(press),
    GovernanceVerb.KEEP_NAME: lambda press, asked, _closed: confirm(press, asked.number),
    GovernanceVerb.MOVE_NAME: lambda press, asked, _closed: confirm(press, asked.number),
    GovernanceVerb.START_DRILL: lambda press, asked, _closed: _drill(press, asked),
    GovernanceVerb.STOP_DRILL: lambda press, _asked, _closed: stop(press.subject, Actor("human", press.person.id), press),
    GovernanceVerb.AWAY: lambda press, asked, _closed: leave(press, datetime.fromtimestamp(asked.figure, UTC)),
    GovernanceVerb.BACK: lambda press, _asked, _closed: come_back(press),
    GovernanceVerb.NOTIFY: lambda press, _asked, _closed: want(press, told=True),
    GovernanceVerb.NOTIFY_OFF: lambda press, _asked, _closed: want(press, told=False),
    GovernanceVerb.ACCEPT_POLICY: lambda press, _asked, _closed: accept(press),
    GovernanceVerb.DECLINE_POLICY: lambda press, _asked, _closed: decline(press),
    GovernanceVerb.WIDEN_POLICY: lambda press, asked, _closed: widen(press, asked.figure),
    GovernanceVerb.ROLL_BACK_POLICY: lambda press, _asked, _closed: roll_back(Actor("human", press.person.id), press.reason, press),
}
"""Verb -> its step. A file is proposed by the command line, and cases are quarantined one by one: those verbs have no step here."""


def step_of(press: GovernancePress, asked: Asked, closed: frozenset[str]) -> GovernStep:
    """The step of a verb; `closed` are the cases known to be decided that stopped its workflow."""
    factory = STEPS.get(press.verb)
    return factory(press, asked, closed) if factory is not None else _never("not_due")


def _drill(press: GovernancePress, asked: Asked) -> GovernStep:
    return start(asked.order, Actor("human", press.person.id), opener, press) if asked.order is not None else _never("not_due")


def _wanted(asked: Asked, governance: Governance) -> tuple[str, ...]:
    """Hashes of the policies that the step has to see."""
    match asked.verb:
        case GovernanceVerb.ACCEPT_POLICY:
            found = governance.proposal(asked.subject)
            return (found.sha256,) if found is not None else ()
        case GovernanceVerb.WIDEN_POLICY:
            return (governance.rollout.sha256,) if governance.rollout is not None else ()
        case GovernanceVerb.ROLL_BACK_POLICY:
            return before(governance)
        case _:
            return ()


def _never(code: str) -> GovernStep:
    def step(_governed: Governed, _now: datetime) -> Ruling | Refused:
        return refuse(code)

    return step


def _unrecorded(asked: Asked, problem: Exception) -> Declined:
    """Called while the exception is being handled."""
    _LOG.error("not recorded", verb=asked.verb, subject=asked.subject, **failure())
    return Declined(*unrecorded(problem))


def _first_answer(answer: object) -> Done | Declined:
    """What the same wish was answered the first time."""
    refused = answer.get("refused") if isinstance(answer, dict) else None
    if isinstance(refused, dict):
        return Declined(str(refused.get("reason")), str(refused.get("text")))
    return Done(None, _answer(answer))


def _answer(answer: object) -> str:
    """The id that a step gave, if any."""
    return str(answer.get("id") or "") if isinstance(answer, dict) else ""
