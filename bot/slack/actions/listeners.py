"""Bolt's listeners: which payload leads where, and what is acknowledged when. What changes a case is committed before it is acknowledged.

Owns the order of commit, acknowledgement and answer, and the flow of forms. A form is opened straight from the press, changes nothing and
keeps what was typed until it counts: whatever goes wrong is said beside the inputs.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.failures import failure
from bot.slack.actions.modified import modified_sentence
from bot.slack.actions.pressed import PREFIX, Pressed, pressed_on_case
from bot.slack.actions.presses import Declined, Outcome, Presses, Recorded
from bot.slack.actions.replies import Replies, sentence_modal
from bot.slack.answering import Acknowledgement, Answering
from bot.slack.cards.command_answers import draw_answer
from bot.slack.cards.forms.details import details_modal
from bot.slack.cards.forms.form_input import Typed, changes_nothing, judged, read_modification, read_words
from bot.slack.cards.forms.inputs import entry_of, holds
from bot.slack.cards.forms.modals import verb_modal
from bot.slack.cards.forms.modify import change_digest, modify_modal, preview_modal
from bot.slack.cards.forms.reveal import reveal_modal
from bot.slack.cards.parts.checklist import failed, named
from bot.slack.cards.text.safe_text import brief
from bot.slack.cards.view import View
from bot.slack.interaction import UnreadablePress, read_button, read_form
from routing.authorize import REFUSALS
from routing.vocabulary import CaseKind, Verb

FORMS = frozenset(
    {Verb.REJECT, Verb.ESCALATE, Verb.ASK, Verb.COMMENT, Verb.ROLL_BACK, Verb.MODIFY, Verb.QUARANTINE, Verb.TAKE_OVER, Verb.HAND_OVER}
)
"""Verbs that always ask for words first; the others count at once, but for those below."""

SOMETIMES = frozenset({Verb.APPROVE, Verb.RESUME})
"""Verbs that ask first where the case demands it: a check failed, the change is large, the step has a checklist, it is in quarantine."""

SHOWING = frozenset({Verb.OPEN_EVIDENCE, Verb.REVEAL})
"""Verbs that are answered with a view, once they are recorded."""

UNREAD = "Tierline cannot read this case at this moment. Please press again in a minute."
RECORDED = "Recorded. The card shows it."
BEFORE = "This was recorded already."
STALE_FORM = (
    "The case has changed since this form was opened, so nothing was recorded. What you typed still stands here: copy what you need,"
    " close the form, and press the button again."
)
TOO_LONG = "A text in the form is too long to be kept while you turn pages. The form is still open: please shorten the text first."
AGAIN = "Nothing was recorded of the form you sent. The database answers again: please send it once more."
GONE = "The content of this case was erased, so there is nothing to show."

Ack = Callable[..., Awaitable[Any]]

_LOG = structlog.get_logger("tierline.listeners")


class Views(Protocol):
    """Reads a case with all there is to show of it."""

    async def view(self, case_id: str) -> View | None:
        """The case as it is now, None when there is none or its content was erased."""
        ...

    async def with_similar(self, view: View) -> View:
        """The same with what was decided of cases like it."""
        ...


class Listeners:
    """The listeners of buttons and forms."""

    def __init__(self, presses: Presses, views: Views, replies: Replies, answering: Answering) -> None:
        self._presses = presses
        self._views = views
        self._replies = replies
        self._answering = answering

    def listen(self, bolt: AsyncApp) -> None:
        """Register with Bolt."""
        ours = re.compile(f"^{PREFIX}(?![bghq]:)")
        bolt.action(ours)(self.on_button)
        bolt.view(ours)(self.on_form)

    async def on_button(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """A button was pressed, on a card or in the details."""
        try:
            pressed = pressed_on_case(read_button(body))
        except UnreadablePress:
            _LOG.warning("unreadable press")
            await ack()
            return
        said = Acknowledgement(ack)
        await self._answering.answered(self._press(said, pressed), said, partial(self._say, said, pressed))

    async def _press(self, ack: Acknowledgement, pressed: Pressed) -> None:
        if pressed.verb is Verb.MODIFY and pressed.origin.view_id:
            await self._turn_form(ack, pressed)
        elif pressed.verb in FORMS or (pressed.verb in SOMETIMES and await self._presses.wants_form(pressed)):
            await self._open_form(ack, pressed)
        elif pressed.verb is Verb.OPEN_EVIDENCE and pressed.origin.view_id:
            await self._turn_page(ack, pressed)
        else:
            await self._count(ack, pressed)

    async def on_form(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """A form was submitted."""
        try:
            pressed = pressed_on_case(read_form(body))
        except UnreadablePress:
            _LOG.warning("unreadable form")
            await ack()
            return
        said = Acknowledgement(ack)
        modifying = pressed.verb is Verb.MODIFY
        work = self._submit_modification(said, pressed) if modifying else self._submit(said, pressed, read_words(pressed.origin.inputs))
        await self._answering.answered(work, said, partial(self._say, said, pressed))

    async def _say(self, ack: Acknowledgement, pressed: Pressed, text: str, block_id: str = "text") -> None:
        """Beside an input of a form that still listens, so that what was typed stays; else beside the message."""
        if pressed.origin.inputs and not ack.done:
            await ack(response_action="errors", errors=_beside(pressed.origin.inputs, block_id, text))
            return
        await ack()
        await self._replies.tell(pressed.origin.beside_the_message() if pressed.origin.inputs else pressed.origin, text)

    async def _count(self, ack: Acknowledgement, pressed: Pressed) -> None:
        outcome = await self._presses.carry_out(pressed)
        promised = ack.done
        await ack()
        match outcome:
            case Declined(text=text):
                await self._replies.tell(pressed.origin, text)
            case Recorded() if pressed.verb in SHOWING:
                await self._show(pressed)
            case Recorded() if promised and pressed.verb is not Verb.APPROVE:
                await self._replies.tell(pressed.origin, RECORDED)
            case Recorded():
                await self._confirm(pressed, outcome)

    async def _confirm(self, pressed: Pressed, recorded: Recorded, typed: Typed | None = None) -> None:
        """Say what an approval stands for; of any other press the card says it."""
        case = recorded.case
        if pressed.verb is not Verb.APPROVE or case is None:
            return
        if wrong := failed(typed.checklist if typed is not None else None):
            said = f"Recorded: you did not let it pass ({named(wrong)}). The card shows where the case goes."
            await self._replies.confirm(pressed.origin, said)
            return
        view = await self._read(case.id)
        title = f" of “{brief(view.submission.title, 150)}”" if isinstance(view, View) else ""
        more = _KEPT_BACK if case.withheld else " The case still needs somebody else." if case.open else ""
        if case.undo is not None:
            more = f" The service is told in {case.route.undo_s} s; until then you can take it back with Undo on the card."
        what = f"revision {case.revision}{title}, action {case.action_sha256[:12]}"
        await self._replies.confirm(pressed.origin, f"Recorded: you {_SAID[case.kind]} {what}.{more}")

    async def _show(self, pressed: Pressed) -> None:
        if (view := await self._view(pressed)) is not None:
            view = await self._views.with_similar(view) if pressed.tab == "similar" else view
            revealing = pressed.verb is Verb.REVEAL
            shown = (
                reveal_modal(view, pressed.seat, pressed.page)
                if revealing
                else details_modal(view, pressed.seat, pressed.page, pressed.tab)
            )
            await self._replies.show(pressed.origin, shown)

    async def _turn_page(self, ack: Acknowledgement, pressed: Pressed) -> None:
        refused = await self._presses.may_begin(pressed)
        await ack()
        if refused is not None:
            await self._replies.tell(pressed.origin, refused.text)
        else:
            await self._show(pressed)

    async def _turn_form(self, ack: Acknowledgement, pressed: Pressed) -> None:
        """Another page of the form to modify, or back from its second step; where that cannot be, it stays open as it is."""
        view = await self._read(pressed.case_id)
        await ack()
        if not isinstance(view, View) or view.case.face != pressed.face:
            said = view if isinstance(view, str) else STALE_FORM
            await self._replies.tell(pressed.origin.beside_the_message(), said)
            return
        values = pressed.origin.typed
        if not all(holds(entry_of(state.get("value"))) for state in values.values()):
            await self._replies.tell(pressed.origin.beside_the_message(), TOO_LONG)
            return
        form = modify_modal(replace(view, tier=pressed.tier), pressed.seat, values, pressed.page)
        await self._replies.opened(pressed.origin, form)

    async def _open_form(self, ack: Acknowledgement, pressed: Pressed) -> None:
        refused = await self._presses.may_begin(pressed)
        await ack()
        if refused is not None:
            await self._replies.tell(pressed.origin, refused.text)
        elif (view := await self._view(pressed)) is not None:
            form = modify_modal(view, pressed.seat) if pressed.verb is Verb.MODIFY else verb_modal(view, pressed.verb, pressed.seat)
            await self._replies.show(pressed.origin, form)

    async def _view(self, pressed: Pressed) -> View | None:
        """The case now, as the card of the tier that was pressed. Tells the person where there is nothing."""
        view = await self._read(pressed.case_id)
        if not isinstance(view, View):
            await self._replies.tell(pressed.origin, view)
            return None
        return replace(view, tier=pressed.tier)

    async def _read(self, case_id: str) -> View | str:
        """The case now, or the sentence why there is nothing to show."""
        try:
            return await self._views.view(case_id) or GONE
        except Exception:  # noqa: BLE001 - whatever it is, what was recorded stays recorded
            _LOG.error("case not read", case=case_id, **failure())
            return UNREAD

    async def _submit_modification(self, ack: Acknowledgement, pressed: Pressed) -> None:
        values = pressed.origin.inputs
        view = await self._read(pressed.case_id)
        if not isinstance(view, View):
            await self._say(ack, pressed, view)
            return
        if view.case.face != pressed.face:  # what was typed belongs to parameters that are no longer proposed
            await self._say(ack, pressed, STALE_FORM)
            return
        if (refused := await self._presses.may_begin(pressed)) is not None:
            await self._say(ack, pressed, refused.text)
            return
        typed = judged(view, read_modification(view, values), values)
        if typed.errors:
            await self._again(ack, pressed, {"response_action": "errors", "errors": dict(typed.errors)})
        elif changes_nothing(view, typed):
            await self._say(ack, pressed, REFUSALS["no_change"])
        elif change_digest(typed.changes) != pressed.shown_change:
            preview = preview_modal(replace(view, tier=pressed.tier), pressed.seat, typed.changes, values, page=pressed.page)
            await self._again(ack, pressed, {"response_action": "update", "view": preview})
        else:
            await self._submit(ack, pressed, typed, before=view)

    async def _again(self, ack: Acknowledgement, pressed: Pressed, shown: Mapping[str, Any]) -> None:
        """Have the form shown again, with a preview or errors; one that was told to wait is asked to be sent once more."""
        if ack.done:
            await self._replies.tell(pressed.origin.beside_the_message(), AGAIN)
        await ack(**shown)

    async def _submit(self, ack: Acknowledgement, pressed: Pressed, typed: Typed, before: View | None = None) -> None:
        outcome = await self._presses.carry_out(pressed, typed)
        if isinstance(outcome, Declined):
            await self._say(ack, pressed, outcome.text, _place(outcome))
        else:
            if ack.done:  # the form stands there still, and says that nobody knows yet
                await self._replies.tell(pressed.origin, RECORDED)
            if pressed.verb is Verb.BREAK_GLASS:  # nobody else may be there to see a card change
                await ack(response_action="update", view=sentence_modal(draw_answer(_outside(typed, outcome))))
                return
            await ack(response_action="clear")
            beside = replace(pressed, origin=pressed.origin.beside_the_message())
            if before is not None and outcome.case is not None:
                await self._replies.tell(beside.origin, modified_sentence(before.case, outcome.case, pressed.origin.user))
            await self._confirm(beside, outcome, typed)


_KEPT_BACK = (
    " The workflow is paused, so your approval is kept back here: the service has not been told."
    " When the workflow goes on, the case is reviewed afresh, and your approval counts no longer."
)

_OF_THE_PERSON = frozenset({"not_handed", "handed_to_oneself", "cannot_answer", "they_are_away", "their_cap_open", "their_cap_hour"})
"""Refusals of whoever was named to have the case."""

_SAID = {
    CaseKind.CASE: "approved",
    CaseKind.CHECK: "found right",
    CaseKind.ROLLBACK: "want undone",
    CaseKind.REVIEW: "found right",
    CaseKind.DRILL: "answered the drill and approved",
}
"""What an approval is called in the answer to whoever gave it."""


def _outside(typed: Typed, recorded: Recorded) -> str:
    """What holds after a decision by break-glass."""
    case = recorded.case
    if case is None:
        return BEFORE
    verb = "approved" if typed.verdict == "approve" else "rejected"
    return (
        f"Recorded: you {verb} revision {case.revision} by break-glass, action {case.action_sha256[:12]}. The supervisors are being told;"
        " they have to say whether that was right."
    )


def _place(outcome: Outcome) -> str:
    """Beside which input a refusal belongs."""
    if isinstance(outcome, Declined) and outcome.reason in ("choose_verdict", "known_wrong"):
        return "verdict"
    if isinstance(outcome, Declined) and outcome.reason in _OF_THE_PERSON:
        return "to"
    return "reason" if isinstance(outcome, Declined) and outcome.reason == "reason_required" else "text"


def _beside(values: Mapping[str, Any], block_id: str, text: str) -> dict[str, str]:
    """An error beside an input that the form has: the one wanted, else its text, its question, or whatever comes first."""
    chosen = next((name for name in (block_id, "text", "question") if name in values), next(iter(values), block_id))
    return {chosen: text}
