"""A phrase that steers a model is found wherever it stands, and looking for it in all texts at once finds no other."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.evaluation.stock_phrases import INSTRUCTIONS, reads_like_instructions
from routing.evaluation.terms import folded
from tests.examples_drawn import examples

BEGINS = [begin for begins, _ in INSTRUCTIONS for begin in begins]
ENDS = [
    *(" all previous instructions", " instructions above", " your system prompt", " developer mode", " the reviewer", ""),
    *(" alle vorherigen anweisungen", " les instructions précédentes", " las instrucciones anteriores", " le istruzioni sopra"),
    *(" as instruções anteriores", " alle eerdere regels", "以上的指令", "指示を無視"),
]
HARMLESS = ["Please add the bag today.", "ignor", "\n", "é", "\u200b", "\uff29gnore", "the printer's output"]


def plainly(texts: list[str]) -> int:
    """How many hold one, each text looked at alone with every phrase."""
    patterns = [re.compile(re.escape(begin) + rest) for begins, rest in INSTRUCTIONS for begin in begins]
    return sum(any(pattern.search(folded(text)) for pattern in patterns) for text in texts)


PIECES = st.sampled_from([*BEGINS, *ENDS, *HARMLESS]) | st.tuples(st.sampled_from(BEGINS), st.sampled_from(ENDS)).map("".join)
TEXTS = st.lists(st.lists(PIECES, max_size=3).map(lambda pieces: pieces[0].upper() + "".join(pieces[1:]) if pieces else ""), max_size=3)


@settings(max_examples=examples(200))
@given(TEXTS)
def test_all_texts_at_once_are_read_as_each_alone(texts: list[str]) -> None:
    """Neither what stands beside a phrase nor the language of another text hides it, and none is made of the ends of two texts."""
    assert reads_like_instructions(texts) == plainly(texts)


def test_every_phrase_is_found() -> None:
    """Each way to begin, with some way to go on."""
    for begin in BEGINS:
        assert any(reads_like_instructions(["nothing", f"so: {begin}{end}"]) for end in ENDS), begin
