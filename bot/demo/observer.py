"""What the sandbox's own ledgers say, and waiting until they say it. Owns every look that the story takes: at Slack's messages, PagerDuty's
incidents and the service's inbox, never at the bot's database.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from bot.demo.people import SLACK_IDS
from bot.demo.pressing import offered_by
from bot.sandbox.customer import Callback
from bot.sandbox.mail import Letter
from bot.sandbox.pagerduty.account import Incident
from bot.sandbox.record import Seen
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack.slack import actions_of

T = TypeVar("T")
Json = dict[str, Any]

LOOK_AGAIN_S = 0.5


class MissingError(AssertionError):
    """The sandbox's ledgers did not see this step in time."""


class Observer:
    """Looks into one sandbox. `patience_s`: how long a step may take; `tell` is told of each that was seen."""

    def __init__(self, sandbox: Sandbox, tell: Callable[[str], None], patience_s: float) -> None:
        self._sandbox = sandbox
        self._tell = tell
        self._patience_s = patience_s

    async def see(self, step: str, look: Callable[[], T | None]) -> T:
        """Wait until `look` finds something, tell the step, give what was found. Raises MissingError with the step."""
        with self._news() as news:
            try:
                async with asyncio.timeout(self._patience_s):
                    while not (found := look()):
                        news.clear()
                        with suppress(TimeoutError):
                            await asyncio.wait_for(news.wait(), LOOK_AGAIN_S)
            except TimeoutError:
                raise MissingError(step) from None
        self._tell(step)
        return found

    @contextmanager
    def _news(self) -> Iterator[asyncio.Event]:
        """Set whenever one of the peers writes into its ledger."""
        news = asyncio.Event()

        def wake(_: Seen) -> None:
            news.set()

        sandbox = self._sandbox
        unwatch = [
            peer.record.watch(wake)
            for peer in (sandbox.slack, sandbox.pagerduty, sandbox.customer, sandbox.tickets, sandbox.mail, sandbox.monitor)
        ]
        try:
            yield news
        finally:
            for stop in unwatch:
                stop()

    # Slack

    def card(self, channel: str, case_id: str, *, verb: str = "", text: str = "", not_face: str = "") -> Json | None:
        """The card of a case in a channel, if it offers `verb`, shows `text`, and is no longer the one with the face `not_face`."""
        for message in self._sandbox.slack.messages(channel):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == "tierline_card" and metadata["event_payload"].get("case") == case_id:
                offers = offered_by(message)
                if verb and f"tierline:{verb}" not in offers:
                    return None
                if (text and text not in shown(message)) or (not_face and face_of(message) == not_face):
                    return None
                return message
        return None

    def card_with(self, channel: str, case_id: str, *texts: str, verb: str = "approve") -> Json | None:
        """The card of a case that offers `verb` and shows all of this."""
        card = self.card(channel, case_id, verb=verb)
        return card if card is not None and all(text in shown(card) for text in texts) else None

    def closed_card(self, channel: str, case_id: str, text: str) -> Json | None:
        """The card of a decided case: it shows `text` and nobody can approve on it any more."""
        card = self.card(channel, case_id, text=text)
        return None if card is None or "tierline:approve" in actions_of(card) else card

    def child(self, channel: str, parent: str, text: str) -> str | None:
        """The id of an open check or roll back of a case, if its card shows `text`."""
        for message in self._sandbox.slack.messages(channel):
            case_id = str(((message.get("metadata") or {}).get("event_payload") or {}).get("case", ""))
            if case_id != parent and self.card_with(channel, case_id, parent, text):
                return case_id
        return None

    def note(self, channel: str, case_id: str, text: str) -> Json | None:
        """A reply in the thread of a case's card that says `text`."""
        card = self.card(channel, case_id)
        replies = self._sandbox.slack.thread(channel, card["ts"]) if card is not None else []
        return next((reply for reply in replies if text in shown(reply)), None)

    def posted(self, channel: str, text: str) -> Json | None:
        """A message in a channel, of whatever kind, that says `text`."""
        return next((one for one in self._sandbox.slack.messages(channel) if text in shown(one)), None)

    def replies(self, channel: str, message: Json) -> list[str]:
        """What the thread of a message says, a text for each reply."""
        return [shown(reply) for reply in self._sandbox.slack.thread(channel, message["ts"])]

    def direct(self, person: str, text: str) -> Json | None:
        """What was sent to this person alone, if it says `text`."""
        return next((one for one in self._sandbox.slack.direct_messages(SLACK_IDS[person]) if text in shown(one)), None)

    def letter(self, address: str, text: str) -> Letter | None:
        """The newest mail to an address that says `text`."""
        return self._sandbox.mail.found(address, text)

    def drilled(self, channel: str) -> str | None:
        """The id of the case that a drill put into a channel."""
        card = self.posted(channel, "This is a drill")
        return str(card["metadata"]["event_payload"]["case"]) if card is not None else None

    def ticket(self, case_id: str) -> Json | None:
        """The ticket that was opened about a case."""
        return next((one["data"] for one in self._sandbox.tickets.opened.values() if one["data"]["case_id"] == case_id), None)

    def told(self, person: str, text: str) -> Json | None:
        """What only this person was shown, if it says `text`."""
        return next((one for one in self._sandbox.slack.ephemerals(person) if text in shown(one)), None)

    def modal(self, person: str, title: str) -> Json | None:
        """The form this person has open, if it has this title."""
        view = self._sandbox.slack.open_view(person)
        return view if view is not None and view["title"]["text"] == title else None

    def form(self, person: str, title: str, *texts: str) -> Json | None:
        """The form this person has open, if it has this title and shows all of this."""
        view = self.modal(person, title)
        return view if view is not None and all(text in shown(view) for text in texts) else None

    def bulletin(self, channel: str, *texts: str) -> Json | None:
        """The newest message about more than one case that shows all of this."""
        ours = [
            one for one in self._sandbox.slack.messages(channel) if (one.get("metadata") or {}).get("event_type") == "tierline_bulletin"
        ]
        return next((one for one in reversed(ours) if all(text in shown(one) for text in texts)), None)

    def cards(self, case_id: str) -> int:
        """How many messages of any channel are cards of this case."""
        return sum(self.card(channel.name, case_id) is not None for channel in self._sandbox.config.slack.channels)

    # PagerDuty and the service

    def incident(self, case_id: str, status: str) -> Incident | None:
        """The incident of a case, if it has this status."""
        found = [one for one in self._sandbox.pagerduty.incidents if f"/{case_id}/" in one.key]
        return found[-1] if found and found[-1].status == status else None

    def paged(self, case_id: str, times: int) -> bool:
        """Whether so many incidents were opened for a case."""
        return sum(f"/{case_id}/" in one.key for one in self._sandbox.pagerduty.incidents) == times

    def callback(self, case_id: str, kind: str) -> Callback | None:
        """What the service was told about a case, if it was: verified by its receiver kit before it came in here."""
        return next((one for one in self._sandbox.customer.inbox if one.type == kind and one.data.get("case_id") == case_id), None)

    def callbacks(self, case_id: str, kind: str) -> int:
        """How often the service was told this about a case."""
        return sum(one.type == kind and one.data.get("case_id") == case_id for one in self._sandbox.customer.inbox)

    def workflow(self, name: str, automation: str) -> Callback | None:
        """The last the service heard about a workflow, if it says this."""
        heard = [one for one in self._sandbox.customer.inbox if one.type.startswith("workflow.") and one.data.get("workflow") == name]
        return heard[-1] if heard and heard[-1].data.get("automation") == automation else None

    def verdict(self, case_id: str, verdict: str) -> Callback | None:
        """The decision that reached the service, if it is this one."""
        found = self.callback(case_id, "case.decided")
        return found if found is not None and found.data.get("verdict") == verdict else None

    def executed(self, case_id: str) -> int:
        """How often the service carried a case out."""
        return sum(one.data.get("case_id") == case_id for one in self._sandbox.customer.executed)


def shown(message: Json) -> str:
    """Everything a message or form shows, as one text."""
    return json.dumps([message.get("text"), message.get("blocks")], ensure_ascii=False)


def face_of(card: Json) -> str:
    """The face that the buttons of a card carry, "" where it has none."""
    elements = [element for block in card.get("blocks", []) if block["type"] == "actions" for element in block["elements"]]
    return str(json.loads(elements[0]["value"])["f"]) if elements else ""
