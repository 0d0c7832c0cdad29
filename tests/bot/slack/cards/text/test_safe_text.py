"""Outside text made safe: what a reader would not see is taken out or spelled out, character by character, however it is mixed."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.cards.text.safe_text import exact, invisible, line

texts = st.text(
    st.one_of(st.characters(), st.sampled_from("ab \t\u00a0\u2003\u200b\u202e\u0300\u0301\u20dd\ufe0f\U000e0041👩א́")), max_size=40
)


@given(texts)
def test_what_cannot_be_seen_is_spelled_out_in_its_place(text: str) -> None:
    """The slow way, a character at a time: its number for what draws nothing, for strange blanks, and from the fourth mark in a row on."""
    expected, marks = "", 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        strange_blank = unicodedata.category(char) == "Zs" and char != " "
        expected += f"⟨U+{ord(char):04X}⟩" if invisible(char) or strange_blank or marks > 3 else char
    assert exact(text) == expected


@given(texts)
def test_a_line_holds_nothing_invisible_and_loses_nothing_else(text: str) -> None:
    """What is left of a text on one line is what of it can be seen, in its order."""
    shown = line(text)
    assert not invisible(shown)
    seen = [char for char in text if not invisible(char) and not char.isspace() and unicodedata.category(char) not in {"Mn", "Me"}]
    assert [char for char in shown if char != " " and unicodedata.category(char) not in {"Mn", "Me"}] == seen
