"""Questions about cases, answered from what is committed. Owns the read side of cases; never writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, literal, select, tuple_

from routing.case.case import Case
from routing.case.submission import Submission
from routing.governance.drill import Drill
from routing.governance.drill_report import DrillReport
from routing.governance.governance import Governance
from routing.governance.incident import Entry, Incident
from routing.policy.policy import Policy
from routing.review.board import Board
from store.database.database import Database
from store.ledger.arrival_limits import counted, read_uses
from store.ledger.prefetch import TaskKey
from store.ledger.sealed_head import head_row, read_ruling
from store.outbox.delivered_cards import Card, card_at, cards_of
from store.outbox.outdated_cards import outdated_cards
from store.outbox.withholding import about_to_be_withheld, to_freeze, to_release, to_withhold, undoable
from store.policies import Policies
from store.reads.boards import read_board
from store.reads.drills import drill_report
from store.reads.free_cases import free_cases
from store.reads.history import Happening, Outline, Scene, read_content, read_history, read_outlines, read_scene
from store.reads.incident_timeline import timeline
from store.reads.similar_cases import Ended, contents, ended_cases, found_by_checks
from store.reads.snapshots import readable
from store.reads.together import Together
from store.reads.unaccepted_pages import UnacceptedPage, unaccepted_pages
from store.reads.unposted import UnseenCard, seen_again, unseen_cards, waiting_for
from store.schema import OPEN, among, cases, micros, moment, policies
from store.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Due:
    """A case of which something is due, and since when."""

    at: datetime
    case_id: str


class Reads:
    """Reads on connections of its own, beside the writer."""

    def __init__(self, database: Database, vault: Vault, compiled: Policies) -> None:
        """`compiled` are the policies that the writer also uses."""
        self._database = database
        self._vault = vault
        self._compiled = compiled
        self._governance = Governance()  # as read last: its revision tells whether it is still so
        self._outlines = Together(self._read_outlines)

    async def case(self, case_id: str) -> Case | None:
        """The case as it is, None where there is none."""
        return await self._database.read(partial(_case, case_id=case_id))

    async def case_of_task(self, task: TaskKey) -> Case | None:
        """The case of a service's task, None where there is none."""
        return await self._database.read(partial(_case_of_task, task=task))

    async def due(self, now: datetime, limit: int, after: Due | None = None) -> Sequence[Due]:
        """Cases of which something is due, earliest first; those that follow `after`."""
        return await self._database.read(partial(_due, now=now, limit=limit, after=after))

    async def free_cases(self, limit: int, now: datetime, channel: str | None = None) -> Sequence[Case]:
        """Cases that people owe an answer and nobody has claimed: by priority and how long they wait (R6), then earliest due, then id. In
        one channel or in all.
        """
        return await self._database.read(partial(free_cases, limit=limit, now=now, channel=channel))

    async def board(self, channel: str) -> Board:
        """As `store.reads.boards.read_board`."""
        return await self._database.read(partial(read_board, channel=channel))

    async def held_cases(self, limit: int) -> Sequence[Case]:
        """Cases that are held, by priority, then earliest due, then id."""
        return await self._database.read(partial(_held_cases, limit=limit))

    async def claimed_by(self, person: str) -> Sequence[Case]:
        """Open cases that a person (Slack id) has claimed, highest priority first."""
        return await self._database.read(partial(_claimed_by, person=person))

    async def claims_due(self, until: datetime, limit: int = 500) -> Sequence[Case]:
        """Cases that wait for whoever claimed them and to which something happens by then, what happens first in front."""
        return await self._database.read(partial(_claims_due, until=until, limit=limit))

    async def content(self, case_id: str) -> Submission | None:
        """The case's current content, None where there is no case or it was erased."""
        return await self._database.read(partial(read_content, case_id=case_id, vault=self._vault))

    async def ended_cases(self, workflow: str, until: datetime, limit: int) -> Sequence[Ended]:
        """As `store.reads.similar_cases.ended_cases`."""
        return await self._database.read(partial(ended_cases, workflow=workflow, until=until, limit=limit))

    async def contents(self, ids: Sequence[str]) -> Sequence[tuple[Case, Submission]]:
        """As `store.reads.similar_cases.contents`."""
        return await self._database.read(partial(contents, ids=ids, keys=self._vault))

    async def found_by_checks(self, ids: Sequence[str]) -> Mapping[str, bool]:
        """As `store.reads.similar_cases.found_by_checks`."""
        return await self._database.read(partial(found_by_checks, ids=ids))

    async def history(self, case_id: str) -> tuple[Happening, ...]:
        """The events of a case in order of the log, with what they seal opened."""
        return await self._database.read(partial(read_history, case_id=case_id, vault=self._vault))

    async def events(self, case_id: str) -> tuple[Happening, ...]:
        """The same as they stand open in the log: nothing that was sealed is read."""
        return await self._database.read(partial(read_history, case_id=case_id, vault=None))

    async def outline(self, case_id: str) -> tuple[Outline, Governance] | None:
        """A case without its content, and what is decided about more than one, None where there is no such case. It is read together with
        those that others ask for at the same moment. Raises what of this case cannot be read, and HeadAlteredError.
        """
        return await self._outlines.ask(case_id)

    async def _read_outlines(self, ids: Collection[str]) -> Mapping[str, tuple[Outline, Governance] | Exception]:
        asked = partial(_outlines, ids=ids, cached=self._governance)
        found, self._governance, uses = await self._database.read(asked)
        governance = counted(self._governance, uses)
        return {name: one if isinstance(one, Exception) else (one, governance) for name, one in found.items()}

    async def scene(self, case_id: str) -> Scene | None:
        """Everything of a case that can be shown, of one moment. None where there is no case or its content was erased."""
        return await self._database.read(partial(read_scene, case_id=case_id, vault=self._vault))

    async def cards(self, case_id: str) -> Sequence[Card]:
        """Where the case's cards stand, by tier."""
        return await self._database.read(partial(cards_of, case_id=case_id))

    async def card_at(self, channel: str, ts: str) -> Card | None:
        """The card that is this Slack message, None when it is none of ours."""
        return await self._database.read(partial(card_at, channel=channel, ts=ts))

    async def governance(self) -> Governance:
        """What is decided about more than one case, with the uses of the exceptions in force as they stand.

        Raises HeadAlteredError where it is gone or nobody can read it.
        """
        self._governance, uses = await self._database.read(partial(_read_governance, cached=self._governance))
        return counted(self._governance, uses)

    async def waiting_for(self, destinations: Sequence[str]) -> int:
        """How many messages are still to be posted to these destinations in Slack."""
        return await self._database.read(partial(waiting_for, destinations=destinations))

    async def cases_of(self, ids: Sequence[str]) -> tuple[Case, ...]:
        """These cases, in the order given, without those that are not there or that nobody can read."""
        return await self._database.read(partial(_cases_of, ids=tuple(ids)))

    async def unaccepted_pages(self) -> Sequence[UnacceptedPage]:
        """As `store.reads.unaccepted_pages.unaccepted_pages`."""
        return await self._database.read(unaccepted_pages)

    async def unseen_cards(self, destinations: Sequence[str], closed: Sequence[str], now: datetime, limit: int) -> Sequence[UnseenCard]:
        """As `store.reads.unposted.unseen_cards`."""
        wanted = partial(unseen_cards, destinations=destinations, closed=closed, now=now, limit=limit)
        return await self._database.read(wanted)

    async def seen_again(self, destinations: Sequence[str], closed: Sequence[str], until: datetime, limit: int) -> Sequence[str]:
        """As `store.reads.unposted.seen_again`."""
        return await self._database.read(partial(seen_again, destinations=destinations, closed=closed, until=until, limit=limit))

    async def govern_events(self, subject: str) -> tuple[Happening, ...]:
        """The events about an alert, a proposal, an exception or `w_<workflow>`, in order of the log."""
        return await self.history(subject)

    async def drill_report(self, drill: Drill, governance: Governance) -> DrillReport:
        """As `store.reads.drills.drill_report`."""
        return await self._database.read(partial(drill_report, drill=drill, governance=governance))

    async def timeline(self, incident: Incident, governance: Governance) -> tuple[Entry, ...]:
        """As `store.reads.incident_timeline.timeline`."""
        return await self._database.read(partial(timeline, incident=incident, governance=governance))

    async def to_withhold(self, workflow: str, limit: int) -> Sequence[str]:
        """As `store.outbox.withholding.to_withhold`."""
        return await self._database.read(partial(to_withhold, workflow=workflow, limit=limit))

    async def undoable(self, workflow: str, limit: int) -> Sequence[str]:
        """As `store.outbox.withholding.undoable`."""
        return await self._database.read(partial(undoable, workflow=workflow, limit=limit))

    async def about_to_be_withheld(self, case_id: str) -> bool:
        """As `store.outbox.withholding.about_to_be_withheld`."""
        return await self._database.read(partial(about_to_be_withheld, case_id=case_id))

    async def to_freeze(self, workflow: str, limit: int) -> Sequence[str]:
        """As `store.outbox.withholding.to_freeze`."""
        return await self._database.read(partial(to_freeze, workflow=workflow, limit=limit))

    async def to_release(self, workflow: str, limit: int, *, frozen: bool) -> Sequence[str]:
        """As `store.outbox.withholding.to_release`."""
        return await self._database.read(partial(to_release, workflow=workflow, limit=limit, frozen=frozen))

    async def outdated_cards(self, workflow: str, before: datetime, beyond: str, limit: int) -> Sequence[str]:
        """As `store.outbox.outdated_cards.outdated_cards`."""
        return await self._database.read(partial(outdated_cards, workflow=workflow, before=before, beyond=beyond, limit=limit))

    async def active_policy(self) -> Policy | None:
        """The policy that new cases follow, None before the first. Raises PolicyError when it no longer compiles."""
        sha256 = await self._database.read(lambda connection: str(head_row(connection).policy))
        return await self.policy(sha256)

    async def policy(self, sha256: str) -> Policy | None:
        """The policy with this hash, None if it was never active. Raises PolicyError when it no longer compiles."""
        if not self._compiled.knows(sha256):
            statement = select(policies.c.body).where(policies.c.sha256 == sha256)
            body = await self._database.read(lambda connection: connection.execute(statement).scalar_one_or_none())
            if body is None:
                return None
            self._compiled.from_database(sha256, body)
        return self._compiled.get(sha256)


_AT_ONCE = 500

_NOBODY = literal("", literal_execute=True)


def _read_governance(connection: Connection, *, cached: Governance) -> tuple[Governance, dict[str, int]]:
    value = cached if head_row(connection).governance == cached.revision else read_ruling(connection).governance
    return value, read_uses(connection, [waiver.id for waiver in value.waivers if waiver.state == "in_force"])


def _outlines(
    connection: Connection, *, ids: Collection[str], cached: Governance
) -> tuple[Mapping[str, Outline | Exception], Governance, dict[str, int]]:
    return read_outlines(connection, ids=ids), *_read_governance(connection, cached=cached)


def _case(connection: Connection, *, case_id: str) -> Case | None:
    snapshot = connection.execute(select(cases.c.snapshot).where(cases.c.id == case_id)).scalar_one_or_none()
    return None if snapshot is None else Case.model_validate_json(snapshot)


def _cases_of(connection: Connection, *, ids: Sequence[str]) -> tuple[Case, ...]:
    found = dict[str, Case]()
    for first in range(0, len(ids), _AT_ONCE):
        snapshots = select(cases.c.snapshot).where(cases.c.id.in_(ids[first : first + _AT_ONCE]))
        found |= {case.id: case for case in readable(connection.execute(snapshots).scalars())}
    return tuple(found[one] for one in ids if one in found)


def _case_of_task(connection: Connection, *, task: TaskKey) -> Case | None:
    this = (cases.c.task_id == task.task_id, cases.c.workflow == task.workflow, cases.c.service == task.service)
    snapshot = connection.execute(select(cases.c.snapshot).where(*this)).scalar_one_or_none()
    return None if snapshot is None else Case.model_validate_json(snapshot)


def _due(connection: Connection, *, now: datetime, limit: int, after: Due | None) -> list[Due]:
    beyond = [] if after is None else [tuple_(cases.c.due_at, cases.c.id) > (micros(after.at), after.case_id)]
    statement = select(cases.c.due_at, cases.c.id).where(cases.c.due_at <= micros(now), *beyond).order_by(cases.c.due_at, cases.c.id)
    return [Due(moment(at), case_id) for at, case_id in connection.execute(statement.limit(limit))]


def _held_cases(connection: Connection, *, limit: int) -> list[Case]:
    held = select(cases.c.snapshot).where(among(cases.c.state, OPEN), cases.c.state == "held")
    ordered = held.order_by(cases.c.priority.desc(), cases.c.due_at, cases.c.id).limit(limit)
    return readable(connection.execute(ordered).scalars())


def _claims_due(connection: Connection, *, until: datetime, limit: int) -> list[Case]:
    claimed = (cases.c.claimed_by != _NOBODY, cases.c.state == "pending", cases.c.next_at <= micros(until))
    return readable(connection.execute(select(cases.c.snapshot).where(*claimed).order_by(cases.c.next_at).limit(limit)).scalars())


def _claimed_by(connection: Connection, *, person: str) -> list[Case]:
    statement = select(cases.c.snapshot).where(cases.c.claimed_by == person, cases.c.claimed_by != _NOBODY, among(cases.c.state, OPEN))
    ordered = statement.order_by(cases.c.priority.desc(), cases.c.due_at, cases.c.id)
    return readable(connection.execute(ordered).scalars())
