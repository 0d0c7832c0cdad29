"""Messages about more than one case: whoever is woken by one knows at once what happened, what was done and who may undo it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from bot.slack.cards.bulletins.bulletin import draw_bulletin, draw_exceptions
from bot.slack.cards.text.limits import check_message, check_view
from bot.slack.cards.view import Bulletin, Happening
from bot.slack.governance.forms import FORMS, reason_form
from bot.slack.governance.pressed import GovernancePressed
from bot.slack.interaction import Interaction
from routing.authority import AlertLevel, Automation, GovernanceVerb
from routing.change import Actor
from routing.governance.alert import Alert
from routing.governance.control import Control
from routing.governance.waiver import Waiver, WaiverList
from routing.vocabulary import EventKind
from tests.bot.slack.cards.test_hostile import texts
from tests.examples_drawn import examples

NOW = datetime(2026, 11, 21, 3, 2, tzinfo=UTC)
OWNER = "U0OWNER0001"
PAUSED = Control(
    workflow="refunds", automation=Automation.PAUSED, since=NOW, cause="breaker", by="override-rate", reason="Too many.", posted=4
)
ALERT = Alert(
    id="a_" + "0" * 26,
    rule="override-rate",
    workflow="refunds",
    scope="high",
    level=AlertLevel.INCIDENT,
    at=NOW,
    why="The share of proposals that people rejected or modified is 0.31, above 0.15 (last 60 minutes, 42 counted).",
    figures={"figure": 0.3095238, "limit": 0.15, "count": 42},
    action=Automation.PAUSED,
)
WAIVER = Waiver(
    id="x_" + "0" * 26,
    workflow="refunds",
    waives=("retrieval_weak",),
    reason="The index is being rebuilt.",
    requested_by="U0LEAD00001",
    requested_at=NOW,
    until=NOW + timedelta(days=30),
    most=50,
)


def about(subject: Alert | Control | Waiver | WaiverList, **changes: Any) -> Bulletin:
    """The bulletin, with the workflow paused."""
    return replace(Bulletin("s", subject, (), NOW, tier=8, control=PAUSED, owners=(OWNER,)), **changes)


def shown(bulletin: Bulletin) -> str:
    """Everything that can be read on it, within Slack's limits."""
    drawing = draw_bulletin(bulletin)
    check_message(drawing.text, drawing.blocks)
    return " ".join(leaves(drawing.blocks))


def leaves(node: object) -> Iterator[str]:
    """Every text of a block."""
    match node:
        case dict():
            yield from (text for value in node.values() for text in leaves(value))
        case list():
            yield from (text for value in node for text in leaves(value))
        case str():
            yield node
        case _:
            pass


def buttons(bulletin: Bulletin) -> list[str]:
    """The verbs it offers."""
    rows = [block for block in draw_bulletin(bulletin).blocks if block["type"] == "actions"]
    return [element["action_id"].removeprefix("tierline:g:") for row in rows for element in row["elements"]]


def test_an_alert_says_rule_figures_action_and_who_may_resume() -> None:
    """In this order, the owners by name, because they are meant to come."""
    text = shown(about(ALERT))
    for part in (
        "🚨 Incident: Override rate, workflow refunds",
        "is 0.31, above 0.15",
        "`refunds` ⏸ is paused",
        "no approval leaves",
        "A duty officer or policy owner may resume it.",
        f"<@{OWNER}>",
    ):
        assert part in text
    assert buttons(about(ALERT)) == ["acknowledge_alert", "resume"]


def test_an_alert_that_somebody_looks_after_names_them() -> None:
    """And keeps only the button that is left; over, it has none."""
    known = ALERT.model_copy(update={"acknowledged_by": "U0GRACE0001"})
    bulletin = about(known, names={"U0GRACE0001": "Grace Mwangi"})
    assert "acknowledged by Grace Mwangi" in shown(bulletin)
    assert buttons(bulletin) == ["resume"]
    over = about(known.model_copy(update={"cleared_at": NOW}), control=Control(workflow="refunds"))
    assert "✅ Over" in shown(over)
    assert f"<@{OWNER}>" not in shown(over)
    assert buttons(over) == []


def test_an_alert_that_changed_nothing_says_so_and_offers_the_brake() -> None:
    """Whoever reads it may pause by hand."""
    quiet = ALERT.model_copy(update={"changed": False, "action": Automation.ON, "level": AlertLevel.ACTION})
    bulletin = about(quiet, control=Control(workflow="refunds"))
    assert "nothing was changed" in shown(bulletin)
    assert shown(bulletin).count("runs as the policy says") == 1
    braked = about(quiet, control=Control(workflow="refunds", automation=Automation.PAUSED))
    assert "*Now:* `refunds` ⏸ is paused" in shown(braked)
    assert buttons(bulletin) == ["acknowledge_alert", "pause"]


def test_beside_its_sentence_an_alert_says_only_what_that_does_not() -> None:
    """What is usual, and how the figure stands once it is over; nothing twice, and no name of a field."""
    figures = {"measure": "approval_rate", "figure": 0.31, "limit": 0.5, "side": "below", "counted": 42, "usual": 0.8, "window_s": 3_600}
    alert = ALERT.model_copy(update={"figures": figures})
    assert "Usual: *80 % approved*" in shown(about(alert))
    assert not [word for word in ("Now:", "Measure", "Window", "below") if word in shown(about(alert))]
    over = alert.model_copy(update={"cleared_at": NOW, "figures": figures | {"figure": 0.7812}})
    assert "Usual: *80 % approved* · Now: *0.7812*" in shown(about(over))


def test_an_alert_leads_to_the_newest_case_that_stopped_the_line() -> None:
    """Where its card is posted; and its id can be copied, from the notification too."""
    case = "c_01hxyz0123456789abcdefghjk"
    why = f"Case {case}: The case is flagged leak, which stops the line."
    alert = ALERT.model_copy(update={"figures": {"case": "c_1", "newest": case, "cases": 2}, "why": why})
    link = "https://northwind.slack.com/archives/C0T1/p7"
    assert f"*2 cases* so far · <{link}|Open the card> of `{case}`" in shown(about(alert, links={case: link}))
    assert "Open the card" not in shown(about(alert))
    assert why in draw_bulletin(about(alert)).text


def test_a_stopped_line_names_the_case_that_has_to_be_decided() -> None:
    """To be copied as it is."""
    control = PAUSED.model_copy(update={"stop_cases": ("c_01",), "cause": "stop"})
    assert "once the case that stopped it is decided: `c_01`" in shown(about(ALERT, control=control))


def test_a_brake_bulletin_tells_its_own_change_and_then_that_it_is_over() -> None:
    """An older one keeps what it said, loses its buttons and says how things stand now."""
    paused = Happening(
        EventKind.AUTOMATION_CHANGED,
        Actor("human", "U0LEAD00001"),
        NOW,
        {"number": 4, "after": "paused", "cause": "person", "by": "U0LEAD00001", "reason": "Wrong totals."},
    )
    control = PAUSED.model_copy(update={"cause": "person", "by": "U0LEAD00001", "reason": "Wrong totals."})
    now = about(control, control=control, history=(paused,))
    assert "Wrong totals." in shown(now)
    assert buttons(now) == ["resume"]
    assert buttons(replace(now, tier=9)) == []
    goes_on = Control(workflow="refunds", since=NOW, cause="person", by="U0LEAD00001", reason="Fixed.", posted=7)
    later = about(goes_on, control=goes_on, history=(paused,))
    assert "Wrong totals." in shown(later)
    assert "No longer so." in shown(later)
    assert "runs as the policy says" in shown(later)
    assert buttons(later) == []


@pytest.mark.parametrize(
    ("state", "offered"), [("requested", ["approve_exception", "end_exception"]), ("in_force", ["end_exception"]), ("ended", [])]
)
def test_an_exception_says_what_it_waives_until_when_and_how_often(state: str, offered: list[str]) -> None:
    """With the buttons of its state."""
    bulletin = about(WAIVER.model_copy(update={"state": state, "ended": "expired"}))
    text = shown(bulletin)
    for part in ("Retrieval weak", "The index is being rebuilt.", "used 0 of 50 times", "2026-12-21"):
        assert part in text
    assert buttons(bulletin) == offered


def test_the_list_of_exceptions_leaves_out_what_is_over() -> None:
    """What ends first stands on top."""
    soon = WAIVER.model_copy(update={"id": "x_soon", "until": NOW + timedelta(days=1)})
    over = WAIVER.model_copy(update={"id": "x_over", "state": "ended"})
    drawing = draw_exceptions([WAIVER, over, soon])
    text = " ".join(leaves(drawing.blocks))
    assert "x_over" not in text
    assert text.index("x_soon") < text.index(WAIVER.id)
    assert "No exception is in force" in " ".join(leaves(draw_exceptions([over]).blocks))
    many = [WAIVER.model_copy(update={"id": f"x_{number}", "reason": "r" * 300}) for number in range(200)]
    assert "180 more" in shown(about(WaiverList(week="2026-W47", waivers=tuple(many))))


@given(texts)
@settings(max_examples=examples(60))
def test_nothing_that_people_or_models_wrote_breaks_out(text: str) -> None:
    """Reasons, figures, scopes and names of rules come from outside."""
    alert = ALERT.model_copy(update={"why": text, "figures": {text[:50]: text}, "scope": text, "rule": text or "r"})
    control = PAUSED.model_copy(update={"reason": text, "by": text, "posted": 4})
    waiver = WAIVER.model_copy(update={"reason": text, "action_types": (text,)})
    for bulletin in (about(alert), about(control, control=control), about(waiver), about(WaiverList(week="2026-W47", waivers=(waiver,)))):
        drawing = draw_bulletin(bulletin)
        check_message(drawing.text, drawing.blocks)
        parsed = [str(node) for node in mrkdwn(drawing.blocks)] + [drawing.text]
        allowed = [part.replace(f"<@{OWNER}>", "") for part in parsed]
        assert not [part for part in allowed if any(evil in part for evil in ("<!channel", "<!here", "<@U0EVIL", "<http"))]


@pytest.mark.parametrize("verb", list(FORMS))
def test_every_form_asks_why_within_the_limits(verb: GovernanceVerb) -> None:
    """And carries what was pressed."""
    origin = Interaction("tierline:g:pause", {}, "U0LEAD00001", "T0HOME", "C0OPS", "1.2", "trigger", "key")
    pressed = GovernancePressed(verb, "w_refunds", 4, 0, "", origin)
    form = reason_form(pressed)
    check_view(form)
    assert json.loads(form["private_metadata"]) == {"s": "w_refunds", "r": 4, "n": 0, "ch": "C0OPS", "ts": "1.2"}


def mrkdwn(node: object) -> Iterator[str]:
    """Every text that Slack parses."""
    if isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            yield node["text"]
        yield from (text for value in node.values() for text in mrkdwn(value))
    elif isinstance(node, list):
        yield from (text for value in node for text in mrkdwn(value))
