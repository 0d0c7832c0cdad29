"""The content of a case between its leaf and the vault: sealing what a leaf commits to, and opening it again.

Owns the box format v1, frozen: one per leaf, under the case's key, holding canonical JSON {name: value}; the salt of a name is
HMAC-SHA256(root salt, name). Never stores anything and never writes content anywhere but into a box.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.canonical import Json, joined
from routing.case.submission import Submission, read_submission
from routing.number import SAFE_INT
from store.audit.commitment import Opening, commit
from store.vault.vault import CaseVault, new_salt

OPEN_FIELDS = {"workflow", "task_id"}
"""Fields of a submission that stand in every leaf of its case and are not sealed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing gave: the salt and box for the vault, and the hex commitments by name for the leaf."""

    root_salt: bytes
    box: bytes
    commitments: dict[str, Json]


def submission_texts(submission: Submission) -> dict[str, bytes]:
    """The canonical JSON of each field of a submission that gets sealed, by field name."""
    return {name: text for name, text in submission.texts.items() if name not in OPEN_FIELDS}


def content_submission(workflow: str, task_id: str, content: Mapping[str, Json]) -> Submission:
    """The submission whose `submission_texts` this holds, perhaps beside what a person said of it.

    Raises SubmissionError when the published form has become another.
    """
    fields = {name: value for name, value in content.items() if name in Submission.model_fields}
    return read_submission({"workflow": workflow, "task_id": task_id, **fields})


def seal(case: CaseVault, leaf_idx: int, texts: Mapping[str, bytes]) -> Sealed:
    """Seal the content of one leaf, canonical JSON by name; it opens only as that leaf's content."""
    root_salt = new_salt()
    salts = _salts(root_salt, texts)
    commitments: dict[str, Json] = {name: commit(salts[name], text) for name, text in texts.items()}
    return Sealed(root_salt, case.seal(_field(leaf_idx), joined(texts)), commitments)


def unseal(case: CaseVault, leaf_idx: int, box: bytes) -> dict[str, Json]:
    """The content of one leaf by name. Raises store.vault.vault.CannotOpen."""
    content: dict[str, Json] = _CONTENT.decode(case.open(_field(leaf_idx), box).decode())
    return content


def opening(root_salt: bytes, name: str, value: Json) -> Opening:
    """What shows a holder of the leaf that this is the value it commits to under `name`."""
    return Opening(_salt(root_salt, name), value)


def _salts(root_salt: bytes, names: Iterable[str]) -> dict[str, bytes]:
    """As `_salt` for each of these, in a third of the time: HMAC (RFC 2104) begins with the key, which is hashed once for all names."""
    block = root_salt.ljust(_BLOCK_SIZE, b"\0")
    inner, outer = hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))
    found = dict[str, bytes]()
    for name in names:
        within, around = inner.copy(), outer.copy()
        within.update(name.encode())
        around.update(within.digest())
        found[name] = around.digest()
    return found


_BLOCK_SIZE = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def _salt(root_salt: bytes, name: str) -> bytes:
    return hmac.digest(root_salt, name.encode(), "sha256")


def _field(leaf_idx: int) -> str:
    return f"leaf {leaf_idx}"


def _integer(token: str) -> int | float:
    """Canonical JSON spells a double from 2^53 to 1e21 as an integer. None is taken in any more; those of older cases stay doubles."""
    return int(token) if len(token) < 16 or abs(int(token)) <= SAFE_INT else float(token)


_CONTENT = json.JSONDecoder(parse_int=_integer)
