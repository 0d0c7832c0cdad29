"""What is known about a person at the moment they press. Owns the facts that `routing.authorize` judges; never fetches them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from routing.authority import GovernanceVerb
from routing.case.address import DOTLESS, name_of_address


@dataclass(frozen=True, slots=True)
class Person:
    """A Slack user as `users.info` and the group lookups describe them, at most 60 s old.

    `groups` are names of the policy's groups this person is an active member of. `known` is False when Slack
    could not be asked in time: then nobody decides. `aliases` are other ids of the same person, in the enterprise or as they were pressed
    under. `dotless` are the domains where the policy says that dots before the @ mean nothing.
    """

    id: str
    team: str
    name: str = ""
    email: str = ""
    groups: frozenset[str] = frozenset()
    known: bool = True
    deleted: bool = False
    bot: bool = False
    guest: bool = False
    stranger: bool = False
    aliases: frozenset[str] = frozenset()
    dotless: Collection[str] = DOTLESS

    @property
    def ids(self) -> frozenset[str]:
        """Every id of Slack that this person goes by."""
        return frozenset({self.id, *self.aliases} - {""})

    @property
    def names(self) -> frozenset[str]:
        """All that this person is recognized by later: every id, and the digest of the e-mail address."""
        return frozenset({*self.ids, name_of_address(self.email, self.dotless)} - {""})

    def known_with(self, known: Iterable[str]) -> tuple[str, ...]:
        """What is `known` of people, each one's names with blanks between, and this person too."""
        return tuple(dict.fromkeys((*known, " ".join(sorted(self.names)))))

    def was(self, recorded: str, known: Iterable[str]) -> bool:
        """Whether this is who is recorded under an id, as far as `known` tells; several entries may hold one person."""
        return bool(self.names & names_under(recorded, known))


def names_under(recorded: str, known: Iterable[str]) -> frozenset[str]:
    """Every name that belongs to whoever is recorded under an id."""
    return frozenset({recorded}.union(*(entry.split() for entry in known if recorded in entry.split())))


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether somebody may decide by break-glass, and who would be told: looked up for the policy whose hash it names.

    `supervisors` are the Slack ids of the people who are told and review it, `handle` the id of their user group where they are one.
    """

    policy_sha256: str
    holder: bool
    supervisors: tuple[str, ...] = ()
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """One press of a person: what they meant to do and which card they had before their eyes.

    `face` is `Case.face` of the card pressed; `saw` the digest of the delivered blocks where known; `card_known` is False
    when the message is no card of this case in this workspace, channel and app, `card_replaced` True when it was one until another was
    posted in its place. `cut` says that the card could not show everything, `confirmed` that a form asked before it counted. `checklist`
    gives pass, fail or na for each item of the step. `text`, `params` and `prefill` are content: they go to the vault, never open into a
    leaf. A modification gives both of
    the latter whole, as they shall be; a `prefill` of None leaves the pre-filled fields as they are. `verdict` (approve or reject),
    `standing` and `found_wrong` (somebody found a point of the checklist wrong, in the content as it is) belong to break-glass; `to`, to
    whom a case is handed over, to that. `batch` is how many cases the person decided in one form, 0 for one by itself.
    """

    verb: str
    person: Person
    case_id: str
    face: str
    team: str
    card_known: bool = True
    card_replaced: bool = False
    cut: bool = False
    confirmed: bool = False
    saw: str = ""
    reason_code: str = ""
    text: str = ""
    checklist: dict[str, str] | None = None
    params: dict[str, Any] | None = None
    prefill: dict[str, Any] | None = None
    verdict: str = ""
    found_wrong: bool = False
    batch: int = 0
    standing: Standing | None = None
    to: Person | None = None


@dataclass(frozen=True, slots=True)
class GovernancePress:
    """What a person meant to do to more than one case.

    `subject` is the id of an alert, a proposal, an exception or `w_<workflow>`; `reason` one sentence that will stand open in the audit
    log. The command line's person is `os:<user>` with `known` False: never a second person.
    """

    verb: GovernanceVerb
    person: Person
    team: str
    subject: str = ""
    reason: str = ""
