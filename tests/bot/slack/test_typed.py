"""Words behind `/review` as people really type and paste them."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.commands import ASKED, WORDS
from bot.slack.governance.command_grammar import USAGE, Batch, Decision, OneCase, Unclear, read_command
from bot.slack.typed import bare, channel_meant, nearest, permalink, person_meant, spelled_as, spellings, words_of
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


CANONICAL = {
    "pause refunds It invents orders.": "pause",
    "review-all refunds It invents orders.": "review-all",
    "freeze refunds Stop.": "freeze",
    "resume refunds It is mended.": "resume",
    f"quarantine {ID} It looks forged.": "quarantine",
    "quarantine workflow=refunds model=small since=2h It errs.": "quarantine",
    f"release {ID} Looked at.": "release",
    f"legal-hold {ID} The court asks.": "legal-hold",
    f"legal-release {ID} The court is done.": "legal-release",
    "acknowledge a_01k9zq3v5w7x9y1z3a5b7c9d1e": "acknowledge",
    "away 3d": "away",
    "back": "back",
    "exception list": "exception",
    "exception request refunds waives=confidence_low days=7 uses=5 Not measured yet.": "exception",
    "exception approve x_01k9zq3v5w7x9y1z3a5b7c9d1e": "exception",
    "incident show i_01k9zq3v5w7x9y1z3a5b7c9d1e": "incident",
    "drill nobody-available refunds tier=2": "drill",
    "policy widen 50 No surprise.": "policy",
    "policy rollback It sends too much.": "policy",
}
"""Commands as the documentation has them, with their first word."""

NAMES = re.compile(r"[a-z]_[0-9a-z]{26}|refunds|small|[0-9]+")


@st.composite
def typings(draw: st.DrawFn) -> tuple[str, str]:
    """A command, and the same as somebody types it who pastes names, writes in capitals, and whose keyboard is clever."""
    command = draw(st.sampled_from(sorted(CANONICAL)))
    first, *rest = command.split()
    hyphen = draw(st.sampled_from(["-", "_", "–", "—", "‑", " ", ""] if "-" in first else ["-"]))  # noqa: RUF001  # as keyboards make them
    opens, closes = draw(st.sampled_from([("", ""), *PAIRS]))
    wrapped = [_wrapped(word, draw(st.sampled_from([("", ""), *PAIRS[:9]])), draw(st.booleans())) for word in rest]
    signs = draw(st.sampled_from(["=", " = ", "= ", " ="]))
    front = draw(st.sampled_from(["", "/review ", "`/review` "]))
    said = first.replace("-", hyphen)
    typed = draw(st.sampled_from([said, said.upper(), said.capitalize()]))
    typed = typed if hyphen == " " else f"{opens}{typed}{closes}"
    return command, draw(st.sampled_from(["", "  "])) + " ".join([front + typed, *wrapped]).replace("=", signs)


def _wrapped(word: str, pair: tuple[str, str], shouted: bool) -> str:
    name, sign, value = word.partition("=")
    if sign:
        return f"{name.upper() if shouted else name}={pair[0]}{value}{pair[1]}"
    if NAMES.fullmatch(word) is None:
        return word
    return pair[0] + (word.upper() if shouted and "_" in word else word) + pair[1]


@given(typings())
@settings(max_examples=examples(300))
def test_a_command_is_understood_however_it_is_spelled(typing: tuple[str, str]) -> None:
    """Capitals, quotes of any language, clever dashes, a hyphen left out, blanks around `=`: it is the same command."""
    command, typed = typing
    meant = read_command(command, NOW)
    assert not isinstance(meant, Unclear)
    found = read_command(typed, NOW)
    if isinstance(meant, OneCase) and isinstance(found, OneCase):  # which of the spellings is a case, the database knows
        assert meant.word in spellings([found.word])
        found = replace(found, word=meant.word)
    assert found == meant


@given(st.sampled_from(sorted({*ASKED, *USAGE})), st.integers(0, 20), st.sampled_from(["drop", "double", "swap", "other"]))
@settings(max_examples=examples(150))
def test_one_slip_names_the_word_that_was_meant(word: str, place: int, slip: str) -> None:
    """A letter left out, doubled, changed for another or with its neighbour: one is asked about it, and nothing is carried out."""
    at = place % len(word)
    typed = {
        "drop": word[:at] + word[at + 1 :],
        "double": word[: at + 1] + word[at:],
        "swap": word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
        "other": word[:at] + "x" + word[at + 1 :],
    }[slip]
    if words_of(typed, WORDS)[:1] == [word]:
        return  # as it was, or with its hyphen left out
    near = nearest(words_of(typed)[0], WORDS) if words_of(typed) else ""
    assert near == word or (len(word) < 5 and near in ("", *WORDS)), f"{typed!r} is taken for {near!r}"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("exception aprove x_1 Because.", "/review exception approve x_1 Because."),
        ("drill nobody-availible refunds", "/review drill nobody-available refunds"),
        ("policy roll-back It errs.", "/review policy rollback It errs."),
        ("incident sow i_1", "/review incident show i_1"),
    ],
)
def test_a_slip_in_the_second_word_is_asked_about(typed: str, meant: str) -> None:
    """With the whole command, to be copied."""
    found = read_command(typed, NOW)
    assert isinstance(found, Unclear)
    assert found.meant == meant


@pytest.mark.parametrize("typed", ["<#C0TIER10001|review-tier1>", "`<#C0TIER10001|review-tier1>`", "&lt;#C0TIER10001|review-tier1&gt;"])
def test_a_channel_is_known_in_slacks_escaped_form(typed: str) -> None:
    """And as people write it."""
    assert channel_meant(typed) == ("C0TIER10001", "review-tier1")
    assert channel_meant("#review-tier1") == channel_meant("review-tier1") == ("", "review-tier1")


def test_a_person_is_known_in_slacks_escaped_form() -> None:
    """With or without the name that Slack adds."""
    assert person_meant("<@U0ANNA00001|anna>") == ("U0ANNA00001", "anna")
    assert person_meant("<@U0ANNA00001>") == person_meant("@U0ANNA00001") == ("U0ANNA00001", "")
    assert person_meant("@anna") == ("", "anna")


def test_a_workflow_may_be_written_in_capitals() -> None:
    """Where the policy has one such name only."""
    assert spelled_as("Refunds", ["refunds", "payouts"]) == "refunds"
    assert spelled_as("price_changes", ["price-changes"]) == "price-changes"
    assert spelled_as("Refunds", ["refunds", "REFUNDS"]) == "Refunds"
    assert spelled_as("payout", ["payouts"]) == "payout"
