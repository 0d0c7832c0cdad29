"""Numbers of orders, articles, invoices and the like, which are often written as phone numbers are.

Owns the words that say so. A key says it of its whole value; in prose the word has to be one for a number, since people also write
"call us about your order: 0151 2345678".
"""

import re

_THINGS = (
    r"order|sku|article|item|product|part|serial|batch|lot|invoice|receipt|quote|ticket|claim|contract|booking|reservation|shipment|parcel|"
    r"tracking|transaction|reference|ref|rma|po|asn|ean|gtin|upc|isbn|artikel|auftrags?|bestell(?:ung)?|rechnungs?|vertrags?|sendungs?"
)
_NUMBER = r"no|nr|num|number|nummer|id|code|ref"
_CODES = r"sku|rma|ean|gtin|upc|isbn"

_KEY = re.compile(rf"(?:.*[^a-z])?(?:{_THINGS})s?(?:[ _.-]?(?:{_NUMBER})s?)?", re.DOTALL)
_BEFORE = re.compile(rf"(?<![a-z])(?:{_CODES}|(?:{_THINGS})[ _-]?(?:{_NUMBER}))[\W_]{{0,4}}(?:is )?$")
_BACK = 40


def names_a_business_number(key: str) -> bool:
    """Whether what stands under this key is such a number: `order`, `parent_sku`, `invoiceNumber`, `tracking_ids`."""
    return _KEY.fullmatch(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()) is not None


def behind_a_business_word(text: str, at: int) -> bool:
    """Whether the words before position `at` say that such a number follows: `order no. `, `SKU: `."""
    return _BEFORE.search(text[max(at - _BACK, 0) : at].lower()) is not None
