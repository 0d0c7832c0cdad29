"""Outside text made safe: what could deceive is taken out or spelled out, character by character, however it is mixed."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.cards.text.invisible import hidden, needed
from bot.slack.cards.text.safe_text import address, deceptive, exact, head, line, weight

texts = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("ab \t\u00a0\u2003\u200b\u202e\u0300\u0301\u20dd\ufe0f\U000e0041👩א́"),
        st.sampled_from("\u200d\u200cمی\u3000山❤⟨U+"),
    ),
    max_size=40,
)


@given(texts)
def test_what_could_deceive_is_spelled_out_in_its_place(text: str) -> None:
    """Its number for what draws nothing, for strange blanks, and from the fourth mark in a row on; and the way back gives the same text."""
    expected, marks, honest = "", 0, needed(text)
    for place, char in enumerate(text):
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        strange_blank = unicodedata.category(char) == "Zs" and char != " "
        expected += f"⟨U+{ord(char):04X}⟩" if place not in honest and (hidden(char) or strange_blank or marks > 3) else char
    shown = exact(text)
    assert shown == expected or "⟨U+" in text
    assert re.sub(r"⟨U\+([0-9A-F]+)⟩", lambda found: chr(int(found[1], 16)), shown) == text


@given(texts)
def test_a_line_holds_nothing_deceptive_and_loses_nothing_else(text: str) -> None:
    """What is left of a text on one line is what of it can be seen, in its order."""
    shown = line(text)
    seen = [char for char in text if not hidden(char) and not char.isspace() and unicodedata.category(char) not in {"Mn", "Me"}]
    left = [char for char in shown if not hidden(char) and not char.isspace() and unicodedata.category(char) not in {"Mn", "Me"}]
    assert left == seen


@given(texts, st.integers(0, 60))
def test_a_cut_fits_and_leaves_what_is_drawn_as_one_together(text: str, most: int) -> None:
    """Never longer than allowed, a beginning of the text, and an emoji or a letter with its marks is whole or gone."""
    kept = head(text, most)
    assert text.startswith(kept)
    assert weight(kept) <= max(most, 0)
    family = "👩\u200d👩\u200d👧"
    assert head("ab" + family, 5) == "ab"
    assert not deceptive(head("❤\ufe0f" * 9, most))


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u2066", "\u00ad", "\ufeff", "\U000e0041", "\u3164", "\u0000"])
def test_an_address_spells_out_what_is_invisible_in_it(hidden: str) -> None:
    """Anywhere in it, and it never looks like the address without."""
    for url in (f"https://exa{hidden}mple.com/x", f"https://example.com/x{hidden}", f"https://example.com{hidden}@other.com/"):
        assert f"⟨U+{ord(hidden):04X}⟩" in address(url)
    assert address("https://example.com/x") == "https://example.com/x"
