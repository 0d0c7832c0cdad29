"""`/review`: the queue, what to take next, what one has claimed, one case. Answered at once, seen by the asker only.

Owns the words of the command and who may ask: members of this workspace; what a case contains only people of its ladder's groups. Commands
about more than one case are `bot.slack.governance.commands`'; the others change nothing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from slack_bolt.app.async_app import AsyncApp

from bot.slack.actions.replies import Replies
from bot.slack.answering import ASKING, COUNTING, Acknowledgement, Answering
from bot.slack.batch import BatchReview
from bot.slack.break_glass import BreakGlassCommand
from bot.slack.cards.bulletins.bulletin import draw_brake_line
from bot.slack.cards.command_answers import (
    CaseLine,
    draw_answer,
    draw_case,
    draw_channel,
    draw_mine,
    draw_next,
    draw_not_found,
    draw_planned,
    draw_refused,
    draw_status,
    draw_unknown,
    draw_usage,
)
from bot.slack.cards.erased import draw_erased
from bot.slack.cards.help import TOPICS, draw_overview, draw_topic, topic_of
from bot.slack.cards.text.block_kit import Drawing, words
from bot.slack.cards.text.limits import check_message
from bot.slack.cards.text.remedies import trouble_sentence
from bot.slack.cards.text.safe_text import brief
from bot.slack.channels import destinations_of
from bot.slack.desk import Desks, pressing, stopped
from bot.slack.governance.command_grammar import USAGE, only_asks, read_command
from bot.slack.governance.commands import GovernanceCommands
from bot.slack.interaction import Interaction
from bot.slack.named_cases import named_cases
from bot.slack.people import Identity, People, SlackUnreachable
from bot.slack.typed import COMMAND, channel_meant, nearest, words_of
from bot.slack.views import Views
from routing.authorize import REFUSALS, Allowed, answering_groups, authorize, outsider
from routing.case.case import Case, Group
from routing.case.people import Person, Press
from routing.review.outlook import upcoming
from routing.vocabulary import State, Verb
from store.database.database import Database
from store.reads.cases import Reads
from store.reads.queue import OutboxCount, open_by_state, outbox_counts

LOOKED_AT = 50
"""Free cases looked at to find the next one for a person."""

ASKED = ("status", "next", "mine", "batch", "case", "break-glass", "help")
"""What only asks; the other commands are `bot.slack.governance.command_grammar`'s."""

PLANNED = ("kpi", "packet", "on-call")
"""Words that people look for here and that do nothing yet."""

WORDS = (*ASKED, *USAGE, *PLANNED)
"""Every first word that means something."""

Ack = Callable[..., Awaitable[Any]]


class Commands:
    """The slash command. `clock` gives aware UTC times."""

    def __init__(
        self,
        database: Database,
        reads: Reads,
        views: Views,
        people: People,
        clock: Callable[[], datetime],
        *,
        desks: Desks,
        replies: Replies,
        answering: Answering,
        about_many: GovernanceCommands | None = None,
        break_glass: BreakGlassCommand | None = None,
        batch: BatchReview | None = None,
    ) -> None:
        self._database = database
        self._reads = reads
        self._views = views
        self._people = people
        self._clock = clock
        self._desks = desks
        self._about_many = about_many
        self._break_glass = break_glass
        self._batch = batch
        self._replies = replies
        self._answering = answering

    def listen(self, bolt: AsyncApp) -> None:
        """Register with Bolt."""
        bolt.command(COMMAND)(self.on_command)

    async def on_command(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """Somebody typed it."""
        said, typed = Acknowledgement(ack), _typed(body)
        say, words = partial(self._say, said, typed), COUNTING if self._may_count(typed.told["text"]) else ASKING
        await self._answering.answered(self._answer(say, typed), said, say, words)

    async def _answer(self, say: Callable[[Drawing], Awaitable[None]], typed: Interaction) -> None:
        await say(await self.answer_to(typed))

    async def _say(self, ack: Acknowledgement, typed: Interaction, said: str | Drawing) -> None:
        """With the acknowledgement, which answers once; whatever comes later, where the command was typed."""
        drawing = draw_answer(said) if isinstance(said, str) else said
        check_message(drawing.text, drawing.blocks)
        if ack.done:
            await self._replies.tell(typed, drawing)
        else:
            await ack(response_type="ephemeral", text=drawing.text, blocks=drawing.blocks)

    def _may_count(self, text: str) -> bool:
        """Whether this command changes something if it is carried out."""
        return self._about_many is not None and not only_asks(read_command(text, self._clock()))

    async def answer(self, user: str, team: str, text: str, key: str = "") -> Drawing:
        """What `user`, who typed in `team`, gets to see. `key` names this message for ever."""
        return await self.answer_to(_typed({"user_id": user, "team_id": team, "text": text, "trigger_id": key}))

    async def answer_to(self, asked: Interaction) -> Drawing:
        """The same; a command that needs one opens a form beside its answer."""
        user, team, text, key = asked.user, asked.team, asked.told["text"], asked.key
        text = text.replace("\0", " ")  # PostgreSQL takes none
        if self._about_many is not None and (answer := await self._about_many.answer(user, team, text, key)) is not None:
            return answer
        try:
            us = await self._people.identity()
        except SlackUnreachable:
            return draw_refused(REFUSALS["slack_unreachable"])
        if (refusal := _outsider(await self._person(user, us, {}), us, team)) is not None:
            return draw_refused(refusal)
        typed_words = words_of(text, WORDS)
        if typed_words[:1] == ["break-glass"] and self._break_glass is not None:
            return await self._break_glass.answer(asked, typed_words[1:])
        if typed_words[:1] == ["batch"] and self._batch is not None:
            return await self._batch.answer(asked, typed_words[1:], us)
        return await self._tell(user, us, typed_words)

    async def _tell(self, user: str, us: Identity, typed: Sequence[str]) -> Drawing:
        match typed:
            case ["status", *named]:
                return await self._status(named)
            case ["next", *_]:
                return await self._next(user, us)
            case ["mine", *_]:
                return await self._mine(user)
            case ["case"]:
                return draw_usage("/review case ID")
            case ["case", *named]:
                return await self._case(user, us, named)
            case [word, *_] if word in PLANNED:
                return draw_planned(word)
            case [unknown, *rest] if unknown != "help":
                near = nearest(unknown, WORDS)
                return draw_unknown(unknown, " ".join([COMMAND, near, *rest]) if near else "")
            case _:
                return await self._help(user, us, " ".join(typed[1:]))

    async def _help(self, user: str, us: Identity, wanted: str) -> Drawing:
        """What this person may do first, or one topic; by any word of ours that it explains."""
        if not wanted.strip():
            standing = await self._desks.standing(user, us)
            return draw_overview(standing.answers_in, [role.value.replace("_", " ") for role in standing.roles])
        [word, *_] = words_of(wanted, WORDS) or [""]
        if topic := topic_of(word):
            return draw_topic(topic, USAGE.get(word, ""), await self._desks.who_may(user, us, word))
        near = nearest(word, [*TOPICS, *WORDS])
        return draw_unknown(word, f"{COMMAND} help {near}" if near else "")

    async def _status(self, named: Sequence[str]) -> Drawing:
        waiting, statuses = await self._database.read(open_by_state), await self._desks.channels()
        if named and (wanted := channel_meant(named[0])) != ("", ""):
            ours = [one for one in statuses if one.channel.removeprefix("#") in wanted]
            return draw_channel(ours[0] if ours else None, named[0])
        brakes = [draw_brake_line(one) for one in stopped(await self._reads.governance())]
        drawing = draw_status(statuses, held=waiting.get(State.HELD, 0), needs_info=waiting.get(State.NEEDS_INFO, 0))
        closed = [one for one in (await self._reads.governance()).bindings.values() if one.trouble]
        told = [f"⚠️ {brief(trouble_sentence(one, await self._reads.waiting_for(destinations_of(one))), 800)}" for one in closed]
        drills = sum(len(one.left) for one in (await self._reads.governance()).drills if not one.over)
        told += [f"🧪 Besides, {drills:,} case{'s' if drills != 1 else ''} of drills, counted nowhere else."] if drills else []
        drawing = replace(drawing, blocks=[*drawing.blocks, *map(words, [*told[-10:], *brakes[:20]])])
        return _with_dead_letters(drawing, await self._database.read(outbox_counts))

    async def _next(self, user: str, us: Identity) -> Drawing:
        for case in await self._reads.free_cases(LOOKED_AT, self._clock()):
            person = await self._person(user, us, case.route.groups)
            asked = person.groups & answering_groups(case) and isinstance(authorize(pressing(Verb.APPROVE, person, case), case), Allowed)
            if asked and (line := await self._line(case)) is not None:
                return draw_next(line)
        held = await self._reads.held_cases(LOOKED_AT)
        for case in held:
            person = await self._person(user, us, case.route.groups)
            asked = case.held_by != "frozen" and isinstance(authorize(pressing(Verb.RESUME, person, case), case), Allowed)
            if asked and (line := await self._line(case)) is not None:
                return draw_next(line, held=True)
        return draw_next(None, held_elsewhere=bool(held))

    async def _mine(self, user: str) -> Drawing:
        lines = [await self._line(case) for case in await self._reads.claimed_by(user)]
        return draw_mine([line for line in lines if line is not None])

    async def _case(self, user: str, us: Identity, typed: Sequence[str]) -> Drawing:
        for case in await named_cases(self._database, typed):
            person = await self._person(user, us, case.route.groups)
            looking = Press(verb=Verb.OPEN_EVIDENCE, person=person, case_id=case.id, face=case.face, team=us.team)
            verdict = authorize(looking, case)
            if not isinstance(verdict, Allowed) and verdict.reason != "erased":
                return draw_refused(verdict.text)
            if (view := await self._views.to_send(case.id)) is not None:
                return draw_case(view) if case.erased_at is None else draw_erased(view)
        return draw_not_found(" ".join(typed))

    async def _person(self, user: str, us: Identity, groups: Mapping[str, Group]) -> Person:
        return await self._people.person(user, us.team, groups)

    async def _line(self, case: Case) -> CaseLine | None:
        """The case in a list, None where nobody can read its events or its content: the others are shown."""
        if (view := await self._views.listed(case.id)) is None:
            return None
        return CaseLine(case.id, view.submission.title, case.route.risk, upcoming(case), view.links, case.claimed_by)


def _typed(body: Mapping[str, Any]) -> Interaction:
    """A `slash_command` payload; what is missing in it is empty."""
    given = {name: str(body.get(name) or "") for name in ("user_id", "team_id", "channel_id", "text", "trigger_id", "response_url")}
    return Interaction(
        action=COMMAND,
        told={"text": given["text"]},
        user=given["user_id"],
        team=given["team_id"],
        channel=given["channel_id"],
        ts="",
        trigger_id=given["trigger_id"],
        key=given["trigger_id"],
        response_url=given["response_url"],
    )


def _outsider(person: Person, us: Identity, team: str) -> str | None:
    """The sentence for somebody who is no member of this workspace, None for a member."""
    code = outsider(person, us.team) or (None if team == us.team else "stranger")
    return None if code is None else REFUSALS[code]


def _with_dead_letters(drawing: Drawing, outbox: Sequence[OutboxCount]) -> Drawing:
    """Messages that were given up are said where people look, not only in a log."""
    dead = {one.peer: one.messages for one in outbox if one.state == "dead"}
    if not dead:
        return drawing
    told = ", ".join(f"{count:,} to {peer}" for peer, count in sorted(dead.items()))
    return replace(drawing, blocks=[*drawing.blocks, words(f"⚠️ *Not delivered and given up:* {told}. `tierline retry` sends them again.")])
