"""Which fields each Block Kit object has; Slack refuses any other. Source: the published types of @slack/types 3.2.0. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from bot.sandbox.slack.errors import Json

_CHOICE = "action_id confirm focus_on_load placeholder type"
_TYPED = "action_id dispatch_action_config focus_on_load initial_value placeholder type"
_BLOCKS = {
    "actions": "block_id elements type",
    "context": "block_id elements type",
    "context_actions": "block_id elements type",
    "divider": "block_id type",
    "header": "block_id text type",
    "input": "block_id dispatch_action element hint label optional type",
    "markdown": "block_id text type",
    "rich_text": "block_id elements type",
    "section": "accessory block_id expand fields text type",
    "table": "block_id column_settings rows type",
}
_ELEMENTS = {
    "button": "accessibility_label action_id confirm style text type url value",
    "channels_select": f"{_CHOICE} initial_channel response_url_enabled",
    "checkboxes": "action_id confirm focus_on_load initial_options options type",
    "conversations_select": f"{_CHOICE} default_to_current_conversation filter initial_conversation response_url_enabled",
    "datepicker": f"{_CHOICE} initial_date",
    "datetimepicker": "action_id confirm focus_on_load initial_date_time type",
    "email_text_input": _TYPED,
    "external_select": f"{_CHOICE} initial_option min_query_length",
    "feedback_buttons": "action_id negative_button positive_button type",
    "file_input": "action_id filetypes max_files type",
    "icon_button": "accessibility_label action_id confirm icon text type value visible_to_user_ids",
    "image": "alt_text block_id image_url slack_file title type",
    "mrkdwn": "text type verbatim",
    "multi_channels_select": f"{_CHOICE} initial_channels max_selected_items",
    "multi_conversations_select": f"{_CHOICE} default_to_current_conversation filter initial_conversations max_selected_items",
    "multi_external_select": f"{_CHOICE} initial_options max_selected_items min_query_length",
    "multi_static_select": f"{_CHOICE} initial_options max_selected_items option_groups options",
    "multi_users_select": f"{_CHOICE} initial_users max_selected_items",
    "number_input": f"{_TYPED} is_decimal_allowed max_value min_value",
    "overflow": "action_id confirm options type",
    "plain_text": "emoji text type",
    "plain_text_input": f"{_TYPED} max_length min_length multiline",
    "raw_number": "text type value",
    "raw_text": "text type",
    "radio_buttons": "action_id confirm focus_on_load initial_option options type",
    "rich_text_input": f"{_TYPED} max_lines min_lines",
    "static_select": f"{_CHOICE} initial_option option_groups options",
    "timepicker": f"{_CHOICE} initial_time timezone",
    "url_text_input": _TYPED,
    "users_select": f"{_CHOICE} initial_user",
    "workflow_button": "accessibility_label action_id confirm style text type workflow",
}
FIELDS: Mapping[str, frozenset[str]] = {kind: frozenset(names.split()) for kind, names in (_BLOCKS | _ELEMENTS).items()}
_FLAGS = frozenset(
    {
        "clear_on_close",
        "default_to_current_conversation",
        "dispatch_action",
        "emoji",
        "expand",
        "focus_on_load",
        "is_decimal_allowed",
        "is_wrapped",
        "multiline",
        "notify_on_close",
        "optional",
        "response_url_enabled",
        "verbatim",
    }
)
CONFIRM = frozenset({"title", "text", "confirm", "deny", "style"})
FEEDBACK = frozenset({"accessibility_label", "text", "value"})
COLUMN = frozenset({"align", "is_wrapped"})
OPTION = frozenset({"text", "value", "description"})
OPTION_GROUP = frozenset({"label", "options"})
VIEW = frozenset({"type", "blocks", "private_metadata", "callback_id", "external_id"})
MODAL = VIEW | {"title", "submit", "close", "clear_on_close", "notify_on_close"}


def field_errors(node: Json, at: str, allowed: Collection[str] | None = None) -> Iterator[str]:
    """Every field `node` should not have (`allowed`, or those of its type; a type not listed is let through), and flags that are none."""
    known = FIELDS.get(str(node.get("type"))) if allowed is None else allowed
    if known is not None:
        yield from (f"invalid additional property: {name} [json-pointer:{at}]" for name in sorted(node.keys() - set(known)))
    yield from (
        f"must be a boolean [json-pointer:{at}/{name}]" for name in sorted(_FLAGS & node.keys()) if not isinstance(node[name], bool)
    )
