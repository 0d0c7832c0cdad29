"""The app manifest says what the code needs, and no more."""

import re
from typing import Any

import pytest
import yaml

from bot.launch.scopes import SCOPES
from bot.sandbox.slack.api import NEEDS
from bot.sandbox.slack.seed import SLACK as SLACK_SEED
from bot.slack.cards.forms.send_to_review import CALLBACK
from bot.slack.homes import EVENT
from bot.slack.typed import COMMAND
from bot.slack.workspace_events import EVENTS
from tests.checkout import ROOT

SLACK = ROOT / "bot" / "slack"

METHOD = re.compile(r'"((?:auth|chat|conversations|usergroups|users|views)\.[a-zA-Z.]+)"')
Manifest = dict[str, Any]
BY_ITSELF = {"commands"}
"""Scopes that no Web API method needs: Slack wants it for slash commands."""

PRIVATE_TWINS = {"groups:history", "groups:read", "im:history"}
"""The same methods in private channels and direct messages."""


@pytest.fixture
def manifest() -> Manifest:
    """The manifest as Slack would read it."""
    found: Manifest = yaml.safe_load((ROOT / "manifest.yml").read_text())
    return found


def _methods() -> set[str]:
    sources = [path for path in (ROOT / "bot").rglob("*.py") if "sandbox" not in path.parts]
    return {method for path in sources for method in METHOD.findall(path.read_text())}


def test_the_shortcut_is_the_one_we_hear(manifest: Manifest) -> None:
    """In the menu of messages; the sandbox has it too."""
    [shortcut] = manifest["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", CALLBACK)
    assert [(one.name, one.callback_id) for one in SLACK_SEED.shortcuts] == [(shortcut["name"], CALLBACK)]


def test_every_method_we_call_has_its_scope(manifest: Manifest) -> None:
    """A scope less, and a card or a check of a person fails in production."""
    granted = set(manifest["oauth_config"]["scopes"]["bot"])
    called = _methods()
    assert {"chat.postMessage", "chat.update", "users.info", "conversations.history", "conversations.list"} <= called
    assert [method for method in called if NEEDS.get(method) and not granted & set(NEEDS[method])] == []
    assert "users:read.email" in granted  # users.info gives the address only with it


def test_no_scope_is_wider_than_what_we_call(manifest: Manifest) -> None:
    """Each scope has a method that needs it."""
    wanted = {scope for method in _methods() for scope in NEEDS.get(method, ())} | BY_ITSELF | PRIVATE_TWINS | {"users:read.email"}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) - wanted == set()


def test_the_launch_checklist_asks_for_these_scopes(manifest: Manifest) -> None:
    """A token that lacks one is told so before the first card."""
    assert set(SCOPES) == set(manifest["oauth_config"]["scopes"]["bot"])


def test_the_command_is_the_one_we_answer(manifest: Manifest) -> None:
    """And its hint names words that exist."""
    [command] = manifest["features"]["slash_commands"]
    source = (SLACK / "commands.py").read_text() + (SLACK / "governance" / "command_grammar.py").read_text()
    assert command["command"] == COMMAND
    assert all(f'"{word.split()[0]}"' in source for word in command["usage_hint"].split(" | "))


def test_buttons_work_and_each_event_that_is_asked_for_has_a_listener(manifest: Manifest) -> None:
    """Interactivity is on, and we ask for the events that we hear, no more."""
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert sorted(manifest["settings"]["event_subscriptions"]["bot_events"]) == sorted([*EVENTS, EVENT])
    assert manifest["features"]["app_home"]["home_tab_enabled"]
