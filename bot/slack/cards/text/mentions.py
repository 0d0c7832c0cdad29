"""How people and places are named on Slack surfaces. Owns who may be mentioned: ids that Slack gave us, never text out of a case."""

import re

from bot.slack.cards.text.safe_text import escaped
from bot.slack.cards.view import View

_USER = re.compile(r"[UW][A-Z0-9]{2,30}")


def named(person: str, view: View) -> str:
    """A person by name without ringing anybody: for cards, which are posted forty times a day. The id where no name is known."""
    return escaped(view.known_as(person) or bare(person))


def acted(person: str, view: View) -> str:
    """Somebody who has done something here: by name, else as a mention, which an update of a message does not ring."""
    return escaped(view.known_as(person)) or mention(person)


def mention(person: str) -> str:
    """A mention that rings: only for people who are meant to act on this message. Anything but a Slack user id is plain text."""
    return f"<@{person}>" if can_be_rung(person) else escaped(bare(person))


def can_be_rung(person: str) -> bool:
    """Whether this is a Slack user id; somebody who answered in PagerDuty is not."""
    return _USER.fullmatch(person) is not None


def bare(person: str) -> str:
    """`PXYZ (PagerDuty)` for `pagerduty:PXYZ`."""
    name = person.removeprefix("pagerduty:")
    return person if name == person else f"{name} (PagerDuty)"


def linked(url: str, label: str) -> str:
    """Our own permalink under our own label, "" where Slack gave none."""
    return f"<{url}|{label}>" if re.fullmatch(r"https?://[^\s<>|]+", url) else ""
