"""Slack's Web API over HTTP: reads a call as the SDKs send it, checks token, scope and pace, hands it to its method, keeps a record.
Decides nothing about content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from email.utils import formatdate

from aiohttp import web

from bot.sandbox.faults import Fault, Faults
from bot.sandbox.rate_limit import RateLimit
from bot.sandbox.record import Record
from bot.sandbox.slack.config import AppIdentity, SlackConfig
from bot.sandbox.slack.errors import Json, SlackError

# https://docs.slack.dev/reference/scopes; any one of a method's scopes is enough
NEEDS: Mapping[str, tuple[str, ...]] = {
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history", "im:history"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.join": ("channels:join",),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.replies": ("channels:history", "groups:history", "im:history"),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "team.info": ("team:read",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "users.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "users.profile.get": ("users.profile:read",),
}
APP_SCOPE = "connections:write"
"""What an app-level token may: open sockets, nothing else."""

_JSON_ARGUMENTS = {
    "attachments": "invalid_attachments",
    "blocks": "invalid_blocks_format",
    "files": "invalid_arguments",
    "metadata": "invalid_metadata_format",
    "view": "invalid_arguments",
}


class SlackApi:
    """Everything under /api/. `methods`: by Slack's name, arguments in, the answer's fields out. `clock`: unix seconds, told in headers."""

    def __init__(
        self,
        config: SlackConfig,
        rate_limit: RateLimit,
        faults: Faults,
        record: Record,
        methods: Mapping[str, Callable[[Json], Json]],
        *,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._app = config.app
        self._per_minute = config.per_minute
        self._rate_limit = rate_limit
        self._faults = faults
        self._record = record
        self._methods = methods

    def routes(self) -> list[web.RouteDef]:
        """GET and POST, as Slack takes them."""
        return [web.get("/api/{method}", self._call), web.post("/api/{method}", self._call)]

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        token, args, problem = await read_call(request)

        def apply() -> web.Response:
            status, headers = 200, {"Date": formatdate(self._clock(), usegmt=True)}
            if token in (self._app.bot_token, self._app.app_token):  # of a token that nobody has there is nothing to say
                headers["X-OAuth-Scopes"] = self._granted(token)
            try:
                body = {"ok": True, **self._answer(method, token, args, problem)}
            except SlackError as refusal:
                body = refusal.body()
                if refusal.retry_after_s is not None:
                    status, headers["Retry-After"] = 429, str(refusal.retry_after_s)
            self._keep(method, args, body)
            return web.json_response(body, status=status, headers=headers)

        def note(fault: Fault) -> None:
            self._record.add("fault", method=method, mode=str(fault.mode), channel=args.get("channel"), args=args)

        return await self._faults.carry_out("slack", method, request, apply, note=note)

    def _granted(self, token: str) -> str:
        return APP_SCOPE if token == self._app.app_token else ",".join(sorted(self._app.scopes))

    def _answer(self, method: str, token: str, args: Json, problem: str | None) -> Json:
        if problem:
            raise SlackError(problem)
        if method not in self._methods:
            raise SlackError("unknown_method")
        require_token(self._app, method, token)
        needed = NEEDS.get(method, ())
        if needed and not self._app.scopes.intersection(needed):
            raise SlackError("missing_scope", needed=needed[0], provided=",".join(sorted(self._app.scopes)))
        per_minute = self._per_minute.get(method)
        if per_minute and (wait_s := self._rate_limit.take(("method", method), per_minute, per_minute / 60)):
            raise SlackError("ratelimited", retry_after_s=wait_s)
        return self._methods[method](args)

    def _keep(self, method: str, args: Json, body: Json) -> None:
        self._record.add(
            method,
            ok=body["ok"],
            error=body.get("error"),
            channel=body.get("channel") if isinstance(body.get("channel"), str) else args.get("channel"),
            ts=body.get("ts", body.get("message_ts")),
            user=args.get("user", args.get("user_id")),
            metadata=args.get("metadata"),
            args=args,
            response=body,
        )


def require_token(app: AppIdentity, method: str, token: str) -> None:
    """Raise SlackError unless `token` is the one this method wants: the app-level token opens sockets, the bot token does the rest."""
    if not token:
        raise SlackError("not_authed")
    if token not in (app.bot_token, app.app_token):
        raise SlackError("invalid_auth")
    if (token == app.app_token) != (method == "apps.connections.open"):
        raise SlackError("not_allowed_token_type")


async def read_call(request: web.Request) -> tuple[str, Json, str | None]:
    """Token, arguments and what is wrong with their form, from JSON, form or query; JSON strings in a form are read."""
    args: Json = dict(request.query)
    problem = None
    if request.method == "POST":
        body = await request.read()
        if request.content_type == "application/json":
            try:
                given = json.loads(body)
                args |= given if isinstance(given, dict) else {}
                problem = None if isinstance(given, dict) else "json_not_object"
            except ValueError:
                problem = "invalid_json"
        elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
            args |= dict(await request.post())
        elif body:
            problem = "invalid_post_type"
    for name, error in _JSON_ARGUMENTS.items():
        if isinstance(args.get(name), str):
            try:
                args[name] = json.loads(args[name])
            except ValueError:
                problem = problem or error
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    token = str(args.pop("token", ""))
    return (bearer if kind == "Bearer" else token), args, problem
