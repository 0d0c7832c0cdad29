"""The views.* methods: checks a view as Slack does, then opens, pushes, updates or publishes it. Knows nothing of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.sandbox.slack.errors import Json, SlackError
from bot.sandbox.slack.limits import check_view
from bot.sandbox.slack.modals import Modals
from bot.sandbox.slack.workspace import Workspace


class ViewMethods:
    """Each method takes its arguments and returns the answer's fields; raises SlackError."""

    def __init__(self, workspace: Workspace, modals: Modals) -> None:
        self._workspace = workspace
        self._modals = modals

    def methods(self) -> Mapping[str, Callable[[Json], Json]]:
        """By Slack's name."""
        return {"views.open": self.open, "views.push": self.push, "views.update": self.update, "views.publish": self.publish}

    def open(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/views.open."""
        check_view(args.get("view"), "modal")
        return {"view": self._modals.open(args.get("trigger_id"), args["view"])}

    def push(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/views.push."""
        check_view(args.get("view"), "modal")
        return {"view": self._modals.push(args.get("trigger_id"), args["view"])}

    def update(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/views.update."""
        check_view(args.get("view"), "modal")
        if not args.get("view_id") and not args.get("external_id"):
            raise SlackError("invalid_arguments", ["missing required field: view_id [json-pointer:/view_id]"])
        return {"view": self._modals.update(args["view"], args.get("view_id"), args.get("external_id"), args.get("hash"))}

    def publish(self, args: Json) -> Json:
        """https://docs.slack.dev/reference/methods/views.publish."""
        check_view(args.get("view"), "home")
        if args.get("user_id") not in self._workspace.users:
            raise SlackError("invalid_arguments", ["invalid `user_id`"])
        return {"view": self._modals.publish(str(args["user_id"]), args["view"], args.get("hash"))}
