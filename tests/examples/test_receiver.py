"""The receiver kit, as a customer copies it: it believes what is proven, refuses everything else, and acts once."""

import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.examples.customer import KIT, NOW, OLD_SECRET, SECRET, Customer, a_callback, kit, signed
from tests.store.audit.small_log import ORIGIN, SIGNER, STRANGER, a_leaf, a_receipt, checkpoint_of

SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | SAFE | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@pytest.fixture
def customer(tmp_path: Path) -> Customer:
    """A customer's service."""
    return Customer(tmp_path / "service.db")


def test_a_proven_approval_is_executed_once(customer: Customer) -> None:
    """However often it is delivered, also after a restart and with the secret of before, one approval is one refund."""
    assert customer.receive(a_callback()) == (200, "accepted")
    assert customer.receive(a_callback()) == (200, "seen before")
    customer.receiver = customer.started()
    assert customer.receive(a_callback(), secret=OLD_SECRET) == (200, "seen before")
    assert customer.refunds() == 1


@pytest.mark.parametrize(
    ("verdict", "refunds"),
    [("approved", 1), ("modified", 1), ("auto_approved", 1), ("rejected", 0), ("auto_rejected", 0), ("expired", 0), ("withdrawn", 0)],
)
def test_only_a_yes_may_execute(customer: Customer, verdict: str, refunds: int) -> None:
    """Every no, and nobody's answer, reach the service and move nothing."""
    assert customer.receive(a_callback(verdict)) == (200, "accepted")
    assert customer.refunds() == refunds


def test_a_crash_in_the_middle_loses_nothing_and_doubles_nothing(customer: Customer) -> None:
    """When the service's own code fails, neither its row nor the memory of the callback stays, so the next delivery does it all."""
    customer.fails = True
    with pytest.raises(ConnectionError):
        customer.receive(a_callback())
    assert customer.refunds() == 0
    customer.fails = False
    assert customer.receive(a_callback()) == (200, "accepted")
    assert customer.refunds() == 1


def test_an_older_callback_of_a_case_is_passed_over(customer: Customer) -> None:
    """After sequence 3, a late 2 under another id changes nothing; 4 does."""
    assert customer.receive(a_callback("rejected", 3), "msg_3") == (200, "accepted")
    assert customer.receive(a_callback("approved", 2), "msg_2") == (200, "older than what is known")
    assert customer.receive(a_callback("approved", 3), "msg_4") == (200, "older than what is known")
    assert customer.refunds() == 0
    assert customer.receive(a_callback("approved", 4, revision=2), "msg_5") == (200, "accepted")
    assert customer.refunds() == 1


def test_other_callbacks_reach_the_service_without_executing(customer: Customer) -> None:
    """Questions and pauses need no receipt, and a verdict in them counts for nothing."""
    assert customer.receive({"type": "workflow.paused", "data": {"workflow": "refunds"}}, "msg_1") == (200, "accepted")
    assert customer.receive({"type": "case.held", "data": a_callback()["data"]}, "msg_2") == (200, "accepted")
    assert customer.refunds() == 0


def altered(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """A change deep in the data, for the tables below."""

    def change(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for name in parents:
            data = data[name]
        data[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        altered("action.params.amount", "9999.00"),
        altered("action.type", "refund.all"),
        altered("action.before", {"balance": "1.00"}),
        altered("before", {"balance": "1.00"}),
        altered("action", None),
        altered("action_sha256", "00" * 32),
        altered("action_sha256", None),
        altered("verdict", "modified"),
        altered("verdict", None),
        altered("case_id", "c-18"),
        altered("task_id", "t-18"),
        altered("workflow", "payouts"),
        altered("service", "other-agent"),
        altered("revision", 2),
        altered("revision", True),
        altered("receipt", None),
        altered("receipt", {}),
        altered("receipt.leaf", "{}"),
        altered("receipt.leaf", "\ud800"),
        altered("receipt.leaf", 1),
        altered("receipt.index", 0),
        altered("receipt.index", True),
        altered("receipt.index", "1"),
        altered("receipt.proof", []),
        altered("receipt.proof", None),
        altered("receipt.proof", [None]),
        altered("receipt.proof", ["é"]),
        altered("receipt.proof", "AAAA"),
        altered("receipt.proof", {}),
        altered("receipt.proof", ["AAAA"]),
        altered("receipt.proof", [""] * 2),
        altered("receipt.proof", [b64encode(b"x" * 33).decode()]),
        altered("receipt.proof", [b64encode(b"x" * 32).decode()] * 65),
        altered("receipt.index", 1.0),
        altered("receipt.index", -1),
        altered("receipt.index", 1 << 70),
        altered("receipt.checkpoint", checkpoint_of([a_leaf(0)])),
        altered("receipt.checkpoint", checkpoint_of([a_leaf(0), a_leaf(1), a_leaf(2)])),
        altered("receipt.checkpoint", checkpoint_of([a_leaf(0), a_leaf(1), a_leaf(2)], STRANGER)),
        altered("receipt.checkpoint", "\n\n"),
    ],
)
def test_what_the_receipt_does_not_prove_is_refused(customer: Customer, change: Callable[[dict[str, Any]], None]) -> None:
    """A callback rightly signed with the shared secret, but about anything else than was decided and logged, moves nothing."""
    message = a_callback()
    change(message["data"])
    assert customer.receive(message)[0] == 400
    assert customer.refunds() == 0


@pytest.mark.parametrize(
    ("size", "root"),
    [("3 ", b"r" * 32), ("+3", b"r" * 32), ("1_0", b"r" * 32), ("٣", b"r" * 32), ("9" * 20, b"r" * 32), ("3", b"r" * 31), ("3", b"")],
)
def test_a_checkpoint_of_another_form_is_none(customer: Customer, size: str, root: bytes) -> None:
    """Whatever the pinned key signed: a size is digits and a root has 32 bytes."""
    message = a_callback()
    message["data"]["receipt"]["checkpoint"] = SIGNER.sign(f"{ORIGIN}\n{size}\n{b64encode(root).decode()}\n")
    assert customer.receive(message) == (400, "the checkpoint is not signed by the pinned key")


def test_a_receipt_of_another_kind_of_event_proves_nothing(customer: Customer) -> None:
    """That a case was opened, or a roll-back asked for, does not make it approved; a roll-back is proven by its own event."""
    data = a_callback()["data"]
    fields = {"verdict": data["verdict"], "action_sha256": data["action_sha256"]}
    case = {name: data[name] for name in ("service", "workflow", "task_id", "revision")}
    for event in ("opened", "rollback_requested"):
        leaf = a_leaf(0, event=event, case="c-17", fields=fields, **case)
        assert customer.receive({"type": "case.decided", "data": data | {"receipt": a_receipt([leaf], 0)}})[0] == 400
    rollback = a_leaf(0, event="rollback_requested", case="c-17", fields={"action_sha256": data["action_sha256"]}, **case)
    message = {"type": "case.rollback_requested", "data": data | {"receipt": a_receipt([rollback], 0)}}
    assert customer.receive(message) == (200, "accepted")
    assert customer.refunds() == 0


@pytest.mark.parametrize("before", [None, {"balance": "1.00"}])
def test_the_state_before_is_part_of_what_was_decided(customer: Customer, before: object) -> None:
    """`before` counts in the hash wherever it stands; absent is null."""
    message = a_callback()
    data = message["data"]
    data["action_sha256"] = sha256(rfc8785.dumps(data["action"] | {"before": before})).hexdigest()
    fields = {"verdict": "approved", "action_sha256": data["action_sha256"]}
    case = {name: data[name] for name in ("service", "workflow", "task_id", "revision")}
    data["receipt"] = a_receipt([a_leaf(0, event="decided", case="c-17", fields=fields, **case)], 0)
    assert customer.receive(message | {"data": data | {"before": before}}, "msg_1") == (200, "accepted")
    assert customer.receive(message | {"data": data | {"action": data["action"] | {"before": before}, "sequence": 2}}, "msg_2") == (
        200,
        "accepted",
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1"},
        {"Webhook-Signature": "v1,é"},
        {"Webhook-Signature": "v1,\ud800"},
        {"Webhook-Signature": "v2," + "A" * 44},
        {"Webhook-Id": ""},
        {"Webhook-Id": "msg_2"},
        {"Webhook-Id": "é"},
        {"Webhook-Timestamp": ""},
        {"Webhook-Timestamp": "now"},
        {"Webhook-Timestamp": "٣"},
        {"Webhook-Timestamp": "9" * 5000},
        {"Webhook-Timestamp": str(NOW + 1)},
    ],
)
def test_hostile_headers_are_refused(customer: Customer, headers: dict[str, str]) -> None:
    """No header is an exception, and none that the sender did not sign counts."""
    good, body = signed(a_callback())
    assert customer.receiver.receive(good | headers, body)[0] == 401
    assert customer.receiver.receive({}, body)[0] == 401
    assert customer.receiver.receive(good, body + b" ")[0] == 401
    assert customer.refunds() == 0


def test_time_and_secret_decide_what_is_fresh(customer: Customer) -> None:
    """Five minutes either way are accepted, a second more is not; a secret out of use signs nothing; several signatures may come."""
    for at, status in ((NOW - 301, 401), (NOW + 301, 401), (NOW - 300, 200), (NOW + 300, 200)):
        assert customer.receive(a_callback(), at=at)[0] == status
    customer.receiver = customer.started((SECRET,))
    assert customer.receive(a_callback(), secret=OLD_SECRET)[0] == 401
    headers, body = signed(a_callback())
    headers["Webhook-Signature"] = f"v1,{'A' * 43}= {headers['Webhook-Signature']}"
    assert customer.receiver.receive(headers, body)[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"type":1,"data":{}}',
        b'{"type":"case.decided","data":[]}',
        b'{"type":"a","type":"b","data":{}}',
        b"[" * 100_000,
        b"9" * 5000,
    ],
)
def test_bodies_that_are_no_callbacks_are_refused(customer: Customer, body: bytes) -> None:
    """Signed nonsense gets 400, not an exception."""
    assert customer.receive(body)[0] == 400


@pytest.mark.parametrize("params", [float("nan"), float("inf"), 2**53, "\ud800"])
def test_params_without_canonical_form_are_refused(customer: Customer, params: object) -> None:
    """What RFC 8785 cannot spell has no hash that could have been approved."""
    message = a_callback()
    message["data"]["action"]["params"] = params
    assert customer.receive(message)[0] == 400


def test_a_mistyped_pin_or_secret_is_found_at_start(tmp_path: Path) -> None:
    """A wrong setting stops the service instead of refusing every callback."""
    vkey = str(SIGNER.vkey)
    empty: list[str] = []
    for secrets, vkeys in (
        ([""], [vkey]),
        (["whsec_"], [vkey]),
        (empty, [vkey]),
        ([SECRET], empty),
        (["whsec_é"], [vkey]),
        ([SECRET], [vkey[:-4]]),
        ([SECRET], [vkey.replace("north", "south")]),
        ([SECRET], [""]),
    ):
        with pytest.raises(ValueError, match=r"."):
            kit.Receiver(str(tmp_path / "x.db"), secrets=secrets, vkeys=vkeys, act=lambda *_: None)


@given(JSON)
def test_the_kit_spells_json_as_the_reference_does(value: object) -> None:
    """The kit's own canonical JSON equals the `rfc8785` library's."""
    assert kit._canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # noqa: SLF001


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**25), 10**25).map(float))
def test_the_kit_spells_numbers_as_ecmascript_does(number: float) -> None:
    """All doubles, the large whole ones included."""
    assert kit._canonical(number) == rfc8785.dumps(number)  # noqa: SLF001


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()), st.binary())
def test_the_kit_never_raises(tmp_path_factory: pytest.TempPathFactory, headers: dict[str, str], body: bytes) -> None:
    """Whatever anybody posts is refused without an exception."""
    assert Customer(tmp_path_factory.mktemp("kit") / "service.db").receiver.receive(headers, body)[0] == 401


@given(JSON, st.sampled_from(["action", "action_sha256", "receipt", "case_id", "revision"]))
def test_signed_nonsense_never_raises(tmp_path_factory: pytest.TempPathFactory, junk: object, name: str) -> None:
    """Nor does what somebody with the secret posts."""
    message = a_callback()
    message["data"][name] = junk
    status, _ = Customer(tmp_path_factory.mktemp("kit") / "service.db").receive(message)
    assert status == 400 or (name, junk) == ("revision", 1)


def test_the_kit_is_one_file_that_needs_cryptography_only() -> None:
    """It runs copied alone into an empty place, without anything of ours."""
    program = (
        "import sys; before = set(sys.modules); import runpy; runpy.run_path(sys.argv[1]); "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    run = subprocess.run([sys.executable, "-I", "-c", program, str(KIT)], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) <= {"cryptography", "_cffi_backend", "_openssl"}


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[str, Any]]:
    """The kit started as a program: its address and its output."""
    command = [
        sys.executable,
        str(KIT),
        "--port",
        "0",
        "--database",
        str(tmp_path / "demo.db"),
        "--secret",
        SECRET,
        "--vkey",
        str(SIGNER.vkey),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1], process.stdout
        process.terminate()


def test_the_demo_prints_what_it_would_do(demo: tuple[str, Any]) -> None:
    """Started from the command line it answers over HTTP."""
    address, output = demo
    headers, body = signed(a_callback(), at=int(datetime.now(UTC).timestamp()))
    for text in ("accepted", "seen before"):
        with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:  # noqa: S310 -- loopback
            assert answer.read().decode() == text
    assert output.readline().startswith('case.decided c-17: {"type": "refund.create"')
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(urllib.request.Request(address, body + b" ", headers))  # noqa: S310 -- loopback
    assert refusal.value.code == 401
    refusal.value.close()
