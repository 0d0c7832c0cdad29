"""*Send to review*: somebody opens a case from a message. Owns the way from the menu of a message to the ledger.

The case is one of the service that the policy names for it, as if that had posted it: it is routed, decided and recorded like any other,
and that service is called back. Whoever asks is its requester, so they never count as its reviewer.
https://docs.slack.dev/interactivity/implementing-shortcuts
"""

import hashlib
import html
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.failures import failure
from bot.slack.actions.replies import Replies, sentence_modal
from bot.slack.answering import Acknowledgement, Answering, unrecorded
from bot.slack.cards.command_answers import draw_answer
from bot.slack.cards.forms.send_to_review import CALLBACK, FORM, send_to_review_modal, sent_text, typed
from bot.slack.cards.text.block_kit import Drawing, words
from bot.slack.interaction import Interaction, UnreadablePress, read_form, read_shortcut
from bot.slack.people import Identity, People, SlackUnreachable
from routing.authorize import REFUSALS, outsider
from routing.canonical import canonical
from routing.case.near_duplicate import likeness
from routing.case.submission import read_submission
from routing.errors import SubmissionError
from routing.policy.form.form import Shortcut
from routing.policy.policy import Policy
from routing.review.opening import open_case
from store.audit.leaf import LeafTooLongError
from store.ledger.answers import Conflict, Delivery, Opened, Repeated
from store.ledger.ledger import Ledger

NONE_OPEN = (
    "The policy lets nobody send a message to review. Its owners can: `shortcut` under a workflow names the service that then carries it"
    " out."
)
NOTHING = "Please write what is proposed."
BEFORE = "This was sent to review already."
TOO_LONG = "This is too long for one case. Please shorten it."
CHANGED = "The policy lets nobody send a message to this workflow any more, so nothing was sent."

_LOG = structlog.get_logger("tierline.requests")

Ack = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Requests:
    """The listeners. `policy` gives the active one, `services` the names of those that post to each workflow."""

    ledger: Ledger
    people: People
    policy: Callable[[], Policy]
    services: Mapping[str, Collection[str]]
    replies: Replies
    answering: Answering

    def listen(self, bolt: AsyncApp) -> None:
        """Register with Bolt."""
        bolt.message_shortcut(CALLBACK)(self.on_shortcut)
        bolt.view(FORM)(self.on_form)

    async def on_shortcut(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """Somebody chose it in the menu of a message."""
        try:
            asked = read_shortcut(body)
        except UnreadablePress:
            _LOG.warning("unreadable shortcut")
            await ack()
            return
        said = Acknowledgement(ack)
        await self.answering.answered(self._open_form(said, asked), said, partial(self._tell, said, asked))

    async def on_form(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """The form was sent."""
        try:
            asked = read_form(body)
        except UnreadablePress:
            _LOG.warning("unreadable form")
            await ack()
            return
        said = Acknowledgement(ack)
        await self.answering.answered(self._open_case(said, asked), said, partial(self._say, said, asked))

    async def _open_form(self, ack: Acknowledgement, asked: Interaction) -> None:
        await ack()
        refused, _ = await self._refused(asked)
        offered = self._offered()
        if refused or not offered:
            await self.replies.show(asked, sentence_modal(draw_answer(refused) if refused else Drawing(NONE_OPEN, [words(NONE_OPEN)])))
        else:
            text = html.unescape(str(asked.seen.get("text") or ""))  # as Slack escapes it
            await self.replies.show(asked, send_to_review_modal(sorted(offered)[:100], asked.channel, asked.ts, text))

    async def _open_case(self, ack: Acknowledgement, asked: Interaction) -> None:
        refused, us = await self._refused(asked)
        given = typed(asked.inputs)
        shortcut = self._offered().get(given["workflow"])
        if refused or us is None or shortcut is None:
            await self._say(ack, asked, refused or CHANGED)
            return
        text, place = await self._recorded(asked, us, given, shortcut)
        if place:
            await self._say(ack, asked, text, place)
        elif ack.done:
            await self.replies.tell(asked.beside_the_message(), Drawing(text, [words(text)]))
        else:
            await ack(response_action="update", view=sentence_modal(Drawing(text, [words(text)])))

    async def _recorded(self, asked: Interaction, us: Identity, given: Mapping[str, str], shortcut: Shortcut) -> tuple[str, str]:
        """What became of it in mrkdwn, and beside which input that belongs; "" where the form is done with."""
        if not given["proposed"]:
            return NOTHING, "proposed"
        document = {
            "workflow": given["workflow"],
            "task_id": f"slack-{asked.view_id}",
            "title": given["title"],
            "action": {"type": shortcut.action_type, "params": {"proposed": given["proposed"]}},
            "evidence": [{"id": "message", "kind": "url", "title": "The message in Slack", "url": us.permalink(asked.channel, asked.ts)}],
            "requester": {"slack_id": asked.user},
        }
        try:
            submission = read_submission(document, strict=True)
        except SubmissionError as error:
            first = error.problems[0]
            return f"{first.pointer.rpartition('/')[2]}: {first.message}", "title" if first.pointer == "/title" else "proposed"
        delivery = Delivery(
            service=shortcut.service,
            webhook_id=f"slack/{asked.view_id}",
            digest=hashlib.sha256(canonical(document)).hexdigest(),
            workflow=submission.workflow,
            task_id=submission.task_id,
            input_sha256=submission.sha256,
            likeness=likeness(shortcut.service, submission),
            action_sha256=submission.action.sha256,
        )
        try:
            result = await self.ledger.open(delivery, open_case(shortcut.service, submission))
        except LeafTooLongError:
            return TOO_LONG, "proposed"
        except Exception as problem:  # noqa: BLE001 - whatever was raised, nobody knows that it is recorded, and whoever asked must be told so
            _LOG.error("not recorded", **failure())
            return unrecorded(problem)[1], "proposed"
        match result:
            case Opened(case=case):
                return sent_text(case.id, decided=not case.open), ""
            case Repeated(case_id=case_id):
                return sent_text(case_id, decided=False), ""
            case Conflict():
                return BEFORE, ""

    def _offered(self) -> Mapping[str, Shortcut]:
        """The workflows that the policy opens for it, as far as their service is one that posts to them."""
        named = {name: workflow.shortcut for name, workflow in self.policy().workflows.items()}
        return {name: one for name, one in named.items() if one is not None and one.service in self.services.get(name, ())}

    async def _refused(self, asked: Interaction) -> tuple[str, Identity | None]:
        """Why this person may not; "" where they may, and who we are."""
        try:
            us = await self.people.identity()
        except SlackUnreachable:
            return REFUSALS["slack_unreachable"], None
        code = outsider(await self.people.person(asked.user, us.team, {}), us.team)
        code = code or (None if asked.team == us.team else "stranger")
        return (REFUSALS[code] if code is not None else ""), us

    async def _tell(self, ack: Acknowledgement, asked: Interaction, text: str) -> None:
        await ack()
        await self.replies.tell(asked, text)

    async def _say(self, ack: Acknowledgement, asked: Interaction, text: str, place: str = "proposed") -> None:
        """Beside an input of a form that still listens, so that what was typed stays; else beside the message."""
        if ack.done:
            await self.replies.tell(asked.beside_the_message(), text)
        else:
            await ack(response_action="errors", errors={place: text})
