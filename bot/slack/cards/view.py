"""Everything a card, a thread note or a modal is drawn from, as one value. Owns `View` and `Happening`; never fetches what is in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from routing.authority import Automation
from routing.case.break_glass import BreakGlassList
from routing.case.case import Case, OpenPage, Tier
from routing.case.submission import Submission
from routing.change import Actor
from routing.governance.alert import Alert
from routing.governance.binding import Binding
from routing.governance.control import Control
from routing.governance.digest import Digest
from routing.governance.drill import Drill
from routing.governance.drill_report import DrillReport
from routing.governance.incident import Entry, Incident
from routing.governance.owed import Owed
from routing.governance.paging_alarm import PagingAlarm
from routing.governance.proposal import Proposal
from routing.governance.waiver import Waiver, WaiverList
from routing.policy.form.form import Workflow
from routing.privacy.masking import Hidden
from routing.review.board import Board, BoardReminder
from routing.vocabulary import EventKind, Verdict


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a case with its content opened, as the history tells it.

    `fields` stand open in the log, `opened` came out of the vault (empty once erased), `index` is the leaf's.
    """

    kind: EventKind
    actor: Actor
    at: datetime
    fields: Mapping[str, object] = field(default_factory=dict)
    opened: Mapping[str, object] = field(default_factory=dict)
    index: int = 0


@dataclass(frozen=True, slots=True)
class PastCase:
    """A decided case that is like the one that is drawn: how far it is from it (0 to 1), and whether people found later that what was done
    was right; None where nobody said. `title` and `link` stand only where whoever reads this card can read that one too, else "".
    """

    case: Case
    far: float
    right: bool | None
    title: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Similar:
    """What decided cases of the same workflow and action say about a case: how many were compared and how many are alike, by verdict; how
    many of those turned out wrong or right. `nearest` are the first of them, where they were asked for.
    """

    compared: int = 0
    verdicts: Mapping[Verdict, int] = field(default_factory=dict)
    wrong: int = 0
    right: int = 0
    nearest: tuple[PastCase, ...] = ()

    @property
    def alike(self) -> int:
        """How many are alike."""
        return sum(self.verdicts.values())


@dataclass(frozen=True, slots=True)
class View:
    """A case as it is when something about it is drawn.

    `tier` says whose card is drawn (0-based), which is not the tier the case is at when the card is an old copy.
    `history` is in order of the log. `now` is aware UTC. `checkpoint` is the short form for the footer, "" when none.
    `on_call` names the person on call per tier ("" for nobody), `names` people by Slack user id (an unknown one is shown by id).
    `links` holds the permalink of the current card, or "".
    `submission` is masked where it holds sensitive values, `masked` says at which paths; `original` is what was submitted, for callbacks,
    modifications and whoever may reveal it: never draw it on a card. `related` are the parent, children, tied and linked cases by id,
    `related_links` the permalinks of their cards, `related_titles` their titles, masked; `automation` is how far the workflow may act now,
    `away` are the people who are away, with until when,
    `waivers` are the exceptions that the route used, by id. `history` is masked too; `told` is the same with what was really said, for
    callbacks; `workflow` is the case's, as its policy has it; `user_groups` are Slack's ids of those that its playbooks mention, by name;
    `hidden` are the values that are masked, for whoever may reveal them; `similar` is what was decided of cases like it, None where it was
    not asked for.
    """

    case: Case
    submission: Submission
    history: tuple[Happening, ...]
    now: datetime
    checkpoint: str = ""
    tier: int = 0
    on_call: Mapping[int, str] = field(default_factory=dict)
    links: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    original: Submission | None = None
    masked: tuple[str, ...] = ()
    told: tuple[Happening, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    related: Mapping[str, Case] = field(default_factory=dict)
    related_links: Mapping[str, str] = field(default_factory=dict)
    related_titles: Mapping[str, str] = field(default_factory=dict)
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    automation: Automation = Automation.ON
    away: Mapping[str, datetime] = field(default_factory=dict)
    workflow: Workflow | None = None
    user_groups: Mapping[str, str] = field(default_factory=dict)
    similar: Similar | None = None

    @property
    def rung(self) -> Tier:
        """The tier whose card is drawn."""
        return self.case.route.tiers[self.tier]

    @property
    def current(self) -> bool:
        """Whether this is the card people decide on: the case is open and at this tier."""
        return self.case.open and self.case.tier == self.tier

    def last(self, *kinds: EventKind) -> Happening | None:
        """The newest event of one of these kinds, None when there was none."""
        return next((happening for happening in reversed(self.history) if happening.kind in kinds), None)

    def known_as(self, person: str) -> str:
        """The name of a person by Slack (or `pagerduty:`) id: a looked-up one, else the one given with something they did here, else ""."""
        told = (str(happening.opened.get("name") or "") for happening in reversed(self.history) if happening.actor.id == person)
        return self.names.get(person) or next((name for name in told if name), "")


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page that waits for its first route: of which case and tier (0-based), why, and what took it meanwhile."""

    case: Case
    page: OpenPage
    error: str = ""


About = (
    Alert
    | Proposal
    | Waiver
    | Control
    | WaiverList
    | Binding
    | BreakGlassList
    | Incident
    | PagingAlarm
    | Drill
    | Digest
    | Board
    | BoardReminder
    | Owed
)
"""What a bulletin may be about."""


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Something about more than one case, when it is drawn or sent: `about` as it is now, its events in order of the log.

    `subject` is its id; `event` the index of the leaf that a message speaks of; `tier` tells several messages of one subject apart;
    `control` is the brake of its workflow, of an alert and of the workflow itself; `names` are people by id, `owners` those whom the
    policy names as its owners; `links` the permalinks of the cards of the cases that it names, by id; `waiting` how many messages a
    channel does not take; `timeline` what led to an incident, from the log; `pages` those that do not
    get through, oldest first; `report` what a drill has shown; `listed` the cases
    that a digest of pages stands for; `brakes` those of the workflows on a board.
    """

    subject: str
    about: About
    history: tuple[Happening, ...]
    now: datetime
    tier: int = 0
    event: int = 0
    control: Control | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    waiting: int = 0
    timeline: tuple[Entry, ...] = ()
    pages: tuple[WaitingPage, ...] = ()
    listed: tuple[Case, ...] = ()
    report: DrillReport | None = None
    brakes: tuple[Control, ...] = ()

    def known_as(self, person: str) -> str:
        """The name of a person, else their id as it is."""
        return self.names.get(person, "") or person
