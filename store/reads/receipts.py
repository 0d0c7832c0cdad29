"""Receipts: what shows an outsider that an event is in the log, and what it sealed. Owns putting them together; signs nothing."""

from base64 import b64encode
from collections.abc import Collection
from functools import partial

from sqlalchemy import Connection, select

from routing.canonical import Json
from routing.case.case import Case
from store.audit.merkle import inclusion_proof
from store.audit.stored_tree import DamagedLogError, hashes, newest_checkpoint, read_leaf
from store.database.database import Database
from store.integrity.release import Doubt, Releases
from store.outbox.delivery import Outgoing
from store.reads.history import open_case_vault
from store.schema import leaves, vault
from store.vault.content import opening, unseal
from store.vault.vault import Vault


class Receipts:
    """Proofs that an event is in the audit log."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._releases = Releases(database, vault)

    async def judge(self, outgoing: Outgoing) -> Doubt | Case:
        """As `store.integrity.release.Releases.judge`: whether the log proves what a callback says."""
        return await self._releases.judge(outgoing)

    async def judge_case(self, case_id: str) -> Doubt | Case:
        """As `store.integrity.release.Releases.judge_case`: whether the log proves what is told of a case."""
        return await self._releases.judge_case(case_id)

    async def receipt(self, leaf_idx: int, names: Collection[str] | None = None) -> dict[str, Json] | None:
        """{leaf, index, proof, checkpoint, openings}; None while no signed checkpoint covers the event.

        `names` are the sealed values its holder may see; None for all. What was erased cannot be opened, and is not.
        """
        return await self._database.read(partial(_receipt, leaf_idx=leaf_idx, names=names, keys=self._vault))


def _receipt(connection: Connection, *, leaf_idx: int, names: Collection[str] | None, keys: Vault) -> dict[str, Json] | None:
    newest = newest_checkpoint(connection)
    if newest is None or newest[0] <= leaf_idx:
        return None
    size, note = newest
    leaf = connection.execute(select(leaves.c.body, leaves.c.case_id).where(leaves.c.idx == leaf_idx)).first()
    if leaf is None:
        raise DamagedLogError(f"Event {leaf_idx} of the audit log is missing.")
    proof = inclusion_proof(leaf_idx, size, hashes(connection))
    opened = {} if leaf.case_id is None else _openings(connection, leaf_idx, leaf.case_id, keys)
    sealed = read_leaf(leaf_idx, leaf.body)["sealed"]
    return {
        "leaf": bytes(leaf.body).decode(),
        "index": leaf_idx,
        "proof": [b64encode(step).decode() for step in proof],
        "checkpoint": note,
        "openings": {name: value for name, value in opened.items() if name in sealed and (names is None or name in names)},
    }


def _openings(connection: Connection, leaf_idx: int, case_id: str, keys: Vault) -> dict[str, Json]:
    case_vault = open_case_vault(connection, case_id, keys)
    row = connection.execute(select(vault.c.root_salt, vault.c.box).where(vault.c.leaf_idx == leaf_idx)).first()
    if case_vault is None or row is None:
        return {}
    content = unseal(case_vault, leaf_idx, row.box)
    return {name: _json(opening(row.root_salt, name, value).to_json()) for name, value in content.items()}


def _json(value: object) -> Json:
    return value  # type: ignore[return-value]  # an opening is JSON by its making
