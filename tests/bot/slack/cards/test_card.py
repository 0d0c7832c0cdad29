"""What a reviewer sees on a card and in its thread, and would miss."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.forms.modals import Seat
from bot.slack.cards.text.block_kit import Block
from bot.slack.cards.text.limits import LimitError, check_message, check_view
from bot.slack.cards.thread import draw_note
from bot.slack.cards.view import Happening, View
from routing.case.case import Clocks, Step
from routing.change import Actor
from routing.policy.file import load_policy
from routing.policy.form.derived import RiskFact
from routing.vocabulary import EventKind, Exhausted, State, Verdict
from tests.bot.slack.cards.factory import ANA, BEN, KIM, NOW, REFUND, a_route, a_view, dual_critical, every_detail, low
from tests.bot.slack.cards.test_hostile import nodes
from tests.routing.factory import POLICY_TEXT

SEAT = Seat("C0T1", "1.2")
VOTE = {"step": 0, "by": ANA, "verb": "approve", "at": NOW}


def words_of(blocks: list[Block]) -> str:
    """All text of some blocks, in reading order."""
    return "\n".join(node["text"] for node in nodes(blocks) if isinstance(node.get("text"), str))


def card(view: View) -> str:
    """All text of a card."""
    return words_of(draw_card(view).blocks)


def labels(view: View) -> list[str]:
    """What can be pressed on a card: its buttons, then the entries of its menu."""
    entries = (option for node in nodes(draw_card(view).blocks) if node.get("type") == "overflow" for option in node["options"])
    return [one["text"]["text"] for one in (*buttons(view), *entries)]


def buttons(view: View) -> Iterator[Block]:
    """The buttons of a card."""
    return (node for node in nodes(draw_card(view).blocks) if node.get("type") == "button")


def test_the_first_line_says_how_risky_what_and_how_much() -> None:
    """Risk, title and amount stand in the header; the amount not twice."""
    assert draw_card(a_view()).blocks[0]["text"]["text"] == "🟠 High risk · Refund 1,240.00 USD to customer 8841"
    other = draw_card(a_view(REFUND | {"title": "Refund 11,240.00 USD to customer 8841"})).blocks[0]["text"]["text"]
    assert other.endswith("8841 · 1,240.00 USD, says the service")


@pytest.mark.parametrize("modified", [False, True])
@pytest.mark.parametrize("currency", ["USD", None])
@pytest.mark.parametrize("tied", [(), ("amount",), ("currency",), ("amount", "currency")])
def test_an_amount_that_is_not_read_from_the_action_is_said_to_be_the_service_s_word(
    tied: tuple[RiskFact, ...], currency: str | None, *, modified: bool
) -> None:
    """In the title and on a phone; of an action that people have changed it is not said at all."""
    document = REFUND | {"title": "Refund", "risk": {"amount": "1240.00"} | ({"currency": currency} if currency else {})}
    policy = load_policy(POLICY_TEXT, {}).workflow("refunds")
    assert policy is not None
    workflow = policy.model_copy(update={"risk_from": {fact: f"action.params.{fact}" for fact in tied}})
    view = replace(a_view(document, modified_fields=("params.amount",) if modified else ()), workflow=workflow)
    whose = {fact for fact in ("amount", "currency") if fact not in tied and document["risk"].get(fact)}
    for title in (draw_card(view).blocks[0]["text"]["text"], draw_card(view).text):
        assert ("1,240.00" in title) == (not modified or not whose)
        assert ("says the service" in title) == (not modified and bool(whose))
        assert ("1,240.00 (USD, says the service)" in title) == (not modified and whose == {"currency"})


def test_the_action_is_drawn_from_the_action_with_changes_first() -> None:
    """Before → after comes first, then what is new, then what stays; strings cannot pass for numbers."""
    rows = next(node for node in nodes(draw_card(a_view()).blocks) if node.get("type") == "rich_text_preformatted")["elements"][0]["text"]
    assert rows.split("\n") == [
        '~ amount: "0.00" → "1240.00"',
        '+ customer: "8841"',
        "+ notify: true",
        '+ lines[0].sku: "A-1"',
        "+ lines[0].count: 2",
        '= currency: "USD"',
        "  now: hold = true, not named by this action",
    ]


def test_a_value_cannot_forge_another_parameter() -> None:
    """Line ends in values and dots in names are spelled out, so no row can be made up."""
    shown = card(a_view(REFUND | {"action": {"type": "x", "params": {"note": 'a"\namount: "1', "a.b": "\u202e1"}}}))
    assert 'note: text of 2 lines\n│ a"\n│ amount: "1' in shown
    assert '["a.b"]: "⟨U+202E⟩1"' in shown


def test_a_case_without_confidence_says_so() -> None:
    """A missing confidence is named and counted as nothing."""
    assert "*No confidence given*, counts as 0" in card(a_view(REFUND | {"model": {"name": "m"}}))


def test_the_clock_says_what_happens_if_nobody_acts() -> None:
    """Both clocks, the next tier and its page; at the top of the ladder the safe state, never approval."""
    assert "or it goes to tier 2 (#review-tier2), which is paged · " in card(a_view())
    clocks = Clocks(decide=NOW + timedelta(hours=1))
    assert "it is held, because this is the top tier" in card(a_view(tier=1, clocks=clocks))
    assert "it expires" in card(a_view(tier=1, clocks=clocks, route=a_route(exhausted=Exhausted.REJECT)))


def test_an_unclaimed_case_at_a_paging_tier_names_who_is_paged() -> None:
    """Before anybody was paged, the acknowledge clock leads to the person on call; afterwards up or into the safe state."""
    clocks = Clocks(decide=NOW + timedelta(hours=1), acknowledge=NOW + timedelta(minutes=5))
    assert "PagerDuty pages Kim Lund, who is on call" in card(a_view(tier=1, clocks=clocks))
    assert "on call (PagerDuty) Kim Lund" in card(a_view(tier=1, clocks=clocks))


def test_each_step_of_a_dual_review_shows_what_comes_after_it_and_who_voted() -> None:
    """The verifying person knows that somebody else approves; the approving one who verified."""
    route = a_route(steps=(Step(name="verify"), Step(name="approve")))
    assert "*Step 1 of 2: verify* — then another person approves it.  *One yes alone executes nothing.*  Nobody has voted yet." in card(
        a_view(route=route)
    )
    assert labels(a_view(route=route))[0] == "Verified"
    second = card(a_view(route=route, step=1, votes=(VOTE | {"by": BEN},)))
    assert "*Step 2 of 2: approve*.  Verified by Ben Ode" in second


def test_buttons_carry_case_face_tier_and_cut() -> None:
    """The protocol of a press."""
    view = dual_critical()
    first = next(buttons(view))
    assert first["action_id"] == "tierline:approve"
    assert json.loads(first["value"]) == {"c": view.case.id, "f": view.case.face, "t": 1, "cut": 0}
    assert "Release" in labels(view)
    assert "Escalate" not in labels(view)  # the top of the ladder


def test_what_is_cut_says_so_and_must_be_opened() -> None:
    """A long output ends in a count, the card asks to open the details, and every deciding button says so."""
    view = a_view(REFUND | {"output": "word " * 2_000})
    shown = card(view)
    assert "more characters: open Details" in shown
    assert "Open *Details* before you approve" in shown
    assert {json.loads(button["value"])["cut"] for button in buttons(view)} == {1}
    assert "Open *Details* before you approve" not in card(low())


def test_a_long_list_of_sources_counts_as_cut() -> None:
    """A source that is not listed may be the one that matters."""
    sources = [{"id": f"s{number}", "kind": "record"} for number in range(9)]
    view = a_view(REFUND | {"evidence": sources})
    assert "Open *Details* before you approve" in card(view)
    assert json.loads(next(buttons(view))["value"])["cut"] == 1


def test_a_misleading_address_shows_its_real_host() -> None:
    """User names, backslashes and other scripts in an address cannot pass for a host."""
    for url, shown in (
        ("https://bank.example@evil.example/", "really evil.example · https://bank.example@"),
        ("https://evil.example\\@bank.example/", "https://evil.example/@bank"),
        ("https://b\u0430nk.example/", "really xn--bnk-6cd.example · "),
    ):
        view = a_view(REFUND | {"evidence": [{"id": "s", "kind": "url", "url": url}]})
        assert shown in words_of([block for modal in every_detail(view, SEAT) for block in modal["blocks"]])


def test_hidden_characters_are_reported() -> None:
    """Text that hides something is named on the card."""
    assert "were taken out of: output" in card(a_view(REFUND | {"output": "fine\u202eenif"}))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_decided_card_has_no_buttons_but_roll_back(verdict: Verdict) -> None:
    """Roll back stands only where something was let through, once, and on the deciding card only."""
    fields: dict[str, Any] = {"state": State.DECIDED, "verdict": verdict, "decided_at": NOW, "votes": (VOTE,)}
    through = verdict in {Verdict.APPROVED, Verdict.MODIFIED, Verdict.AUTO_APPROVED}
    assert labels(a_view(**fields)) == (["Roll back"] if through else [])
    assert labels(a_view(**fields, rollback=True)) == []
    assert labels(a_view(**fields, tier=1, shown=0)) == []


def test_a_decided_card_says_who_what_and_when() -> None:
    """The verdict, the person, the moment, the reason and the person's words."""
    said = Happening(EventKind.REJECTED, Actor("human", ANA), NOW, {}, {"text": "It was refunded in May."}, 2)
    fields: dict[str, Any] = {"state": State.DECIDED, "verdict": Verdict.REJECTED, "decided_at": NOW, "reason_code": "duplicate"}
    shown = card(a_view(history=(said,), votes=(VOTE | {"verb": "reject"},), **fields))
    assert "⛔ Rejected" in shown
    assert "Rejected by Ana Ruiz <!date^1795186800^" in shown
    assert "Reason: Duplicate." in shown
    assert "It was refunded in May." in shown


def test_an_expired_case_does_not_look_rejected() -> None:
    """Nobody answered is not the same as somebody said no."""
    shown = card(a_view(state=State.DECIDED, verdict=Verdict.EXPIRED, decided_at=NOW, reason_code="deadline_passed"))
    assert "*Nobody decided in time*" in shown
    assert "Rejected" not in shown


def test_an_old_copy_points_to_the_new_card() -> None:
    """After an escalation the lower tier's card has no buttons and a link to the current one."""
    view = a_view(tier=1, shown=0)
    assert labels(view) == []
    assert "|Open the current card>" in card(view)
    assert "➡️ Moved to tier 2" in card(view)


def test_a_held_case_can_be_taken_up_and_a_waiting_one_cannot_be_decided() -> None:
    """Held offers Resume; while the service owes an answer there is nothing to press."""
    assert labels(a_view(state=State.HELD)) == ["Resume", "Details"]
    asked = Happening(EventKind.INFORMATION_REQUESTED, Actor("human", ANA), NOW, {}, {"text": "Which parcel?"}, 2)
    waiting = a_view(state=State.NEEDS_INFO, clocks=Clocks(left_s=5_400), history=(asked,))
    assert labels(waiting) == []
    assert "1 h 30 min are left on it" in card(waiting)
    assert "Which parcel?" in card(waiting)


def test_the_total_is_told_where_nothing_else_comes_before_it() -> None:
    """The card says when the case is held whatever tier it is at, and stays silent while another clock is nearer."""
    soon, late = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    assert "it is held whatever tier it is at" in card(a_view(clocks=Clocks(decide=late, total=soon)))
    assert "whatever tier" not in card(a_view(clocks=Clocks(decide=soon, total=late)))
    assert "it expires whatever tier" in card(a_view(clocks=Clocks(decide=late, total=soon), route=a_route(exhausted=Exhausted.REJECT)))


def test_the_same_case_draws_the_same_card() -> None:
    """An unchanged card has the same digest and needs no update; a claim changes it."""
    assert draw_card(a_view()).digest == draw_card(a_view()).digest
    assert draw_card(a_view()).digest != draw_card(a_view(claimed_by=ANA)).digest


def test_a_card_rings_nobody_and_a_reminder_one_person() -> None:
    """The claimer is reminded, else the owner of the tier; somebody who answered in PagerDuty cannot be rung here."""
    assert "<@" not in card(a_view(claimed_by=ANA))
    reminded = Happening(EventKind.REMINDED, Actor("system", "tierline"), NOW)
    for fields, rung in (({"claimed_by": BEN}, BEN), ({}, ANA), ({"tier": 1, "acknowledged_by": "pagerduty:PX"}, KIM)):
        note = draw_note(a_view(**fields), reminded).text
        assert note.count("<@") == 1
        assert f"<@{rung}>" in note


def test_an_escalation_passes_on_what_was_said() -> None:
    """The next tier gets reason, words and the earlier comments in one note."""
    view = dual_critical()
    note = words_of(draw_note(view, view.history[-1]).blocks)
    for part in (
        f"<@{KIM}>",
        "Ana Ruiz escalated this case (reason: Needs specialist)",
        "Above my limit.",
        "The depot has lost parcels all week.",
    ):
        assert part in note


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_event_can_be_told(kind: EventKind) -> None:
    """No kind of event leaves a note empty or a placeholder unfilled."""
    for actor in (Actor("human", ANA), Actor("system", "tierline"), Actor("service", "refund-agent")):
        note = draw_note(a_view(), Happening(kind, actor, NOW))
        check_message(note.text, note.blocks)
        assert "{date" in note.text or "{" not in note.text


def test_an_information_clock_that_ran_out_is_no_expired_case() -> None:
    """The two kinds of `expired` are told apart in the thread."""
    late = Happening(EventKind.EXPIRED, Actor("system", "tierline"), NOW, {"clock": "information"})
    assert "decide with what there is" in draw_note(a_view(), late).text


@pytest.mark.parametrize(
    ("block", "where"),
    [
        ({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}, "blocks[0].text"),
        ({"type": "section", "text": {"type": "mrkdwn", "text": ""}}, "blocks[0].text"),
        ({"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}, "blocks[0].text"),
        ({"type": "section"}, "blocks[0]"),
        ({"type": "context", "elements": []}, "blocks[0].elements"),
        (
            {"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "A"}}] * 2},
            "blocks[0].elements",
        ),
    ],
)
def test_what_slack_would_refuse_is_refused_here_and_named(block: Block, where: str) -> None:
    """The error names the place."""
    with pytest.raises(LimitError) as caught:
        check_message("x", [block])
    assert caught.value.where == where


def test_counts_and_totals_are_limited_too() -> None:
    """51 blocks, the same block_id twice, 12,001 characters, no notification text, inputs without submit."""
    text = {"type": "section", "text": {"type": "plain_text", "text": "x" * 2_500}}
    for blocks in ([{"type": "divider"}] * 51, [{"type": "divider", "block_id": "a"}] * 2, [text] * 5, []):
        with pytest.raises(LimitError):
            check_message("x", blocks)
    with pytest.raises(LimitError):
        check_message(" ", [{"type": "divider"}])
    with pytest.raises(LimitError):
        check_view({"type": "modal", "title": {"type": "plain_text", "text": "x" * 25}, "blocks": [text]})
