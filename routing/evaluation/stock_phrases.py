"""The phrases that the heuristics of the post-check look for, in several languages. Owns the two lists; knows no case.

They are hints: a hit brings a person, a miss proves nothing. All are compared with folded text (`routing.evaluation.terms`).
"""

import re
from collections.abc import Sequence

from routing.evaluation.terms import folded

FEWEST_LETTERS = 5
"""An output with fewer letters and digits than this says nothing about the case."""

GENERIC = (
    *("as an ai language model", "as a large language model", "as an ai assistant", "i am just an ai", "i'm just an ai"),
    *("i'm sorry, but i can't", "i am sorry, but i cannot", "i'm sorry, but i cannot", "i cannot assist with", "i can't assist with"),
    *("i can't help with that", "i cannot help with that", "i don't have enough information", "i do not have enough information"),
    *("as of my last update", "as of my knowledge cutoff", "no information available"),
    *("lorem ipsum", "[insert", "[your name]", "[customer name]", "[name]", "[date]"),
    *("als ki-sprachmodell", "als ki-modell", "als ki-assistent", "dabei kann ich leider nicht helfen"),
    *("en tant que modèle de langage", "en tant qu'ia", "en tant qu'intelligence artificielle", "je ne peux pas vous aider avec"),
    *("como modelo de lenguaje", "como asistente de ia", "lo siento, pero no puedo", "no tengo suficiente información"),
    *("come modello linguistico", "mi dispiace, ma non posso", "como modelo de linguagem", "als ai-taalmodel"),
    *("作为一个ai语言模型", "作为ai助手", "aiの言語モデルとして"),
)
"""What models write when they have nothing to say, refuse, or leave a template unfilled."""

_EARLIER = r" (?:all |any )?(?:of )?(?:the |your |my |these |those )?(?:previous|prior|above|earlier|preceding|system) "
_RULES = r"(?:instruction|prompt|rule|direction|guideline)"

INSTRUCTIONS = (
    (("ignore", "disregard", "forget", "override"), rf"{_EARLIER}{_RULES}"),
    (("ignore", "disregard", "forget", "override"), rf" (?:all |any )?(?:of )?(?:the |your |these |those )?{_RULES}s? above"),
    (("reveal", "print", "repeat", "output"), r" (?:me )?(?:your|the) (?:system |hidden |initial )?(?:prompt|instructions)"),
    (("system prompt", "system-prompt", "systemprompt", "new instructions:", "new system instructions:"), ""),
    (("enter", "enable", "you are now in"), r" (?:developer|jailbreak|god) mode"),
    (("do not tell", "do not inform", "do not alert", "don't tell"), r" the (?:user|reviewer|human|operator)"),
    (("<|im_start|>", "<|im_end|>", "<|system|>", "<|endoftext|>", "[inst]", "[/inst]", "<<sys>>", "<system>", "</system>"), ""),
    (
        ("ignoriere", "ignorieren sie", "vergiss", "vergessen sie", "missachte"),
        r" (?:bitte )?(?:alle |die |deine |ihre ){0,2}(?:vorherigen|bisherigen|obigen|früheren|vorigen) (?:anweisung|regel|befehl|vorgabe)",
    ),
    (
        ("ignore", "ignorez", "ignorer", "oublie", "oubliez"),
        r" (?:toutes )?(?:les |tes |vos )?(?:instructions|consignes|règles) (?:précédentes|antérieures|ci-dessus)",
    ),
    (
        ("ignora", "ignore", "olvida", "olvide"),
        r" (?:todas )?(?:las |tus |sus )?(?:instrucciones|reglas|indicaciones) (?:anteriores|previas)",
    ),
    (("ignora", "ignorate", "dimentica"), r" (?:tutte )?(?:le )?(?:istruzioni|regole) (?:precedenti|sopra)"),
    (("ignore", "esqueça", "desconsidere"), r" (?:todas )?(?:as )?(?:instruções|regras) anteriores"),
    (("negeer", "vergeet"), r" (?:alle )?(?:eerdere|vorige|bovenstaande) (?:instructies|regels)"),
    (("忽略",), r"(?:之前|以上|上述|先前)的?(?:所有|全部)?(?:指令|指示|说明|提示)"),
    (("これまでの", "以前の", "上記の"), r"(?:すべての)?(?:指示|命令)を(?:すべて)?無視"),
)
"""What people write into a request or a document to steer a model that reads it (prompt injection; OWASP LLM01): how it begins, and
a regular expression for what follows.
"""

_FOLLOWS = tuple((begin, re.compile(rest)) for begins, rest in INSTRUCTIONS for begin in begins)
_FIRST_SIGNS = 6
_STARTS = tuple(dict.fromkeys(begin[:_FIRST_SIGNS] for begin, _ in _FOLLOWS))
_ASCII_STARTS = tuple(start for start in _STARTS if start.isascii())


def reads_like_instructions(texts: Sequence[str]) -> int:
    """How many of these texts, folded, hold one of them. The first letters of each are looked for in all texts at once, so that what is
    harmless, as nearly everything is, costs little.
    """
    together = folded("\n".join(texts))
    for start in _ASCII_STARTS if together.isascii() else _STARTS:
        if start in together:
            return sum(any(_follows(text, begin, rest) for begin, rest in _FOLLOWS) for text in map(folded, texts))
    return 0


def _follows(text: str, begin: str, rest: re.Pattern[str]) -> bool:
    at = text.find(begin)
    while at >= 0:
        if rest.match(text, at + len(begin)):
            return True
        at = text.find(begin, at + 1)
    return False
