"""Everything there is to show of a case, read together just before it is shown. Owns putting it together, masked; draws nothing."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.failures import failure
from bot.slack.cards.view import Happening, PastCase, View
from bot.slack.masking import Masking, PolicyOf
from bot.slack.people import People, SlackUnreachable
from bot.slack.similar_cases import COMPARED_MOST, EARLIER_MOST, SimilarCases
from escalation.rota import Rota
from routing.case.action import Action
from routing.case.case import Case
from routing.case.submission import Submission
from routing.vocabulary import CaseKind, State
from store.audit.stored_tree import DamagedLogError
from store.outbox.delivered_cards import Card
from store.reads.cases import Reads
from store.reads.history import Happening as Told

_LOG = structlog.get_logger("tierline.views")

RELATED_ON_CARDS, RELATED_MOST = 8, 40
"""Related cases that are read: parent, children and like ones first, which cards name; tied ones only the details list."""
NAMED_MOST = 20
"""People who did something to a case and are named in its details; the others stand there by id."""


@dataclass(frozen=True, slots=True)
class _Related:
    """A case that another one names: its title as people see it, "" once erased, and the permalink of its card or ""."""

    case: Case
    title: str
    link: str


class Views:
    """Reads cases for whoever draws them. `clock` gives aware UTC times."""

    def __init__(
        self, reads: Reads, rota: Rota, people: People, clock: Callable[[], datetime], policy_of: PolicyOf = lambda _sha256: None
    ) -> None:
        """`policy_of` gives the policy by whose settings a case is masked; by default whatever can be found is masked."""
        self._reads = reads
        self._masks = Masking(policy_of)
        self._rota = rota
        self._people = people
        self._clock = clock
        self._similar = SimilarCases(reads)

    async def case(self, case_id: str) -> Case | None:
        """The case as it is, None where there is none."""
        return await self._reads.case(case_id)

    async def card_at(self, channel: str, ts: str) -> Card | None:
        """The card that is this message, None when it is none of ours."""
        return await self._reads.card_at(channel, ts)

    async def cards(self, case_id: str) -> Sequence[Card]:
        """Where the case's cards stand, by tier."""
        return await self._reads.cards(case_id)

    async def view(self, case_id: str) -> View | None:
        """The case with content and history, as the card of the tier it is at; None where there is none or its content was erased.

        Of what is masked it also holds the values, for those who may see them.
        """
        shown = await self._shown(case_id, RELATED_MOST)
        if shown is None or shown.original is None:
            return None
        acting = dict.fromkeys(happening.actor.id for happening in reversed(shown.history) if happening.actor.kind == "human")
        names = {**shown.names, **await self._people.names(tuple(acting)[:NAMED_MOST])}
        return replace(shown, names=names, hidden=self._masks.hidden(shown.case, shown.original, shown.told))

    async def to_send(self, case_id: str) -> View | None:
        """As `view`, without the values that are masked; and of an erased case what is left, with nothing in the place of its content.

        `Case.erased_at` tells that it was erased.
        """
        if (view := await self._shown(case_id, RELATED_ON_CARDS)) is not None:
            return await self._with_earlier(view)
        case = await self._erased(case_id)
        if case is None:
            return None
        names = await self._people.names({vote.by for vote in case.votes})
        told = _told(await self._reads.history(case_id))
        history, _ = self._masks.history(case, None, told)
        return View(case, _nothing(case, "Content erased"), history, self._clock(), tier=case.tier, names=names, told=told)

    async def with_similar(self, view: View) -> View:
        """The same with what was decided of cases like it, up to now, and the nearest of them. Their titles are there where this card's
        channel has a card of theirs too. Only a service's own case is compared: of what is opened about another, that would be the nearest.
        """
        if not _comparable(view.case):
            return view
        similar = await self._similar.of(view, view.now, COMPARED_MOST, told=True)
        nearest = [await self._readable(past, view.rung.channel) for past in similar.nearest]
        names = await self._people.names({vote.by for past in nearest for vote in past.case.votes})
        return replace(view, similar=replace(similar, nearest=tuple(nearest)), names={**view.names, **names})

    async def _with_earlier(self, view: View) -> View:
        """The same for a card that asks for a decision: of those decided before the case came, so that the card stays true."""
        if not _comparable(view.case) or view.case.state is not State.PENDING:
            return view
        try:
            return replace(view, similar=await self._similar.of(view, view.case.created_at, EARLIER_MOST))
        except ValueError as error:  # nobody can read one of them: the card is sent all the same
            _LOG.error("cases like it not read", case=view.case.id, **failure(error))
            return view

    async def _readable(self, past: PastCase, channel: str) -> PastCase:
        case = past.case
        if channel not in {tier.channel for tier in case.route.tiers[case.first_tier : case.tier + 1]}:
            return past
        other = await self._other(case.id)
        return past if other is None else replace(past, title=other.title, link=other.link if case.rung.channel == channel else "")

    async def listed(self, case_id: str) -> View | None:
        """As `to_send`, of a case among others: None also where nobody can read its events or its content, so that the others are shown."""
        try:
            return await self._shown(case_id, RELATED_ON_CARDS)
        except (ValueError, DamagedLogError) as error:
            _LOG.error("not listed: what the database has of its case cannot be read", case=case_id, **failure(error))
            return None

    async def to_answer(self, case_id: str) -> View | None:
        """What a service is answered from, which gets back its own values: what it sent, and what was really said. Nothing of it is masked,
        and nobody is asked for names, so it is for no card; in the places that cards are drawn from there is no content.
        """
        scene = await self._reads.scene(case_id)
        case = scene.case if scene is not None else await self._erased(case_id)
        if case is None:
            return None
        told = _told(scene.history if scene is not None else await self._reads.history(case_id))
        bare = tuple(replace(one, opened={}) for one in told)
        original = scene.submission if scene is not None else None
        return View(case, _nothing(case, "Content not shown"), bare, self._clock(), tier=case.tier, original=original, told=told)

    async def to_page(self, case_id: str) -> View | None:
        """What a page or a mail is made of, which hold no content: the case, what happened to it, the way to its card, who is away."""
        found = await self._reads.outline(case_id)
        if found is None:
            return None
        outline, governance = found
        case, now = outline.case, self._clock()
        links = await self._link(case, outline.cards)
        history = _told(outline.events)
        return View(case, _nothing(case, "Content not read"), history, now, tier=case.tier, links=links, away=governance.away_at(now))

    async def _shown(self, case_id: str, related_most: int) -> View | None:
        scene = await self._reads.scene(case_id)
        if scene is None:
            return None
        case, told = scene.case, _told(scene.history)
        submission, masked = self._masks.content(case, scene.submission)
        history, also_masked = self._masks.history(case, scene.submission, told)
        related, governance = await self._related(case, related_most), await self._reads.governance()
        now = self._clock()
        away = governance.away_at(now)
        return View(
            case=case,
            submission=submission,
            history=history,
            now=now,
            checkpoint=short(scene.checkpoint),
            tier=case.tier,
            on_call=await self._on_call(case, away),
            links=await self._link(case, scene.cards),
            names=await self._people.names(_named(case)),
            original=scene.submission,
            masked=(*masked, *also_masked),
            told=told,
            related={other.case.id: other.case for other in related},
            related_links={other.case.id: other.link for other in related if other.link},
            related_titles={other.case.id: other.title for other in related},
            waivers={waiver.id: waiver for waiver in governance.waivers if waiver.id in case.route.exceptions},
            automation=governance.control(case.workflow).automation,
            away=away,
            workflow=self._masks.workflow(case),
            user_groups=await self._user_groups(case),
        )

    async def _erased(self, case_id: str) -> Case | None:
        """The case, of which nothing that was masked is kept any more; None where it was not erased."""
        case = await self._reads.case(case_id)
        if case is None or case.erased_at is None:
            return None
        self._masks.forget(case_id)
        return case

    async def _user_groups(self, case: Case) -> dict[str, str]:
        """Those that can be found now; who needs another tries again later."""
        wanted = {group for playbook in case.playbooks for step in playbook.steps for group in step.groups}
        try:
            return await self._people.user_groups(wanted) if wanted else {}
        except SlackUnreachable:
            return {}

    async def _related(self, case: Case, most: int) -> list[_Related]:
        """The first of the cases that this one names."""
        named = dict.fromkeys(other for other in (case.parent, case.tied_to, *case.children, *case.linked, *case.tied) if other)
        found = [await self._other(other) for other in list(named)[:most]]
        return [other for other in found if other is not None]

    async def _other(self, case_id: str) -> _Related | None:
        """None also where somebody damaged its rows: the case that names it is shown all the same."""
        try:
            case, content = await self._reads.case(case_id), await self._reads.content(case_id)
        except ValueError:
            return None
        if case is None:
            return None
        title = self._masks.content(case, content)[0].title if content is not None else ""
        return _Related(case, title, await self._link(case, await self._reads.cards(case_id)))

    async def _on_call(self, case: Case, away: Collection[str]) -> dict[int, str]:
        """Only of tiers that page: for the others their owner stands on the card anyway. "" where PagerDuty says that nobody is."""
        paging = [number for number, tier in enumerate(case.route.tiers) if tier.page is not None]
        found = {number: await self._rota.on_call(case, number, away) for number in paging}
        return {number: one.name for number, one in found.items() if one.name or one.at is not None}

    async def _link(self, case: Case, cards: Sequence[Card]) -> str:
        """The permalink of the current card; "" where there is none yet, or Slack has not yet said who we are."""
        card = next((one for one in cards if one.tier == case.tier), None)
        if card is None:
            return ""
        try:
            return (await self._people.identity()).permalink(card.channel, card.ts)
        except SlackUnreachable:
            return ""


def _named(case: Case) -> set[str]:
    """Ids of the people whom surfaces name, whatever they did here: owners, backups, whoever has claimed it."""
    owners = {person for tier in case.route.tiers for person in (tier.owner, tier.backup) if person}
    return owners | ({case.claimed_by} - {""})


def _comparable(case: Case) -> bool:
    return case.kind is CaseKind.CASE and case.drill is None


def _nothing(case: Case, title: str) -> Submission:
    """In the place of content that was erased, or that nobody is to read."""
    return Submission(workflow=case.workflow, task_id=case.task_id, title=title, action=Action(type=case.action_type))


def _told(history: Sequence[Told]) -> tuple[Happening, ...]:
    return tuple(Happening(one.kind, one.actor, one.at, one.fields, one.opened, one.index) for one in history)


def short(note: str) -> str:
    """`1204 5fA3xk9Q`: size and the beginning of the root hash of a checkpoint (C2SP tlog-checkpoint), "" where there is none yet."""
    lines = note.split("\n")
    return f"{lines[1]} {lines[2][:8]}" if len(lines) > 2 else ""
