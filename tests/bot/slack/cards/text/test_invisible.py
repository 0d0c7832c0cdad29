# ruff: noqa: RUF001  # other scripts are what this is about
"""Invisible characters: honest writing keeps its own, and whatever could deceive is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.cards.forms.fields import Field
from bot.slack.cards.forms.form_input import read_modification
from bot.slack.cards.forms.modals import Seat
from bot.slack.cards.forms.modify import modify_modal
from bot.slack.cards.forms.shapes import initial, shape_of
from bot.slack.cards.text.invisible import hidden
from bot.slack.cards.text.safe_text import clean, deceptive, exact, line, suspicious
from tests.bot.slack.cards.factory import REFUND, a_view
from tests.bot.slack.cards.forms.test_modals import untouched
from tests.bot.slack.cards.test_card import card

HONEST = {
    "Persian": "می\u200cخواهیم کتاب\u200cهای خوب را",
    "Persian abbreviation": "سال ۱۴۰۲ ه\u200d.ق",
    "Urdu": "گھر\u200cوں",
    "Hindi": "क्\u200dष और क्\u200cष",
    "Malayalam": "അവന്\u200d വന്നു",
    "Sinhala": "ශ්\u200dරී ලංකා",
    "Japanese name": "山田\u3000太郎 様",
    "Japanese paragraph": "拝啓\n\u3000時下ますますご清栄",
    "Japanese firm": "株式会社\u3000ABC",
    "Japanese variant": "葛\U000e0100城市の辻\U000e0100さん",
    "Korean": "홍길동\u3000귀하",
    "Thai": "สวัสดี\u200bครับ",
    "Khmer": "ភាសា\u200bខ្មែរ",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ\u180bᠤᠨ",
    "family": "👩\u200d👩\u200d👧 and 👨🏽\u200d🔧",
    "heart": "❤\ufe0f and ❤\ufe0f\u200d🔥, text ❤\ufe0e",
    "rainbow": "🏳\ufe0f\u200d🌈",
    "keycaps": "1\ufe0f\u20e3 #\ufe0f\u20e3 *\ufe0f\u20e3",
    "flags": "🇩🇪 🇯🇵",
    "England": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "copyright": "©\ufe0f 2026 ™\ufe0f",
    "German": "Die Donau\u00addampf\u00adschifffahrts\u00adgesellschaft schreibt",
    "Arabic with a price": "السعر \u2066100 USD\u2069 فقط للعميل",
    "Hebrew with a mark": "שלום לכולם\u200f, מחיר: 12\u200e!",
    "Arabic mark": "رقم\u061c 12 - 34",
    "verse": "آية \u06dd٢",
}
DECEIVING = {
    "joiner in Latin": "pay\u200cpal",
    "joiner in Cyrillic": "при\u200dвет",
    "zero width space": "ad\u200bmin",
    "word joiner": "ad\u2060min",
    "inner byte order mark": "ad\ufeffmin",
    "soft hyphen in a name": "pay\u00adpal",
    "soft hyphen in an address": "write to admin\u00adistrator@example.com now",
    "soft hyphen in a short word": "grant it to ad\u00admin now",
    "homoglyph blanks": "GB29\u00a0NWBK\u2003x\u202fy\u205fz",
    "wide blank in Latin": "pay\u3000pal",
    "wide blank at the end": "山田\u3000",
    "override": "\u202egnp.exe\u202c",
    "override in Hebrew": "שלום \u202eabc\u202c שלום",
    "isolate without reason": "pay \u2067100\u2069",
    "isolate in Latin with a Hebrew letter": "pay 100 to anna \u2067and 900 to ben\u2069 א",
    "isolate left open": "שלום \u2067שלום",
    "mark in Latin": "pay\u200epal",
    "tags": "🏴\U000e0068\U000e0069\U000e007f ok\U000e0041",
    "selectors as text": "ok\ufe01\ufe02\U000e0121",
    "two selectors": "葛\U000e0100\U000e0101",
    "selector on a letter": "a\ufe0f",
    "joiner after an emoji": "👩\u200d pays",
    "two joiners": "می\u200c\u200cخواهیم",
    "filler": "a\u3164b\u115f",
    "empty braille": "a\u2800b",
    "control": "a\x07b\x1b[31m",
    "line separator": "a\u2028b",
    "private use": "a\ue000b",
}


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST)
def test_honest_writing_is_left_as_it_is(text: str) -> None:
    """On the card as what is executed, as title and as request, in a form as text that a person can edit; nobody is warned."""
    assert exact(text) == text
    assert clean(text) == text
    assert line(text) == text.replace("\n\u3000", " \u3000")
    assert not deceptive(text)
    assert not suspicious(text)
    assert shape_of(Field("params", ("x",), text)) == "text"
    shown = card(a_view(REFUND | {"title": line(text), "request": text, "action": {"type": "x", "params": {"to": line(text)}}}))
    assert shown.count(line(text)) >= 2
    assert "⟨U+" not in shown
    assert "Hidden characters" not in shown


@pytest.mark.parametrize("text", DECEIVING.values(), ids=DECEIVING)
def test_what_could_deceive_is_spelled_out(text: str) -> None:
    """Every one of them on the card; taken out of what people only read; escaped in a form that still gives back the same."""
    bad = [char for char in text if hidden(char) or (char.isspace() and char not in " \n\t")]
    shown = exact(text)
    assert shown.count("⟨U+") >= 1
    assert f"⟨U+{ord(bad[-1]):04X}⟩" in shown
    assert all(char in shown or f"⟨U+{ord(char):04X}⟩" in shown for char in bad)
    assert not deceptive(shown)
    assert not deceptive(line(text))
    params = {"to": text, "list": [text]}
    view = a_view(REFUND | {"action": {"type": "x", "params": params}})
    assert not deceptive(str(initial(Field("params", ("x",), [text]))))
    assert read_modification(view, untouched(modify_modal(view, Seat("C0T1", "1.2")))).params == params


@given(st.text("abcXYZ019", min_size=1), st.characters(categories=["Cf", "Cc", "Zs", "Zl", "Zp", "Co"]), st.text("abcXYZ019", min_size=1))
def test_nothing_hides_between_letters_and_digits_of_latin(before: str, char: str, after: str) -> None:
    """Whatever draws nothing, or another blank than the usual, is spelled out there."""
    seen = char in " \n\t" or not (hidden(char) or char.isspace())
    assert exact(before + char + after) == before + (char if seen else f"⟨U+{ord(char):04X}⟩") + after


@pytest.mark.parametrize("piece", ["\u3000", "a", "ab\u00ad", "👩\u200d", "می\u200c", "\u200b", "\u2066א", "\u202b", "❤\ufe0f", "山\u3000"])
def test_a_text_of_any_length_is_judged_in_one_go(piece: str) -> None:
    """However long the run of one character is, time grows with the text and not with its square."""
    text = f"x y\u00ad {piece * (90_000 // len(piece))}"
    assert len(exact(text)) >= len(text)
    assert suspicious(text) in (True, False)
