"""The chat.* methods: post, update, delete, ephemeral, permalink. Checks as Slack does, then changes the workspace; no HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.rate_limit import RateLimit
from bot.sandbox.slack.conversations import Channel, truth
from bot.sandbox.slack.errors import Json, SlackError
from bot.sandbox.slack.limits import POST_TEXT, UPDATE_TEXT, check_message
from bot.sandbox.slack.stored_blocks import store_blocks
from bot.sandbox.slack.workspace import Workspace

CONTENT = ("text", "blocks", "attachments", "metadata")


def stored_content(args: Json) -> Json:
    """The content of a message in `args` as Slack keeps it."""
    content = {name: args[name] for name in CONTENT if args.get(name) is not None}
    if "blocks" in content:
        content["blocks"] = store_blocks(content["blocks"])
    if "attachments" in content:
        content["attachments"] = [
            {**attachment, "blocks": store_blocks(attachment["blocks"])} if "blocks" in attachment else attachment
            for attachment in content["attachments"]
        ]
    return content


class ChatMethods:
    """Each method takes its arguments and returns the answer's fields; raises SlackError."""

    def __init__(self, workspace: Workspace, rate_limit: RateLimit, burst: int) -> None:
        self._workspace = workspace
        self._rate_limit = rate_limit
        self._burst = burst

    def methods(self) -> Mapping[str, Callable[[Json], Json]]:
        """By Slack's name."""
        return {
            "chat.postMessage": self.post_message,
            "chat.update": self.update,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.delete": self.delete,
            "chat.getPermalink": self.permalink,
        }

    def post_message(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/chat.postMessage; one message a second in a channel, short bursts apart."""
        channel = self._writable(args)
        check_message(args, POST_TEXT)
        thread_ts = self._thread(channel, args)
        if wait_s := self._rate_limit.take(("chat.postMessage", channel.id), self._burst, 1.0):
            raise SlackError("ratelimited", retry_after_s=wait_s)
        content = {"text": "", **stored_content(args)}
        if content.get("metadata") == {}:
            del content["metadata"]
        message = self._workspace.post(channel, content, thread_ts, broadcast=truth(args.get("reply_broadcast")))
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def update(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/chat.update; only the app's own messages, ephemeral ones never."""
        channel = self._workspace.channel(args.get("channel"))
        if channel.is_archived:
            raise SlackError("is_inactive")
        message = self._workspace.own_message(channel, args.get("ts"), "cant_update_message")
        if message.get("subtype") == "tombstone":
            raise SlackError("cant_update_message")
        check_message(args, UPDATE_TEXT)
        message = self._workspace.edit(channel, message["ts"], stored_content(args))
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}

    def post_ephemeral(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/chat.postEphemeral; the person must be in the channel."""
        channel = self._writable(args)
        check_message(args, POST_TEXT)
        if args.get("user") not in channel.members or args.get("user") not in self._workspace.users:
            raise SlackError("user_not_in_channel")
        message = self._workspace.whisper(channel, str(args["user"]), stored_content(args), args.get("thread_ts"))
        return {"message_ts": message["ts"]}

    def delete(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/chat.delete."""
        channel = self._workspace.channel(args.get("channel"))
        message = self._workspace.own_message(channel, args.get("ts"), "cant_delete_message")
        channel.remove(message["ts"])
        return {"channel": channel.id, "ts": message["ts"]}

    def permalink(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/chat.getPermalink."""
        channel = self._workspace.channel(args.get("channel"))
        message: dict[str, Any] | None = channel.messages.get(str(args.get("message_ts")))
        if message is None:
            raise SlackError("message_not_found")
        link = f"{self._workspace.url}archives/{channel.id}/p{message['ts'].replace('.', '')}"
        if message.get("thread_ts", message["ts"]) != message["ts"]:
            link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}

    def _writable(self, args: Json) -> Channel:
        channel = self._workspace.channel(args.get("channel"), by_name=True)
        if channel.is_archived:
            raise SlackError("is_archived")
        public = "chat:write.public" in self._workspace.app.scopes and not channel.is_private
        if self._workspace.app.bot_user_id not in channel.members and not public:
            raise SlackError("not_in_channel")
        return channel

    def _thread(self, channel: Channel, args: Json) -> str | None:
        thread_ts = args.get("thread_ts")
        if not thread_ts:
            return None
        parent = channel.messages.get(str(thread_ts))
        # Slack files a reply to nothing as a message of its own thread; a reply to a reply goes to the reply's parent
        return str(parent.get("thread_ts", thread_ts)) if parent else str(thread_ts)
