"""Whatever stands in a case or an alert, what goes to PagerDuty is an event that it takes: held to the rules that the sandbox has from the
published schema, on the bytes that the vendor's client sends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.sandbox.pagerduty.events import EVENT_BYTES, read_event
from escalation.pager import AlertKey, DigestKey, PageKey, alert_event_of, digest_event_of, event_of
from routing.authority import AlertLevel, Automation
from routing.case.case import Case, Clocks, OpenPage, Page, Reason
from routing.change import MessageKind
from routing.governance.alert import Alert
from routing.governance.digest import Digest, Listed
from routing.vocabulary import Lane, Risk, State, Verdict
from tests.examples_drawn import examples
from tests.routing.factory import NOON, a_case, a_route

KEY = "c0ffee0000000000000000000000t1r2"
LATER = (MessageKind.PAGE, MessageKind.PAGE_ACKNOWLEDGE, MessageKind.PAGE_RESOLVE)
NASTY = ("", " ", "\0", "\r\nBcc: x", "\u202eevil\u2066", "👩‍👩‍👧‍👦" * 400, "ß" * 5_000, "\x1b[31m", "\ufdd0\U0010ffff", '"\\' * 600)
TEXT = st.sampled_from(NASTY) | st.text(max_size=200)
LONG = st.sampled_from((*NASTY, "x" * 4_000, "\0" * 4_000, "😀" * 4_000))
KINDS = st.sampled_from(LATER)


@dataclass(frozen=True)
class View:
    """A case as it is when sending."""

    case: Case
    links: str = ""
    away: Mapping[str, datetime] = field(default_factory=dict)


def refused(event: Mapping[str, Any]) -> list[str]:
    """What PagerDuty has against it; and that its title is a line that can be read."""
    body = httpx2.Request("POST", "http://127.0.0.1/v2/enqueue", json={"routing_key": KEY, **event}).content
    read, errors = read_event(body, [KEY])
    title = read.get("payload", {}).get("summary", "")
    return errors + [f"{one!r} in the title" for one in title if not one.isprintable()]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Anything that a case may hold, in any state."""
    reasons = tuple(Reason(code="rule", text=text) for text in draw(st.lists(LONG, max_size=3)) * draw(st.sampled_from((1, 70))))
    tiers = a_route().tiers
    page = Page(severity=draw(st.sampled_from(("info", "warning", "error", "critical"))))
    last = tiers[-1].model_copy(
        update={"channel": draw(TEXT), "group": draw(TEXT), "owner": draw(st.none() | TEXT), "page": draw(st.sampled_from((page, None)))}
    )
    route = a_route(
        tiers=(*tiers[:-1], last), reasons=reasons, risk=draw(st.sampled_from(Risk)), lane=draw(st.sampled_from(Lane)), ladder=draw(TEXT)
    )
    state = draw(st.sampled_from(State))
    verdict = draw(st.sampled_from(Verdict)) if state in (State.DECIDED, State.CLOSED) else None
    clocks = Clocks() if draw(st.booleans()) else Clocks(decide=NOON + timedelta(minutes=30), deadline=NOON + timedelta(days=1))
    words = {"workflow": draw(TEXT), "action_type": draw(TEXT.map(lambda text: text[:120])), "claimed_by": draw(TEXT)}
    return a_case(tier=1, route=route, state=state, verdict=verdict, clocks=clocks, failed_checks=draw(st.integers(0, 10**6)), **words)


@example(a_case(tier=1, action_type="\0" * 120, workflow="\n" * 5_000), MessageKind.PAGE_RESOLVE, 10**9 - 1)
@settings(max_examples=examples(60))
@given(cases(), KINDS, st.integers(1, 10**9 - 1))
def test_every_event_of_a_case_is_taken(case: Case, kind: MessageKind, number: int) -> None:
    """Whatever its workflow, action, tiers and reasons are called; each of the three kinds, by either key."""
    for second in (False, True):
        key = PageKey("demo1234", "c_" + "0" * 26, 1, number, second)
        link = "https://northwind.slack.com/archives/C0TIER20001/p1763640000000100"
        for view in (View(case), View(case, link)):
            assert refused(event_of(kind, key, view)) == []


@settings(max_examples=examples(40))
@given(
    st.tuples(TEXT, TEXT, LONG, TEXT),
    st.dictionaries(TEXT, LONG | st.integers() | st.floats(allow_nan=False), max_size=4),
    KINDS,
    st.booleans(),
)
def test_every_event_of_an_alert_is_taken(words: tuple[str, str, str, str], figures: dict[str, Any], kind: MessageKind, over: bool) -> None:
    """Whatever its rule and its figures say."""
    rule, workflow, why, scope = words
    alert = Alert(
        id="a_01",
        rule=rule,
        workflow=workflow,
        scope=scope,
        why=why,
        figures=figures,
        level=AlertLevel.INCIDENT,
        at=NOON,
        action=Automation.PAUSED,
        cleared_at=NOON if over else None,
    )
    assert refused(alert_event_of(kind, str(AlertKey("demo1234", alert.id, 1)), alert, "demo1234", "critical")) == []


@settings(max_examples=examples(30))
@given(st.lists(cases(), max_size=4), KINDS)
def test_every_event_of_a_digest_is_taken(listed: list[Case], kind: MessageKind) -> None:
    """Whatever the cases that it lists are called, and however many there are."""
    pages = (OpenPage(tier=1, round=1, digest="s_1"),)
    found = [one.model_copy(update={"id": f"c_{number:026d}", "pages": pages}) for number, one in enumerate(listed * 30)]
    told = tuple(Listed(case=one.id, tier=1, round=1, risk=one.route.risk) for one in found)
    page = Page(severity="critical")
    digest = Digest(
        id="s_1",
        desk="x",
        policy_sha256="y",
        ladder="standard",
        tier=1,
        page=page,
        risk=Risk.LOW,
        at=NOON,
        sent_at=NOON,
        listed=told,
        count=len(told),
    )
    event = digest_event_of(kind, str(DigestKey("demo1234", digest.id)), digest, found, "demo1234")
    assert refused(event) == []
    assert len(str(event)) < EVENT_BYTES / 4


def test_the_size_of_an_event_is_bounded() -> None:
    """However many reasons there are: half a megabyte is PagerDuty's limit, and far from reached."""
    reasons = tuple(Reason(code="rule", text="😀" * 4_000) for _ in range(200))
    view = View(a_case(tier=1, route=a_route(reasons=reasons), workflow="w" * 5_000))
    body = httpx2.Request("POST", "http://127.0.0.1", json=event_of(MessageKind.PAGE, PageKey("demo", "c_" + "0" * 26, 1, 1), view)).content
    assert len(body) < EVENT_BYTES / 4
