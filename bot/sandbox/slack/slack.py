"""Somebody's Slack: wires workspace, Web API, Socket Mode and people together, and shows what is in it. Holds no rule of its own."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.rate_limit import RateLimit
from bot.sandbox.record import Record
from bot.sandbox.slack.administration import Administration
from bot.sandbox.slack.api import SlackApi
from bot.sandbox.slack.chat import ChatMethods
from bot.sandbox.slack.config import SlackConfig
from bot.sandbox.slack.conversations import Channel
from bot.sandbox.slack.errors import Json
from bot.sandbox.slack.files import Files
from bot.sandbox.slack.form import elements
from bot.sandbox.slack.http_delivery import HttpDelivery
from bot.sandbox.slack.interactions import Interactions
from bot.sandbox.slack.modals import Modals
from bot.sandbox.slack.payloads import Payloads
from bot.sandbox.slack.reads import ReadMethods
from bot.sandbox.slack.response_urls import ResponseUrls
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.views import ViewMethods
from bot.sandbox.slack.workspace import Workspace


class Slack:
    """One workspace with one app. `record`: every call, press and socket with its result. What people do: see `Interactions`.

    What it returns are copies, as a client's screen is: keep one and press in it later (`click(…, as_seen=…)`).
    """

    def __init__(self, config: SlackConfig, clock: Callable[[], float], faults: Faults) -> None:
        self.config = config
        self.record = Record("slack", clock)
        self.workspace = Workspace(config, clock)
        self.modals = Modals(config, clock)
        self.socket_mode = SocketMode(config, self.record)
        self.response_urls = ResponseUrls(self.workspace, faults, self.record)
        self.files = Files(self.workspace, faults)
        self._faults = faults
        self._http = HttpDelivery(config, clock)
        rate_limit = RateLimit(clock)
        methods = {
            **ReadMethods(self.workspace).methods(),
            **ChatMethods(self.workspace, rate_limit, config.burst).methods(),
            **ViewMethods(self.workspace, self.modals).methods(),
            **self.files.methods(),
            **self.socket_mode.methods(),
        }
        self._api = SlackApi(config, rate_limit, faults, self.record, methods, clock=clock)
        people = Interactions(
            workspace=self.workspace,
            modals=self.modals,
            response_urls=self.response_urls,
            http=self._http,
            socket_mode=self.socket_mode,
            payloads=Payloads(config),
            record=self.record,
            faults=faults,
        )
        self._people = people
        admin = Administration(self.workspace, self._tell_app)
        self.rename_channel, self.create_channel, self.delete_channel = admin.rename_channel, admin.create_channel, admin.delete_channel
        self.archive_channel, self.unarchive_channel = admin.archive_channel, admin.unarchive_channel
        self.invite_app, self.remove_app = admin.invite_app, admin.remove_app
        self.delete_message, self.change_profile = admin.delete_message, admin.change_profile
        self.click = people.click
        self.click_in_view = people.click_in_view
        self.shortcut = people.shortcut
        self.submit = people.submit
        self.close_view = people.close_view
        self.command = people.command
        self.open_home = people.open_home
        self.shown_errors = people.shown_errors

    def routes(self) -> list[web.RouteDef]:
        """Web API, websockets, uploads, response_urls."""
        return [*self._api.routes(), *self.socket_mode.routes(), *self.files.routes(), *self.response_urls.routes()]

    def serve_at(self, base_url: str, page_url: str = "") -> None:
        """Where this Slack is reached (http://host:port): goes into response_urls and websocket URLs; the page into links to messages."""
        self.response_urls.base_url = self.socket_mode.base_url = self.files.base_url = base_url
        if page_url:
            self.workspace.url = f"{page_url}/"

    def connect(self, events_url: str | None) -> None:
        """The app's request URL for interactions, commands and events; None: Socket Mode."""
        self._http.url = events_url

    async def stop(self) -> None:
        """Close websockets and what is open towards the app."""
        await self.socket_mode.stop()
        await self._http.stop()

    # What there is to see

    def messages(self, channel: str) -> list[Json]:
        """What a channel shows, oldest first, without replies."""
        return deepcopy(self._channel(channel).top_level())

    def message(self, channel: str, ts: str) -> Json:
        """One message or reply. Raises KeyError."""
        return deepcopy(self._channel(channel).messages[ts])

    def thread(self, channel: str, ts: str) -> list[Json]:
        """The replies under a message, oldest first, without the message itself."""
        return deepcopy(self._channel(channel).replies(ts)[1:])

    def direct_messages(self, user: str) -> list[Json]:
        """What the app wrote to a person directly, oldest first."""
        self._faults.apply_due()
        return deepcopy(self.workspace.direct(self.workspace.user(user).id).top_level())

    def ephemerals(self, user: str) -> list[Json]:
        """What only this person was shown, oldest first; each holds its channel."""
        self._faults.apply_due()
        return deepcopy(self.workspace.ephemerals.get(self.workspace.user(user).id, []))

    def open_view(self, user: str) -> Json | None:
        """The modal this person sees now."""
        self._faults.apply_due()
        return deepcopy(self.modals.top(self.workspace.user(user).id))

    def home(self, user: str) -> Json | None:
        """The Home tab this person sees."""
        self._faults.apply_due()
        return deepcopy(self.modals.home(self.workspace.user(user).id))

    async def _tell_app(self, event: Json) -> None:
        if event["type"] in self.config.events:
            await self._people.hear(event)

    def _channel(self, ref: str) -> Channel:
        self._faults.apply_due()
        return self.workspace.any_channel(ref)


def actions_of(surface: Json) -> list[str]:
    """The action ids a message or view offers, in order."""
    return [element["action_id"] for _, element in elements(surface.get("blocks") or [])]
