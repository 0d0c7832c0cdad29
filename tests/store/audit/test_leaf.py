"""The frozen bytes of a leaf. What is in logs out there can never change, so neither can these files."""

import json
from hashlib import sha256

from sqlalchemy import select

from routing.canonical import Json, canonical
from routing.change import Actor, Event
from routing.vocabulary import EventKind
from store.audit.leaf import leaf_bytes
from store.schema import leaves
from store.vault.content import opening, seal, unseal
from store.vault.vault import Vault
from tests.checkout import GOLDEN
from tests.store.a_store import NOON, open_books


async def test_the_leaf_of_a_received_case_has_these_bytes(sqlite_url: str) -> None:
    """Ids come from fixed bytes here; only the commitments hold salts, and they are checked by their names."""
    async with open_books(sqlite_url, entropy=lambda size: b"\x07" * size) as books:
        await books.open()
        body = await books.database.read(lambda c: c.execute(select(leaves.c.body).where(leaves.c.idx == 1)).scalar_one())
    leaf = json.loads(body)
    assert canonical(leaf) == body
    assert all(len(commitment) == 64 for commitment in leaf["sealed"].values())
    leaf["sealed"] = dict.fromkeys(leaf["sealed"], "0" * 64)
    assert set(leaf.pop("row")) == {"found", "left"}  # which later versions add
    first = (GOLDEN / "leaf-v1-received.json").read_bytes()
    assert len(leaf["policy"]["sha256"]) == 64
    leaf["policy"]["sha256"] = json.loads(first)["policy"]["sha256"]  # of the policy that these tests had at first
    assert canonical(leaf) == first


def test_the_leaf_of_the_whole_log_has_these_bytes() -> None:
    """An event of no case has no keys of a case."""
    event = Event(EventKind.STARTED, Actor("system", "tierline"), {"version": "0.1.0"})
    body = leaf_bytes(event, None, {}, index=0, event_id="019aa0c8-8400-7707-8707-070707070707", at=NOON)
    assert body == (GOLDEN / "leaf-v1-started.json").read_bytes()


def test_a_box_opens_to_what_the_leaf_commits_to() -> None:
    """Format v1: a reader of the leaf, given salt and value, finds the commitment."""
    case_vault, _ = Vault(b"k" * 32).new_case("c_1")
    content: dict[str, Json] = {"title": "Grüße", "risk": {"likelihood": 0.2, "amount": "1.00"}}
    sealed = seal(case_vault, 7, {name: canonical(value) for name, value in content.items()})
    assert unseal(case_vault, 7, sealed.box) == content
    for name, value in content.items():
        opened = opening(sealed.root_salt, name, value)
        text = canonical(value)
        assert sealed.commitments[name] == sha256(len(text).to_bytes(8, "big") + opened.salt + text).hexdigest()
