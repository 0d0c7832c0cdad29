"""Words behind `/review` as people really type and paste them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.governance.command_grammar import Batch, Decision, OneCase, Unclear, read_command
from bot.slack.typed import bare, nearest, permalink, spellings, words_of
from tests.examples_drawn import examples
from tests.routing.low_risk import NOW

ID = "c_01k9zq3v5w7x9y1z3a5b7c9d1e"
PAIRS = [
    *(("`", "`"), ("“", "”"), ("„", "“"), ("«", "»"), ('"', '"'), ("'", "'"), ("<", ">")),
    *(("(", ")"), ("*", "*"), ("\u200b", "\u2060"), ("", ".")),
]
"""What stands around an id that is quoted, set in code, copied from a sentence or pasted by Slack."""


@given(st.lists(st.sampled_from(PAIRS), max_size=3), st.sampled_from([ID, "order-8841", "INC_7", "t.17/4"]))
@settings(max_examples=examples(60))
def test_an_id_is_found_in_whatever_it_is_wrapped(pairs: list[tuple[str, str]], name: str) -> None:
    """Quotes, backticks, brackets, invisible characters, also one in another."""
    typed = name
    for opens, closes in pairs:
        typed = f"{opens}{typed}{closes}"
    assert bare(typed) == name
    assert name in spellings([typed])


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (f"<https://northwind.slack.com/x|{ID}>", ID),
        (f"&lt;{ID}&gt;", ID),
        (ID.upper(), ID),
        (f"the one called {ID}, please", ID),
        ("my task 7", "my task 7"),
        ("“my task 7”", "my task 7"),
    ],
)
def test_a_case_is_named_by_what_was_pasted(typed: str, found: str) -> None:
    """Links as Slack writes them, entities, capitals, a sentence around it, a task of several words."""
    assert found in spellings(typed.split())


def test_the_link_to_a_card_names_its_message() -> None:
    """As people copy it from Slack, in angle brackets and with the thread it was opened in."""
    link = "https://northwind.slack.com/archives/C0TIER10001/p1764500000123456?thread_ts=1764500000.123456&cid=C0TIER10001"
    assert permalink([f"<{link}>"]) == permalink([link]) == ("C0TIER10001", "1764500000.123456")
    assert permalink(["https://northwind.slack.com/archives/C0TIER10001"]) is None


@pytest.mark.parametrize("lead", ["", "/review ", "review ", "`/review` ", "  "])
@pytest.mark.parametrize("word", ["status", "Status", "STATUS", "`status`", "status.", "“status”"])
def test_a_command_is_itself_in_any_case_and_quotes(lead: str, word: str) -> None:
    """The first word only; the others are left as they are."""
    assert words_of(f"{lead}{word} Of `Everything`") == ["status", "Of", "`Everything`"]


@pytest.mark.parametrize(("typed", "meant"), [("stauts", "status"), ("pasue", "pause"), ("nxt", "next"), ("frobnicate", "")])
def test_a_near_miss_names_what_was_meant(typed: str, meant: str) -> None:
    """Nothing is carried out for it."""
    assert nearest(typed, ["status", "next", "pause", "case"]) == meant


def test_orders_are_read_as_pasted() -> None:
    """Names, ids and keys lose what they are wrapped in; a reason stays word for word."""
    pause = read_command("PAUSE `refunds` It invents “orders”.", NOW)
    assert pause == read_command("pause refunds It invents “orders”.", NOW)
    assert isinstance(pause, Decision)
    assert (pause.subject, pause.reason) == ("w_refunds", "It invents “orders”.")
    assert isinstance(read_command("exception LIST", NOW), type(read_command("exception list", NOW)))
    batch = read_command("quarantine Workflow=`refunds` Model=“x” It invents.", NOW)
    assert isinstance(batch, Batch)
    assert (batch.workflow, batch.model) == ("refunds", "x")
    assert isinstance(read_command(f"Release <{ID}> Looked at.", NOW), OneCase)
    assert isinstance(read_command("pause `` Because.", NOW), Unclear)
