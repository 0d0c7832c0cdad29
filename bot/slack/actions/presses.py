"""From a press to the ledger and to the sentence the person gets. The one path of every verb.

Owns putting together what is known of a press (the person, the card, the team) and what a person is told. It decides nothing: steps and
`routing.authorize` do, on the locked case.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol, assert_never

import structlog

from bot.failures import failure
from bot.slack.actions.break_glass import BreakGlassFacts
from bot.slack.actions.pressed import Pressed
from bot.slack.answering import unrecorded
from bot.slack.cards.forms.form_input import Typed
from bot.slack.cards.parts.checklist import asked, form_first
from bot.slack.people import Identity, People, SlackUnreachable
from routing.authorize import LETS_THROUGH, Allowed, authorize, held_off, reason_codes, refuse
from routing.case.case import Case
from routing.case.people import Person, Press
from routing.change import Change, Refused, Subject
from routing.review.break_glass import Terms
from routing.review.press import stay
from routing.review.verbs import needs_content, step_of
from routing.vocabulary import CaseKind, Verb
from store.ledger.answers import Changed, Conflict, Missing, Repeated
from store.ledger.items import Step
from store.ledger.ledger import Ledger
from store.ledger.prefetch import InboxKey
from store.outbox.delivered_cards import Card

CARD_EVENT = "tierline_card"

HELD_OFF = (
    "{who} has claimed this case and has it until {until:%H:%M} UTC, longer with whatever they do here, so nothing was recorded."
    " If they are not on it, choose Take over in the card's menu and say why."
)

_LOG = structlog.get_logger("tierline.presses")


class Reads(Protocol):
    """What is read before a press goes to the ledger."""

    async def case(self, case_id: str) -> Case | None:
        """A case as it is."""
        ...

    async def cards(self, case_id: str) -> Sequence[Card]:
        """Where the case's cards stand."""
        ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """The press counts; `case` as it is since. `before`: the same press had been recorded already."""

    case: Case | None
    before: bool = False


@dataclass(frozen=True, slots=True)
class Declined:
    """The press does not count. `reason` is a code, `text` the sentence for the person."""

    reason: str
    text: str


Outcome = Recorded | Declined


class Presses:
    """Carries out presses. `tally` counts them by verb and result; `deployment` is the one whose cards are ours; `clock` gives aware UTC
    times; without `break_glass` nobody may use that.
    """

    def __init__(
        self,
        ledger: Ledger,
        reads: Reads,
        people: People,
        deployment: str,
        tally: Callable[[str, str], None],
        *,
        clock: Callable[[], datetime],
        break_glass: BreakGlassFacts | None = None,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._reads = reads
        self._people = people
        self._deployment = deployment
        self._tally = tally
        self._break_glass = break_glass

    async def carry_out(self, pressed: Pressed, typed: Typed | None = None) -> Outcome:
        """Record a press, with what was typed, or say why it does not count. What is answered `Recorded` is committed."""
        words = typed or Typed()
        try:
            case = await self._reads.case(pressed.case_id)
            if case is None:
                return self._told(pressed, _declined(refuse("unknown_card")))
            press = replace(await self._press(pressed, case), reason_code=words.reason_code, text=words.text, confirmed=typed is not None)
        except Exception as problem:  # noqa: BLE001 - the database does not answer: whoever pressed must be told, whatever it is
            return self._told(pressed, _unrecorded(pressed, problem))
        press = replace(press, params=words.params, prefill=words.prefill, checklist=words.checklist, verdict=words.verdict)
        if words.to:
            press = replace(press, to=await self._people.person(words.to, press.team, case.route.groups))
        return self._told(pressed, await self._change(pressed, press, step_of(press), case.kind))

    async def wants_form(self, pressed: Pressed) -> bool:
        """Whether this verb demands a reason, text, a checklist or to be confirmed, of the case as it is, so that a form comes first."""
        try:
            case = await self._reads.case(pressed.case_id)
        except Exception:  # noqa: BLE001 - then the press is not carried out either, and says why
            _LOG.error("case not read", verb=pressed.verb, case=pressed.case_id, **failure())
            return False
        return case is not None and form_first(pressed.verb, case)

    async def may_begin(self, pressed: Pressed) -> Declined | None:
        """Whether a form may be opened for this press: why not, recorded as every refused press is, or None when it may."""
        try:
            case = await self._reads.case(pressed.case_id)
            if case is None:
                return _declined(refuse("unknown_card"))
            press = await self._press(pressed, case)
        except Exception as problem:  # noqa: BLE001 - as above
            return _unrecorded(pressed, problem)
        if (reason := await self._refusal(press, case)) is None:
            if press.person.was(case.claimed_by, case.people):  # whoever has claimed it is at work on it
                await self._change(pressed, press, stay(press), case.kind, counting=False)
            return None

        def step(subject: Subject, now: datetime) -> Change | Refused:
            return (_obstacle(press, subject.case, now) if press.verb != Verb.BREAK_GLASS else None) or reason

        outcome = self._told(pressed, await self._change(pressed, press, step, case.kind))
        return outcome if isinstance(outcome, Declined) else _declined(reason)

    async def terms(self, pressed: Pressed) -> Terms | Declined:
        """What deciding by break-glass would come to now, for the form that asks for it; or why it cannot be."""
        try:
            case = await self._reads.case(pressed.case_id)
            if case is None or self._break_glass is None:
                return _declined(refuse("unknown_card" if case is None else "no_break_glass"))
            found = await self._break_glass.weigh(await self._press(pressed, case), case)
        except Exception as problem:  # noqa: BLE001 - as above
            return _unrecorded(pressed, problem)
        return _declined(found) if isinstance(found, Refused) else found

    async def _refusal(self, press: Press, case: Case) -> Refused | None:
        """What would refuse this press however well its form was filled in."""
        if press.verb != Verb.BREAK_GLASS or self._break_glass is None:
            return _obstacle(press, case, self._clock())
        found = await self._break_glass.weigh(press, case)
        return found if isinstance(found, Refused) else None

    async def _press(self, pressed: Pressed, case: Case) -> Press:
        try:
            us = await self._people.identity()
        except SlackUnreachable:
            person = Person(id=pressed.origin.user, team=pressed.origin.team, known=False)
            return Press(verb=pressed.verb, person=person, case_id=case.id, face=pressed.face, team=pressed.origin.team)
        if pressed.verb is Verb.BREAK_GLASS:
            return await self._outside(pressed, case, us)
        cards = await self._reads.cards(case.id)  # read once: a card that is noted between two reads would be neither known nor new
        card = next((one for one in cards if (one.channel, one.ts) == (pressed.origin.channel, pressed.origin.ts)), None)
        stands = next((one for one in cards if one.tier == pressed.tier), None) if card is None else None
        person = await self._people.person(pressed.origin.user, us.team, case.route.groups)
        at_home = pressed.origin.home
        ours = bool(pressed.origin.view_id) or at_home or self._carries_our_mark(pressed, us)  # only we can open a form of ours
        return Press(
            verb=pressed.verb,
            person=person,
            case_id=case.id,
            face=pressed.face,
            team=us.team,
            card_known=pressed.origin.team == us.team and ((card is not None and card.tier == pressed.tier) or (stands is None and ours)),
            card_replaced=stands is not None and ours,
            cut=pressed.cut,
            saw=str(pressed.origin.told.get("s") or "") if at_home or pressed.batch else card.digest if card is not None else "",
            batch=pressed.batch,
        )

    async def _outside(self, pressed: Pressed, case: Case, us: Identity) -> Press:
        """A press that stands on no card: the form showed the case, and says which face of it."""
        person = await self._people.person(pressed.origin.user, us.team, case.route.groups)
        at_home = pressed.origin.team == us.team
        press = Press(Verb.BREAK_GLASS, person, case.id, pressed.face, us.team, card_known=at_home, cut=pressed.cut)
        try:
            return press if self._break_glass is None else await self._break_glass.of(press, pressed.origin.user)
        except SlackUnreachable:
            return replace(press, person=replace(person, known=False))

    def _carries_our_mark(self, pressed: Pressed, us: Identity) -> bool:
        """Whether the message was posted by our bot as this case's card: so between Slack showing it and us noting where it stands."""
        mark = pressed.origin.seen.get("metadata") or {}
        told = mark.get("event_payload") or {}
        ours = pressed.origin.seen.get("bot_id") == us.bot and mark.get("event_type") == CARD_EVENT
        expected = {"case": pressed.case_id, "tier": pressed.tier, "deployment": self._deployment}
        return ours and all(str(told.get(name)) == str(value) for name, value in expected.items())

    async def _change(self, pressed: Pressed, press: Press, step: Step, kind: CaseKind, *, counting: bool = True) -> Outcome:
        """`counting`: the same payload counts once, and a refusal is recorded."""
        key = InboxKey("press", pressed.origin.scope, pressed.origin.key) if counting else None
        content = needs_content(Verb(press.verb), kind)
        try:
            result = await self._ledger.change(press.case_id, step, press=press if counting else None, key=key, content=content)
        except Exception as problem:  # noqa: BLE001 - whatever was raised, nobody knows that it is recorded, and whoever pressed must be told so
            return _unrecorded(pressed, problem)
        match result:
            case Changed(case=case):
                return Recorded(case)
            case Refused(reason="claimed"):
                return await self._held_off(press)
            case Refused():
                return _declined(result)
            case Repeated(answer=answer):
                return _first_answer(answer)
            case Conflict():
                return Recorded(None, before=True)
            case Missing():
                return _declined(refuse("unknown_card"))
            case unknown:
                assert_never(unknown)

    async def _held_off(self, press: Press) -> Declined:
        """Who has the case, until when, and what whoever pressed can do about it."""
        case, general = await self._reads.case(press.case_id), refuse("claimed")
        if case is None or case.clocks.claim is None:
            return _declined(general)
        names, until = await self._people.names([case.claimed_by]), case.clocks.claim
        return Declined(general.reason, HELD_OFF.format(who=names.get(case.claimed_by, case.claimed_by), until=until.astimezone(UTC)))

    def _told(self, pressed: Pressed, outcome: Outcome) -> Outcome:
        self._tally(pressed.verb.value, outcome.reason if isinstance(outcome, Declined) else "recorded")
        return outcome


def _unrecorded(pressed: Pressed, problem: Exception) -> Declined:
    """The answer to a press of which nobody knows that it was recorded; called while the exception is being handled."""
    _LOG.error("press not recorded", verb=pressed.verb, case=pressed.case_id, **failure())
    return Declined(*unrecorded(problem))


def _obstacle(press: Press, case: Case, now: datetime) -> Refused | None:
    """What would refuse this press however well its form was filled in."""
    answers = {item.id: "pass" for item in asked(case)}
    filled = replace(
        press, reason_code=next(iter(reason_codes(Verb(press.verb), case)), ""), text="filled in", confirmed=True, checklist=answers or None
    )
    verdict = authorize(filled, case)
    if not isinstance(verdict, Allowed):
        return verdict
    if held_off(press, case, now):
        return refuse("claimed")
    unread = press.verb in LETS_THROUGH and press.cut and press.person.id not in case.opened_by
    return refuse("open_evidence_first") if unread else None


def _first_answer(answer: object) -> Outcome:
    """What the same press was answered the first time."""
    refused = answer.get("refused") if isinstance(answer, dict) else None
    if isinstance(refused, dict):
        return Declined(str(refused.get("reason")), str(refused.get("text")))
    return Recorded(None, before=True)


def _declined(refused: Refused) -> Declined:
    return Declined(refused.reason, refused.text)
