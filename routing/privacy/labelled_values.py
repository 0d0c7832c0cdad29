"""Values behind a word that says what they are: `password=hunter2`, `Tel. 1234567`, `tax_id: 86095742719`.

Owns these words. A secret has to look as if somebody chose or drew it, because people also write about passwords; a number has to be
there. The keys of an action's parameters are such words too: there the value needs no look at all.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator

from routing.privacy.spans import HIDDEN, Span, scan

_PASSWORDS = r"pass(?:word|wd|phrase|code)|passwort|kennwort|(?<![a-z])(?:pwd|pin|otp|cvv2?|cvc2?)"
_TOKENS = (
    r"secret(?:[ _-]?(?:access[ _-]?)?key)?|token|(?:api|access|private|signing|encryption|auth|account)[ _-]?key|"
    r"credentials?|authorization"
)
_PHONES = r"phone|mobile?|telefon|whatsapp|msisdn|(?<![a-z])(?:tel|cell|fax|handy)"
_IDS = (
    r"(?<![a-z])(?:ssn|itin|nino|bsn|pesel|cpf|cpr|nir|dni|idnr)|social[ _-]?security|national[ _-]?(?:insurance|id)|"
    r"tax[ _-]?(?:payer[ _-]?)?id|steuer[ _-]?(?:id\w{0,24}|nummer)|burgerservicenummer|aadhaar|personnummer|codice[ _-]?fiscale"
)

_SECRET_BEFORE = re.compile(rf"(?:(?P<password>{_PASSWORDS})|{_TOKENS})[\"']?[ \t]{{0,3}}$")
_NUMBER_BEFORE = re.compile(rf"(?:(?P<phone>{_PHONES})|{_IDS})(?:[ _-]?(?:no|nr|number|nummer))?[\W_]{{0,4}}(?:is )?$")
_SECRET_HINTS = ("pass", "kenn", "pwd", "pin", "otp", "cv", "secret", "token", "key", "credential", "authorization")
_NUMBER_HINTS = (
    *("phone", "mobil", "tel", "what", "msis", "cell", "fax", "handy", "ssn", "tin", "nino", "bsn", "pesel", "cp", "ni", "idnr"),
    *("social", "tax", "steuer", "burger", "aadhaar", "person", "codice"),
)
"""One of these stands in every text that the pattern finds: looking for them is much faster."""

_MARK = re.compile(r"[:=]")
_SECRET = re.compile(r"[:=][ \t]{0,3}[\"']?(?:(?i:basic|bearer) )?(?P<value>[^\s\"',;&<>|]{3,4096})")
_NUMBER = re.compile(r"[0-9(](?<!\w.)[0-9 ()./-]{4,20}[0-9](?!\w)")

_BACK = 56
_FIGURES_MOST = 12


def labelled_values(text: str) -> Iterator[Span]:
    """The secrets, phone numbers and national ids that are called so."""
    yield from scan(_MARK, text, _secret)
    yield from scan(_NUMBER, text, _number)


def names_a_secret(key: str) -> bool:
    """Whether a value under this key is a secret whatever it looks like: `db_password`, `api_key`, `refreshToken`."""
    return _word_before(key, len(key), _SECRET_HINTS, _SECRET_BEFORE) is not None


def _word_before(text: str, at: int, hints: tuple[str, ...], pattern: re.Pattern[str]) -> re.Match[str] | None:
    before = text[max(at - _BACK, 0) : at].lower()
    return pattern.search(before) if any(hint in before for hint in hints) else None


def _secret(mark: re.Match[str]) -> Span | None:
    word = _word_before(mark.string, mark.start(), _SECRET_HINTS, _SECRET_BEFORE)
    found = _SECRET.match(mark.string, mark.start()) if word is not None else None
    if word is None or found is None:
        return None
    looks = _looks_chosen(found["value"]) if word["password"] else _looks_drawn(found["value"])
    return Span(found.start("value"), found.end("value"), "secret") if looks else None


def _number(found: re.Match[str]) -> Span | None:
    digits = re.sub(r"[^0-9]", "", found[0])
    word = _word_before(found.string, found.start(), _NUMBER_HINTS, _NUMBER_BEFORE) if 6 <= len(digits) <= 15 else None
    if word is None:
        return None
    if word["phone"]:
        return Span(found.start(), found.end(), "phone", f"••• {digits[-2:]}")
    return Span(found.start(), found.end(), "national_id", HIDDEN)


def _looks_chosen(value: str) -> bool:
    """Whether this is a password rather than a word about one: several kinds of characters, or short figures such as a PIN."""
    if value.isdigit():
        return len(value) <= _FIGURES_MOST
    body = value.rstrip(".!?)")
    kinds = (str.islower, str.isupper, str.isdigit, lambda char: not char.isalnum())
    return sum(any(map(kind, body[1:])) for kind in kinds) > 1


def _looks_drawn(value: str) -> bool:
    """Whether nobody would write this as a word: letters and digits mixed, or long and without a pattern."""
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return len(value) >= 8 and (mixed or (len(value) >= 16 and _entropy(value[:256]) >= 3.5))


def _entropy(text: str) -> float:
    """Bits per character, as Shannon counts them: random hex has nearly 4, random base64 nearly 6, an English word about 3."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
