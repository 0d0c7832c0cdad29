"""The page over HTTP: whole, in regions, as a stream of "something changed", and the actions of whoever sits at it.

It answers this machine's own browser only: other hosts, other origins and scripts of other pages are turned away.
"""

from __future__ import annotations

import asyncio
import zlib
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from bot.sandbox.customer import Customer
from bot.sandbox.faults import Faults
from bot.sandbox.mail import Mail
from bot.sandbox.page.actions import Actions
from bot.sandbox.page.peers_scene import PeersScene
from bot.sandbox.page.seat import Marks, Seat, take_seat
from bot.sandbox.page.slack_scene import SlackScene
from bot.sandbox.page.switches import Switchboard
from bot.sandbox.page.tour import Tour
from bot.sandbox.pagerduty.pagerduty import PagerDuty
from bot.sandbox.record import Seen
from bot.sandbox.slack.slack import Slack

HERE = Path(__file__).parent
LOCAL = frozenset({"127.0.0.1", "localhost"})
HEARTBEAT_S = 15.0
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Page:
    """The page over four peers and their faults, with a tour through it."""

    def __init__(self, slack: Slack, pagerduty: PagerDuty, customer: Customer, mail: Mail, faults: Faults, *, tour: Tour) -> None:
        self._slack = slack
        self._pagerduty = pagerduty
        self._customer = customer
        self._mail = mail
        self._marks = Marks()
        self._switchboard = Switchboard(faults)
        self._tour = tour
        self._actions = Actions(slack, pagerduty, self._switchboard, self._marks, tour)
        self._environment = make_environment()
        self._watchers: set[asyncio.Event] = set()
        self._unwatch = [peer.record.watch(self._wake) for peer in (slack, pagerduty, customer, mail)]

    def app(self) -> web.Application:
        """The page as an application of its own, for a port of its own."""
        app = web.Application(middlewares=[_only_this_machine])
        app.add_routes(
            [
                web.get("/", self._whole),
                web.get("/archives/{channel}/p{ts}", self._linked),
                web.get("/files/{file}", self._file),
                web.get("/regions", self._regions_json),
                web.get("/events", self._stream),
                web.post("/do", self._do),
                web.static("/static", HERE / "static"),
            ]
        )
        app.on_shutdown.append(self._hang_up)
        return app

    # Drawing

    async def _whole(self, request: web.Request) -> web.Response:
        task = self._tour.current if self._tour.is_open and "user" not in request.query else None
        if task is not None:
            where = request.rel_url.with_query({"user": task.user, "channel": task.channel})
            raise web.HTTPFound(where.with_fragment("task"))
        seat = take_seat(self._slack, request.query)
        if request.query.get("user") != seat.user or request.query.get("channel") != seat.channel:
            raise web.HTTPFound(request.rel_url.with_query({"user": seat.user, "channel": seat.channel}))
        html = self._environment.get_template("page.html").render(team=self._slack.workspace.team.name, regions=self._regions(seat))
        return web.Response(text=html, content_type="text/html")

    async def _linked(self, request: web.Request) -> web.Response:
        """A message's own address: its channel, as one of those in it. The page's script opens it as whoever sits there."""
        workspace, channel = self._slack.workspace, request.match_info["channel"]
        members = workspace.channels[channel].members if channel in workspace.channels else []
        seat = {"user": next((user for user in members if not workspace.users[user].is_bot), ""), "channel": channel}
        raise web.HTTPFound(request.rel_url.with_path("/").with_query(seat))

    async def _file(self, request: web.Request) -> web.Response:
        """A shared file, to be saved: whatever it holds is never a page of this origin."""
        file = self._slack.files.file(request.match_info["file"])
        if file is None or not file.is_complete or file.content is None:
            raise web.HTTPNotFound(text="There is no such file.")
        return web.Response(body=file.content, content_type="application/octet-stream", headers={"Content-Disposition": "attachment"})

    async def _regions_json(self, request: web.Request) -> web.Response:
        seat = take_seat(self._slack, request.query)
        return web.json_response({**self._regions(seat), "seat": {"user": seat.user, "channel": seat.channel, "thread": seat.thread}})

    def _regions(self, seat: Seat) -> dict[str, Markup]:
        macros: Any = self._environment.get_template("regions.html").module
        scene = SlackScene(self._slack, seat, self._marks, self._environment)
        beside = PeersScene(self._pagerduty, self._customer, self._mail, scene.reader)
        drawn = {
            "tour": macros.tour(self._tour, scene.find_card),
            "main": macros.main(scene),  # first: looking at a channel reads it
            "sidebar": macros.sidebar(scene, self._tour),
            "thread": macros.thread(scene),
            "places": macros.places(scene, beside),
            "modal": macros.modal(scene),
            "pagerduty": macros.pagerduty(beside),
            "mail": macros.mail(beside),
            "service": macros.service(beside),
            "faults": macros.faults(self._switchboard),
        }
        return {name: Markup(html.strip()) for name, html in drawn.items()}  # noqa: S704  # macros of autoescaping templates

    # Doing

    async def _do(self, request: web.Request) -> web.Response:
        action = await request.json()
        seat = take_seat(self._slack, action)
        try:
            notice = await self._actions.do(seat, str(action["verb"]), action)
        except KeyError as missing:
            return web.json_response({"notice": f"There is no {missing} any more."}, status=404)
        self._wake(None)
        return web.json_response({"notice": notice})

    # Telling

    def _wake(self, _: Seen | None) -> None:
        for watcher in self._watchers:
            watcher.set()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **HEADERS})
        await response.prepare(request)
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while self._unwatch:
                changed.clear()
                await response.write(b"data: changed\n\n")
                try:
                    await asyncio.wait_for(changed.wait(), HEARTBEAT_S)
                except TimeoutError:
                    continue  # the write above finds out whether the browser is still there
        except (ConnectionResetError, asyncio.CancelledError):
            return response
        finally:
            self._watchers.discard(changed)
        return response

    async def _hang_up(self, _: web.Application) -> None:
        self._tour.end()
        for stop in self._unwatch:
            stop()
        self._unwatch.clear()
        self._wake(None)


def make_environment() -> Environment:
    """The templates, autoescaping."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(default=True), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["initials"] = lambda name: "".join(word[0] for word in str(name).split()[:2]).upper()
    environment.filters["hue"] = lambda name: zlib.crc32(str(name).encode()) % 360
    return environment


@web.middleware
async def _only_this_machine(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401  # aiohttp's Handler is private
    """Refuse a Host that is not this machine (DNS rebinding), and actions without the header that no other origin can add."""
    if request.url.host not in LOCAL:
        raise web.HTTPForbidden(text="This page is for this machine's browser.")
    if request.method == "POST" and request.headers.get("X-Sandbox") != "page":
        raise web.HTTPForbidden(text="Actions come from the page itself.")
    response: web.StreamResponse = await handler(request)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response
