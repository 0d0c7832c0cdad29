"""`/review batch`: cases alike, decided together by one person. From what was typed to the form, and from the form to one press for each
case, recorded, refused and answered like any other. Owns finding them and the flow of the form; decides nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.slack.actions.pressed import Pressed
from bot.slack.actions.presses import Declined, Outcome, Presses, Recorded
from bot.slack.actions.replies import Replies, sentence_modal
from bot.slack.answering import Acknowledgement, Answering
from bot.slack.cards.batch import DECIDE, KIND, TICKED_MOST, Alike, Sent, Ticked, batch_modal, draw_sent, read_batch
from bot.slack.cards.command_answers import draw_answer
from bot.slack.cards.forms.form_input import Typed
from bot.slack.cards.home import by_itself
from bot.slack.cards.text.block_kit import Drawing
from bot.slack.cards.text.safe_text import line
from bot.slack.cards.view import View
from bot.slack.desk import pressing
from bot.slack.interaction import Interaction, UnreadablePress, read_button, read_form
from bot.slack.people import Identity, People, SlackUnreachable
from bot.slack.views import Views
from routing.authorize import REFUSALS, Allowed, answering_groups, authorize
from routing.canonical import digest
from routing.case.case import Case
from routing.review.batch import Candidate, Kind, batchable, kind_of, sort_out
from routing.vocabulary import Verb
from store.database.database import Database
from store.reads.due_cases import due_cases

LOOKED_AT = 40
"""Cases of each place that are looked at, those due first; of one kind so many are read in full."""

OPENED = "The form shows which cases are alike. Nothing is decided until you tick some and send it."
NOT_OPENED = "The form could not be opened, so nothing was recorded. Please type it again."
NONE = "Of the cases that wait for you no two may be decided together. `/review next` names the one that matters most."
GONE = "None of these waits for you any more. `/review batch` shows what is left."

Ack = Callable[..., Awaitable[Any]]

_LOG = structlog.get_logger("tierline.batch")


class BatchReview:
    """The command, its select and its form."""

    def __init__(
        self, database: Database, people: People, *, presses: Presses, views: Views, replies: Replies, answering: Answering
    ) -> None:
        self._database = database
        self._people = people
        self._presses = presses
        self._views = views
        self._replies = replies
        self._answering = answering

    def listen(self, bolt: AsyncApp) -> None:
        """Register with Bolt."""
        bolt.action(KIND)(self.on_kind)
        bolt.view(DECIDE)(self.on_form)

    async def answer(self, asked: Interaction, typed: Sequence[str], us: Identity) -> Drawing:
        """What whoever `asked` gets to see, who typed this behind the word: a workflow, or nothing."""
        found = await self._found(asked.user, us, typed[0] if typed else "")
        if found is None:
            return draw_answer(NONE)
        shown = await self._replies.opened(asked, batch_modal(found, asked.channel))
        return draw_answer(OPENED if shown else NOT_OPENED)

    async def on_kind(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """Another kind was chosen."""
        await ack()
        try:
            pressed = _chosen(body)
            us = await self._people.identity()
        except (UnreadablePress, SlackUnreachable):
            _LOG.warning("another kind of case could not be shown")
            return
        found = await self._found(pressed.user, us, kind=str(pressed.told["k"]))
        await self._replies.show(pressed, batch_modal(found, pressed.channel) if found is not None else sentence_modal(draw_answer(GONE)))

    async def on_form(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """The form was sent."""
        try:
            origin = read_form(body)
            sent = read_batch(origin.inputs)
        except (UnreadablePress, ValueError, KeyError, TypeError):
            _LOG.warning("unreadable form")
            await ack()
            return
        said = Acknowledgement(ack)
        await self._answering.answered(self._decide(said, origin, sent), said, partial(self._say, said, origin))

    async def _say(self, ack: Acknowledgement, origin: Interaction, text: str) -> None:
        if not ack.done:
            await ack(response_action="errors", errors={"cases": text})
            return
        await self._replies.tell(origin.beside_the_message(), text)

    async def _decide(self, ack: Acknowledgement, origin: Interaction, sent: Sent) -> None:
        if sent.errors:
            await ack(response_action="errors", errors=dict(sent.errors))
            return
        told = await asyncio.gather(*(self._press(origin, sent, one) for one in sent.cases))
        done = [(title, outcome.case) for title, outcome in told if isinstance(outcome, Recorded)]
        drawing = draw_sent(sent.verb, done, [(title, outcome.text) for title, outcome in told if isinstance(outcome, Declined)])
        if ack.done:
            await self._replies.tell(origin, drawing)
        await ack(response_action="update", view=sentence_modal(drawing))

    async def _press(self, origin: Interaction, sent: Sent, one: Ticked) -> tuple[str, Outcome]:
        """The title of the case, and what became of the press."""
        cards = await self._views.cards(one.case_id)
        place = next(((card.channel, card.ts) for card in cards if card.tier == one.tier), ("", ""))
        here = replace(origin, channel=place[0], ts=place[1], key=f"{origin.key}+{one.case_id}", told={"s": one.saw})
        count = len(sent.cases)
        pressed = Pressed(sent.verb, one.case_id, one.face, one.tier, cut=False, page=0, shown_change="", origin=here, batch=count)
        view = await self._views.listed(one.case_id)
        title = line(view.submission.title) if view is not None else one.case_id
        if view is not None and not batchable(view.case):
            return title, Declined("stale", REFUSALS["stale"])
        return title, await self._presses.carry_out(pressed, Typed(reason_code=sent.reason_code, text=sent.text))

    async def _found(self, user: str, us: Identity, workflow: str = "", kind: str = "") -> Alike | None:
        """What this person may decide together: the kind asked for, else the one with most cases; None where nothing is alike."""
        kinds = await self._kinds(user, us, workflow)
        ordered = sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
        if not ordered:
            return None
        chosen, cases = next((item for item in ordered if _key(item[0]) == kind), ordered[0])
        views = [view for view in await asyncio.gather(*(self._views.listed(case.id) for case in cases[:LOOKED_AT])) if view is not None]
        alike, aside = sort_out([_candidate(view) for view in views])
        by_id = {view.case.id: view for view in views}
        return Alike(
            _key(chosen),
            f"{chosen[1]} of {chosen[0]}, at tier {chosen[3] + 1}: {len(views)} wait for you.",
            tuple(by_id[case.id] for case in alike[:TICKED_MOST]),
            tuple((by_id[one.case.id], one.why) for one in aside),
            max(0, len(alike) - TICKED_MOST),
            tuple((_key(one), f"{one[1]} of {one[0]} ({len(those)})") for one, those in ordered),
        )

    async def _kinds(self, user: str, us: Identity, workflow: str) -> dict[Kind, list[Case]]:
        """Cases that this person may decide with a bare press, due first, by kind; kinds of one case are left out."""
        found = defaultdict[Kind, list[Case]](list)
        for case in await self._database.read(partial(due_cases, per_place=LOOKED_AT)):
            if not batchable(case) or (workflow and case.workflow != workflow):
                continue
            person = await self._people.person(user, us.team, case.route.groups)
            if person.groups & answering_groups(case) and isinstance(authorize(pressing(Verb.APPROVE, person, case), case), Allowed):
                found[kind_of(case)].append(case)
        return {kind: cases for kind, cases in found.items() if len(cases) > 1}


def _key(kind: Kind) -> str:
    """Short enough for an option."""
    return digest(list(kind))[:32]


def _candidate(view: View) -> Candidate:
    risk = view.submission.risk
    amount = Decimal(risk.amount) if risk.amount is not None else None
    return Candidate(view.case, amount, risk.currency or "", by_itself(view))


def _chosen(body: Mapping[str, Any]) -> Interaction:
    """The press on the select, with the kind that it names."""
    try:
        action = dict(body["actions"][0])
        kind = str(action["selected_option"]["value"])
        metadata = body["view"]["private_metadata"]
    except (KeyError, IndexError, TypeError) as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error
    pressed = read_button({**body, "actions": [{**action, "value": metadata}]})
    return replace(pressed, told={**pressed.told, "k": kind})
