"""Offline verification of an export or a receipt, by anyone, without our database, our network or our word.

Owns the judgement; the formats are those of the files beside it: merkle, signed_note, tiles, canonical and commitment, all of which need
the standard library and Ed25519 only. It never raises on hostile input and never changes what it reads: what is wrong becomes a sentence.
"""

import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from store.audit.bundle import Bundles, Findings, compare_tile, is_number
from store.audit.canonical import NotCanonical, decode_base64, parse
from store.audit.checkpoint import Checkpoint, open_checkpoint
from store.audit.commitment import MalformedOpening, Opening
from store.audit.key_rotation import is_announced
from store.audit.merkle import EMPTY_ROOT, HASH_SIZE, TILE_WIDTH, leaf_hash, verify_inclusion
from store.audit.processes import check_bundles
from store.audit.shapes import LEAF_VERSION, Examine, nothing
from store.audit.signed_note import BadKey, BadNote, VerifierKey
from store.audit.tiles import CHECKPOINT_FILE, KEY_FILE, MAX_LEAF_BYTES, TileStack, is_tile_path, tile_path
from store.audit.used_ids import UsedIds

MAX_PROBLEMS = 100
MAX_TEXT_FILE_BYTES = 65_536
MAX_PROOF_STEPS = 64

TAIL_NOT_PROVEN = "tail not proven: without an older checkpoint kept elsewhere, a log cut at its end looks like a shorter log"
KEY_NOT_PINNED = "key not pinned: the signing key was taken from the export itself"


@dataclass(frozen=True, slots=True)
class Report:
    """What verification found. `events` were checked; `size` and `root` are the signed checkpoint's, None if it could not be read.

    Of the `remarked` remarks about single events the first hundred are kept.
    """

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    remarked: int
    events: int
    size: int | None
    root: bytes | None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong. The notes say what was not shown."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Verified:
    """A receipt that holds: the event, the checkpoint it is under, and the opened contents by name."""

    leaf: Mapping[str, object]
    checkpoint: Checkpoint
    openings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a receipt does not hold."""

    reason: str


def verify_export(
    directory: str | Path,
    older_checkpoint: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    trusted_vkey: str | None = None,
    processes: int = 1,
    examine: Examine = nothing,
) -> Report:
    """Check every file and every event of an export; `progress(done, total)` is called after each 256 events.

    `older_checkpoint` is the text of a checkpoint note got earlier, for instance from a receipt: it shows that nothing since was cut.
    `trusted_vkey` is the key one expects, got on another way. Either ties the export to what its reader already trusted.
    `processes` is how many may share the work on a large export. They start anew, so the main module must bear to be imported, and
    `examine`, which gives the remarks, must be a function that they can import.
    """
    audit = _Audit(Path(directory), processes, examine)
    try:
        audit.run(older_checkpoint, trusted_vkey, progress)
    except OSError as problem:
        audit.problem(f"cannot be read: {problem}")
    except _Hopeless as problem:
        audit.problem(str(problem))
    return audit.report()


def verify_receipt(receipt: object, vkey: str) -> Verified | Problem:
    """Check a receipt {"leaf", "index", "proof", "checkpoint", "openings"} against a pinned key, or several of which one must have signed.

    `vkey` is the text of a `key.vkey` file or one line of it.
    """
    try:
        return _verify_receipt(receipt, parse_keys(vkey))
    except BadKey:
        return Problem("the pinned key is not a verifier key")
    except BadNote:
        return Problem("the checkpoint is not signed by the pinned key")
    except (MalformedOpening, NotCanonical, UnicodeEncodeError):
        return Problem("the receipt is malformed")
    except _Hopeless as problem:
        return Problem(str(problem))


def parse_keys(text: str) -> list[VerifierKey]:
    """The keys of a `key.vkey` file, oldest first, each on its own line and all of one name. Raises BadKey."""
    keys = [VerifierKey.parse(line) for line in text.removesuffix("\n").split("\n")]
    if len({key.name for key in keys}) != 1 or len({key.public for key in keys}) != len(keys):
        raise BadKey
    return keys


class _Hopeless(Exception):
    """Verification cannot go on; the message is the finding."""


class _Audit:
    """One pass over an export, collecting what is wrong."""

    def __init__(self, directory: Path, processes: int, examine: Examine) -> None:
        self._directory = directory
        self._processes = processes
        self._examine = examine
        self._problems = list[str]()
        self._notes = list[str]()
        self._remarks = list[str]()
        self._remarked = 0
        self._keys: list[VerifierKey] = []
        self._rotations = 0
        self._checkpoint: Checkpoint | None = None
        self._stack = TileStack()
        self._ids = UsedIds(lambda _count: ())
        self._time = datetime.min.replace(tzinfo=UTC)

    def problem(self, sentence: str) -> None:
        """Note what is wrong, up to a bound, so that a hostile export cannot fill the memory."""
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(sentence)

    def report(self) -> Report:
        """What was found so far."""
        size, root = (self._checkpoint.size, self._checkpoint.root) if self._checkpoint else (None, None)
        return Report(
            tuple(self._problems), tuple(self._notes), tuple(self._remarks), self._remarked, self._stack.frontier.size, size, root
        )

    def run(self, older_note: str | None, trusted_vkey: str | None, progress: Callable[[int, int], None] | None) -> None:
        """Check everything. Raises OSError and _Hopeless where going on makes no sense."""
        try:
            self._keys = parse_keys(self._text(KEY_FILE))
        except BadKey as problem:
            raise _Hopeless(f"{KEY_FILE}: not a list of verifier keys") from problem
        try:
            # Only the newest key may sign the newest checkpoint: an old key may have been retired because it leaked.
            checkpoint = self._checkpoint = open_checkpoint(self._text(CHECKPOINT_FILE), self._keys[-1:])
        except BadNote as problem:
            raise _Hopeless(f"{CHECKPOINT_FILE}: not a checkpoint signed by the key in {KEY_FILE}") from problem
        older = self._older(older_note, checkpoint)
        if trusted_vkey is not None and trusted_vkey.strip() not in map(str, self._keys):
            self.problem(f"{KEY_FILE}: the trusted key is not among the keys of this log")
        elif trusted_vkey is None and older is None:
            self._notes.append(KEY_NOT_PINNED)
        bundles = self._bundles(checkpoint.size)
        reader = partial(Bundles, self._directory, checkpoint.size, self._examine)
        self._ids = UsedIds(lambda count: (findings.ids for findings in map(reader().check, bundles[:count])))
        with closing(check_bundles(reader, bundles, self._processes)) as checked:
            for findings in checked:
                self._take(findings, older)
                if progress is not None:
                    progress(self._stack.frontier.size, checkpoint.size)
        for tile in self._stack.partial():
            self._compare(*tile)
        if self._stack.frontier.root() != checkpoint.root:
            self.problem("the events do not have the root that the checkpoint signs")
        if self._rotations != len(self._keys) - 1:
            self.problem(f"{KEY_FILE}: {len(self._keys) - 1} later keys, but {self._rotations} announced by the key before")

    def _older(self, note: str | None, checkpoint: Checkpoint) -> Checkpoint | None:
        if note is None:
            self._notes.append(TAIL_NOT_PROVEN)
            return None
        try:
            older = open_checkpoint(note, self._keys)
        except BadNote:
            self.problem("the older checkpoint is not signed by a key of this log")
            return None
        if older.size == 0 and older.root != EMPTY_ROOT:
            self.problem("forked: the older checkpoint has another root at 0 events")
        if older.size > checkpoint.size:
            self.problem(f"cut: the older checkpoint has {older.size} events, the export {checkpoint.size}")
        return older

    def _bundles(self, size: int) -> range:
        """The numbers of the bundles, after seeing that exactly the files of a log of this size are there."""
        found = 0
        for path in _files(self._directory):
            name = path.relative_to(self._directory).as_posix()
            if not stat.S_ISREG(path.lstat().st_mode):
                raise _Hopeless(f"{name!r}: not a plain file")
            if is_tile_path(name, size):
                found += name.startswith("tile/entries/")
            elif name not in (CHECKPOINT_FILE, KEY_FILE):
                self.problem(f"{name!r}: no such file belongs to a log of {size} events")
        bundles = range(-(-size // TILE_WIDTH))
        if found != len(bundles):
            last = tile_path(None, bundles[-1], size - bundles[-1] * TILE_WIDTH)
            raise _Hopeless(f"{len(bundles) - found} of {len(bundles)} bundles of entries are missing, up to {last}")
        return bundles

    def _take(self, findings: Findings, older: Checkpoint | None) -> None:
        """Join one bundle to those before it."""
        for problem in findings.problems:
            self.problem(problem)
        self._remarks += findings.remarks[: MAX_PROBLEMS - len(self._remarks)]
        self._remarked += len(findings.remarks)
        if findings.broken:
            raise _Hopeless(findings.broken)
        start, end = findings.first, findings.first + len(findings.hashes) // HASH_SIZE
        self._grow(findings, older if older is not None and start < older.size <= end else None)
        if not self._ids.take(findings.ids):
            self.problem(f"events {start} to {end - 1}: an id was used before")
        if findings.earliest is not None and findings.latest is not None:
            if findings.earliest < self._time:
                self.problem(f"events {start} to {end - 1}: earlier than an event before")
            self._time = findings.latest
        for index, fields in findings.rotations:
            self._rotate(index, fields)

    def _grow(self, findings: Findings, older: Checkpoint | None) -> None:
        """Append one bundle's hashes and compare the tiles they complete; `older` is the older checkpoint, if it ends in this bundle."""
        hashes = list[bytes]()
        if older is not None or findings.root is None:
            hashes = [findings.hashes[at : at + HASH_SIZE] for at in range(0, len(findings.hashes), HASH_SIZE)]
        if older is not None and self._stack.frontier.extend(hashes[: older.size - findings.first]).root() != older.root:
            self.problem(f"forked: the older checkpoint has another root at {older.size} events")
        tiles = self._stack.push([findings.root], row=1) if findings.root is not None else self._stack.push(hashes)
        if findings.tile:
            self.problem(findings.tile)
        if findings.unreadable:
            raise _Hopeless(f"cannot be read: {findings.unreadable}")
        for tile in tiles:
            self._compare(*tile)

    def _compare(self, path: str, expected: bytes) -> None:
        if wrong := compare_tile(self._directory, path, expected):
            self.problem(wrong)

    def _rotate(self, index: int, fields: object) -> None:
        old, new = self._keys[self._rotations], next(iter(self._keys[self._rotations + 1 :]), None)
        match fields:
            case {"new_vkey": str(name), "announcement": str(note)} if (
                new is not None and name == str(new) and is_announced(note, new, old)
            ):
                self._rotations += 1
            case _:
                self.problem(f"event {index}: the announced key is not the next in {KEY_FILE}, or the key before did not sign it")

    def _text(self, name: str) -> str:
        path = self._directory / name
        if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > MAX_TEXT_FILE_BYTES:
            raise _Hopeless(f"{name}: not a small plain file")
        try:
            return path.read_bytes().decode()
        except UnicodeDecodeError as problem:
            raise _Hopeless(f"{name}: not UTF-8") from problem


def _files(directory: Path) -> Iterator[Path]:
    pending = [directory]  # a list, not recursion: a hostile directory is as deep as it likes
    while pending:
        for path in pending.pop().iterdir():
            if path.is_dir() and not path.is_symlink():
                pending.append(path)
            else:
                yield path


def _verify_receipt(receipt: object, keys: Sequence[VerifierKey]) -> Verified:
    match receipt:
        case {"leaf": str(text), "index": int(index), "proof": list(proof), "checkpoint": str(note)} if isinstance(receipt, Mapping):
            openings = receipt.get("openings", {})
        case _:
            raise _Hopeless("the receipt is malformed")
    if (
        isinstance(index, bool)
        or not isinstance(openings, Mapping)
        or len(proof) > MAX_PROOF_STEPS
        or not all(isinstance(step, str) for step in proof)
    ):
        raise _Hopeless("the receipt is malformed")
    checkpoint = open_checkpoint(note, keys)
    data = text.encode()
    if len(data) > MAX_LEAF_BYTES:
        raise _Hopeless("the leaf is too long")
    if not verify_inclusion(leaf_hash(data), index, checkpoint.size, [decode_base64(step) for step in proof], checkpoint.root):
        raise _Hopeless("the leaf is not under the checkpoint")
    leaf = parse(data)
    if not isinstance(leaf, dict) or not is_number(leaf.get("v"), LEAF_VERSION) or not is_number(leaf.get("index"), index):
        raise _Hopeless("the leaf is not an event of this version at this index")
    sealed = leaf.get("sealed")
    opened = {name: Opening.from_json(opening) for name, opening in openings.items()}
    for name, opening in opened.items():
        if not isinstance(sealed, Mapping) or not opening.opens(sealed.get(name)):
            raise _Hopeless(f"the opening of {name!r} is not what the leaf binds")
    return Verified(leaf, checkpoint, {name: opening.value for name, opening in opened.items()})
