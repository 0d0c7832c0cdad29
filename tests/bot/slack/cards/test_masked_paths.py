"""Whatever a policy or a case calls sensitive, there is a card: every path over the whole published form, and those that name nothing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.command_answers import draw_case
from bot.slack.cards.forms.modals import verb_modal
from bot.slack.cards.forms.modify import modify_modal
from bot.slack.cards.forms.reveal import reveal_modal
from bot.slack.cards.text.limits import check_message, check_view
from bot.slack.cards.view import View
from routing.case.submission import Submission
from routing.policy.form.guardrails import Sensitive
from routing.privacy.masking import mask
from routing.vocabulary import State, Verb, Verdict
from tests.bot.slack.cards.factory import REFUND, a_view, every_detail, preview_of, read
from tests.bot.slack.cards.test_hostile import SEAT

MOMENT = "2026-11-20T14:00:00Z"
FULL: dict[str, Any] = REFUND | {
    "urgency_reason": "The customer travels tomorrow.",
    "prefill": {"category": "lost", "priority": "high", "summary": "Parcel lost."},
    "model": REFUND["model"] | {"hash": "ab12", "latency_ms": 412},
    "evidence": [
        one | {"text": "Last scan.", "url": "https://kb.example.com/x", "retrieved_at": "2026-11-20T14:00:00Z"}
        for one in REFUND["evidence"]
    ],
    "context": {"missing": ["the photo"], "conflicts": ["two dates"], "stale": ["the price"]},
    "risk": REFUND["risk"] | {"score": 0.4, "novelty": 0.1, "segment": "eu", "flags": ["financial", "pii"]},
    "entities": [{"type": "order", "id": "8841"}],
    "requester": {"slack_id": "U0REQ", "email": "ana@northwind.example"},
    "deadline": "2026-11-21T12:00:00Z",
    "labels": {"region": "eu", "a.b": "dotted"},
    "sensitive": ["action.params.customer"],
}
"""Every field of the form is in it; a test below holds that."""


def paths(value: object, at: str = "") -> Iterator[str]:
    """Each place of a document, by name and by number, from the root down."""
    yield at
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in children:
        yield from paths(inner, f"{at}.{name}" if at else str(name))


EVERY = [
    *paths(FULL),
    *(
        "action.params.lines[0].sku",
        "evidence[*].text",
        "model.features.value",
        "checks.*",
        "context.missing[0]",
        "*",
        ".",
        "..",
        "[0]",
        "nothing",
        "a..b",
    ),
    *(" risk ", "risk.recoverability.x", "titel", "action.params.lines[*]", "labels.a.b", "risk.flags[1]", "évidence"),
]


def test_the_document_has_every_field() -> None:
    """So that a field added to the form is masked here too."""

    def absent(schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:  # noqa: ANN401  # any JSON
        schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
        form = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        if form.get("type") == "array":
            held = {name: one for entry in value if isinstance(entry, dict) for name, one in entry.items()}
            yield from absent(form["items"], held or value[0], at) if value else [at]
        for name, inner in form.get("properties", {}).items():
            yield from absent(inner, value[name], f"{at}.{name}") if name in value else [f"{at}.{name}"]

    root = Submission.model_json_schema(mode="serialization")
    definitions = root["$defs"]
    assert list(absent(root, FULL, "")) == []


@pytest.mark.parametrize("path", EVERY)
def test_any_path_gives_a_card(path: str) -> None:
    """From the policy or from the case: card, evidence, forms and the answer to a command are drawn, in each of its faces."""
    submission = read(FULL)
    for masked in (mask(submission, Sensitive(paths=(path,))), mask(submission.model_copy(update={"sensitive": (path,)}))):
        assert masked.submission.workflow == submission.workflow
        for view in faces():
            draw(replace(view, submission=masked.submission, masked=masked.paths))


UNTRUE = ("not stated", "not known to be undoable", "no confidence given", "unknown age", "age unknown", "somebody unnamed")
"""What is said of a fact that the service did not give."""


@pytest.mark.parametrize("path", EVERY)
def test_what_is_masked_is_not_said_to_be_missing(path: str) -> None:
    """The service gave every fact, so nothing on the card says that it did not."""
    masked = mask(read(FULL), Sensitive(paths=(path,)))
    view = replace(a_view(FULL), submission=masked.submission, masked=masked.paths)
    drawn = str([draw_card(view).blocks, *every_detail(view, SEAT)])
    assert [said for said in UNTRUE if said in drawn] == []


def faces() -> Iterator[View]:
    """Open, and decided with changes."""
    yield a_view(FULL)
    yield a_view(FULL, state=State.DECIDED, verdict=Verdict.MODIFIED, modified_fields=("amount",), reason_code="inaccurate")


def draw(view: View) -> None:
    """Everything that is drawn of a case, after the validator let it pass."""
    for drawing in (draw_card(view), draw_case(view)):
        check_message(drawing.text, drawing.blocks)
    modals = [verb_modal(view, verb, SEAT) for verb in (Verb.APPROVE, Verb.ASK)]
    modals += [modify_modal(view, SEAT), preview_of(view, "1.00", SEAT), reveal_modal(view, SEAT)]
    modals += every_detail(view, SEAT)
    for modal in modals:
        check_view(modal)
