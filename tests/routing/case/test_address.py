# ruff: noqa: RUF001 - letters of other scripts are what this file is about
"""One mailbox has one name, however its address is spelled; what is no address has none."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.case.address import _LOOKS_LIKE, is_address, name_of_address, names_of_address, names_within
from tests.examples_drawn import examples

ANNA = "anna@example.com"


def small_capital(text: str) -> str:
    """In mathematical letters, which compatibility makes plain."""
    return "".join(chr(0x1D41A + ord(sign) - ord("a")) if "a" <= sign <= "z" else sign for sign in text)


def full_width(text: str) -> str:
    """As it is written in full-width forms."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


SPELLINGS = {
    "capitals": ANNA.upper(),
    "sub-address": "anna+refunds@example.com",
    "several": "anna+a+b@example.com",
    "another plus": "anna﹢a@example.com",
    "trailing dot": "anna@example.com.",
    "ideographic stop": "anna@example。com",
    "Cyrillic a": "аnna@example.com",
    "Cyrillic a in the domain": "anna@exаmple.com",
    "punycode": "anna@xn--exmple-4nf.com",
    "zero width": "an\u200bna@exa\u200dmple.com",
    "soft hyphen": "an\u00adna@example.com",
    "joiner of graphemes": "an\u034fna@example.com",
    "variation selector": "anna\ufe0f@example.com",
    "direction mark": "\u202eanna@example.com\u202c",
    "full width": full_width(ANNA),
    "mathematical": small_capital(ANNA),
    "accent": "ánna@example.com",
    "composed otherwise": unicodedata.normalize("NFD", "ánna@example.com"),
    "quoted": '"anna"@example.com',
    "quoted with escapes": '"a\\nna"@example.com',
    "blanks around": "  anna@example.com\t",
    "dots that say nothing": "anna.@example.com",
}


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_of_one_mailbox_has_its_name(spelled: str) -> None:
    """Whichever of two spellings was kept, the other is found under it."""
    assert name_of_address(spelled) == name_of_address(ANNA)
    assert name_of_address(spelled) in names_of_address(ANNA)
    assert name_of_address(ANNA) in names_of_address(spelled)


WAYS = (
    str.upper,
    full_width,
    small_capital,
    lambda text: text + ".",
    lambda text: f" {text}",
    lambda text: text.replace("@", "+x@"),
    "\u200b".join,
    "\u2060".join,
    lambda text: "".join(_LOOKS_LIKE[sign][0] if sign in _LOOKS_LIKE else sign for sign in text),
    lambda text: "".join(_LOOKS_LIKE[sign][-1] if sign in _LOOKS_LIKE else sign for sign in text),
)


@settings(max_examples=examples(200))
@given(
    st.from_regex(r"[a-z][a-z0-9]{0,8}([._-][a-z0-9]{1,5})?", fullmatch=True),
    st.from_regex(r"[a-z]{2,8}\.(com|org|example)", fullmatch=True),
    st.lists(st.sampled_from(WAYS), max_size=3),
)
def test_spellings_of_spellings_are_one_person(local: str, domain: str, ways: list[object]) -> None:
    """Any address, respelled in any of these ways one after the other."""
    address = spelled = f"{local}@{domain}"
    for way in ways:
        spelled = way(spelled)  # type: ignore[operator]
    if len(spelled) <= 254:
        assert name_of_address(spelled) == name_of_address(address)


@pytest.mark.parametrize("other", ["anne@example.com", "anna@example.org", "anna@mail.example.com", "a.nna@example.com", "ann@example.com"])
def test_other_people_keep_their_names(other: str) -> None:
    """What is another mailbox stays one: dots count unless the policy says otherwise."""
    assert not names_of_address(other) & {name_of_address(ANNA)}


def test_dots_mean_nothing_where_the_policy_says_so() -> None:
    """The list is the policy's; googlemail.com is gmail.com."""
    kept = name_of_address("a.n.n.a@example.com", ["Example.com."])
    assert kept in names_of_address(ANNA)
    assert kept in names_of_address("ann.a@example.com")
    assert name_of_address("a.nna+x@googlemail.com") == name_of_address("anna@gmail.com")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "anna", "anna@", "@example.com", "anna@example..com", "a@b@c.com", "anna example@x.com", "Anna <anna@example.com>"),
        *("anna(work)@example.com", "anna@[127.0.0.1]", "anna@-example.com", "anna@ex ample.com", "\u200b@example.com", "+x@"),
        *("anna@xn--\u00e9.com", "an\u16a8na@example.com", "x" * 250 + "@example.com", "anna@" + "x" * 64 + ".com", "mailto:anna@"),
    ],
)
def test_what_is_no_address_has_no_name(text: str) -> None:
    """Nothing in it tells who it is; letters of an unknown script among Latin ones are no address either."""
    assert not is_address(text)
    assert (name_of_address(text), names_of_address(text)) == ("", frozenset())


@pytest.mark.parametrize(
    ("address", "again"),
    [
        ("юра@почта.example", "ЮРА+второй@xn--80a1acny.example"),
        ("жанна1@x.example", "жанна1+tag@x.example"),
        ("ολγα@x.example", "ΟΛΓΑ@x.example"),
        ("արամ@x.example", "Արամ@X.example"),
        ("शर्मा@x.example", "शर्मा+a@x.example"),
        ("สมชาย@x.example", "สมชาย+a@x.example"),
        ("山田@例え.example", "山田+a@例え.example."),
    ],
)
def test_an_address_in_another_script_is_one(address: str, again: str) -> None:
    """Not every letter of it passes for a Latin one, and none needs to: a word of one script deceives nobody."""
    assert name_of_address(address) == name_of_address(again) != ""


@pytest.mark.parametrize("text", ["фaнна@x.example", "павел.p@x.example", "αηηα.ĸ@example.com", "an\u13aaa@example.com"])
def test_two_scripts_in_one_name_are_no_address(text: str) -> None:
    """Where one of them is Latin, or passes for it."""
    assert not is_address(text)


WITHIN = {
    "Anna <anna@example.com>": 1,
    "mailto:Anna+x@example.com": 1,
    "anna@example.com, ben@example.com": 2,
    "anna@example.com (Anna)": 1,
    "[аnna@example.com](mailto:anna@example.com)": 1,
    "anna at example.com": 0,
    ANNA: 0,
}


@pytest.mark.parametrize("text", WITHIN)
def test_addresses_in_what_is_none_are_found(text: str) -> None:
    """Whoever they belong to may be meant."""
    found = names_within(text)
    assert len(found) == WITHIN[text]
    assert not found or found[0] == name_of_address(ANNA)


@settings(max_examples=examples(200))
@given(st.text(max_size=300))
def test_whatever_is_written_is_read(text: str) -> None:
    """Reading never raises, and both ways to ask agree."""
    assert (name_of_address(text) in names_of_address(text)) is is_address(text)
