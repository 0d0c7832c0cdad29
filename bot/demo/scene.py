"""What people and the service do on the demonstration's stage, and the looks at what came of it. Owns no story: the chapters do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import aiohttp

from bot import clock
from bot.demo.cases import read_cases
from bot.demo.observer import MissingError, Observer
from bot.demo.people import SLACK_IDS, first_name
from bot.demo.pressing import place_of
from bot.demo.stage import Stage
from bot.loops import end
from bot.sandbox.faults import Fault
from bot.sandbox.slack.ack import Ack
from bot.sandbox.slack.errors import ClientError
from bot.tls import trusted
from bot.watch.look import look, readyz
from bot.watch.page import key_of
from bot.watch.routed_events import RoutedEvents
from bot.watch.watcher import Pace, Watcher
from routing.change import Actor, Refused
from routing.governance.incident_lifecycle import close

Json = dict[str, Any]

WATCHING = Pace(every_s=0.5, answer_s=60.0, send_s=60.0, within_s=122.5)
"""As the watcher looks in a story that nobody wants to wait for: it rings after 2 s, and no answer is too slow for it."""


class Scene:
    """One performance on one stage. `chapter` and `step` are called with what is played and what was seen.

    Raises MissingError naming the first step that the sandbox's ledgers did not see.
    """

    def __init__(self, stage: Stage, chapter: Callable[[str], None], step: Callable[[str], None], patience_s: float) -> None:
        self.stage = stage
        self.chapter = chapter
        self.slack = stage.sandbox.slack
        self.pagerduty = stage.sandbox.pagerduty
        self.service = stage.sandbox.customer
        self.observer = Observer(stage.sandbox, step, patience_s)
        self.see = self.observer.see
        self.cases = read_cases(stage.clock())

    # The service

    async def post(self, name: str, lane: str, **changes: object) -> str:
        """The service posts a case, which is seen to be taken into this lane. Gives the case's id."""
        case = self.cases[name] | changes
        status, answer = await self.service.post(case)
        await self.see(f"the service posted “{case['title']}”: 202, {lane}", lambda: status == 202 and answer.get("lane") == lane)
        return str(answer["id"])

    async def report(self, case: str, result: str, **more: object) -> bool:
        """The service reports what became of a case; True when that was taken."""
        status, _ = await self.service.report_outcome(case, result, **more)
        return status == 200

    # People

    async def press(self, person: str, channel: str, case: str, verb: str) -> None:
        """Somebody presses a button of a card; Slack is answered in time."""
        card = self.observer.card(channel, case)
        if card is None:
            raise MissingError(f"the card in #{channel} is gone")
        await _acknowledged(self.slack.click(SLACK_IDS[person], channel, card["ts"], *place_of(card, verb)), f"{person} presses {verb}")

    async def fill_in(self, person: str, channel: str, case: str, verb: str, title: str, **values: str) -> None:
        """Somebody presses a button that opens a form, fills it in and submits it."""
        await self.press(person, channel, case, verb)
        await self.submit(person, title, values)

    async def submit(self, person: str, title: str, values: dict[str, str]) -> None:
        """Somebody fills in the form that opens before them. `values`: by block of the form; the others keep what they hold."""
        form = await self.see(f"{first_name(person)} has the form “{title}” open", lambda: self.observer.modal(SLACK_IDS[person], title))
        await self.send(person, form, values)

    async def send(self, person: str, form: Json, values: dict[str, str]) -> None:
        """Somebody sends the form that is open before them."""
        await _acknowledged(self.slack.submit(SLACK_IDS[person], form["id"], values), f"{person} submits “{form['title']['text']}”")

    async def press_bulletin(self, person: str, channel: str, text: str, verb: str) -> None:
        """Somebody presses a button of the newest message about more than one case that says `text`."""
        bulletin = self.observer.bulletin(channel, text)
        if bulletin is None:
            raise MissingError(f"the message in #{channel} is gone")
        pressing = self.slack.click(SLACK_IDS[person], channel, bulletin["ts"], f"tierline:g:{verb}")
        await _acknowledged(pressing, f"{person} presses {verb}")

    async def say(self, person: str, channel: str, words: str) -> None:
        """Somebody types `/review` and these words."""
        await _acknowledged(self.slack.command(SLACK_IDS[person], channel, "/review", words), f"{person} types /review {words}")

    def told(self, person: str, text: str) -> Callable[[], Json | None]:
        """A look: whether this person alone was told `text`."""
        return lambda: self.observer.told(SLACK_IDS[person], text)

    async def close_incident(self, person: str, workflow: str, example: str) -> str:
        """Somebody closes the incident of a workflow, as `tierline incident close` does. Gives why not, "" when it is closed."""
        app = self.stage.app
        incident = next(one for one in (await app.reads.governance()).incidents if one.workflow == workflow and not one.over)
        words = {"cause": "Nobody of the executive tier was reachable.", "remediation": "A third person is on it from today."}
        closed = await app.ledger.govern(close(incident.id, Actor("human", SLACK_IDS[person]), example=example, **words))
        return closed.text if isinstance(closed, Refused) else ""

    # What goes wrong

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """A peer is broken this way as long as the block runs."""
        faults = self.stage.sandbox.faults
        faults.add(fault)
        try:
            yield
        finally:
            faults.remove(fault)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[Callable[[], str]]:
        """The bot is watched from outside as by `tierline watch` while the block runs. Gives a look: the state of what it rang for."""
        stage, url = self.stage, readyz(self.stage.app.url)
        key = key_of(url)
        events = RoutedEvents(stage.sandbox.pagerduty_events_url, stage.environment["DEMO_PAGE_DUTY"], trusted({}), timeout_s=None)
        async with aiohttp.ClientSession(trust_env=False) as session:
            watcher = Watcher(
                url,
                lambda: look(session, url, WATCHING.answer_s),
                events,
                pace=WATCHING,
                steady=clock.steady,
                now=stage.clock,
                tell=lambda _news: None,
            )
            watching = asyncio.create_task(watcher.run())
            try:
                yield lambda: next((one.status for one in reversed(self.pagerduty.incidents) if one.key == key), "")
            finally:
                await end(watching)
                events.close()

    # Time

    def pass_time(self, **amount: float) -> None:
        """Put the clock forward."""
        self.stage.clock.put_forward(timedelta(**amount))


async def _acknowledged(press: Awaitable[Ack], what: str) -> None:
    """Raises MissingError where Slack would not let the person, or got no answer."""
    try:
        ack = await press
    except ClientError as refusal:
        raise MissingError(f"{what}: {refusal}") from refusal
    if not ack.ok:
        raise MissingError(f"{what}: Slack got no answer ({ack.problem or ack.status})")
