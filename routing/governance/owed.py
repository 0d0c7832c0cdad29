"""What somebody owes and is told directly, at most once an hour: claims that run out soon, exceptions that wait for an owner's word. Owns
that nothing is told twice, and that whoever does not want to hear of it does not.

What is owed names cases and exceptions by id: a message about it holds no content, so nothing has to be taken out of it later. Whether it
rings at night is Slack's to say, which knows when somebody does not want to be disturbed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.authorize import outsider
from routing.authorize import refuse as refuse_person
from routing.canonical import Json
from routing.case.case import Case
from routing.case.people import GovernancePress
from routing.change import SYSTEM, Actor, Event, Message, MessageKind, Refused
from routing.governance.permissions import refuse
from routing.governance.ruling import PERSON, Governed, GovernStep, Ruling
from routing.governance.told import Told
from routing.governance.waiver import Waiver
from routing.vocabulary import EventKind

APART = timedelta(hours=1)
KEPT = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """A case that somebody took, and when it runs out if nobody acts."""

    case: Case
    at: datetime

    @property
    def key(self) -> str:
        """Once for each time by which it runs out."""
        return f"{self.case.id} {int(self.at.timestamp())}"


@dataclass(frozen=True, slots=True)
class Owed:
    """What `person` owes, what is due first in front."""

    person: str
    claims: tuple[Claim, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """What each is told under, once."""
        return (*(claim.key for claim in self.claims), *(waiver.id for waiver in self.waivers))


def tell(about: Owed) -> GovernStep:
    """Tell this person what they owe, if anything of it is new to them, they were not told within the hour, and they want to hear it."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        known = governed.governance.told.get(about.person, Told())
        new = [key for key in about.keys if key not in known.keys]
        if known.off or not new or (known.at is not None and now - known.at < APART):
            return refuse("not_due")
        still = [key for key in known.keys if key in about.keys]
        told = Told(at=now, keys=tuple([*still, *new][-KEPT:]))
        subjects: list[Json] = [key.partition(" ")[0] for key in new]
        event = Event(EventKind.OWED_TOLD, SYSTEM, {"subject": PERSON + about.person, "owed": subjects})
        number = int(now.timestamp()) // 60
        message = Message(MessageKind.BULLETIN, about.person, tier=number, subject=PERSON + about.person)
        return Ruling(governed.governance.with_told(about.person, told), (event,), (message,))

    return step


def want(press: GovernancePress, *, told: bool) -> GovernStep:
    """Whoever presses wants to be told directly what they owe, or does not."""

    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        if (code := outsider(press.person, press.team)) is not None:
            return refuse_person(code)
        who = press.person.id
        known = governed.governance.told.get(who, Told())
        if known.off is not told:
            return refuse("told_already" if told else "not_told_already")
        kind = EventKind.OWED_WANTED if told else EventKind.OWED_UNWANTED
        governance = governed.governance.with_told(who, known.model_copy(update={"off": not told}))
        return Ruling(governance, (Event(kind, Actor("human", who), {"subject": PERSON + who}),))

    return step
