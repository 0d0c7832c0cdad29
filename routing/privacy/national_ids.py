"""National ids of people in a text: numbers whose form and check digits give them away.

Owns which ids are looked for. python-stdnum knows their check digits; of its validators only those are used that ask no clock.
"""

import re
from collections.abc import Callable, Iterator

from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.us import itin, ssn

from routing.privacy.spans import Span, scan

Valid = Callable[[str], bool]


def _nino(number: str) -> bool:
    """UK national insurance numbers have no check digit; some prefixes are never given.

    Source: https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110
    """
    return number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


FORMS: tuple[tuple[re.Pattern[str], Valid], ...] = (
    (re.compile(r"[0-9]{3}(?<!\w...)([ -])[0-9]{2}\1[0-9]{4}(?![\w-])"), lambda number: ssn.is_valid(number) or itin.is_valid(number)),
    (re.compile(r"[0-9]{2}(?<!\w..) [0-9]{3} [0-9]{3} [0-9]{3}(?!\w| [0-9])"), idnr.is_valid),
    (
        re.compile(r"[12](?<!\w.) ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}(?!\w)"),
        nir.is_valid,
    ),
    (re.compile(r"[0-9]{8}(?<!\w.{8})-?[A-HJ-NP-TV-Z](?!\w)"), dni.is_valid),
    (re.compile(r"[XYZ](?<!\w.)-?[0-9]{7}-?[A-HJ-NP-TV-Z](?!\w)"), nie.is_valid),
    (re.compile(r"[A-Z]{6}(?<!\w.{6})[0-9L-V]{2}[A-EHLMPRST][0-9L-V]{2}[A-Z][0-9L-V]{3}[A-Z](?!\w)"), codicefiscale.is_valid),
    (re.compile(r"[A-CEGHJ-PR-TW-Z](?<!\w.)[A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D](?!\w)"), _nino),
    (re.compile(r"756(?<!\w...)\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}(?!\w)"), ahv.is_valid),
    (re.compile(r"[0-9]{3}(?<!\w...)\.[0-9]{3}\.[0-9]{3}-[0-9]{2}(?!\w)"), cpf.is_valid),
)
"""US SSN and ITIN, DE Steuer-ID, FR NIR, ES DNI and NIE, IT codice fiscale, UK NINO, CH AHV, BR CPF, as each is written."""


def national_ids(text: str) -> Iterator[Span]:
    """The national ids of a text that show by themselves."""
    for pattern, valid in FORMS:
        yield from scan(pattern, text, lambda match, valid=valid: _span(match, valid))  # type: ignore[misc]  # bound at once


def _span(match: re.Match[str], valid: Valid) -> Span | None:
    return Span(match.start(), match.end(), "national_id") if valid(match[0]) else None
