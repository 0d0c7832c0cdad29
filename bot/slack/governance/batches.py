"""Cases held and let go by a command: one, or all that one model proposed since some moment.

Owns finding them and carrying the command to each; whether it counts for a case is decided on the case, as with any press.
"""

import asyncio
from functools import partial

import structlog

from bot.failures import failure
from bot.slack.actions.presses import Declined
from bot.slack.answering import unrecorded
from bot.slack.governance.command_grammar import Batch, OneCase
from bot.slack.governance.rulings import Asked, Rulings
from bot.slack.named_cases import named_cases
from bot.slack.people import Identity, People
from routing.authority import GovernanceVerb
from routing.case.case import Case
from routing.case.people import Press
from routing.governance.permissions import no_such_workflow
from routing.policy.policy import Policy
from routing.review.verbs import needs_content, step_of
from routing.vocabulary import ReasonCode, Verb
from store.database.database import Database
from store.ledger.answers import Changed, Repeated
from store.ledger.ledger import Ledger
from store.ledger.prefetch import InboxKey
from store.reads.batch import open_batch

AT_ONCE = 200
"""Cases held by one command: Slack waits three seconds for the answer. The same command again takes the next ones."""

_BECAME = {
    Verb.QUARANTINE: "in quarantine",
    Verb.RESUME: "released",
    Verb.LEGAL_HOLD: "under a legal hold",
    Verb.RELEASE_LEGAL_HOLD: "free of the legal holds that you may release",
    Verb.HAND_OVER: "handed over",
    Verb.UNDO: "taken back: the service is not told, and somebody decides anew",
}
"""What a case is once it was done, by verb."""

_LOG = structlog.get_logger("tierline.batches")


class Batches:
    """Quarantine and release."""

    def __init__(self, database: Database, ledger: Ledger, people: People, rulings: Rulings) -> None:
        self._database = database
        self._ledger = ledger
        self._people = people
        self._rulings = rulings

    async def one(self, command: OneCase, asked: Asked) -> str:
        """Do it to one case; gives the sentence for whoever asked."""
        found = await named_cases(self._database, [command.word])
        if not found:
            return f"There is no case and no task called “{command.word}”."
        us = await self._people.identity()
        outcomes = [(case.id, await self._press(us, case, command.verb, command.reason, asked)) for case in found]
        done = [case_id for case_id, refused in outcomes if refused is None]
        became = f"{' and '.join(done)} {'is' if len(done) == 1 else 'are'} {_BECAME[command.verb]}."
        refused = [text if len(found) == 1 else f"{case_id}: {text}" for case_id, text in outcomes if text is not None]
        return " ".join([*([became] if done else []), *refused])

    async def many(self, command: Batch, asked: Asked, policy: Policy) -> str:
        """Hold a batch; gives the sentence for whoever asked. `policy`: the active one, which says which workflows there are."""
        refused = await self._rulings.may_begin(asked)
        if isinstance(refused, Declined):
            return refused.text
        query = partial(open_batch, workflow=command.workflow, model=command.model, since=command.since, limit=AT_ONCE)
        cases, more = await self._database.read(query)
        us = await self._people.identity()
        outcomes = await asyncio.gather(*(self._press(us, case, Verb.QUARANTINE, command.reason, asked) for case in cases))
        held = sum(outcome is None for outcome in outcomes)
        parts = [f"{held:,} case{'s' if held != 1 else ''} of {command.workflow} in quarantine."]
        parts += [f"{len(cases) - held:,} could not be held: {next(filter(None, outcomes))}"] if held < len(cases) else []
        parts += ["There are more: type the same again."] if more else []
        if cases:
            return " ".join(parts)
        return "No open case matches." if policy.workflow(command.workflow) is not None else no_such_workflow(command.workflow, policy).text

    async def _press(self, us: Identity, case: Case, verb: Verb, reason: str, asked: Asked) -> str | None:
        """None when it counts, else why not. Never raises: of the other cases something else may be true."""
        try:
            to, text = await self._people.addressed(reason, us.team, case) if verb is Verb.HAND_OVER else (None, reason)
            press = Press(
                verb=verb,
                person=await self._people.person(asked.user, us.team, case.route.groups),
                case_id=case.id,
                face=case.face,
                team=us.team if asked.team == us.team else asked.team,
                reason_code=ReasonCode.OTHER.value,
                text=text,
                to=to,
            )
            key = InboxKey("press", f"{asked.team}/{asked.user}", f"{asked.key}+{case.id}")
            result = await self._ledger.change(case.id, step_of(press), press=press, key=key, content=needs_content(verb, case.kind))
        except Exception as problem:  # noqa: BLE001 - whatever was raised, nobody knows that it is recorded
            _LOG.error("not recorded", verb=verb, case=case.id, **failure())
            return unrecorded(problem)[1]
        if isinstance(result, Changed | Repeated):
            return None
        return getattr(result, "text", "It changed meanwhile.")


def batch_asked(asked: Asked, command: Batch) -> Asked:
    """The same wish as a verb on the workflow, for who may."""
    return Asked(GovernanceVerb.QUARANTINE, f"w_{command.workflow}", asked.user, asked.team, asked.key, command.reason)
