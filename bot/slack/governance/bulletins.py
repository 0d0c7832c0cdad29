"""Everything there is to show about more than one case, read just before it is sent. Owns putting it together; draws nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from bot.slack.cards.bulletins.owed import SHOWN as OWED_SHOWN
from bot.slack.cards.bulletins.waiting_pages import SHOWN
from bot.slack.cards.view import About, Bulletin, Happening, WaitingPage
from bot.slack.channels import destinations_of
from bot.slack.people import People
from escalation.owed_watch import owed
from routing.case.break_glass import BreakGlassList
from routing.governance.alert import Alert
from routing.governance.automation import workflow_of
from routing.governance.binding import Binding
from routing.governance.break_glass_list import WEEKLY as USED_WEEKLY
from routing.governance.break_glass_list import of_week
from routing.governance.control import Control
from routing.governance.digest import Digest
from routing.governance.drill import Drill
from routing.governance.drill_report import DrillReport
from routing.governance.governance import Governance
from routing.governance.incident import Incident
from routing.governance.owed import Owed
from routing.governance.paging_alarm import PagingAlarm
from routing.governance.proposal import Proposal
from routing.governance.ruling import ALERT, BINDING, DIGEST, DRILL, INCIDENT, PAGES, PERSON, PROPOSAL, WAIVER, WORKFLOW
from routing.governance.waiver import Waiver, WaiverList
from routing.governance.waiver_lifecycle import WEEKLY
from routing.policy.policy import Policy
from routing.review.board import BOARD, REMINDER, Board, BoardReminder
from store.reads.cases import Reads
from store.reads.history import Happening as Told


class Bulletins:
    """Reads what bulletins, workflow callbacks and pages about alerts are made from. `policy` gives the active one."""

    def __init__(self, reads: Reads, people: People, policy: Callable[[], Policy], clock: Callable[[], datetime]) -> None:
        """`clock` gives aware UTC times."""
        self._reads = reads
        self._people = people
        self._policy = policy
        self._clock = clock

    async def to_send(self, subject: str, event: int, tier: int) -> Bulletin | None:
        """The subject as it is now, with the event that a message speaks of; None when there is none with this id."""
        governance = await self._reads.governance()
        if subject.startswith((BOARD, REMINDER)):
            about: About | None = await self._board(governance, subject)
        elif subject.startswith(PERSON):
            about = await self._owed(governance, subject.removeprefix(PERSON))
        else:
            about = _about(governance, subject)
        if about is None:
            return None
        history = _told(await self._reads.govern_events(subject))
        if isinstance(about, Control) and not any(one.index == event for one in history):
            history = (*history, *await self._of_policy(governance, event))
        workflow = (
            ""
            if isinstance(about, Proposal | WaiverList | Binding | BreakGlassList | PagingAlarm | Digest | Board | BoardReminder | Owed)
            else about.workflow
        )
        pages = await self._reads.unaccepted_pages() if isinstance(about, PagingAlarm) and not about.over else ()
        report = await self._reads.drill_report(about, governance) if isinstance(about, Drill) else None
        timeline = await self._reads.timeline(about, governance) if isinstance(about, Incident) and tier else ()
        acted = {one.actor.id for one in timeline if one.actor.id.startswith(_OF_SLACK)}
        return Bulletin(
            subject=subject,
            about=about,
            history=history,
            now=self._clock(),
            tier=tier,
            event=event,
            control=governance.control(workflow) if workflow else None,
            names=await self._people.names(_people_in(about, history) | _people_of(report) | acted),
            owners=self._policy().form.owners,
            links=await self._links(about, [one.case.id for one in pages[:SHOWN]]),
            pages=tuple(WaitingPage(one.case, one.page, one.error) for one in pages),
            report=report,
            timeline=timeline,
            listed=await self._reads.cases_of([one.case for one in about.listed]) if isinstance(about, Digest) else (),
            brakes=tuple(map(governance.control, about.workflows)) if isinstance(about, Board) else (),
            waiting=await self._reads.waiting_for(destinations_of(about)) if isinstance(about, Binding) and about.trouble else 0,
        )

    async def _owed(self, governance: Governance, person: str) -> Owed | None:
        """What a person owes; None where they have done it meanwhile."""
        claimed = await self._reads.claimed_by(person)
        about = owed(person, claimed, governance.waivers, self._policy().form.owners, self._clock())
        return about if about.keys else None

    async def _board(self, governance: Governance, subject: str) -> Board | BoardReminder:
        """The board of a channel; of a reminder with those whom it rings, who answer for the tiers there by the policy in force."""
        board = await self._reads.board(subject.removeprefix(BOARD).removeprefix(REMINDER))
        if subject.startswith(BOARD):
            return board
        away = governance.away_at(self._clock())
        forms = [self._policy().workflow(workflow) for workflow in board.workflows]
        tiers = [tier for form in forms if form is not None for tier in self._policy().tiers[form.ladder] if tier.channel == board.channel]
        return BoardReminder(board, tuple(dict.fromkeys(person for tier in tiers if (person := tier.answering(away)))))

    async def _links(self, about: "About", paged: Sequence[str] = ()) -> dict[str, str]:
        """The cards of the cases that an alert names, where they are posted and Slack has said who we are."""
        figures = about.figures if isinstance(about, Alert) else {}
        claims = [claim.case.id for claim in about.claims[:OWED_SHOWN]] if isinstance(about, Owed) else []
        found = {}
        for case_id in {str(figures[name]) for name in ("case", "newest") if name in figures} | {*paged, *claims}:
            case = await self._reads.case(case_id)
            card = next((one for one in await self._reads.cards(case_id) if case is not None and one.tier == case.tier), None)
            if card is not None and (us := self._people.us) is not None:
                found[case_id] = us.permalink(card.channel, card.ts)
        return found

    async def _of_policy(self, governance: Governance, event: int) -> tuple[Happening, ...]:
        """The event of a policy's life that a workflow's message speaks of: another policy treats its cases from then on."""
        for proposal in reversed(governance.proposals):
            history = _told(await self._reads.govern_events(proposal.id))
            if found := tuple(one for one in history if one.index == event):
                return found
        return ()


_OF_SLACK = ("U", "W")
"""How the ids of Slack's people begin."""


def _about(governance: Governance, subject: str) -> About | None:
    if subject.startswith(WEEKLY):
        return WaiverList(week=subject.removeprefix(WEEKLY), waivers=tuple(one for one in governance.waivers if not one.over))
    if subject.startswith(USED_WEEKLY):
        return of_week(governance.break_glass, subject.removeprefix(USED_WEEKLY))
    if subject == PAGES:
        return governance.paging
    found = _KEPT.get(subject[:2])
    return found(governance, subject) if found is not None else None


_KEPT: Mapping[str, Callable[[Governance, str], About | None]] = {
    ALERT: Governance.alert,
    DIGEST: Governance.digest,
    DRILL: Governance.drill,
    PROPOSAL: Governance.proposal,
    WAIVER: Governance.waiver,
    INCIDENT: Governance.incident,
    BINDING: lambda governance, subject: governance.binding(subject.removeprefix(BINDING)),
    WORKFLOW: lambda governance, subject: governance.control(workflow_of(subject)),
}
"""By the prefix of its id, where a subject is kept."""


def _people_in(about: About, history: Iterable[Happening]) -> set[str]:
    """Ids of those who did something about it."""
    named = {one.actor.id for one in history if one.actor.kind == "human"}
    if isinstance(about, Waiver):
        named |= {about.requested_by, about.approved_by}
    if isinstance(about, Proposal):
        named |= {*about.accepted_by, about.declined_by} | ({about.by} if not about.by.startswith("os:") else set())
    if isinstance(about, Incident):
        named |= {about.owner, about.closed_by} if not about.closed_by.startswith("os:") else {about.owner}
    if isinstance(about, BreakGlassList):
        named |= {person for use in about.uses for person in (use.by, use.reviewed_by)}
    if isinstance(about, Board):
        named |= {person for person, _ in about.workers}
    if isinstance(about, Drill):
        named |= {about.by} if about.by.startswith(_OF_SLACK) else set()
    return named - {""}


def _people_of(report: DrillReport | None) -> set[str]:
    """Those who answered a drill in Slack."""
    if report is None:
        return set()
    answers = {*(hop.by for hop in report.hops), *(contact.by for contact in report.contacts)}
    return {one for one in answers if one.startswith(_OF_SLACK)}


def _told(history: Sequence[Told]) -> tuple[Happening, ...]:
    return tuple(Happening(one.kind, one.actor, one.at, one.fields, one.opened, one.index) for one in history)
