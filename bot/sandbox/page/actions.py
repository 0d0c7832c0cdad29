"""What a person does on the page, carried to Slack and PagerDuty as they would; the bot hears of it over HTTP or Socket Mode.

Draws nothing.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.page.seat import HOME, Marks, Seat
from bot.sandbox.page.switches import Switchboard
from bot.sandbox.page.tour import Tour
from bot.sandbox.pagerduty.pagerduty import PagerDuty
from bot.sandbox.slack.ack import TIMED_OUT, Ack
from bot.sandbox.slack.errors import ClientError
from bot.sandbox.slack.slack import Slack

Json = dict[str, Any]


class Actions:
    """One method per verb that the page's script knows. `action` is what the script sent."""

    def __init__(self, slack: Slack, pagerduty: PagerDuty, switchboard: Switchboard, marks: Marks, tour: Tour) -> None:
        self._slack = slack
        self._pagerduty = pagerduty
        self._switchboard = switchboard
        self._marks = marks
        self._tour = tour
        self._verbs = {
            "press": self._press,
            "shortcut": self._shortcut,
            "submit": self._submit,
            "close": self._close,
            "say": self._say,
            "open_home": self._open_home,
            "profile": self._profile,
            "acknowledge": self._acknowledge,
            "resolve": self._resolve,
            "note": self._note,
            "fault": self._fault,
            "tour": self._show_tour,
        }

    async def do(self, seat: Seat, verb: str, action: Json) -> str:
        """Carry out `verb`; returns a notice for the person, mostly empty: what a client would not allow is told, not raised.

        Raises KeyError for what does not exist.
        """
        try:
            return await self._verbs[verb](seat, action)
        except ClientError as refusal:
            return f"Slack would not let you: {refusal}"

    async def _close(self, seat: Seat, _: Json) -> str:
        await self._slack.close_view(seat.user)
        return ""

    async def _open_home(self, seat: Seat, action: Json) -> str:
        await self._slack.open_home(seat.user, str(action.get("tab") or "home"))
        return ""

    async def _profile(self, seat: Seat, action: Json) -> str:
        away = {"status_text": "On holiday", "status_emoji": ":palm_tree:"} if action["away"] else {"status_text": "", "status_emoji": ""}
        await self._slack.change_profile(seat.user, locale=str(action["locale"]), **away, status_until=0)
        return ""

    async def _acknowledge(self, seat: Seat, action: Json) -> str:
        await self._pagerduty.acknowledge(str(action["incident"]), self._responder(seat, action))
        return ""

    async def _resolve(self, seat: Seat, action: Json) -> str:
        await self._pagerduty.resolve(str(action["incident"]), self._responder(seat, action))
        return ""

    async def _note(self, seat: Seat, action: Json) -> str:
        await self._pagerduty.note(str(action["incident"]), self._responder(seat, action), str(action["content"]))
        return ""

    async def _fault(self, _: Seat, action: Json) -> str:
        self._switchboard.turn(str(action["fault"]), on=bool(action["on"]))
        return ""

    async def _show_tour(self, _: Seat, action: Json) -> str:
        self._tour.is_open = bool(action["on"])
        return ""

    async def _press(self, seat: Seat, action: Json) -> str:
        action_id, value, block_id = str(action["action_id"]), action.get("value") or None, str(action["block_id"]) or None
        values = action.get("values") or {}
        view = str(action.get("view") or "")
        if view:
            ack = await self._slack.click_in_view(seat.user, view, action_id, value, block_id=block_id, values=values)
        else:
            ack = await self._slack.click(seat.user, seat.channel, str(action["ts"]), action_id, value, block_id=block_id, values=values)
        problem = None if ack.ok else f"{_words(ack)} What you pressed may not have been recorded."
        self._marks.complain(seat.user, view or str(action["ts"]), problem)
        return ""

    async def _shortcut(self, seat: Seat, action: Json) -> str:
        ts = str(action["ts"])
        ack = await self._slack.shortcut(seat.user, seat.channel, ts, str(action["callback_id"]))
        self._marks.complain(seat.user, ts, None if ack.ok else f"{_words(ack)} Nothing may have come of it.")
        return ""

    async def _submit(self, seat: Seat, action: Json) -> str:
        view = str(action["view"])
        ack = await self._slack.submit(seat.user, view, action.get("values") or {})
        self._marks.complain(seat.user, view, None if ack.ok else f"{_words(ack)} We had some trouble connecting. Try again?")
        self._marks.correct(view, self._slack.shown_errors(seat.user))
        return ""

    async def _say(self, seat: Seat, action: Json) -> str:
        text = str(action["text"])
        if seat.channel == HOME:
            return "Choose a channel first: Home takes no messages."
        if not text.startswith("/"):
            person, place = self._slack.workspace.user(seat.user), self._slack.workspace.any_channel(seat.channel)
            self._slack.workspace.require_sight(person, place)
            self._slack.workspace.say(person, place, text)
            return ""
        command, _, rest = text.partition(" ")
        ack = await self._slack.command(seat.user, seat.channel, command, rest.strip())
        code = str(ack.problem or ack.status)
        self._marks.complain(seat.user, seat.channel, None if ack.ok else f"{command} failed with the error “{code}”. {_words(ack)}")
        return ""

    def _responder(self, seat: Seat, action: Json) -> str:
        """The same person in PagerDuty, by e-mail as companies tie them; else whoever is on call; else the first responder."""
        email = self._slack.workspace.user(seat.user).email
        responders = self._pagerduty.config.responders
        incident = self._pagerduty.incident(str(action["incident"]))
        if incident is None:
            raise KeyError(action["incident"])
        same = [responder for responder in responders if responder.email == email]
        return (*same, *self._pagerduty.assignees(incident), *responders)[0].id


def _words(ack: Ack) -> str:
    if ack.status == TIMED_OUT:
        return "Operation timed out: the app did not acknowledge within 3 seconds."
    if isinstance(ack.status, str):
        return f"The app cannot be reached ({ack.status.replace('_', ' ')})."
    if ack.status != 200:
        return f"The app answered {ack.status}."
    return f"Slack refused the app's answer: {ack.problem}."
