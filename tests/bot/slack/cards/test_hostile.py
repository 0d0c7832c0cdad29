"""Whatever a case says, the card stays ours: nothing in it mentions, links, reverses, hides or breaks."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.cards.batch import Alike, batch_modal
from bot.slack.cards.card import draw_card
from bot.slack.cards.command_answers import draw_answer, draw_case, draw_not_found, draw_unknown, draw_usage
from bot.slack.cards.forms.detail_tabs import TABS
from bot.slack.cards.forms.details import details_modal, details_pages
from bot.slack.cards.forms.modals import Seat, verb_modal
from bot.slack.cards.forms.modify import modify_modal
from bot.slack.cards.forms.reveal import reveal_modal
from bot.slack.cards.text.block_kit import Block
from bot.slack.cards.text.limits import check_message, check_view
from bot.slack.cards.text.safe_text import deceptive
from bot.slack.cards.thread import draw_note
from bot.slack.cards.view import Happening, View
from routing.authority import Automation, Autonomy, Role
from routing.case.case import Clocks, Item, Reason, Step
from routing.change import Actor
from routing.vocabulary import CaseKind, EventKind, State, Verb, Verdict
from tests.bot.slack.cards.factory import ANA, NOW, PARENT, REFUND, a_route, a_view, preview_of
from tests.examples_drawn import examples

SEAT = Seat("C0T1", "1.2", cut=True)
SPOKEN = (Verb.APPROVE, Verb.REJECT, Verb.ESCALATE, Verb.ASK, Verb.COMMENT, Verb.ROLL_BACK, Verb.QUARANTINE, Verb.RESUME)
HOSTILE = (
    "<!channel>",
    "<!here|x>",
    "<@U0EVIL>",
    "<#C0EVIL>",
    "<!subteam^S0EVIL>",
    "<http://evil.example|good.example>",
    "&lt;!channel&gt;",
    "@channel @here",
    "*bold* _it_ ~gone~ `code`",
    "```\nout of the box\n```",
    "\n> quoted\n\n\n\n\n\n\n",
    "\u202egnp.exe\u202c",
    "\u2066x\u2069",
    "pay\u200bpal",
    "\u0007\u001b[31m",
    "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306",
    ":skull: 👩‍👩‍👧 ❤️",
    "\U000e0041\U000e0042",
    "https://good.example@evil.example/",
    "{who} {0} %s",
    "open Details",
    "\u3164\u2800",
    "  ",
)

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from(HOSTILE), max_size=6).map("".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60),
    st.builds(lambda text, times: text * times, st.sampled_from(HOSTILE), st.integers(1, 400)),
)
short = texts.map(lambda text: text[:200] or "x")
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.floats(-(2**53) + 1, 2**53 - 1), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(short, inner, max_size=4)),
    max_leaves=12,
)
moments = st.sampled_from(["2026-11-20T14:00:00Z", "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"])
unit = st.floats(0, 1)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


documents = st.fixed_dictionaries(
    {
        "workflow": st.just("refunds"),
        "task_id": short,
        "title": texts.map(lambda text: text[:300] or "x"),
        "action": st.fixed_dictionaries(
            {"type": texts.map(lambda text: text[:120] or "x")},
            optional={
                "params": st.dictionaries(short, values, max_size=90),
                "before": st.dictionaries(short, values, max_size=4),
                "reversible": st.booleans(),
            },
        ),
    },
    optional={
        "request": texts,
        "output": texts,
        "urgency_reason": texts.map(lambda text: text[:2000]),
        "prefill": some(category=short, priority=short, summary=short),
        "model": some(
            name=short,
            version=short,
            prompt_version=short,
            confidence=st.floats(-1, 2),
            retrieval_quality=st.floats(-1, 2),
            trained_at=short.map(lambda text: text[:40]),
            rationale=texts,
            counterfactual=texts,
            features=st.lists(st.fixed_dictionaries({"name": short}, optional={"value": short, "weight": st.floats(-9, 9)}), max_size=50),
        ),
        "checks": st.lists(
            st.fixed_dictionaries(
                {"name": short, "result": st.sampled_from(["pass", "warn", "fail"])}, optional={"by": short, "detail": short}
            ),
            max_size=12,
        ),
        "evidence": st.lists(
            st.fixed_dictionaries(
                {"id": short, "kind": st.sampled_from(["record", "url", "quote"])},
                optional={
                    "title": short,
                    "text": texts,
                    "url": texts.map(lambda text: "https://x" + re.sub(r"[\s\x00-\x1f]", "-", text[:1900])),
                    "updated_at": moments,
                    "retrieved_at": moments,
                },
            ),
            max_size=8,
        ),
        "context": some(missing=st.lists(short, max_size=50), conflicts=st.lists(short, max_size=9), stale=st.lists(short, max_size=9)),
        "risk": some(
            impact=st.sampled_from(["low", "critical"]),
            likelihood=unit,
            recoverability=st.sampled_from(["easy", "hard", "none"]),
            blast_radius=unit,
            amount=st.sampled_from(["-1240.00", "999999999999999.999999", "0"]),
            currency=st.just("USD"),
            flags=st.lists(short, max_size=50),
        ),
        "subject": st.fixed_dictionaries({"id": short}, optional={"type": short, "tier": short}),
        "entities": st.lists(st.fixed_dictionaries({"type": short, "id": short}), max_size=12),
        "requester": some(slack_id=st.just("U0REQ"), email=st.just("<!here>@evil.example")),
        "labels": st.dictionaries(short, short, max_size=9),
    },
)


def everything_drawn(document: dict[str, Any], text: str) -> Iterator[tuple[str, list[Block]]]:
    """Every message of a case in every state, as (text, blocks), after the validator let it pass."""
    views = list(every_face(document, text))
    cards = [draw(view) for view in views for draw in (draw_card, draw_case)]
    notes = [draw_note(views[0], happening) for happening in views[0].history]
    for drawing in (*cards, *notes, draw_answer(text), draw_unknown(text, text), draw_usage(text, text), draw_not_found(text)):
        check_message(drawing.text, drawing.blocks)
        yield drawing.text, drawing.blocks


def every_modal(document: dict[str, Any], text: str) -> Iterator[dict[str, Any]]:
    """Every modal of a case, after the validator let it pass."""
    view = next(every_face(document, text))
    views = [verb_modal(view, verb, SEAT) for verb in SPOKEN]
    guarded = next(guarded_faces(document, text, view.history))
    views += [verb_modal(guarded, Verb.APPROVE, SEAT), verb_modal(guarded, Verb.QUARANTINE, SEAT), modify_modal(guarded, SEAT)]
    views += [preview_of(guarded, text, SEAT)]
    views += [reveal_modal(guarded, SEAT), *(details_modal(guarded, SEAT, tab=tab) for tab in TABS)]
    views += [modify_modal(view, SEAT), preview_of(view, text, SEAT)]
    views += [details_modal(view, SEAT, page, tab) for tab in TABS for page in (0, details_pages(view, tab) // 2)]
    views += [
        batch_modal(Alike("k", text, (view,), ((guarded, "it is here for another reason"),), 3, (("k", text or "-"), ("l", "other"))), "C1")
    ]
    for modal in views:
        check_view(modal)
        yield modal


def every_face(document: dict[str, Any], text: str) -> Iterator[View]:
    """One view per state of a case, its history full of hostile words."""
    person = Actor("human", ANA)
    said = {"text": text, "name": text, "answer": text}
    history = tuple(Happening(kind, person, NOW, {"reason_code": text, "step": text}, said, index) for index, kind in enumerate(EventKind))
    route = a_route(
        reasons=tuple(Reason(code="x", text=text) for _ in range(12)), instructions=text, missing=(text,) * 12, policy_version=text
    )
    clocks = Clocks(decide=NOW + timedelta(hours=1), deadline=NOW + timedelta(hours=9))
    yield a_view(document, history=history, route=route, clocks=clocks, acknowledged_by=f"pagerduty:{text}")
    yield a_view(document, history=history, route=route, tier=1)
    yield a_view(document, history=history, route=route, tier=1, shown=0)
    yield a_view(document, history=history, route=route, state=State.HELD)
    yield a_view(document, history=history, route=route, state=State.NEEDS_INFO)
    for verdict in Verdict:
        fields: dict[str, Any] = {
            "state": State.DECIDED,
            "verdict": verdict,
            "reason_code": text,
            "modified_fields": (text,) * 9,
            "decided_at": NOW,
        }
        yield a_view(document, history=history, route=route, **fields)
    yield from guarded_faces(document, text, history)


def guarded_faces(document: dict[str, Any], text: str, history: tuple[Happening, ...]) -> Iterator[View]:
    """A case with everything that guards it on its card at once, and the faces of what is stopped, kept back or about another case."""
    word = text[:150] or "x"
    route = a_route(
        steps=(Step(name="triage", checklist=tuple(Item(id=f"i{number}", text=word) for number in range(12))),),
        exceptions=(word,) * 5,
        skills=(word,) * 5,
        roles={Role.ADMIN: (word,)},
        reveal=("seniors",),
        autonomy=Autonomy.HUMAN_EXECUTED,
        reasons=(Reason(code="money", text=word), Reason(code="forbidden_term", text=word), Reason(code="entity_mismatch", text=word)),
    )
    other = a_view(document, task_id=word, outcome=word, children=(PARENT,)).case
    others: dict[str, Any] = {"tied": (PARENT, word), "linked": (PARENT, word, word, word), "workflow": word}
    guarded = replace(
        a_view(document, history=history, route=route, **others),
        masked=("title",),
        related={PARENT: other},
        related_titles={PARENT: text, word: text},
        related_links={PARENT: "https://northwind.slack.com/archives/C0T1/p2"},
        automation=Automation.PAUSED,
    )
    yield guarded
    changed: list[dict[str, Any]] = [{"kind": kind, "parent": PARENT, "requester": word} for kind in (CaseKind.CHECK, CaseKind.ROLLBACK)]
    changed += [{"state": State.HELD, "held_by": by} for by in ("frozen", "quarantine")]
    changed += [{"state": State.DECIDED, "verdict": Verdict.APPROVED, "withheld": True}, {"tied_to": word}]
    yield from (replace(guarded, case=guarded.case.model_copy(update=update)) for update in changed)


def nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every object in a tree of blocks."""
    if isinstance(tree, dict):
        yield tree
        for inner in tree.values():
            yield from nodes(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from nodes(inner)


OURS = re.compile(
    rf"<@{ANA}>|<@U0KIM>|<!date\^\d+\^(?:\{{date_short_pretty\}} at )?\{{time\}}\|[\d :-]+UTC>|<https://northwind\.slack\.com/\S+\|[\w ]+>"
)


def assert_ours(text: str, tree: object) -> None:
    """Only our own tokens are left for Slack to parse, and nothing on display is invisible."""
    parsed = [text, *(node["text"] for node in nodes(tree) if node.get("type") == "mrkdwn")]
    for mrkdwn in parsed:
        rest = OURS.sub("", mrkdwn)
        assert "<" not in rest
        assert ">" not in rest
        assert re.sub(r"&(amp|lt|gt);", "", rest).count("&") == 0
    for node in nodes(tree):
        assert node.get("type") not in {"user", "usergroup", "broadcast", "channel", "link", "emoji", "image"}
        assert node.get("emoji") is not True
        if node.get("type") in {"text", "plain_text", "mrkdwn"}:
            shown = node["text"]
            assert not deceptive(shown)
            assert not re.search(r"(?:[\u0300-\u036f]){4}", unicodedata.normalize("NFC", shown))


@settings(max_examples=examples(20), suppress_health_check=list(HealthCheck))
@given(documents, texts)
def test_no_message_can_be_taken_over(document: dict[str, Any], text: str) -> None:
    """Cards in every state, notes of every kind and answers fit Slack and hold no token but ours."""
    for words, blocks in everything_drawn(document, text):
        assert_ours(words, blocks)


@settings(max_examples=examples(20), suppress_health_check=list(HealthCheck))
@given(documents, texts)
def test_no_modal_can_be_taken_over(document: dict[str, Any], text: str) -> None:
    """Forms, previews and every page of the evidence fit Slack and hold no token but ours."""
    for modal in every_modal(document, text):
        assert_ours("", modal)


@pytest.mark.parametrize("char", ["&", "👩", "a\n", "W"])
def test_a_case_full_to_the_brim_still_fits(char: str) -> None:
    """Every field at its largest, in the heaviest characters there are: one card, cut visibly, nothing refused by Slack."""
    document = brimful(char)
    for words, blocks in everything_drawn(document, char * 2_000):
        assert_ours(words, blocks)
    assert len(list(every_modal(document, char * 2_000))) > 10


def brimful(char: str) -> dict[str, Any]:
    """The largest case the form admits, more or less."""

    def full(most: int) -> str:
        return (char * most)[:most]

    return REFUND | {
        "title": full(300),
        "request": full(20_000),
        "output": full(20_000),
        "action": {
            "type": full(120),
            "params": {f"{full(20)}{n}": full(3_000) for n in range(90)},
            "before": {f"{full(20)}{n}": 1 for n in range(90)},
        },
        "prefill": {"category": full(2_000), "priority": full(2_000), "summary": full(2_000)},
        "model": {
            "name": full(200),
            "version": full(200),
            "prompt_version": full(200),
            "rationale": full(20_000),
            "counterfactual": full(9_000),
        }
        | {"features": [{"name": full(200), "value": full(300), "weight": 1.0}] * 50},
        "checks": [{"name": full(200), "by": full(200), "result": "fail", "detail": full(2_000)}] * 50,
        "evidence": [
            {"id": full(200), "kind": "url", "title": full(2_000), "text": full(3_000), "url": "https://" + full(1_900).replace("\n", "")}
        ]
        * 20,
        "context": {"missing": [full(2_000)] * 9, "conflicts": [full(2_000)] * 9, "stale": [full(2_000)] * 9},
        "risk": {"flags": [full(200)] * 50, "amount": "999999999999999.999999"},
        "entities": [{"type": full(200), "id": full(200)}] * 20,
        "urgency_reason": full(2_000),
    }
