"""A small log for the tests of its formats: leaves that are right unless told otherwise, a fixed signing key, exports and receipts."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from store.audit.checkpoint import Checkpoint, sign_checkpoint
from store.audit.merkle import Frontier, Node, inclusion_proof, leaf_hash
from store.audit.signed_note import Signer, VerifierKey
from store.audit.tiles import write_export
from store.audit.verify import verify_export
from tests.checkout import GOLDEN

ORIGIN = "tierline/northwind"
SIGNER = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"northwind signs its checkpoints!"))
SECOND_SIGNER = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"northwind signs with a new one.."))
STRANGER = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"somebody else signs in its name."))


def a_leaf(index: int, /, **changes: object) -> bytes:
    """The stored bytes of one event."""
    event: dict[str, object] = {
        "v": 1,
        "index": index,
        "id": f"e{index}",
        "time": f"2026-11-20T{index // 3600 % 24:02}:{index // 60 % 60:02}:{index % 60:02}.000000Z",
        "event": "opened",
        "case": f"c{index % 3}",
    }
    return rfc8785.dumps(event | changes)  # type: ignore[arg-type]  # its alias spells recursion differently


def leaves(count: int) -> list[bytes]:
    """The stored bytes of the first events."""
    return [a_leaf(index) for index in range(count)]


@dataclass
class Shelf:
    """The hashes as the store keeps them: leaf hashes, and the nodes at levels 8, 16 ... that `grow` reported."""

    frontier: Frontier = field(default_factory=Frontier)
    rows: dict[int, list[bytes]] = field(default_factory=dict)

    def add(self, leaf_hashes: Sequence[bytes]) -> None:
        """Append leaf hashes and keep what has to be kept."""
        growth = self.frontier.grow(leaf_hashes)
        self.frontier = growth.frontier
        for index, hashed in enumerate(leaf_hashes, len(self.rows.get(0, []))):
            self._keep(Node(0, index, hashed))
        for node in growth.nodes:
            self._keep(node)

    def _keep(self, node: Node) -> None:
        row = self.rows.setdefault(node.level, [])
        assert node.index == len(row), "nodes come in order, without gaps"
        row.append(node.hash)

    def read(self, level: int, first: int, count: int) -> list[bytes]:
        """What `store.audit.merkle.Read` asks for."""
        return self.rows[level][first : first + count]


def shelve(entries: Iterable[bytes]) -> Shelf:
    """A shelf with these leaves."""
    shelf = Shelf()
    shelf.add([leaf_hash(entry) for entry in entries])
    return shelf


def checkpoint_of(entries: Sequence[bytes], signer: Signer = SIGNER) -> str:
    """The signed checkpoint over these leaves."""
    frontier = shelve(entries).frontier
    return sign_checkpoint(frontier.size, frontier.root(), signer)


def export(directory: Path, entries: Sequence[bytes], signer: Signer = SIGNER, keys: Sequence[VerifierKey] | None = None) -> Path:
    """An export of these leaves, rightly signed whatever they say."""
    frontier = shelve(entries).frontier
    note = sign_checkpoint(frontier.size, frontier.root(), signer)
    write_export(directory, entries, note, Checkpoint(ORIGIN, frontier.size, frontier.root()), keys or [signer.vkey])
    return directory


def a_receipt(entries: Sequence[bytes], index: int, openings: Mapping[str, object] | None = None) -> dict[str, object]:
    """The receipt for one of these leaves."""
    shelf = shelve(entries)
    return {
        "leaf": entries[index].decode(),
        "index": index,
        "proof": [b64encode(step).decode() for step in inclusion_proof(index, len(entries), shelf.read)],
        "checkpoint": sign_checkpoint(shelf.frontier.size, shelf.frontier.root(), SIGNER),
        "openings": dict(openings or {}),
    }


def findings(directory: Path, older: str | None = None) -> str:
    """What verification complains about, in one string; empty where all is well."""
    return "; ".join(verify_export(directory, older).problems)


def golden(name: str) -> dict[str, object]:
    """A frozen vector of format v1. A test that fails on it has found a broken format, not an old vector."""
    read: dict[str, object] = json.loads((GOLDEN / name).read_bytes())
    return read
