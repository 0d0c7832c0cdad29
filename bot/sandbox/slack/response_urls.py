"""The response_urls handed out with presses and commands: five uses within thirty minutes, and what a use does. Forgets nothing, so a
worn-out one says why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import uuid4

from aiohttp import web

from bot.sandbox.faults import Fault, Faults
from bot.sandbox.record import Record
from bot.sandbox.slack.chat import stored_content
from bot.sandbox.slack.conversations import Channel, truth
from bot.sandbox.slack.errors import Json, SlackError
from bot.sandbox.slack.limits import POST_TEXT, check_message
from bot.sandbox.slack.workspace import Workspace

USES = 5  # docs.slack.dev/interactivity/handling-user-interaction: "up to 5 times within 30 minutes"
LIFE_S = 30 * 60.0


@dataclass(slots=True)
class _Issued:
    user_id: str
    channel: Channel
    message_ts: str | None
    issued_at: float
    uses: int = 0


class ResponseUrls:
    """Those of one workspace. `base_url` is known once the server is up."""

    def __init__(self, workspace: Workspace, faults: Faults, record: Record) -> None:
        self.base_url = ""
        self._workspace = workspace
        self._faults = faults
        self._record = record
        self._issued: dict[str, _Issued] = {}

    def issue(self, user_id: str, channel: Channel, message_ts: str | None = None, kind: str = "actions") -> str:
        """A fresh URL; `message_ts`: the message it may replace."""
        path = f"{kind}/{self._workspace.team.id}/{uuid4().int % 10**13}/{uuid4().hex[:24]}"
        self._issued[path] = _Issued(user_id, channel, message_ts, self._workspace.clock())
        return f"{self.base_url}/{path}"

    def routes(self) -> list[web.RouteDef]:
        """Where they lead."""
        return [web.post("/{path:(?:actions|app|commands)/.+}", self._use)]

    async def _use(self, request: web.Request) -> web.Response:
        raw = await request.read()

        def apply() -> web.Response:
            body: Json | None = None
            answer: Json = {"ok": True}
            status = 200
            try:
                body = json.loads(raw)
                self.use(request.match_info["path"], body if isinstance(body, dict) else {})
            except ValueError:
                status, answer = 400, {"ok": False, "error": "invalid_payload"}
            except SlackError as refusal:
                status, answer = 404 if refusal.error.endswith("_url") else 400, refusal.body()
            path = request.match_info["path"]
            user = self._issued[path].user_id if path in self._issued else None
            self._record.add("response_url", ok=answer["ok"], error=answer.get("error"), user=user, args=body, path=path)
            return web.json_response(answer, status=status)

        def note(fault: Fault) -> None:
            self._record.add("fault", method="response_url", mode=str(fault.mode), channel=None, args={})

        return await self._faults.carry_out("slack", "response_url", request, apply, note=note)

    def use(self, path: str, body: Json) -> None:
        """Spend one use: show, replace or delete a message. Raises SlackError used_url, expired_url, or what the content breaks."""
        issued = self._issued.get(path)
        if issued is None or self._workspace.clock() - issued.issued_at > LIFE_S:
            raise SlackError("expired_url")
        if issued.uses >= USES:
            raise SlackError("used_url")
        issued.uses += 1
        self.show(issued.user_id, issued.channel, body, issued.message_ts)

    def show(self, user_id: str, channel: Channel, body: Json, message_ts: str | None = None) -> None:
        """What a response does; also the body a slash command is acknowledged with. Raises SlackError."""
        target = self._workspace.shown_to(user_id, channel, message_ts) if message_ts else None
        if truth(body.get("delete_original")):
            if target is not None:
                self._remove(user_id, channel, target)
            return
        check_message(body, POST_TEXT)
        content = stored_content(body)
        if truth(body.get("replace_original")) and target is not None:
            if target.get("is_ephemeral"):
                target |= {"text": "", "blocks": [], **content}
            else:
                self._workspace.edit(channel, target["ts"], content)
        elif body.get("response_type") == "in_channel":
            self._workspace.post(channel, content, body.get("thread_ts"))
        else:
            self._workspace.whisper(channel, user_id, content, body.get("thread_ts"))

    def _remove(self, user_id: str, channel: Channel, target: Json) -> None:
        if target.get("is_ephemeral"):
            self._workspace.ephemerals[user_id].remove(target)
        else:
            channel.remove(target["ts"])
