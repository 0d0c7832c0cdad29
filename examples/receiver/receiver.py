"""Receiver kit: takes Tierline's callbacks, believes only what is proven, and acts on each once.

Copy this one file into your service; it needs Python >= 3.11 and `cryptography`, nothing else. It checks, in this order: the Standard
Webhooks signature over the raw bytes, that the action in the callback is the one whose hash was approved (RFC 8785, SHA-256), and the
receipt: the decision is an event in Tierline's audit log under a checkpoint signed by the key you pinned. It then runs your code in the
same SQLite transaction that remembers the callback, so that a redelivery changes nothing and a crash loses nothing.

    receiver = Receiver("receiver.db", secrets=["whsec_..."], vkeys=["tierline/acme+1234abcd+..."], act=refund)
    status, answer = receiver.receive(request.headers, request.body)

    def refund(db: sqlite3.Connection, callback: Callback) -> None:
        if callback.may_execute:
            db.execute("INSERT INTO refunds (case_id, params) VALUES (?, ?)", (callback.case_id, json.dumps(callback.action["params"])))

What leaves your database (a payment, an e-mail) belongs in an outbox table written by `act`, or carries the case id as its own
idempotency key: no transaction spans two systems.
"""

import argparse
import json
import re
import sqlite3
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from hmac import compare_digest, digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import isfinite
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE_S = 300
MAX_BODY_BYTES = 1_048_576
PROVEN = {"case.decided": "decided", "case.rollback_requested": "rollback_requested"}
"""The callbacks that make you act, and the audit event that must prove each."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS tierline_seen (webhook_id TEXT PRIMARY KEY, seen_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tierline_cases (case_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
"""
EXECUTING = ("approved", "modified", "auto_approved")


class Refused(Exception):
    """The callback is not believed; the arguments are the HTTP status and the reason."""


@dataclass(frozen=True)
class Callback:
    """A callback that was checked. `action` is {"type", "params"} and is proven where `proven` says so; `data` is the whole content."""

    id: str
    type: str
    data: Mapping[str, Any]
    proven: bool

    @property
    def case_id(self) -> str | None:
        """The case, or None for callbacks about a workflow."""
        return self.data.get("case_id")

    @property
    def action(self) -> Mapping[str, Any]:
        """What was decided about: execute exactly this."""
        return dict(self.data["action"])

    @property
    def may_execute(self) -> bool:
        """Whether a person or the policy said yes, provably. "Nobody answered" (expired) and every no are False."""
        return self.proven and self.type == "case.decided" and self.data.get("verdict") in EXECUTING


class Receiver:
    """Checks callbacks and runs `act(db, callback)` once for each, inside the transaction that remembers it."""

    def __init__(
        self,
        database: str,
        *,
        secrets: Sequence[str],
        vkeys: Sequence[str],
        act: Callable[[sqlite3.Connection, Callback], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`secrets` are whsec_<base64>, several during rotation; `vkeys` the pinned lines of `key.vkey`. Raises ValueError for bad ones."""
        self._database = database
        self._secrets = [read_secret(secret) for secret in secrets]
        self._vkeys = [_vkey(vkey.strip()) for vkey in vkeys]
        if not (self._secrets and self._vkeys):
            raise ValueError("secrets and vkeys must not be empty")
        self._act = act
        self._clock = clock
        with closing(self._connect()) as db:
            db.executescript(SCHEMA)

    def receive(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """The HTTP status and text to answer with. Any 2xx ends the delivery; an exception from `act` passes through, after a roll-back."""
        try:
            callback = self.check(headers, body)
        except Refused as refusal:
            return refusal.args[0], refusal.args[1]
        with closing(self._connect()) as db:
            db.execute("BEGIN IMMEDIATE")
            answer = self._once(db, callback)
            db.execute("COMMIT")  # an exception before this closes the connection, which rolls back
        return 200, answer

    def check(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """The callback, when signature, hash and receipt hold. Raises Refused."""
        webhook_id = verify_signature({name.lower(): value for name, value in headers.items()}, body, self._secrets, self._clock())
        match _parse(body):
            case {"type": str(kind), "data": dict(data)}:
                if kind in PROVEN:
                    verify_action(data)
                    verify_receipt(data, PROVEN[kind], self._vkeys)
                return Callback(webhook_id, kind, data, kind in PROVEN)
            case _:
                raise Refused(400, "not a callback")

    def _once(self, db: sqlite3.Connection, callback: Callback) -> str:
        if db.execute("INSERT OR IGNORE INTO tierline_seen VALUES (?, ?)", (callback.id, self._clock())).rowcount == 0:
            return "seen before"
        case_id, sequence = callback.case_id, callback.data.get("sequence")
        if isinstance(case_id, str) and isinstance(sequence, int):
            later = db.execute(
                "INSERT INTO tierline_cases VALUES (?1, ?2) ON CONFLICT (case_id) DO UPDATE SET sequence = ?2 WHERE sequence < ?2",
                (case_id, sequence),
            )
            if later.rowcount == 0:
                return "older than what is known"
        self._act(db, callback)
        return "accepted"

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._database, isolation_level=None, timeout=5)  # None: we say BEGIN and COMMIT ourselves
        db.execute("PRAGMA synchronous = FULL")
        return db


def read_secret(text: str) -> bytes:
    """The key in `whsec_<base64>`, of either alphabet of RFC 4648, padded or not. Raises ValueError for any other text."""
    found = re.fullmatch("whsec_([A-Za-z0-9+/_-]+)(=*)", text.strip())
    if found is None or len(found[1]) % 4 == 1 or found[2] not in ("", "=" * (-len(found[1]) % 4)):
        raise ValueError("expected whsec_ and base64")
    key = b64decode(found[1].replace("-", "+").replace("_", "/") + "=" * (-len(found[1]) % 4))
    if not 24 <= len(key) <= 64:
        raise ValueError("expected a secret of 24 to 64 bytes")
    return key


def verify_signature(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: float) -> str:
    """The webhook-id, when one of the secrets signed these bytes (https://www.standardwebhooks.com). Raises Refused."""
    webhook_id, stamp, signatures = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (webhook_id and webhook_id.isascii() and stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise Refused(401, "no signature headers")
    signed = f"{webhook_id}.{stamp}.".encode() + body
    expected = [b"v1," + b64encode(digest(secret, signed, "sha256")) for secret in secrets]
    given = [signature.encode("utf-8", "replace") for signature in signatures.split(" ")]
    if not any(compare_digest(one, other) for one in expected for other in given):
        raise Refused(401, "bad signature")
    if abs(now - int(stamp)) > TOLERANCE_S:
        raise Refused(401, "signed too long ago, or in the future")
    return webhook_id


def verify_action(data: Mapping[str, Any]) -> None:
    """Whether `action_sha256` is the hash of the action in the callback. Raises Refused."""
    action = data.get("action")
    if not isinstance(action, dict):
        raise Refused(400, "no action")
    decided = {"type": action.get("type"), "params": action.get("params"), "before": action.get("before", data.get("before"))}
    if sha256(_canonical(decided)).hexdigest() != data.get("action_sha256"):
        raise Refused(400, "the action is not the one that was decided")


def verify_receipt(data: Mapping[str, Any], event: str, vkeys: Sequence[tuple[str, bytes, bytes]]) -> None:
    """Whether the receipt proves this callback: same facts, in the log, under a checkpoint signed by a pinned key. Raises Refused."""
    try:
        receipt = data["receipt"]
        encoded, index, size_and_root = receipt["leaf"].encode(), receipt["index"], _open_checkpoint(receipt["checkpoint"], vkeys)
        included = _is_included(sha256(b"\x00" + encoded).digest(), index, *size_and_root, _steps(receipt["proof"]))
        leaf: Any = _parse(encoded)
        facts = {"v": 1, "index": index, "event": event, "case": data["case_id"]}
        facts |= {name: data[name] for name in ("service", "workflow", "task_id", "revision")}
        fields = {name: data[name] for name in (("action_sha256", "verdict") if event == "decided" else ("action_sha256",))}
        same = _canonical([facts, fields]) == _canonical([{n: leaf[n] for n in facts}, {n: leaf["fields"][n] for n in fields}])
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise Refused(400, "a callback to act on needs a whole receipt") from problem
    if not included or not same:
        raise Refused(400, "the receipt does not prove this callback")


def _vkey(text: str) -> tuple[str, bytes, bytes]:
    """Name, key id and public key of a C2SP verifier key (https://c2sp.org/signed-note)."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    key = b64decode(encoded, validate=True)
    if key[:1] != b"\x01" or len(key) != 33 or sha256(name.encode() + b"\n" + key).hexdigest()[:8] != key_id:
        raise ValueError(f"not an Ed25519 verifier key: {text}")
    return name, bytes.fromhex(key_id), key[1:]


def _open_checkpoint(note: str, vkeys: Sequence[tuple[str, bytes, bytes]]) -> tuple[int, bytes]:
    """Size and root of a checkpoint (https://c2sp.org/tlog-checkpoint) that a pinned key signed. Raises Refused."""
    text, _, signatures = note.rpartition("\n\n")
    lines = text.split("\n")
    for line in signatures.split("\n"):
        for name, key_id, public in vkeys:
            try:
                mark, signer, encoded = line.split(" ")
                blob = b64decode(encoded, validate=True)
                if (mark, signer, lines[0], blob[:4]) != ("—", name, name, key_id):
                    continue
                Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], f"{text}\n".encode())
                _, size, root = lines
                return _size(size), _hash(root)
            except (ValueError, InvalidSignature):
                continue
    raise Refused(400, "the checkpoint is not signed by the pinned key")


def _size(text: str) -> int:
    """The number of leaves that a checkpoint names. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise ValueError("not a size")
    return int(text)


def _hash(text: str) -> bytes:
    """A SHA-256 in base64. Raises ValueError for anything else."""
    value = b64decode(text, validate=True)
    if len(value) != 32:
        raise ValueError("not a hash of 32 bytes")
    return value


def _steps(proof: object) -> list[bytes]:
    """The hashes of an inclusion proof; no tree of 2**63 leaves needs more than 64. Raises ValueError."""
    if not isinstance(proof, list) or len(proof) > 64 or not all(isinstance(step, str) for step in proof):
        raise ValueError("not a proof")
    return [_hash(step) for step in proof]


def _is_included(node: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162 section 2.1.3.2. False for an index that is no whole number below the size."""
    last = size - 1
    if type(index) is not int or not 0 <= index <= last:
        return False
    for step in proof:
        if last == 0:
            return False
        if index & 1 or index == last:
            node = sha256(b"\x01" + step + node).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + step).digest()
        index, last = index >> 1, last >> 1
    return last == 0 and node == root


def _parse(data: bytes) -> object:
    """JSON in which every name occurs once and every number is finite. Raises Refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name occurs twice")
        return dict(pairs)

    try:
        return json.loads(data.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as problem:
        raise Refused(400, "not JSON") from problem


def _canonical(value: object) -> bytes:
    """RFC 8785 bytes. Raises Refused for what they cannot hold."""
    try:
        return _text(value).encode()
    except (ValueError, RecursionError) as problem:
        raise Refused(400, "no canonical form") from problem


def _text(value: object) -> str:
    match value:
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{_text(name)}:{_text(value[name])}" for name in names) + "}"
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case float():
            return _number(value)
        case int() if not isinstance(value, bool) and abs(value) >= 1 << 53:
            raise ValueError("an integer that a double cannot hold")
        case _:
            return json.dumps(value, ensure_ascii=False)


def _number(number: float) -> str:
    """As ECMAScript writes it (ECMA-262 section 6.1.6.1.20): the same shortest digits as Python's repr, laid out differently."""
    if not isfinite(number):
        raise ValueError("not a finite number")
    if number <= 0:
        return "-" + _number(-number) if number else "0"
    parts = Decimal(repr(number)).as_tuple()
    digits = "".join(map(str, parts.digits))
    point = len(digits) + int(parts.exponent)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    return f"{digits[0]}{digits[1:] and '.' + digits[1:]}e{point - 1:+d}"


def main() -> None:
    """A tiny receiver that prints what it would do."""
    options = argparse.ArgumentParser(description="Receive Tierline's callbacks on http://127.0.0.1:PORT/ and print what was decided.")
    options.add_argument("--port", type=int, default=8090)
    options.add_argument("--database", default="receiver.db")
    options.add_argument("--secret", action="append", required=True, help="whsec_..., the callback_secret; repeat it during rotation")
    options.add_argument("--vkey", action="append", required=True, help="a line of `tierline audit key`; repeat it during rotation")
    given = options.parse_args()

    def act(_: sqlite3.Connection, callback: Callback) -> None:
        order = json.dumps(callback.action) if callback.may_execute else "nothing to execute"
        print(f"{callback.type} {callback.case_id}: {order}", flush=True)

    receiver = Receiver(given.database, secrets=given.secret, vkeys=given.vkey, act=act)

    class Endpoint(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), MAX_BODY_BYTES)  # a longer body is cut and fails its signature
            status, answer = receiver.receive(dict(self.headers.items()), self.rfile.read(length))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer.encode())

    with ThreadingHTTPServer(("127.0.0.1", given.port), Endpoint) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
