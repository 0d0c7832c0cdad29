# ruff: noqa: RUF001  # minus signs
"""What a card says an action changes: values as values, removals first, nothing that is lost or made up."""

import itertools
import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.cards.forms.modals import Seat
from bot.slack.cards.parts.alignment import aligned
from bot.slack.cards.parts.comparison import compare, compare_values
from bot.slack.cards.parts.diff import action_block, change_block, changes_in_full, differences, legend, values_in_full
from bot.slack.cards.parts.spelling import leaves, spelled
from bot.slack.cards.text.percentages import change, percent
from bot.slack.cards.text.safe_text import Cuts
from routing.canonical import same
from routing.case.action import Action
from tests.bot.slack.cards.factory import REFUND, a_view, every_detail
from tests.bot.slack.cards.test_card import card, words_of
from tests.examples_drawn import examples


def rows(before: object, params: object) -> list[str]:
    """The lines of the card."""
    action = Action.model_validate({"type": "x", "params": params, "before": before})
    return str(action_block(action, differences(action), Cuts())["elements"][0]["text"]).split("\n")


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from([0.5, "", "a", "b", "1", "a\nb", '{"a": 1}', "⟨x"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.sampled_from(["a", "b.c", "id"]), inner)),
    max_leaves=12,
)
PARAMS = st.dictionaries(st.sampled_from(["p", "q", "r", "a b"]), VALUES, max_size=4)


@pytest.mark.parametrize(
    ("before", "params", "said"),
    [
        (
            {"user": "u7", "roles": ["viewer", "admin", "on-call"]},
            {"user": "u7", "roles": ["viewer"]},
            ["- roles: 2 of 3 entries removed", '- roles[1]: "admin"', '- roles[2]: "on-call"', '= user: "u7"   roles[0]: "viewer"'],
        ),
        ({"l": ["a", "b"]}, {"l": []}, ["- l: all 2 entries removed, [] is left", '- l[0]: "a"', '- l[1]: "b"']),
        ({"l": ["a"]}, {"l": []}, ["- l: the only entry removed, [] is left", '- l[0]: "a"']),
        ({"o": {"a": 1}}, {"o": {}}, ["- o: the only field removed, {} is left", "- o.a: 1"]),
        ({"l": []}, {"l": ["a"]}, ['+ l[0]: "a"']),
        ({"l": ["a", "b"]}, {"l": ["z", "a", "b"]}, ['+ l[0]: "z"', '= l[1]: "a"   l[2]: "b"']),
        ({"l": ["a", "b", "c"]}, {"l": ["c", "a", "b"]}, ['↕ l[2] → [0]: "c"', '= l[1]: "a"   l[2]: "b"']),
        ({"l": [1, 2, 3, 4, 5, 6]}, {"l": [6, 5, 4, 3, 2, 1]}, ["↕ l: in another order: [6, 5, 4, 3, 2, 1]", "= l[5]: 1"]),
        ({"l": ["a", "a", "b"]}, {"l": ["a", "b"]}, ['- l[1]: "a"', '= l[0]: "a"   l[1]: "b"']),
        ({"l": [1, 2]}, {"l": [1, 3]}, ["~ l[1]: 2 → 3   (+50 %)", "= l[0]: 1"]),
        (
            {"i": [{"id": 1, "n": 2}, {"id": 2, "n": 3}]},
            {"i": [{"id": 2, "n": 5}]},
            ['- i[0]: {"id": 1, "n": 2}', "~ i[id 2].n: 3 → 5   (+67 %)", "= i[id 2].id: 2"],
        ),
        (
            {"i": [{"id": 1}, {"id": 2}, {"id": 3}]},
            {"i": [{"id": 3}, {"id": 1}, {"id": 2}]},
            ['↕ i[2] → [0]: {"id": 3}', "= i[id 3].id: 3   i[id 1].id: 1   i[id 2].id: 2"],
        ),
        (
            {"i": [{"sku": "A", "x": [1, 2]}, {"sku": "B", "x": []}]},
            {"i": [{"sku": "A", "x": [2]}, {"sku": "B", "x": []}]},
            ['- i[sku "A"].x[0]: 1', '= i[sku "A"].sku: "A"   i[sku "A"].x[0]: 2   i[sku "B"].sku: "B"   i[sku "B"].x: []'],
        ),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, ["- a.c: 2", "= a.b: 1"]),
        ({"a": "5", "b": 1}, {"a": 5, "b": True}, ['~ a: "5" → 5   (text → number)', "~ b: 1 → true   (number → yes or no)"]),
        ({"a": None}, {"a": None}, ["= a: null"]),
        ({"a": 1}, {"a": None}, ["~ a: 1 → null"]),
        ({}, {"a": None}, ["+ a: null"]),
        ({"a": [1]}, {"a": {"b": 1}}, ['~ a: [1] → {"b": 1}   (list → object)']),
        ({"a": 1, "b": [2]}, {"a": 1}, ["= a: 1", "  now: b[0] = 2, not named by this action"]),
        (
            {"a": 1},
            None,
            ["(no parameters: what becomes of this state, the action does not say)", "  now: a = 1, not named by this action"],
        ),
        ({"a": 1}, {}, ["(no parameters: what becomes of this state, the action does not say)", "  now: a = 1, not named by this action"]),
        (None, {"a": [1]}, ["a[0]: 1"]),
        ({}, {}, ["(no parameters: what becomes of this state, the action does not say)", ""]),
        (None, None, ["(no parameters)"]),
    ],
)
def test_values_are_compared_as_values(before: object, params: object, said: list[str]) -> None:
    """Each list, each kind of change, as a reviewer would say it; removals stand in front, and only what is not named is not named."""
    assert rows(before, params) == said


@settings(max_examples=examples(150))
@given(PARAMS, PARAMS, st.booleans())
def test_nothing_is_lost_and_nothing_made_up(before: dict[str, Any], params: dict[str, Any], whole: bool) -> None:
    """Every value of before and after is said on its side and no other is; what is equal is no difference."""
    found = compare(before, params, whole=whole)
    for side, kinds, value in (("old", {"removed", "changed", "same", "unnamed"}, before), ("new", {"changed", "new", "same"}, params)):
        told = Counter(spelled(leaf.value) for one in found if one.kind in kinds and not one.note for leaf in leaves(getattr(one, side)))
        moved = Counter(spelled(leaf.value) for one in found if one.kind == "moved" for leaf in leaves(one.new))
        real = Counter(spelled(leaf.value) for leaf in leaves(value)) if value else Counter()
        empty = Counter({"[]": sum(real.values()) + 9, "{}": sum(real.values()) + 9})  # where a list is emptied, that is said in words
        assert not real - told - moved - empty
        assert not told - real - empty
    assert all(same(one.old, one.new) == (one.kind == "same") for one in found if one.kind in {"changed", "same"})
    assert ({one.kind for one in found} <= {"same"}) == same(before, params)
    assert [one.path for one in compare(params, params, whole=whole) if one.kind != "same"] == []


@given(st.lists(st.integers(0, 5), max_size=9), st.integers(0, 9), st.integers(6, 9), st.integers(0, 9))
def test_one_edit_of_a_list_is_one_difference(values: list[int], place: int, other: int, to: int) -> None:
    """One entry added, removed or moved, duplicates around it or not: one row says it."""

    def kinds(old: list[int], new: list[int]) -> list[str]:
        return [one.kind for one in compare_values(old, new) if one.kind != "same" and not one.note]

    place, to = min(place, len(values)), min(to, len(values))
    longer = [*values[:place], other, *values[place:]]
    assert kinds(values, longer) == ["new"]
    assert kinds(longer, values) == ["removed"]
    elsewhere = [*values[:to], other, *values[to:]]
    assert kinds(longer, elsewhere) in ([], ["moved"])
    assert bool(kinds(longer, elsewhere)) == (longer != elsewhere)


@given(st.lists(st.sampled_from("abcde"), max_size=12), st.lists(st.sampled_from("abcde"), max_size=12))
def test_what_is_aligned_is_equal_and_in_order(old: list[str], new: list[str]) -> None:
    """Pairs rise on both sides; sequences too long to compare all with all keep what stands once."""
    pairs = aligned(old, new)
    assert all(old[i] == new[j] for i, j in pairs)
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in itertools.pairwise(pairs))
    long_old, long_new = [[*side, *map(str, range(400)), *side] for side in (old, new)]
    pairs = aligned(long_old, [str(number) for number in range(200, 500)] + long_new[::-1][:3])
    assert {(long_old[i]) for i, _ in pairs} >= {str(number) for number in range(200, 400)}
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in itertools.pairwise(pairs))


def test_many_removals_do_not_crowd_out_what_else_changes() -> None:
    """Of 500 entries a few are named, the count is said, and the price that rises stands below them."""
    shown = rows({"l": list(range(500)), "price": "1.00"}, {"l": [], "price": "9.00"})
    assert shown[0] == "- l: all 500 entries removed, [] is left"
    assert shown[-1] == '~ price: "1.00" → "9.00"   (+800 %)'
    assert "- … 491 more: open Details" in shown


def test_the_preview_of_a_modification_says_what_is_left_out() -> None:
    """There, what is no longer named is removed."""
    shown = change_block({"a": 1, "l": ["x", "y"]}, {"l": ["y"]}, Cuts())["elements"][0]["text"]
    assert shown.split("\n") == ["- a: 1", '- l[0]: "x"'] or shown.split("\n") == ['- l[0]: "x"', "- a: 1"]


def test_the_legend_names_the_marks_that_stand_there() -> None:
    """Removed and moved too."""
    action = Action(type="x", before={"l": [1, 2, 3]}, params={"l": [3, 1]})
    assert legend(differences(action)) == "- removed   ↕ moves   = stays"


# Figures

AMOUNTS = st.decimals(Decimal(-99999999), Decimal(99999999), places=4)


@given(AMOUNTS, AMOUNTS)
def test_a_change_never_rounds_to_all_or_nothing(old: Decimal, new: Decimal) -> None:
    """100 % is a half more or all gone exactly, 0 % is said of nothing, and the sign is right."""
    said = change(old, new)
    if old in (0, new):
        assert said == ""
        return
    by = (new - old) / abs(old) * 100
    figure = Decimal(re.sub(r"[^0-9.]", "", said))
    assert figure != 0
    assert (figure == 100 and "just" not in said) == (abs(by) == 100)
    assert ("+" in said) == (by > 0)
    assert abs(figure - abs(by)) <= max(Decimal("0.51"), abs(by) / 100)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("129.00", "0.50", "(−99.6 %)"),
        ("100.00", "200.40", "(+100.4 %)"),
        ("1", "2", "(+100 %)"),
        ("5", "0", "(−100 %)"),
        ("1000000", "1000000.01", "(+0.000001 %)"),
        ("999999999999999", "0.0000001", "(just under −100 %)"),
        ("1", "1.0000000000000000001", "(just over +0 %)"),
        ("0.000000000000000001", "999999999999.00", ""),
    ],
)
def test_changes_are_said_as_they_are(old: str, new: str, said: str) -> None:
    """With as many decimals as it takes."""
    assert change(Decimal(old), Decimal(new)) == said


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_share_never_rounds_to_what_it_is_not(share: float, limit: float) -> None:
    """Not to 0, not to 100, and not to the limit beside it."""
    said = percent(share, limit)
    assert said != percent(limit, share) or share == limit
    assert (said == "100 %") == (share == 1)
    assert (said == "0 %") == (share == 0)


def test_a_confidence_just_below_the_mark_does_not_look_as_if_it_reached_it() -> None:
    """0.91999 is not 92 %."""
    assert "*91.999 %*, automation needs 92 %" in card(a_view(REFUND | {"model": {"confidence": 0.91999}}))
    assert "*99.96 %*" in card(a_view(REFUND | {"model": {"confidence": 0.9996}}))


# Texts

SQL = "DELETE FROM orders\nWHERE created_at < '2024-01-01'\n\tAND status = 'void' \n  AND paid = false;\n"
CALL = json.dumps({"to": "k@example.com", "body": "Hello,\n\nwe refund 5.00."})


def test_text_with_lines_is_shown_line_by_line() -> None:
    """As it is: tabs and a blank at the end of a line can be seen, the empty line at the end is there, and no line can pass for a row."""
    shown = rows(None, {"statement": SQL, "x": 1, "forged": "a\n+ b: 1\n│ c"})
    assert shown == [
        "x: 1",
        "statement: text of 5 lines",
        "│ DELETE FROM orders",
        "│ WHERE created_at < '2024-01-01'",
        "│ ⟨U+0009⟩AND status = 'void'⟨U+0020⟩",
        "│   AND paid = false;",
        "│ ",
        "forged: text of 3 lines",
        "│ a",
        "│ + b: 1",
        "│ │ c",
    ]
    assert rows(None, {"mail": "Dear\r\nSir\r\n"}) == ["mail: text of 3 lines, lines end in CR LF", "│ Dear", "│ Sir", "│ "]
    assert rows(None, {"mail": "a\r\nb\nc"})[1:] == ["│ a⟨U+000D⟩", "│ b", "│ c"]


@given(st.text(st.sampled_from('ab \t\n\r"\\│⟨U+0{}[]:,\u200b1'), max_size=40), st.text(st.sampled_from('ab \t\n\r"\\│⟨U+0'), max_size=40))
def test_no_two_texts_look_alike(one: str, other: str) -> None:
    """What is written of a text tells it from every other, in the full evidence even where it holds JSON."""
    assert (values_in_full({"x": one}) == values_in_full({"x": other})) == (one == other)
    assert (rows(None, {"x": one}) == rows(None, {"x": other})) == (one == other)


def test_json_in_a_text_is_unfolded() -> None:
    """The call of a tool reads as what it does; where unfolding would lose something, the text stands as it is, escaped once at most."""
    assert rows(None, {"arguments": CALL}) == [
        "arguments: JSON inside of a text",
        '│ to: "k@example.com"',
        "│ body: text of 3 lines",
        "│ │ Hello,",
        "│ │ ",
        "│ │ we refund 5.00.",
    ]
    for odd in ('{"a": 1, "a": 2, "b": "x"}', '{"a":1.0,"b": "\\u0061"}', '{"a" : "b", "c":"d"}', '{"a": 12345678901234567890, "b": "c"}'):
        assert rows(None, {"x": odd}) == ["x: text", f"│ {odd}"]
    full = values_in_full({"arguments": CALL})
    assert full.endswith(f"│ as it stands: text\n│ │ {CALL}")


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("style", [{}, {"separators": (",", ":")}, *({"indent": width} for width in (*range(1, 9), "\t"))])
def test_json_of_any_usual_layout_is_compared_as_what_it_says(style: dict[str, Any], *, plain: bool) -> None:
    """The difference is said inside of it, and only its layout is no change of a value but one of the text."""
    old, new = {"to": ["ä", "b"], "n": 5}, {"to": ["ä"], "n": 50}
    shown = rows({"args": json.dumps(old, ensure_ascii=plain, **style)}, {"args": json.dumps(new, ensure_ascii=plain, **style)})
    assert shown == ["~ args: the JSON inside of this text", '│ - to[1]: "b"', "│ ~ n: 5 → 50   (+900 %)"]
    assert rows({"args": json.dumps(old)}, {"args": json.dumps(old, indent=3)})[0].startswith("~ args: ")


def test_a_text_that_is_too_long_to_be_looked_into_stands_as_it_is() -> None:
    """As JSON it would be read at every drawing; it is compared as a text, and nothing of it is missing in the full evidence."""
    old, new = (json.dumps({"ids": list(range(8_000)), "to": to}) for to in ("anna", "ben"))
    assert rows({"args": old}, {"args": new})[0].startswith("~ args: 46,913 characters → 46,912 characters")
    assert values_in_full({"args": new}).split("\n") == ["args: text", f"│ {new}"]


def test_a_long_text_is_cut_around_its_first_difference() -> None:
    """Both sides show the changed place, marked as cut; the change stands there by itself, and the full evidence has both in full."""
    filler = "The quick brown fox jumps over the lazy dog; and " * 40
    old, new = f"{filler}pay 100 EUR now {filler}end", f"{filler}pay 900 EUR now {filler}end"
    action = Action(type="x", before={"t": old}, params={"t": new})
    cuts = Cuts()
    shown = action_block(action, differences(action), cuts)["elements"][0]["text"]
    assert cuts.made
    minus, plus, here = shown.split("\n")[1:]
    assert minus.startswith("│ - … ")
    assert "pay 100 EUR" in minus
    assert "pay 900 EUR" in plus
    assert plus.endswith(" …")
    assert here == '│   here: "100" → "900"'
    full = changes_in_full(action)
    assert f"│ - {old}\n│ + {new}\n" in full
    assert here in full


@settings(max_examples=examples(60))
@given(
    st.lists(st.sampled_from(["a", "b", "", "x" * 300, "c d"]), min_size=1, max_size=30),
    st.integers(0, 29),
    st.sampled_from(["NEW", "", "x" * 299 + "y"]),
)
def test_a_changed_line_is_always_on_the_card(lines: list[str], place: int, other: str) -> None:
    """Wherever it stands in however long a text; and the full evidence has every line of both."""
    place = min(place, len(lines) - 1)
    changed = [*lines[:place], other, *lines[place + 1 :]]
    old, new = "\n".join([*lines, ""]), "\n".join([*changed, ""])
    if old == new:
        return
    shown = rows({"t": old}, {"t": new})
    marked = [line for line in shown if re.match(r"│ [-+] ", line)]
    assert len(marked) in (1, 2)
    full = changes_in_full(Action(type="x", before={"t": old}, params={"t": new})).split("\n")[1:]
    for sign, text in (("-", old), ("+", new)):
        assert [line[4:] for line in full if line[2] in f" {sign}" and not line.startswith("│   here: ")] == text.split("\n")


def test_the_full_evidence_shows_the_pair_with_its_changes_marked() -> None:
    """The lines of a text as lines, and before the parameters what changes in them."""
    before, params = {"statement": SQL, "n": 1}, {"statement": SQL.replace("2024", "2025"), "n": 1}
    view = a_view(REFUND | {"action": {"type": "sql.execute", "params": params, "before": before}})
    pages = every_detail(view, Seat("C0T1", "1.2"))
    shown = words_of([block for page in pages for block in page["blocks"]])
    assert "What it changes\n~ statement: 5 lines → 5 lines\n" in shown
    assert "│ - WHERE created_at < '2024-01-01'\n│ + WHERE created_at < '2025-01-01'" in shown
    assert "Parameters\nstatement: text of 5 lines\n│ DELETE FROM orders\n" in shown or "n: 1\nstatement: text of 5 lines" in shown


@pytest.mark.parametrize(
    ("old", "new", "numbers"),
    [
        ("paypal.com", "\u0440\u0430ypal.com", "⟨U+0070⟩⟨U+0061⟩ → ⟨U+0440⟩⟨U+0430⟩"),
        ("e\u0301", "\u00e9", "⟨U+0065⟩⟨U+0301⟩ → ⟨U+00E9⟩"),
        ("e\u0301t\u00e9", "\u00e9te\u0301", "⟨U+0065⟩⟨U+0301⟩⟨U+0074⟩⟨U+00E9⟩ → ⟨U+00E9⟩⟨U+0074⟩⟨U+0065⟩⟨U+0301⟩"),
        ("a-b", "a\u2010b", "⟨U+002D⟩ → ⟨U+2010⟩"),
        ("\uff21", "A", "⟨U+FF21⟩ → ⟨U+0041⟩"),
        ("paypal.com", "paypa1.com", "⟨U+006C⟩ → ⟨U+0031⟩"),
        ("Iban", "lban", "⟨U+0049⟩ → ⟨U+006C⟩"),
        ("A1O|", "AI0l", "⟨U+0031⟩⟨U+004F⟩⟨U+007C⟩ → ⟨U+0049⟩⟨U+0030⟩⟨U+006C⟩"),
        ("modern.example", "modem.example", "⟨U+0072⟩⟨U+006E⟩ → ⟨U+006D⟩"),
        ("vvest", "west", "⟨U+0076⟩⟨U+0076⟩ → ⟨U+0077⟩"),
        ("3", "\u0417", "⟨U+0033⟩ → ⟨U+0417⟩"),
        ("a,b", "a\u201ab", "⟨U+002C⟩ → ⟨U+201A⟩"),
        ("5 - 3", "5 \u2212 3", "⟨U+002D⟩ → ⟨U+2212⟩"),
        ("100", "110", ""),
        ("room 3", "room 8", ""),
        ("$5", "€5", ""),
        ("129.00", "11.90", ""),
        ("a", "5", ""),
        ("x", "xy", ""),
        ("Hello", "Привет", ""),
    ],
)
def test_a_change_that_may_not_be_seen_is_told_by_number(old: str, new: str, numbers: str) -> None:
    """Two values of one look are no change to a reader; others are not cluttered."""
    shown = changes_in_full(Action(type="payee.set", params={"to": new}, before={"to": old}))
    assert shown.partition("may look alike: ")[2].removesuffix(")") == numbers


TWINS = [("paypal.com", "paypa1.com"), ("paypal.com", "\u0440aypal.com"), ("modern", "modem"), ("A0", "AO"), ("caf\u00e9", "cafe\u0301")]


@pytest.mark.parametrize(("old", "new"), TWINS)
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{0}", "{0}"),
        ("{0} " + "word " * 60, "{0} " + "word " * 60),
        ("word " * 60 + "{0}", "word " * 60 + "{0}"),
        ("first\n{0}\nlast", "first\n{0}\nlast"),
        ("first\n{0}\nlast", "first\n{0}\nmore\nlast"),
        ("first\nx\n{0}\nlast", "first\n{0}\nlast"),
    ],
)
def test_what_may_look_alike_is_told_in_any_text(old: str, new: str, before: str, after: str, *, whole: bool) -> None:
    """On one line or among many, short or long, on the card as in the full evidence; nothing of it is told of another change."""

    def shown(one: str, other: str) -> str:
        action = Action(type="x", params={"t": after.format(other)}, before={"t": before.format(one)})
        return changes_in_full(action) if whole else words_of([action_block(action, differences(action), Cuts())])

    assert "may look alike" in shown(old, new)
    assert "may look alike" not in shown(old, "another")


@pytest.mark.parametrize(("old", "new"), TWINS)
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["x", "OLD"], ["NEW", "x", "y"]),
        (["OLD"], ["NEW", "y"]),
        ([{"to": "OLD", "id": 1}], [{"to": "NEW", "id": 2}]),
        ([["OLD", "z"], "x"], ["x", {"to": "NEW"}, "y"]),
    ],
)
def test_what_may_look_like_something_removed_is_told_in_any_list(
    old: str, new: str, before: list[object], after: list[object], *, whole: bool
) -> None:
    """An entry of another list cannot pass for the one it replaces; where nothing like it was removed nothing is told."""

    def shown(one: str, other: str) -> str:
        sides = [json.loads(json.dumps(side).replace("OLD", one).replace("NEW", other)) for side in (before, after)]
        action = Action(type="x", params={"t": sides[1]}, before={"t": sides[0]})
        return changes_in_full(action) if whole else words_of([action_block(action, differences(action), Cuts())])

    assert "may look alike" in shown(old, new)
    assert "may look alike" not in shown(old, "another")
    assert "may look alike" not in shown(old, old)


@pytest.mark.parametrize("size", [2, 11, 38, 300])
def test_one_shrunk_list_does_not_crowd_out_another(size: int) -> None:
    """However many entries the first one loses, the card says that the second one loses some too."""
    before = {"admins": [f"admin{number}" for number in range(size)], "tags": ["a", "b", "c"]}
    action = Action(type="team.set", params={"admins": [], "tags": ["a"]}, before=before)
    shown = words_of([action_block(action, differences(action), Cuts())])
    assert f"- admins: all {size} entries removed" in shown
    assert "- tags: 2 of 3 entries removed" in shown
