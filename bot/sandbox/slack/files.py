"""Files in three steps, as Slack takes them: a URL to upload to, the upload itself, and completing it, which shares the file in a channel
or thread. Owns what was uploaded.

Sources: docs.slack.dev/reference/methods/files.getUploadURLExternal and files.completeUploadExternal. A shared file carries no metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from uuid import uuid4

from aiohttp import BodyPartReader, web

from bot.sandbox.faults import Faults
from bot.sandbox.slack.conversations import Channel, number
from bot.sandbox.slack.errors import Json, SlackError
from bot.sandbox.slack.workspace import Workspace

MOST_FILES = 10
"""In one call that completes them."""


@dataclass(slots=True)
class StoredFile:
    """One file. `content` is None until it was uploaded; `shared_in`: ids of channels; `created_at`: unix seconds."""

    id: str
    name: str
    length: int
    created_at: int
    token: str = field(repr=False)
    title: str = ""
    content: bytes | None = None
    is_complete: bool = False
    shared_in: list[str] = field(default_factory=list)

    def json(self, user_id: str, url: str) -> Json:
        """The `file` object that a message carries; `url`: the workspace's."""
        kind = PurePath(self.name).suffix.removeprefix(".") or "text"
        return {
            "id": self.id,
            "created": self.created_at,
            "timestamp": self.created_at,
            "name": self.name,
            "title": self.title,
            "mimetype": "text/plain" if kind in ("text", "txt", "md", "csv") else "application/octet-stream",
            "filetype": kind,
            "user": user_id,
            "mode": "hosted",
            "size": self.length,
            "is_external": False,
            "is_public": True,
            "url_private": f"{url}files/{self.id}",
            "permalink": f"{url}files/{self.id}",
            "channels": list(self.shared_in),
            "shares": {},
        }


class Files:
    """Those of one workspace. `base_url` is known once the server is up. Faults of uploads are those of peer `slack`, method `upload`."""

    def __init__(self, workspace: Workspace, faults: Faults) -> None:
        self.base_url = ""
        self._workspace = workspace
        self._faults = faults
        self._files: dict[str, StoredFile] = {}

    def methods(self) -> Mapping[str, Callable[[Json], Json]]:
        """By Slack's name."""
        return {"files.getUploadURLExternal": self.upload_url, "files.completeUploadExternal": self.complete, "files.info": self.info}

    def routes(self) -> list[web.RouteDef]:
        """Where uploads go."""
        return [web.post("/upload/v1/{token}", self._upload)]

    def file(self, file_id: str) -> StoredFile | None:
        """A file that was shared, or is to be."""
        return self._files.get(file_id)

    def upload_url(self, args: Json) -> Json:
        """Where a file of that name and length may be uploaded, once."""
        name, length = str(args.get("filename") or ""), number(args.get("length"), 0)
        for missing in [argument for argument, given in (("filename", name), ("length", length > 0)) if not given]:
            raise SlackError("invalid_arguments", [f"missing required field: {missing} [json-pointer:/{missing}]"])
        made = StoredFile("F0" + uuid4().hex[:9].upper(), name, length, int(self._workspace.clock()), uuid4().hex)
        self._files[made.id] = made
        return {"upload_url": f"{self.base_url}/upload/v1/{made.token}", "file_id": made.id}

    def complete(self, args: Json) -> Json:
        """Finish uploads and share them as one message. Without a channel they stay private."""
        listed = args.get("files")
        if not isinstance(listed, list) or not 0 < len(listed) <= MOST_FILES or not all(isinstance(item, dict) for item in listed):
            raise SlackError("invalid_arguments", ["must be an array of 1 to 10 objects [json-pointer:/files]"])
        found = [self._uploaded(item) for item in listed]
        channels = [self._workspace.joined(channel) for channel in _channels(args)]
        if args.get("thread_ts") and len(channels) != 1:
            raise SlackError("invalid_arguments", ["thread_ts needs exactly one channel [json-pointer:/thread_ts]"])
        if any(channel.is_archived for channel in channels):
            raise SlackError("is_archived")
        for file, item in zip(found, listed, strict=True):
            file.title, file.is_complete = str(item.get("title") or file.name), True
            file.shared_in = [channel.id for channel in channels]
        for channel in channels:
            self._share(channel, found, args)
        return {"files": [self._json(file) for file in found]}

    def info(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/files.info."""
        file = self._files.get(str(args.get("file", "")))
        if file is None or not file.is_complete:
            raise SlackError("file_not_found")
        return {"file": self._json(file), "comments": []}

    def _uploaded(self, item: Json) -> StoredFile:
        file = self._files.get(str(item.get("id", "")))
        if file is None:
            raise SlackError("file_not_found")
        if file.content is None or file.is_complete:
            raise SlackError("file_update_failed")
        return file

    def _share(self, channel: Channel, files: list[StoredFile], args: Json) -> None:
        parent = channel.messages.get(str(args.get("thread_ts") or ""))
        thread_ts = str(parent.get("thread_ts", parent["ts"])) if parent else None
        content = {"text": str(args.get("initial_comment") or ""), "files": [self._json(file) for file in files], "upload": False}
        self._workspace.post(channel, content, thread_ts)

    def _json(self, file: StoredFile) -> Json:
        return file.json(self._workspace.app.bot_user_id, self._workspace.url)

    async def _upload(self, request: web.Request) -> web.Response:
        content = await _content(request)

        def apply() -> web.Response:
            file = next((file for file in self._files.values() if file.token == request.match_info["token"]), None)
            if file is None or file.content is not None:
                return web.Response(status=404, text="no such upload")
            if len(content) != file.length:
                return web.Response(status=400, text="not the length that was announced")
            file.content = content
            return web.Response(text=f"OK - {len(content)}")

        return await self._faults.carry_out("slack", "upload", request, apply)


def _channels(args: Json) -> list[str]:
    several = str(args.get("channels") or "").split(",")
    return list(dict.fromkeys(channel.strip() for channel in (str(args.get("channel_id") or ""), *several) if channel.strip()))


async def _content(request: web.Request) -> bytes:
    """The bytes as they are, or the first part of a form."""
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    part = await (await request.multipart()).next()
    return bytes(await part.read()) if isinstance(part, BodyPartReader) else b""
