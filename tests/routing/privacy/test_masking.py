"""Sensitive values are masked before anybody sees a case, and what merely looks like one stays readable (I6)."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.policy.form.guardrails import Sensitive
from routing.privacy.masking import Masked, find, mask, mask_text, mask_values
from routing.privacy.spans import HIDDEN
from tests.routing.factory import a_submission

FOUND = [
    ("write to anna.schmidt@northwind.example today", "write to •••@northwind.example today"),
    ("https://crm.example/?to=anna%40x.example&id=7", "https://crm.example/?to=•••%40x.example&id=7"),
    ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN DE•• … 3000 please"),
    ("de89370400440532013000", "DE•• … 3000"),
    ("GB29 NWBK 6016 1331 9268 19.", "GB•• … 6819."),
    ("DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "DE•• … 3000"),
    ("qty 1 4242-4242-4242-4242", "qty 1 •••• 4242"),
    ("4242424242424242", "•••• 4242"),
    ("3782 822463 10005 expired", "•••• 0005 expired"),
    ("\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12", "•••• 4242"),
    ("call +49 30 1234567.", "call +49 ••• 67."),
    ("+49 (0)30 1234567", "+49 ••• 67"),
    ("+1 212 555 0142", "+1 ••• 42"),
    ("(212) 555-0142", "••• 42"),
    ("ring me: 0170 1234567", "ring me: ••• 67"),
    ("0049 170 1234567", "••• 67"),
    ("Tel. 1234567", "Tel. ••• 67"),
    ("SSN 536-90-4399", f"SSN {HIDDEN}"),
    ("social security no. 536904399", f"social security no. {HIDDEN}"),
    ("36 574 261 809", HIDDEN),
    ("Steuer-ID: 36574261809", f"Steuer-ID: {HIDDEN}"),
    ("2 95 10 99 126 111 93", HIDDEN),
    ("NI AB 12 34 56 C", f"NI {HIDDEN}"),
    ("DNI 54362315K", f"DNI {HIDDEN}"),
    ("X2482300W", HIDDEN),
    ("RCCMNL83S18D969H", HIDDEN),
    ("756.9217.0769.85", HIDDEN),
    ("390.533.447-05", HIDDEN),
    ("key AKIAIOSFODNN7EXAMPLE", f"key {HIDDEN}"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", HIDDEN),
    ("xoxb-123456789012-abcdefABCDEF", HIDDEN),
    ("rk_live_4eC39HqLyjWDarjtT1zdp7dc", HIDDEN),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", HIDDEN),
    ("password=hunter2 and more", f"password={HIDDEN} and more"),
    ('{"password": "S3cret!"}', f'{{"password": "{HIDDEN}"}}'),
    ("api_key: 9f8e7d6c5b4a39281706", f"api_key: {HIDDEN}"),
    ("Authorization: Basic dXNlcjpwYXNzd29yZA==", f"Authorization: Basic {HIDDEN}"),
    ("Authorization: Bearer abcdef0123456789abcdef", f"Authorization: {HIDDEN}"),
    ("https://bob:s3cr3t@db.internal/x", f"https://bob:{HIDDEN}/x"),
    ("abfss://anna.smith@account.example/x", "abfss://•••@account.example/x"),
    ("abfss://raw:s3cr3t@account.dfs.core.windows.net/x", f"abfss://raw:{HIDDEN}/x"),
    ("xabfss://c@a.example.com", "xabfss://•••@a.example.com"),
    ("anna.git@example.com or digit@example.com", "•••@example.com or •••@example.com (2)"),
    ("abfss://anna%40account.example/x", "abfss://•••%40account.example/x"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- after", f"{HIDDEN} after"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE and then it was cut", HIDDEN),
]

READABLE = [
    "order 0012345678",
    "Order 123-456-7890",
    "2026-11-20 15:00, 20.11.2026 10:30, 11/20/2026",
    "1,240.00 USD or 1.234.567,89 EUR or 12 345 678 901 EUR",
    "cust-8841, INV-2026-000123, SE-123456-AB12, p-12, sku A-1",
    "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "550e8400-e29b-41d4-a716-446655440000",
    "case c_01hxyz0123456789abcdefghjk",
    "at 1700000000, 1700000000000 or 1700000000000000",
    "tracking 1Z999AA10123456784",
    "ISBN 978-3-16-148410-0, EAN 4006381333931",
    "id 7000000000000000, serial 5500000000000000001",
    "v1.2.3, react@19.0.0, 10.0.0.1, 192.168.100.200",
    "max_tokens: 4096, the token: the, the secret: nobody knows",
    "password: please reset it",
    *(
        f"see {scheme}://{part}@account.dfs.core.windows.net/a/b"
        for scheme in ("abfs", "abfss", "wasb", "WASBS")
        for part in ("raw-1", "$web")
    ),
    "git@github.com:org/repo.git, ssh://git@gitlab.example.com/org/repo.git",
    "hotel: 12345678, telescope 1234567890",
    "+12.5 %, UTC+1 2026-11-20, run 20261120T150000Z",
    "0.123456789 and 12345678901234.50",
    "@channel, a @ b, x@y",
]


@pytest.mark.parametrize(("text", "shown"), FOUND)
def test_sensitive_text_is_masked_and_its_shape_stays(text: str, shown: str) -> None:
    """What is found is replaced by as much as people need to go on; the words around it stay."""
    assert mask_text(text) == shown


@pytest.mark.parametrize("text", READABLE)
def test_what_only_looks_sensitive_stays_readable(text: str) -> None:
    """Order numbers, amounts, times, hashes and ids are what reviewers decide by."""
    assert mask_text(text) == text


def masked(by: Sensitive | None = None, /, **changes: Any) -> Masked:
    """A masked refund."""
    return mask(a_submission(**changes), by)


def test_every_text_of_a_submission_is_masked_and_its_place_named() -> None:
    """Nobody has to know in advance in which field a service puts what its customers write."""
    mail = "anna@northwind.example"
    shown = masked(
        title=f"Refund {mail}",
        request=mail,
        output=mail,
        urgency_reason=mail,
        prefill={"summary": mail},
        action={"type": "refund.create", "params": {"to": [{"who": mail}]}, "before": {"to": mail}},
        model={"name": "m", "confidence": 0.9, "rationale": mail, "features": [{"name": "who", "value": mail}], "counterfactual": mail},
        checks=[{"name": "rules", "result": "fail", "detail": mail}],
        evidence=[{"id": "e", "kind": "url", "title": mail, "text": mail, "url": f"https://x.example/?q={mail}"}],
        context={"missing": [mail], "conflicts": [mail], "stale": [mail]},
        risk={"segment": mail, "flags": [mail]},
        subject={"id": mail},
        entities=[{"type": "person", "id": mail}],
        requester={"email": mail},
        labels={"to": mail},
    )
    assert "anna" not in shown.submission.model_dump_json()
    assert len(shown.paths) == 23
    assert {"action.params.to.0.who", "evidence.0.url", "model.features.0.value", "labels.to"} < set(shown.paths)
    assert {one.value for one in shown.hidden} == {mail}


def test_the_submission_itself_is_left_as_it_was() -> None:
    """What is hashed and called back is never what people saw."""
    submission = a_submission(request="anna@northwind.example")
    before = submission.action.sha256, submission.texts
    assert mask(submission).submission.request == "•••@northwind.example"
    assert (submission.action.sha256, submission.texts, submission.request) == (*before, "anna@northwind.example")


def test_nothing_sensitive_nothing_changed() -> None:
    """The usual case comes back as the same object, with no places."""
    submission = a_submission()
    assert mask(submission) == Masked(submission)
    assert mask(submission).submission is submission


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("action.params.iban", {"iban": HIDDEN, "amount": 5, "lines": [{"sku": "a"}, {"sku": "b"}], "a.b": {"c": True}}),
        ("action.params.amount", {"iban": "x", "amount": HIDDEN, "lines": [{"sku": "a"}, {"sku": "b"}], "a.b": {"c": True}}),
        ("action.params.lines.sku", {"iban": "x", "amount": 5, "lines": [{"sku": HIDDEN}, {"sku": f"{HIDDEN} (2)"}], "a.b": {"c": True}}),
        ("action.params.lines[1].sku", {"iban": "x", "amount": 5, "lines": [{"sku": "a"}, {"sku": HIDDEN}], "a.b": {"c": True}}),
        ("action.params.a.b.c", {"iban": "x", "amount": 5, "lines": [{"sku": "a"}, {"sku": "b"}], "a.b": {"c": HIDDEN}}),
        ("action.params.a.b", {"iban": "x", "amount": 5, "lines": [{"sku": "a"}, {"sku": "b"}], "a.b": {"c": HIDDEN}}),
    ],
)
def test_a_declared_path_is_masked_whatever_stands_there(path: str, shown: dict[str, Any]) -> None:
    """A service or the policy names a place; text, numbers, lists and objects there are masked entirely."""
    params = {"iban": "x", "amount": 5, "lines": [{"sku": "a"}, {"sku": "b"}], "a.b": {"c": True}}
    action = {"type": "refund.create", "params": params}
    by_service = masked(action=action, sensitive=[path])
    by_policy = masked(Sensitive(paths=(path,)), action=action)
    assert by_service.submission.action.params == by_policy.submission.action.params == shown


def test_declared_fields_of_the_form_keep_the_form_usable() -> None:
    """Cards reckon with amounts and times: a declared one is left out, never replaced by text."""
    risk = {"impact": "low", "amount": "80.00", "currency": "EUR", "segment": "vip"}
    shown = masked(
        risk=risk, deadline="2026-12-01T12:00:00Z", sensitive=["risk", "deadline", "model.confidence", "checks", "evidence.kind"]
    )
    assert shown.submission.risk.model_dump(exclude_unset=True) == {"impact": None, "amount": None, "currency": None, "segment": HIDDEN}
    assert (shown.submission.deadline, shown.submission.model.confidence) == (None, None)
    assert shown.paths == ("model.confidence", "risk.impact", "risk.amount", "risk.currency", "risk.segment", "deadline")


def test_two_values_never_look_the_same() -> None:
    """A changed account must show as a change although both are masked; the same one, spelled otherwise, shows as the same."""
    one, other = "DE89 3704 0044 0532 0130 00", "NL91ABNA0417164300"
    action = {"type": "payee.change", "params": {"iban": "DE89370400440532013000", "pin": 1}, "before": {"iban": one, "pin": 2}}
    same = masked(action=action).submission.action
    assert same.params == {"iban": "DE•• … 3000", "pin": HIDDEN}
    assert same.before == {"iban": "DE•• … 3000", "pin": f"{HIDDEN} (2)"}
    moved = masked(action={**action, "before": {"iban": other}}, sensitive=["action.params.iban", "action.before.iban"]).submission.action
    assert moved.params is not None
    assert moved.before is not None
    assert moved.params["iban"] != moved.before["iban"]


def test_the_key_says_what_a_value_is() -> None:
    """A number alone says nothing; under `customer_phone` it is a phone, under `api_key` anything is a secret."""
    params = {"customer_phone": "1234567", "taxId": 36574261809, "api_key": "x", "order": 1234567, "card": 4242424242424242, "pin_code": 7}
    shown = masked(action={"type": "x", "params": params}).submission.action.params
    assert shown == {
        "customer_phone": "••• 67",
        "taxId": HIDDEN,
        "api_key": HIDDEN,
        "order": 1234567,
        "card": "•••• 4242",
        "pin_code": 7,
    }


def test_a_sensitive_key_shows_neither_in_the_action_nor_in_a_path() -> None:
    """Paths stand open in the audit log, so they are made of what may be shown."""
    shown = masked(action={"type": "x", "params": {"anna@a.example": {"pin": "1234"}, "ben@a.example": 2}})
    assert shown.submission.action.params == {"•••@a.example": {"pin": HIDDEN}, "•••@a.example (2)": 2}
    assert shown.paths == ("action.params", "action.params.•••@a.example.pin")


def test_the_policy_says_which_kinds_are_found() -> None:
    """A workflow about e-mail addresses may leave them readable; what it declares is masked all the same."""
    text = "anna@a.example 4242424242424242"
    assert masked(Sensitive(detect=("card",)), request=text).submission.request == "anna@a.example •••• 4242"
    assert masked(Sensitive(detect=()), request=text).submission.request == text
    assert masked(Sensitive(detect=(), paths=("request",)), request=text).submission.request == HIDDEN


def test_what_people_said_and_earlier_contents_are_masked_too() -> None:
    """Events hold words of people, or a whole submission as JSON; declared paths count in both."""
    said, hidden = mask_values({"text": "ask anna@a.example", "name": "Ana"}, at="history.7")
    assert said == {"text": "ask •••@a.example", "name": "Ana"}
    assert [one.path for one in hidden] == ["history.7.text"]
    earlier, _ = mask_values({"action": {"type": "x", "params": {"note": "n"}}}, declared=("action.params.note",))
    assert earlier == {"action": {"type": "x", "params": {"note": HIDDEN}}}


@given(st.text(alphabet="0123456789 +-./()@:=aAbDEZ%&\u00a0\n", max_size=400))
def test_any_text_can_be_masked(text: str) -> None:
    """Spans stand in order, within the text and apart, and what they cover is gone."""
    at = 0
    for span in find(text):
        assert at <= span.start < span.end <= len(text)
        at = span.end
    mask_text(text)


@pytest.mark.parametrize(
    "piece",
    [
        *("1", "1234 ", "0 ", "@", "a@b.cc ", ":", "password=", "eyJ", "+49 30 1 2 3 ", "0170 1234 ", "DE88 3704 0044 0532 0130 00 "),
        *("tel 1", "4242 4242 4242 4243 ", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "://a:b", "(", "+1(", "Bearer ", "ghp_aaaaaa"),
    ],
)
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    """Four times a hostile text takes about four times as long; a pattern that backtracks takes sixteen times or worse, each time anew.

    Only the best of each counts, and a machine that was busy gets to try again: it cannot make a slow pattern look fast.
    """
    short, long = piece * (16_000 // len(piece)), piece * (64_000 // len(piece))
    best_short, best_long = _seconds(short), _seconds(long)
    for _ in range(20):
        if best_long < 9 * best_short + 0.05:
            return
        best_short, best_long = min(best_short, _seconds(short)), min(best_long, _seconds(long))
    raise AssertionError(f"{best_short:.4f} s, and {best_long:.4f} s for four times as much")


def _seconds(text: str) -> float:
    """CPU time."""
    begin = time.process_time()
    mask_text(text)
    return time.process_time() - begin


KEYS = (
    *("order", "Order", "order_id", "orderNumber", "purchase_order", "order-no", "sku", "skus", "parent_sku", "invoice", "invoiceNo"),
    *(
        "tracking_number",
        "article",
        "part_no",
        "serial",
        "ticket_id",
        "rma",
        "ean",
        "reference",
        "shipment",
        "bestellnummer",
        "rechnungs_nr",
    ),
)
LIKE_PHONES = ("0151-2345678", "303-555-0100", "0049 170 1234567", "(212) 555-0142")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("number", LIKE_PHONES)
def test_a_business_number_is_no_phone_number(key: str, number: str) -> None:
    """Behind such a key, alone and in a list, it stays as it is; behind a key that says nothing it is masked as before."""
    for value in (number, [number], {"inner": {key: number}}):
        assert mask_values({key: value}) == ({key: value}, ()), value
    assert mask_values({"value": number})[1]


@pytest.mark.parametrize("key", ["contact", "customer", "reorder_phone", "preorder", "border", "order_phone", "ordered_by", "caller"])
def test_other_keys_keep_a_phone_number_masked(key: str) -> None:
    """Also those that only begin or end like such a word."""
    assert mask_values({key: "0151-2345678"})[1]


@pytest.mark.parametrize("text", ["order no. 0151-2345678", "Order number: 303-555-0100", "SKU 303-555-0100", "invoice id is 0151-2345678"])
def test_prose_says_what_a_number_is(text: str) -> None:
    """With a word for a number before it; without one it is masked, since people write so of phones too."""
    assert mask_text(text) == text
    assert mask_text("Call us about your order: 0151-2345678") == "Call us about your order: ••• 78"


def test_what_cannot_be_a_business_number_is_masked_behind_any_key() -> None:
    """An international number, and one in a sentence."""
    for value in ("+49 30 1234567", "call 0151-2345678", "anna@northwind.example"):
        assert mask_values({"order": value})[1], value
