# ruff: noqa: RUF001 - letters of other scripts are what this file is about
"""Who an e-mail address belongs to, however it is spelled: one key for all spellings that reach, or look like, the same mailbox.

Owns reading an address and what counts as another spelling of it. Where two could be two people or one, they count as one, because what
hangs on it is that nobody decides what they asked for. It never mails anything.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection

LONGEST = 254
"""Characters of an address (RFC 5321, 4.5.3.1, erratum 1690)."""

LONGEST_LABEL = 63

_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Characters that show nothing and are no format characters (Unicode, Default_Ignorable_Code_Point, and the empty Braille pattern)."""

_DOTS = re.compile("[\u3002\uff61\u2024\ufe52\uff0e]")
"""What IDNA (RFC 3490, 3.1) and eyes take for a full stop."""

_LOCAL = re.compile(r"[\w!#$%&'*/=?^`{|}~.+-]+")
_LABEL = re.compile(r"[^\W_]+(?:[-_]+[^\W_]+)*")

_LOOKS_LIKE = {
    "a": "аαɑᴀ",
    "b": "вьƅ",
    "c": "сϲᴄ",
    "d": "ԁɗđᴅ",
    "e": "еєҽ℮ᴇ",
    "f": "ƒẝ",
    "g": "ɡƍց",
    "h": "һհнʜ",
    "i": "іιıɩɪӏⅰ",
    "j": "јϳ",
    "k": "кκᴋ",
    "l": "ⅼǀℓłʟ",
    "m": "мᴍ",
    "n": "пոηռ",
    "o": "оοօσᴏø",
    "p": "рρ",
    "q": "ԛգ",
    "r": "гᴦ",
    "s": "ѕꜱƽ",
    "t": "тτᴛ",
    "u": "υսᴜʋ",
    "v": "νѵᴠ",
    "w": "ѡԝωᴡ",
    "x": "хχ",
    "y": "уүγ",
    "z": "ᴢ",
}
_PLAIN = {other: plain for plain, others in _LOOKS_LIKE.items() for other in others}
"""Letters of other scripts that pass for a Latin one in the fonts people read (after Unicode's UTS #39)."""

DOTLESS = ("gmail.com", "googlemail.com")
"""Domains of which everybody knows that dots before the @ mean nothing there."""

_SAME_DOMAIN = {"googlemail.com": "gmail.com"}

_DOTLESS = "\0dotless:"


def names_of_address(email: str) -> frozenset[str]:
    """Every digest under which `email` may have been kept, hex SHA-256 each; none where it cannot be read as an address."""
    parts = _read(email)
    if parts is None:
        return frozenset()
    local, domain = parts
    keys = (f"{local}@{domain}", f"{_DOTLESS}{local.replace('.', '')}@{domain}", email.strip().lower())  # the last: as earlier versions did
    return frozenset(map(_digest, keys))


def name_of_address(email: str, dotless: Collection[str] = DOTLESS) -> str:
    """The digest under which an address is kept, hex SHA-256; "" where it cannot be read as one.

    `dotless`: domains whose mail system ignores dots before the @.
    """
    parts = _read(email) if email else None
    if parts is None:
        return ""
    local, domain = parts
    alike = {_domain(one) for one in dotless}
    return _digest(f"{_DOTLESS}{local.replace('.', '')}@{domain}" if domain in alike else f"{local}@{domain}")


def names_within(text: str, dotless: Collection[str] = DOTLESS) -> tuple[str, ...]:
    """The digests of every address that stands in a text which is none itself, as `Anna <anna@example.com>`; none where it is one."""
    parts = () if not text or is_address(text) else re.split(r"[\s<>()\[\],;:|\"']+", _seen(text))
    return tuple(dict.fromkeys(name for part in parts if (name := name_of_address(part, dotless))))


def is_address(email: str) -> bool:
    """Whether this can be read as the address of a mailbox."""
    return _read(email) is not None


def _read(email: str) -> tuple[str, str] | None:
    """Local part and domain as they are compared."""
    shown = _seen(email).strip()
    local, at, domain_text = shown.rpartition("@")
    if not at or len(shown) > LONGEST:
        return None
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    domain = _domain(domain_text)
    box = local.partition("+")[0] or local
    if not domain or _LOCAL.fullmatch(local) is None or _is_mixed(box):
        return None
    mailbox = re.sub(r"\.+", ".", _latin(box)).strip(".")
    return (mailbox, domain) if mailbox else None


def _domain(text: str) -> str:
    """A domain as it is compared, "" where it is none. Labels in punycode are read as what they show."""
    labels = []
    for label in _seen(text).strip().rstrip(".").split("."):
        shown = _unpunycoded(label)
        if _LABEL.fullmatch(shown) is None or len(label) > LONGEST_LABEL or _is_mixed(shown):
            return ""
        labels.append(_latin(shown))
    domain = ".".join(labels)
    return _SAME_DOMAIN.get(domain, domain)


def _unpunycoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return _seen(label[4:].encode("ascii").decode("punycode"))
    except (UnicodeError, OverflowError):
        return ""


def _seen(text: str) -> str:
    """As it looks, in its own script: compatible forms and case made one, invisible characters and marks dropped."""
    plain = unicodedata.normalize("NFKC", _DOTS.sub(".", text))
    plain = unicodedata.normalize("NFKC", _DOTS.sub(".", plain).casefold())
    seen = _INVISIBLE.sub("", "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cf", "Cc")))
    return _without_marks(seen)


def _latin(text: str) -> str:
    """With letters of other scripts that pass for Latin ones made those."""
    return "".join(_PLAIN.get(sign, sign) for sign in text)


def _without_marks(text: str) -> str:
    """Accents dropped, some mail systems do and eyes do; and the vowel signs of scripts that write them as marks."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign)[0] != "M")


def _is_mixed(part: str) -> bool:
    """Whether Latin letters and those of another script seem to stand together: made to deceive, or of a script this file does not know. A
    word of one script only is a word of that, however many of its letters pass for Latin ones.
    """
    plain = _latin(part)
    if plain.isascii() or not any("a" <= sign <= "z" for sign in plain):
        return False
    return len(scripts := {_script(sign) for sign in part if sign.isalpha()}) > 1 or "LATIN" in scripts


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
