"""The reading methods: conversations.*, users.*, usergroups.*, team.info, auth.test. Answers from the workspace; only conversations.join
changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.sandbox.slack.conversations import Channel, paged, truth, window
from bot.sandbox.slack.errors import Json, SlackError
from bot.sandbox.slack.people import User
from bot.sandbox.slack.workspace import Workspace


class ReadMethods:
    """Each method takes its arguments and returns the answer's fields; raises SlackError."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def methods(self) -> Mapping[str, Callable[[Json], Json]]:
        """By Slack's name."""
        return {
            "auth.test": self.auth_test,
            "team.info": self.team_info,
            "conversations.history": self.history,
            "conversations.replies": self.replies,
            "conversations.info": self.channel_info,
            "conversations.members": self.members,
            "conversations.list": self.channel_list,
            "conversations.join": self.join,
            "conversations.open": self.open_direct,
            "users.info": self.user_info,
            "users.lookupByEmail": self.user_by_email,
            "users.profile.get": self.user_profile,
            "usergroups.list": self.groups,
            "usergroups.users.list": self.group_users,
        }

    def auth_test(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/auth.test."""
        del args
        app, team = self._workspace.app, self._workspace.team
        return {
            "url": self._workspace.url,
            "team": team.name,
            "user": self._workspace.users[app.bot_user_id].name,
            "team_id": team.id,
            "user_id": app.bot_user_id,
            "bot_id": app.bot_id,
            "is_enterprise_install": False,
        }

    def team_info(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/team.info."""
        del args
        team = self._workspace.team
        return {"team": {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": {"image_default": True}}}

    def history(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/conversations.history: newest first, no replies, metadata only when asked for."""
        channel = self._workspace.joined(args.get("channel"))
        return window(channel.top_level(), args, newest_first=True) | {"pin_count": 0}

    def replies(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/conversations.replies: the parent, then its replies, oldest first."""
        channel = self._workspace.joined(args.get("channel"))
        thread = channel.replies(str(args.get("ts", "")))
        if not thread:
            raise SlackError("thread_not_found")
        return window(thread, args, newest_first=False, most=1000)

    def channel_info(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/conversations.info."""
        channel = self._workspace.channel(args.get("channel"))
        return {"channel": channel.json(self._workspace.app.bot_user_id, with_count=truth(args.get("include_num_members")))}

    def members(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/conversations.members."""
        channel = self._workspace.channel(args.get("channel"))
        page = paged([{"id": user_id} for user_id in channel.members], args)
        return {"members": [item["id"] for item in page.items], "response_metadata": {"next_cursor": page.next_cursor}}

    def channel_list(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/conversations.list: public channels unless `types` says otherwise."""
        kinds = str(args.get("types") or "public_channel").replace(" ", "").split(",")
        if set(kinds) - {"public_channel", "private_channel", "mpim", "im"}:
            raise SlackError("invalid_types")
        bot = self._workspace.app.bot_user_id
        found = [
            channel.json(bot, with_count=True)
            for channel in self._workspace.channels.values()
            if _kind(channel) in kinds and (not channel.is_private or bot in channel.members)
        ]
        page = paged(found, args)
        live_only = truth(args.get("exclude_archived"))
        shown = [
            one for one in page.items if not (live_only and one["is_archived"])
        ]  # a page may come out short, or empty, and not be the last
        return {"channels": shown, "response_metadata": {"next_cursor": page.next_cursor}}

    def join(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/conversations.join: public channels only."""
        channel = self._workspace.channel(args.get("channel"))
        bot = self._workspace.app.bot_user_id
        if channel.is_private:
            raise SlackError("method_not_supported_for_channel_type")
        if channel.is_archived:
            raise SlackError("is_archived")
        already = bot in channel.members
        if not already:
            channel.members.append(bot)
        return {"channel": channel.json(bot)} | ({"warning": "already_in_channel"} if already else {})

    def open_direct(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/conversations.open, with one person."""
        user = self._workspace.users.get(str(args.get("users", "")))
        if user is None:
            raise SlackError("user_not_found")
        return {"channel": {"id": self._workspace.direct(user.id).id}}

    def user_info(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/users.info."""
        user = self._workspace.users.get(str(args.get("user", "")))
        if user is None:
            raise SlackError("user_not_found")
        return {"user": self._user(user, with_locale=truth(args.get("include_locale")))}

    def user_profile(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/users.profile.get; without `user` the app's own."""
        user = self._workspace.users.get(str(args.get("user") or self._workspace.app.bot_user_id))
        if user is None:
            raise SlackError("user_not_found")
        return {"profile": user.profile(self._workspace.clock(), with_email=self._sees_email)}

    def user_by_email(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/users.lookupByEmail: active members only."""
        wanted = str(args.get("email", "")).casefold()
        for user in self._workspace.users.values():
            if wanted and user.email.casefold() == wanted and not user.deleted and not user.is_stranger:
                return {"user": self._user(user)}
        raise SlackError("users_not_found")

    def groups(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/usergroups.list: disabled groups only when asked for."""
        with_users, with_count = truth(args.get("include_users")), truth(args.get("include_count"))
        shown = [group for group in self._workspace.groups.values() if not group.disabled_at or truth(args.get("include_disabled"))]
        return {"usergroups": [group.json(with_users=with_users, with_count=with_count) for group in shown]}

    def group_users(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/usergroups.users.list."""
        group = self._workspace.groups.get(str(args.get("usergroup", "")))
        if group is None or (group.disabled_at and not truth(args.get("include_disabled"))):
            raise SlackError("no_such_subteam")
        return {"users": list(group.users)}

    def _user(self, user: User, *, with_locale: bool = False) -> Json:
        return user.json(self._workspace.clock(), with_email=self._sees_email, with_locale=with_locale)

    @property
    def _sees_email(self) -> bool:
        return "users:read.email" in self._workspace.app.scopes


def _kind(channel: Channel) -> str:
    if channel.im_with:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"
