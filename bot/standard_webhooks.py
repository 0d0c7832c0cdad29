"""Standard Webhooks: the signature over `id.timestamp.body` that services and this bot put on what they send each other.

Owns the symmetric scheme `v1` of the specification (https://github.com/standard-webhooks/standard-webhooks, "Signature scheme").
Reading never raises, whatever bytes arrive; it never decides what a request may do and never remembers an id (the inbox does).
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest, digest

from multidict import MultiMapping

TOLERANCE_S = 300
MAX_ID_CHARS = 256
MAX_SIGNATURES = 16

_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_SHA256_BYTES = 32
_MAX_SIGNATURE_CHARS = 4_096


@dataclass(frozen=True, slots=True)
class Envelope:
    """The three headers of a request whose form and time are right. What it claims is unproven until `sealed_by` says so."""

    webhook_id: str
    timestamp: str
    signatures: tuple[bytes, ...] = field(repr=False)

    def sealed_by(self, key: bytes, body: bytes) -> bool:
        """Whether one of the signatures was made with `key` over exactly these bytes."""
        expected = _mac(key, self.webhook_id, self.timestamp, body)
        return any(compare_digest(expected, given) for given in self.signatures)


def read_envelope(headers: MultiMapping[str], now: datetime) -> Envelope | None:
    """The envelope in these headers, or None where one is missing, repeated, malformed or more than 5 minutes off `now`."""
    webhook_id, timestamp, signature = (_only(headers, name) for name in (_ID, _TIMESTAMP, _SIGNATURE))
    if not (is_webhook_id(webhook_id) and timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return None
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE_S or len(signature) > _MAX_SIGNATURE_CHARS:
        return None
    signatures = tuple(_signatures(signature))
    return Envelope(webhook_id, timestamp, signatures) if signatures else None


def is_webhook_id(text: str) -> bool:
    """Whether this is 1 to 256 visible ASCII characters."""
    return 0 < len(text) <= MAX_ID_CHARS and all("!" <= char <= "~" for char in text)


def sign(keys: Iterable[bytes], webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers for `body`; one signature per key, so that a receiver may hold the old or the new secret."""
    timestamp = str(int(at.timestamp()))
    signatures = (f"v1,{b64encode(_mac(key, webhook_id, timestamp, body)).decode()}" for key in keys)
    return {_ID: webhook_id, _TIMESTAMP: timestamp, _SIGNATURE: " ".join(signatures)}


def _mac(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    """A dot may stand in the id too; nothing is won by moving it, because a body begins with a brace and a target with a slash."""
    return digest(key, f"{webhook_id}.{timestamp}.".encode() + body, "sha256")


def _only(headers: MultiMapping[str], name: str) -> str:
    """The value of a header that stands once, else nothing: two readers could take different ones."""
    found = headers.getall(name, [])
    return found[0] if len(found) == 1 else ""


def _signatures(header: str) -> Iterable[bytes]:
    for part in header.split(" ")[:MAX_SIGNATURES]:
        version, _, encoded = part.partition(",")
        if version != "v1" or not encoded.isascii():
            continue
        try:
            signature = b64decode(encoded, validate=True)
        except ValueError:
            continue
        if len(signature) == _SHA256_BYTES:
            yield signature
