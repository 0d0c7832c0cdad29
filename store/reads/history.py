"""What happened to a case, with its content opened from the vault. Owns reading leaves and boxes back; never shows them to anybody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from routing.canonical import Json
from routing.case.case import Case
from routing.case.submission import Submission
from routing.change import Actor
from routing.vocabulary import EventKind
from store.audit.stored_tree import DamagedLogError, read_leaf
from store.outbox.delivered_cards import Card, cards_of
from store.schema import case_keys, cases, checkpoints, leaves, moment, vault
from store.vault.content import content_submission, unseal
from store.vault.keys import KeyUnusable
from store.vault.vault import CannotOpen, CaseVault, Vault

KINDS = frozenset(kind.value for kind in EventKind)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a case. `fields` stand open in the log, `opened` came out of the vault (empty once erased), `index` is the leaf's."""

    kind: EventKind
    actor: Actor
    at: datetime
    fields: Mapping[str, Json] = field(default_factory=dict)
    opened: Mapping[str, Json] = field(default_factory=dict)
    index: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """A case, its content, its history, its cards, and the note of the newest checkpoint ("" before the first), all of one moment."""

    case: Case
    submission: Submission
    history: tuple[Happening, ...]
    cards: tuple[Card, ...]
    checkpoint: str


def read_history(connection: Connection, *, case_id: str, vault: Vault | None) -> tuple[Happening, ...]:
    """The events of a case in order of the log; without a vault as they stand open there."""
    case_vault = open_case_vault(connection, case_id, vault) if vault is not None else None
    rows = connection.execute(_HISTORY.where(leaves.c.case_id == case_id).order_by(leaves.c.idx))
    return tuple(_happening(row.idx, row.body, row.at, row.box, case_vault) for row in rows)


def read_content(connection: Connection, *, case_id: str, vault: Vault) -> Submission | None:
    """The current content of a case, None where there is no case or its content was erased."""
    snapshot = connection.execute(select(cases.c.snapshot).where(cases.c.id == case_id)).scalar_one_or_none()
    return None if snapshot is None else _content(connection, Case.model_validate_json(snapshot), vault)


def read_scene(connection: Connection, *, case_id: str, vault: Vault) -> Scene | None:
    """Everything of a case that can be shown. None where there is no case or its content was erased."""
    snapshot = connection.execute(select(cases.c.snapshot).where(cases.c.id == case_id)).scalar_one_or_none()
    if snapshot is None:
        return None
    case = Case.model_validate_json(snapshot)
    submission = _content(connection, case, vault)
    if submission is None:
        return None
    newest = connection.execute(select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)).scalar_one_or_none()
    history = read_history(connection, case_id=case_id, vault=vault)
    return Scene(case, submission, history, tuple(cards_of(connection, case_id)), newest or "")


def check_vault_key(connection: Connection, *, vault: Vault) -> None:
    """Raises KeyUnusable when the cases of this database are sealed under another vault key: nothing of them could be read."""
    row = connection.execute(select(case_keys.c.case_id, case_keys.c.wrapped).limit(1)).first()
    if row is None:
        return
    try:
        vault.open_case(row.case_id, row.wrapped)
    except CannotOpen as problem:
        raise KeyUnusable("this database was written under another vault key; restore that key from your backup") from problem


def open_case_vault(connection: Connection, case_id: str, vault: Vault) -> CaseVault | None:
    """What opens the case's content, None once it was erased."""
    wrapped = connection.execute(select(case_keys.c.wrapped).where(case_keys.c.case_id == case_id)).scalar_one_or_none()
    return None if wrapped is None else vault.open_case(case_id, wrapped)


_HISTORY = select(leaves.c.idx, leaves.c.body, leaves.c.at, vault.c.box).join(vault, vault.c.leaf_idx == leaves.c.idx, isouter=True)


def _content(connection: Connection, case: Case, keys: Vault) -> Submission | None:
    case_vault = open_case_vault(connection, case.id, keys)
    box = connection.execute(select(vault.c.box).where(vault.c.leaf_idx == case.content_at)).scalar_one_or_none()
    if case_vault is None or box is None:
        return None
    return content_submission(case.workflow, case.task_id, unseal(case_vault, case.content_at, box))


def _happening(index: int, body: bytes, at: int, box: bytes | None, case_vault: CaseVault | None) -> Happening:
    leaf = read_leaf(index, body)
    opened = unseal(case_vault, index, box) if case_vault is not None and box is not None else {}
    actor = Actor(leaf["actor"]["kind"], leaf["actor"]["id"])
    if leaf.get("event") not in KINDS:
        raise DamagedLogError(f"Event {index} of the audit log is of a kind that this version does not know.")
    return Happening(EventKind(leaf["event"]), actor, moment(at), leaf["fields"], opened, index)
