"""App Home: drawn when somebody opens it, drawn anew while it is likely to be looked at, and emptied of cases after that. Owns when it is
drawn and for whom; the desk is `bot.slack.desk`'s, the drawing `bot.slack.cards.home`'s.

It records nothing and tells nothing that is not told elsewhere, and what it shows is of the moment: so it is no message of the outbox. A
drawing that fails is made good by the next, or by *Refresh*. https://docs.slack.dev/surfaces/app-home
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.failures import failure
from bot.slack.answering import Answering
from bot.slack.calls import call
from bot.slack.cards.home import REFRESH, Home, draw_away, draw_home
from bot.slack.cards.text.block_kit import Block, Drawing
from bot.slack.cards.text.limits import check_view
from bot.slack.cards.view import View
from bot.slack.desk import Desk, Desks
from bot.slack.people import Identity, People, SlackUnreachable
from bot.slack.views import Views
from bot.timeouts import REAL, Timeouts
from routing.authorize import REFUSALS, outsider
from routing.case.case import Case
from store.homes import HomeBook
from store.outbox.delivery import SendError

EVENT = "app_home_opened"
WATCHED = timedelta(hours=1)
"""How long after it was opened a Home tab is kept up to date. Then it shows no case any more."""

APART = timedelta(seconds=15)
"""Between two looks whether one person's has changed."""

ROUND_S = 2.0
AT_ONCE = 2
"""So many are looked at in one round, those longest ago first: Slack grants 100 calls of views.publish a minute, and whoever opens one
comes before. https://docs.slack.dev/reference/methods/views.publish
"""

LEFT_EVERY = timedelta(minutes=1)
"""How often it is looked for those whose time is over, of whichever process."""

UNREAD = "Tierline cannot read its database at this moment. Please press Refresh in a minute."
OVER = "What waits for you comes here when you open this tab again, or press Refresh."

_LOG = structlog.get_logger("tierline.homes")


@dataclass(slots=True)
class _Shown:
    """One person's Home tab, as this process knows it."""

    until: datetime
    looked: datetime
    mark: str = ""
    hash: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Homes:
    """The Home tabs of this workspace. `clock` gives aware UTC times."""

    def __init__(
        self,
        client: AsyncWebClient,
        desks: Desks,
        views: Views,
        people: People,
        book: HomeBook,
        *,
        clock: Callable[[], datetime],
        timeouts: Timeouts = REAL,
    ) -> None:
        self._client = client
        self._desks = desks
        self._views = views
        self._people = people
        self._book = book
        self._clock = clock
        self._timeouts = timeouts
        self._shown: dict[str, _Shown] = {}
        self._left_at: datetime | None = None

    def listen(self, bolt: AsyncApp, answering: Answering) -> None:
        """Register with Bolt. Slack is answered at once: what fails stands on the tab itself."""

        async def on_opened(event: Mapping[str, Any]) -> None:
            if event.get("tab", "home") == "home" and isinstance(event.get("user"), str):
                _ = answering.begin(self.draw(str(event["user"])))

        async def on_refresh(ack: Callable[[], Any], body: Mapping[str, Any]) -> None:
            await ack()
            _ = answering.begin(self.draw(str(body["user"]["id"])))

        bolt.event(EVENT)(on_opened)
        bolt.action(REFRESH)(on_refresh)

    async def draw(self, user: str, note: Drawing | None = None) -> None:
        """Draw a person's Home tab, with `note` in front of it, and keep it up to date for a while. Never raises: where that fails, the
        tab says so, and what cannot be shown there is reported.
        """
        now = self._clock()
        shown = self._shown.setdefault(user, _Shown(now, now))
        async with shown.lock:
            shown.until, shown.looked = now + WATCHED, now
            try:
                try:
                    await self._book.keep(user, shown.until)  # before it is shown: else nobody would know of it after a crash
                    await self._draw(user, shown, note)
                except SendError:
                    raise
                except Exception:  # noqa: BLE001 - the edge: whatever it is, whoever opened it is told
                    _LOG.error("Home tab not drawn", user=user, **failure())
                    await self._publish(user, shown, draw_away(UNREAD))
            except SendError as error:
                _LOG.warning("Home tab not published", user=user, cause=error.reason)

    async def run(self) -> None:
        """Keep those up to date that were opened lately, until cancelled."""
        while True:
            await self.tick()
            await asyncio.sleep(ROUND_S)

    async def tick(self) -> int:
        """One round: draws anew what changed, empties what is over. Gives how many were published."""
        now = self._clock()
        if self._left_at is None or now - self._left_at >= LEFT_EVERY:
            await self._take_over(now)
        waiting = [(one.looked, user) for user, one in self._shown.items() if now - one.looked >= APART or one.until <= now]
        return sum([await self._look(user, now) for _, user in sorted(waiting)[:AT_ONCE]])

    async def _take_over(self, now: datetime) -> None:
        """Those of a process that ended: this one's own before it was started again, and whoever's time is over."""
        first, self._left_at = self._left_at is None, now
        for user, until in (await self._book.kept()).items():
            if user not in self._shown and (first or until + LEFT_EVERY <= now):
                self._shown[user] = _Shown(until, now - APART)

    async def _look(self, user: str, now: datetime) -> bool:
        shown = self._shown[user]
        async with shown.lock:
            shown.looked = now
            try:
                if shown.until <= now:
                    await self._publish(user, shown, draw_away(OVER))
                    await self._book.forget(user, shown.until)
                    del self._shown[user]
                    return True
                desk = await self._desks.of(user, await self._people.identity())
                if desk.mark == shown.mark or not desk.person.known:
                    return False
                await self._draw(user, shown, None, desk)
            except (SendError, SlackUnreachable) as error:
                _LOG.warning(
                    "Home tab not brought up to date",
                    user=user,
                    cause=error.reason if isinstance(error, SendError) else "slack_unreachable",
                )
                return False
        return True

    async def _draw(self, user: str, shown: _Shown, note: Drawing | None, desk: Desk | None = None) -> None:
        try:
            us = await self._people.identity()
        except SlackUnreachable:
            await self._publish(user, shown, draw_away(REFUSALS["slack_unreachable"]))
            return
        desk = desk or await self._desks.of(user, us)
        if (code := outsider(desk.person, us.team)) is not None:
            await self._publish(user, shown, draw_away(REFUSALS[code]))
            return
        home = await self._home(desk, us, shown.until, note)
        await self._publish(user, shown, draw_home(home))
        shown.mark = desk.mark

    async def _home(self, desk: Desk, us: Identity, until: datetime, note: Drawing | None) -> Home:
        places = {case.id: place for case in (*desk.claims, *desk.queue) if (place := await self._place(case)) is not None}
        nothing = not desk.claims and not desk.queue
        return Home(
            self._clock(),
            until,
            await self._read(desk.claims),
            await self._read(desk.queue),
            places,
            desk.may_approve,
            more_claims=desk.more_claims,
            more_queue=desk.more_queue,
            answers_in=tuple(await self._desks.answers_in(desk.person, us)) if nothing else (),
            channels=tuple(await self._desks.channels()),
            supervises=desk.supervises,
            brakes=desk.brakes,
            waivers=desk.waivers,
            note=note,
        )

    async def _read(self, cases: Sequence[Case]) -> tuple[View, ...]:
        """Those that can be read; what is drawn of one is of one moment, which may be later than the desk's."""
        read = [await self._views.listed(case.id) for case in cases]
        return tuple(view for view in read if view is not None and view.case.open)

    async def _place(self, case: Case) -> tuple[str, str] | None:
        """Where its card stands."""
        cards = await self._views.cards(case.id)
        return next(((card.channel, card.ts) for card in cards if card.tier == case.tier), None)

    async def _publish(self, user: str, shown: _Shown, view: Block) -> None:
        """Show it. Where somebody else has drawn it meanwhile, that is what Slack shows, and this is the newer one all the same."""
        check_view(view)
        publish = partial(call, self._client, self._timeouts, "views.publish", user_id=user, view=view)
        try:
            answer = await (publish(hash=shown.hash) if shown.hash else publish())
        except SendError as error:
            if error.reason != "hash_conflict":
                raise
            answer = await publish()
        shown.hash = str((answer.get("view") or {}).get("hash") or "")
