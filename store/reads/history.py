"""What happened to a case, with its content opened from the vault. Owns reading leaves and boxes back; never shows them to anybody."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, select

from routing.canonical import Json
from routing.case.case import Case
from routing.case.submission import Submission
from routing.change import Actor
from routing.vocabulary import EventKind
from store.audit.stored_tree import DamagedLogError, read_leaf
from store.database.prepared import Prepared
from store.outbox.delivered_cards import Card, cards_of, cards_of_all
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


@dataclass(frozen=True, slots=True)
class Outline:
    """A case, what stands open in the log about it, and its cards, all of one moment: nothing that was sealed."""

    case: Case
    events: tuple[Happening, ...]
    cards: tuple[Card, ...]


def read_history(connection: Connection, *, case_id: str, vault: Vault | None) -> tuple[Happening, ...]:
    """The events of a case in order of the log; without a vault as they stand open there."""
    case_vault = open_case_vault(connection, case_id, vault) if vault is not None else None
    rows = _HISTORY.execute(connection, case=case_id)
    return tuple(_happening(row.idx, row.body, row.at, row.box, case_vault) for row in rows)


def read_outlines(connection: Connection, *, ids: Collection[str]) -> dict[str, Outline | Exception]:
    """Outlines of cases by id; in the place of one that nobody can read, why. What is not there is left out."""
    events = dict[str, list[tuple[int, bytes, int]]]()
    for row in _EVENTS.execute(connection, ids):
        events.setdefault(row.case_id, []).append((row.idx, row.body, row.at))
    cards = cards_of_all(connection, ids)
    found = dict[str, Outline | Exception]()
    for row in _SNAPSHOTS.execute(connection, ids):
        try:
            told = tuple(_happening(index, body, at, None, None) for index, body, at in events.get(row.id, ()))
            found[row.id] = Outline(Case.model_validate_json(row.snapshot), told, tuple(cards.get(row.id, ())))
        except Exception as problem:  # noqa: BLE001 - it is handed to whoever asks for that case
            found[row.id] = problem
    return found


def read_content(connection: Connection, *, case_id: str, vault: Vault) -> Submission | None:
    """The current content of a case, None where there is no case or its content was erased."""
    snapshot = _SNAPSHOT.execute(connection, case=case_id).scalar_one_or_none()
    return None if snapshot is None else _content(connection, Case.model_validate_json(snapshot), vault)


def read_scene(connection: Connection, *, case_id: str, vault: Vault) -> Scene | None:
    """Everything of a case that can be shown. None where there is no case or its content was erased."""
    snapshot = _SNAPSHOT.execute(connection, case=case_id).scalar_one_or_none()
    if snapshot is None:
        return None
    case = Case.model_validate_json(snapshot)
    submission = _content(connection, case, vault)
    if submission is None:
        return None
    newest = _NEWEST.execute(connection).scalar_one_or_none()
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
    wrapped = _KEY.execute(connection, case=case_id).scalar_one_or_none()
    return None if wrapped is None else vault.open_case(case_id, wrapped)


_CASE: BindParameter[str] = bindparam("case")
_HISTORY = Prepared(
    select(leaves.c.idx, leaves.c.body, leaves.c.at, vault.c.box)
    .join(vault, vault.c.leaf_idx == leaves.c.idx, isouter=True)
    .where(leaves.c.case_id == _CASE)
    .order_by(leaves.c.idx)
)
_EVENTS = Prepared(
    lambda ids: select(leaves.c.case_id, leaves.c.idx, leaves.c.body, leaves.c.at).where(leaves.c.case_id.in_(ids)).order_by(leaves.c.idx)
)
_SNAPSHOT = Prepared(select(cases.c.snapshot).where(cases.c.id == _CASE))
_SNAPSHOTS = Prepared(lambda ids: select(cases.c.id, cases.c.snapshot).where(cases.c.id.in_(ids)))
_KEY = Prepared(select(case_keys.c.wrapped).where(case_keys.c.case_id == _CASE))
_BOX = Prepared(select(vault.c.box).where(vault.c.leaf_idx == bindparam("leaf")))
_NEWEST = Prepared(select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1))


def _content(connection: Connection, case: Case, keys: Vault) -> Submission | None:
    case_vault = open_case_vault(connection, case.id, keys)
    box = _BOX.execute(connection, leaf=case.content_at).scalar_one_or_none()
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
