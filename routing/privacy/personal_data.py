"""E-mail addresses, phone numbers, payment cards and IBANs in a text.

Owns how each is recognised and how much of it still shows. phonenumbers knows the world's numbering plans, python-stdnum check digits.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache

import phonenumbers
from stdnum import iban, luhn, numdb

from routing.privacy.business_numbers import behind_a_business_word
from routing.privacy.spans import Span, scan

_AT = re.compile(r"(?:@|%40)(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,23}")
_LOCAL = re.compile(r"[\w.+'-]{1,256}")

_NOBODY = re.compile(r"(?:\b(?:abfss?|wasbs?)://\$?[a-z0-9-]{1,63}|(?<![\w.+'-])git)\Z", re.ASCII | re.IGNORECASE)
"""What stands before an @ and is no person: a container of Azure's storage, the account that everybody has at a host of git.

Sources: https://learn.microsoft.com/en-us/azure/storage/blobs/data-lake-storage-introduction-abfs-uri,
https://git-scm.com/docs/git-clone#_git_urls
"""

_INTERNATIONAL = re.compile(r"\+(?<![\w+].)[ (]{0,2}[1-9](?:[ ()./-]{0,3}[0-9]){6,16}")
_DIALLED = re.compile(r"00(?<![\w.,+]..)[ ]?[1-9](?:[ ()./-]{0,3}[0-9]){7,14}(?![\w])")
_AMERICAN = re.compile(r"(?:\((?<!\w.)[2-9][0-9]{2}\) ?|[2-9][0-9]{2}(?<!\w...)[ .-])[2-9][0-9]{2}[ .-][0-9]{4}(?![\w-])")
_TRUNK = re.compile(r"(?:\((?<!\w.)0[1-9][0-9]{0,4}\)|0(?<![\w.,+/-].)[1-9][0-9]{0,4}[ /-])[ /-]{0,2}[0-9](?:[ -]?[0-9]){4,9}(?![\w-])")
_TRUNK_REGIONS = ("DE", "GB", "FR", "IT", "NL", "CH", "AT", "AU")
"""Large plans that dial 0 first at home; the others are found in their international form or behind a word for a phone."""

_CARD = re.compile(
    r"[0-9](?<!\w.)(?<![0-9][.,].)(?:[0-9]{13,18}|[0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?|"
    r"[0-9]{3}[ -][0-9]{6}[ -][0-9]{4,5})(?!\w|[.,][0-9])"
)
_ISSUED = re.compile(
    r"4[0-9]{15}(?:[0-9]{3})?|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}|3[47][0-9]{13}|"
    r"3(?:0[0-5]|[68][0-9])[0-9]{11}|35(?:2[89]|[3-8][0-9])[0-9]{12}|6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}|62[0-9]{14,17}|"
    r"(?:5018|5020|5038|5893|6304|6759|676[1-3])[0-9]{12,15}"
)
"""Numbers of Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay and Maestro (ISO/IEC 7812-1).

Source: https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN)
"""

_IBAN = re.compile(r"[0-9](?<=[A-Za-z]{2}.)(?<!\w...)[0-9](?=[ -]?[0-9A-Za-z])")


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses, also as addresses of pages spell them (`%40`); the domain stays, because it says whose customer it is."""
    return scan(_AT, text, _email)


def phones(text: str) -> Iterator[Span]:
    """Phone numbers; the last two digits stay."""
    yield from scan(_INTERNATIONAL, text, _international)
    yield from scan(_DIALLED, text, lambda match: _phone(match, "+" + re.sub(r"^0+|[^0-9]", "", match[0]), ()))
    yield from scan(_AMERICAN, text, lambda match: _phone(match, match[0], ("US",)))
    yield from scan(_TRUNK, text, lambda match: _phone(match, match[0], _TRUNK_REGIONS))


def cards(text: str) -> Iterator[Span]:
    """Payment cards (ISO/IEC 7812); the last four digits stay, as on a receipt."""
    return scan(_CARD, text, _card)


def ibans(text: str) -> Iterator[Span]:
    """Bank accounts (ISO 13616); country and the last four characters stay."""
    return scan(_IBAN, text, _iban)


def _email(match: re.Match[str]) -> Span | None:
    before = match.string[max(match.start() - 256, 0) : match.start()]
    local = _LOCAL.match(before[::-1])
    if local is None or (match[0].startswith("@") and _NOBODY.search(before)):
        return None
    return Span(match.start() - local.end(), match.end(), "email", f"•••{match[0]}")


def _international(match: re.Match[str]) -> Span | None:
    """The longest beginning of the match that is as long as numbers of its country are."""
    ends = [at for at in range(len(match[0]), 7, -1) if match[0][at - 1].isdigit() and not match.string[match.start() + at :][:1].isdigit()]
    for end in ends:
        digits = re.sub(r"\(0\)|[^0-9]", "", match[0][:end])
        for length in (1, 2, 3):
            if len(digits) - length in _lengths(digits[:length]):
                return Span(match.start(), match.start() + end, "phone", f"+{digits[:length]} ••• {digits[-2:]}")
    return None


@cache
def _lengths(country_code: str) -> frozenset[int]:
    """How many digits follow a country code; none where there is no such code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(country_code), ())
    known = (phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(country_code), region) for region in regions)
    return frozenset(length for plan in known if plan is not None and plan.general_desc for length in plan.general_desc.possible_length)


def _phone(match: re.Match[str], number: str, regions: tuple[str, ...]) -> Span | None:
    return _seen_phone(match) if _is_phone(number, regions) and not behind_a_business_word(match.string, match.start()) else None


def _seen_phone(match: re.Match[str]) -> Span:
    return Span(match.start(), match.end(), "phone", f"••• {re.sub(r'[^0-9]', '', match[0])[-2:]}")


@lru_cache(4_096)
def _is_phone(number: str, regions: tuple[str, ...]) -> bool:
    return any(_is_phone_in(number, region) for region in regions or (None,))


def _is_phone_in(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _card(match: re.Match[str]) -> Span | None:
    digits = re.sub(r"[^0-9]", "", match[0])
    if _ISSUED.fullmatch(digits) is None or not luhn.is_valid(digits):
        return None
    return Span(match.start(), match.end(), "card", f"•••• {digits[-4:]}")


def _iban(match: re.Match[str]) -> Span | None:
    start = match.start() - 2
    spelled = _account(match.string[start : start + 2].upper())
    found = spelled.match(match.string, start) if spelled is not None else None
    if found is None or not iban.is_valid(found[0], check_country=False):
        return None
    number = iban.compact(found[0])
    return Span(start, found.end(), "iban", f"{number[:2]}•• … {number[-4:]}")


@cache
def _account(country: str) -> re.Pattern[str] | None:
    """What IBANs of a country look like with or without spaces, None where it has none. Source: the IBAN registry, as stdnum carries it."""
    (_, facts), *_ = numdb.get("iban").info(country)
    lengths = re.findall(r"([0-9]+)!", facts.get("bban", ""))
    return re.compile(rf"[A-Za-z]{{2}}(?:[ -]?[0-9A-Za-z]){{{sum(map(int, lengths)) + 2}}}(?![0-9A-Za-z])") if lengths else None
