"""Typed commands carried out: each is answered for the asker alone, and one that lacks its reason is answered with how it is typed.

Owns which command leads where; the grammar is `bot.slack.governance.command_grammar`'s, and who may is the steps' to say.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

import structlog

from bot.failures import failure
from bot.slack.actions.presses import Declined
from bot.slack.answering import unrecorded
from bot.slack.cards.bulletins.bulletin import draw_bulletin, draw_exceptions
from bot.slack.cards.bulletins.drill import draw_drills, draw_report
from bot.slack.cards.bulletins.postmortem import draw_incidents
from bot.slack.cards.command_answers import draw_answer, draw_usage, next_step
from bot.slack.cards.text.block_kit import Block, Drawing, plain, small_words, words
from bot.slack.cards.text.safe_text import brief, escaped
from bot.slack.governance.batches import Batches, batch_asked
from bot.slack.governance.bulletins import Bulletins
from bot.slack.governance.command_grammar import (
    USAGE,
    Batch,
    Decision,
    GovernanceCommand,
    Listing,
    OneCase,
    Unclear,
    only_asks,
    read_command,
)
from bot.slack.governance.confirmations import confirmation
from bot.slack.governance.rulings import Asked, Rulings
from bot.slack.people import SlackUnreachable
from bot.slack.typed import spelled_as
from routing.authority import GovernanceVerb
from routing.authorize import REFUSALS, outsider
from routing.governance.drill import Drill
from routing.governance.drill_lifecycle import what_is_the_matter
from routing.governance.governance import Governance
from routing.governance.incident import Incident
from routing.governance.incident_lifecycle import ROOT, TIMELINE
from routing.governance.permissions import REFUSALS as REFUSALS_ABOUT_MANY
from routing.governance.ruling import DRILL, INCIDENT, WORKFLOW
from routing.policy.policy import Policy
from store.reads.cases import Reads

_LOG = structlog.get_logger("tierline.commands")


class GovernanceCommands:
    """Answers commands. `policy` gives the active one, `clock` aware UTC times."""

    def __init__(
        self,
        rulings: Rulings,
        batches: Batches,
        reads: Reads,
        policy: Callable[[], Policy],
        clock: Callable[[], datetime],
        *,
        bulletins: Bulletins,
    ) -> None:
        self._rulings = rulings
        self._batches = batches
        self._reads = reads
        self._policy = policy
        self._clock = clock
        self._bulletins = bulletins

    async def answer(self, user: str, team: str, text: str, key: str) -> Drawing | None:
        """What `user`, who typed in `team`, gets to see; None where it is none of these. `key` names this message for ever."""
        command = read_command(text, self._clock())
        if command is None:
            return None
        command = self._as_meant(command)
        try:
            return await self._carry_out(command, Asked(GovernanceVerb.QUARANTINE, "", user, team, key))
        except SlackUnreachable:
            return draw_answer(REFUSALS["slack_unreachable"])
        except Exception as problem:  # whatever was raised, nobody knows that it is recorded, and whoever typed must be told so
            if only_asks(command):
                raise
            _LOG.error("command not recorded", **failure())
            return draw_answer(unrecorded(problem)[1])

    async def _carry_out(self, command: GovernanceCommand, asked: Asked) -> Drawing:
        match command:
            case Unclear(usage=usage, meant=meant):
                return draw_usage(usage, meant)
            case Decision(verb=verb, subject=subject, reason=reason, wish=wish, figure=figure, order=order):
                return await self._rule(replace(asked, verb=verb, subject=subject, reason=reason, wish=wish, figure=figure, order=order))
            case OneCase():
                return _answered(await self._batches.one(command, asked), command.verb.value.replace("_", "-").replace("resume", "release"))
            case Batch():
                return _answered(await self._batches.many(command, batch_asked(asked, command), self._policy()), "quarantine")
            case Listing():
                shown = await self._show(command, asked)
                return replace(shown, blocks=[*shown.blocks, next_step(f"`/review help {command.what}` says what can be done about them")])
            case unknown:
                assert_never(unknown)

    def _as_meant(self, command: GovernanceCommand) -> GovernanceCommand:
        """With the workflow called as the policy in force calls it, where only capitals or hyphens are different."""
        match command:
            case Decision(subject=subject, order=order) if subject.startswith(WORKFLOW):
                name = spelled_as(subject.removeprefix(WORKFLOW), self._policy().workflows)
                return replace(command, subject=WORKFLOW + name, order=order and replace(order, workflow=name))
            case Batch(workflow=workflow):
                return replace(command, workflow=spelled_as(workflow, self._policy().workflows))
            case _:
                return command

    async def _rule(self, asked: Asked) -> Drawing:
        outcome = await self._rulings.carry_out(asked)
        return _answered(outcome.text, _word(asked.verb)) if isinstance(outcome, Declined) else confirmation(asked, outcome)

    async def _show(self, listing: Listing, asked: Asked) -> Drawing:
        person = await self._rulings.person(asked)
        if (code := outsider(person, person.team)) is not None:
            return draw_answer(REFUSALS[code])
        governance = await self._reads.governance()
        match listing.what:
            case "exceptions":
                return draw_exceptions(governance.waivers)
            case "policy":
                return draw_policy(self._policy(), governance)
            case what:
                return await self._subject(listing.named) if listing.named else _list_of(what, governance)

    async def _subject(self, named: str) -> Drawing:
        """An incident with its timeline, or a drill with its report."""
        if named.startswith((INCIDENT, DRILL)):
            found = await self._bulletins.to_send(named, 0, ROOT)
            if found is not None and isinstance(found.about, Drill):
                return draw_report(found, found.about)
            if found is not None and isinstance(found.about, Incident):
                led = await self._bulletins.to_send(named, 0, TIMELINE)
                return Drawing(
                    draw_bulletin(found).text, [*draw_bulletin(found).blocks, *(draw_bulletin(led).blocks if led is not None else [])]
                )
        return draw_answer(REFUSALS_ABOUT_MANY["unknown_drill" if named.startswith(DRILL) else "unknown_incident"])


def _word(verb: GovernanceVerb) -> str:
    """The word of `/review` by which it is done."""
    name = verb.value.replace("_", "-")
    return next((word for word in USAGE if word == name or word in name.split("-")), "stopping")


def _list_of(what: str, governance: Governance) -> Drawing:
    return draw_drills(governance.drills, what_is_the_matter(governance)) if what == "drills" else draw_incidents(governance.incidents)


def _answered(text: str, word: str) -> Drawing:
    """The answer as it is, so that the ids in it can be copied; `word` is that of the command, about which there is help."""
    said: Block = {"type": "section", "text": plain(brief(text, 2_000))}
    return Drawing(escaped(text, 2_000), [said, next_step(f"`/review help {word}` says more")])


def draw_policy(active: Policy, governance: Governance) -> Drawing:
    """`/review policy`: what is in force, what is on stage, what waits for somebody."""
    text = f"In force: policy {escaped(active.version)}"
    lines = [f"*{text}*  {active.sha256[:12]}\n“{escaped(active.changes, 600)}”"]
    if (rollout := governance.rollout) is not None:
        how = f"for {rollout.percent} % of the new cases" if rollout.percent else "in shadow: it routes every case and does nothing"
        lines.append(f"*On stage: policy {escaped(rollout.version)}* {how}")
    for one in governance.proposals:
        if not one.over:
            left = one.needs - len(one.accepted_by)
            lines.append(f"*Proposed: policy {escaped(one.version)}* waits for {left} more. “{escaped(one.changes, 300)}”")
    return Drawing(text, [*map(words, lines[:20]), small_words("`/review policy rollback REASON` goes back to the policy before.")])
