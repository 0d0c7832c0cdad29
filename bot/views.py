"""Everything there is to show of a case, read together just before it is shown. Owns putting it together; draws nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.cards.view import Happening, View
from bot.people import People, SlackUnreachable
from escalation.rota import Rota
from routing.action import Action
from routing.case import Case
from routing.submission import Submission
from store.cards import Card
from store.history import Happening as Told
from store.history import Scene
from store.reads import Reads


class Views:
    """Reads cases for whoever draws them. `clock` gives aware UTC times."""

    def __init__(self, reads: Reads, rota: Rota, people: People, clock: Callable[[], datetime]) -> None:
        self._reads = reads
        self._rota = rota
        self._people = people
        self._clock = clock

    async def case(self, case_id: str) -> Case | None:
        """The case as it is, None where there is none."""
        return await self._reads.case(case_id)

    async def card_at(self, channel: str, ts: str) -> Card | None:
        """The card that is this message, None when it is none of ours."""
        return await self._reads.card_at(channel, ts)

    async def view(self, case_id: str) -> View | None:
        """The case with content and history, as the card of the tier it is at; None where there is none or its content was erased."""
        scene = await self._reads.scene(case_id)
        if scene is None:
            return None
        case = scene.case
        return View(
            case=case,
            submission=scene.submission,
            history=_told(scene.history),
            now=self._clock(),
            checkpoint=short(scene.checkpoint),
            tier=case.tier,
            on_call=await self._on_call(case),
            links=await self._link(scene),
            names=await self._people.names({person for tier in case.route.tiers for person in (tier.owner, tier.backup) if person}),
        )

    async def to_send(self, case_id: str) -> View | None:
        """As `view`; but of an erased case what is left, with nothing in the place of its content (`Case.erased_at` tells)."""
        if (view := await self.view(case_id)) is not None:
            return view
        case = await self._reads.case(case_id)
        if case is None or case.erased_at is None:
            return None
        nothing = Submission(workflow=case.workflow, task_id=case.task_id, title="Content erased", action=Action(type=case.action_type))
        names = await self._people.names({vote.by for vote in case.votes})
        return View(case, nothing, _told(await self._reads.history(case_id)), self._clock(), tier=case.tier, names=names)

    async def _on_call(self, case: Case) -> dict[int, str]:
        """Only of tiers that page: for the others their owner stands on the card anyway."""
        paging = (number for number, tier in enumerate(case.route.tiers) if tier.page is not None)
        return {number: name for number in paging if (name := (await self._rota.on_call(case, number)).name)}

    async def _link(self, scene: Scene) -> str:
        """The permalink of the current card; "" where there is none yet, or Slack has not yet said who we are."""
        card = next((one for one in scene.cards if one.tier == scene.case.tier), None)
        if card is None:
            return ""
        try:
            return (await self._people.identity()).permalink(card.channel, card.ts)
        except SlackUnreachable:
            return ""


def _told(history: Sequence[Told]) -> tuple[Happening, ...]:
    return tuple(Happening(one.kind, one.actor, one.at, one.fields, one.opened, one.index) for one in history)


def short(note: str) -> str:
    """`1204 5fA3xk9Q`: size and the beginning of the root hash of a checkpoint (C2SP tlog-checkpoint), "" where there is none yet."""
    lines = note.split("\n")
    return f"{lines[1]} {lines[2][:8]}" if len(lines) > 2 else ""
