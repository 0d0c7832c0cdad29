"""One bundle of an export, checked by itself: its bytes, its hashes, and what each leaf says about itself.

Owns the part of offline verification that needs no other bundle, so that bundles can be spread over processes. It never compares
bundles with each other or with a signature; store.audit.verify does. Standard library only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from store.audit.canonical import NotCanonical, parse, parse_all
from store.audit.merkle import TILE_WIDTH, complete_root, leaf_hash
from store.audit.shapes import KEY_ROTATED, LEAF_VERSION, Examine, Said, Shapes, nothing
from store.audit.tiles import BadBundle, read_bundle, tile_path

TOGETHER = 16
"""Events parsed with one call: more are slower again, as what they hold no longer fits the processor's cache."""


@dataclass(slots=True)
class Findings:
    """What one bundle holds: leaf hashes in a row, their root if it is full, event ids, the times of its first and last event, key
    rotations (index, fields), problems, remarks.

    `broken` says why nothing more can be told, `tile` what is wrong with the tile of hashes of a full bundle, `unreadable` why that cannot
    be read; each is empty otherwise.
    """

    first: int
    hashes: bytes = b""
    root: bytes | None = None
    ids: list[str] = field(default_factory=list)
    earliest: datetime | None = None
    latest: datetime | None = None
    rotations: list[tuple[int, object]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    broken: str = ""
    tile: str = ""
    unreadable: str = ""


class Bundles:
    """The bundles of one export, each checked by itself; what one teaches of the shapes of events, the next is read faster with."""

    def __init__(self, directory: Path, size: int, examine: Examine = nothing) -> None:
        """`size` is how many leaves the export has. `examine` gives the remarks."""
        self._directory = directory
        self._size = size
        self._examine = examine
        self._shapes = Shapes()

    def check(self, number: int) -> Findings:
        """Read and check one bundle. Never raises."""
        findings = Findings(first=number * TILE_WIDTH)
        try:
            entries = read_bundle(self._directory, number, self._size)
        except OSError as problem:
            findings.broken = f"cannot be read: {problem}"
            return findings
        except BadBundle:
            findings.broken = f"events {findings.first} and following: the bundle of entries is broken"
            return findings
        self._hash(entries, number, findings)
        for index, said in enumerate(self._read(entries, findings), findings.first):
            if said is None:
                findings.problems.append(f"event {index}: not a JSON object in canonical form (RFC 8785)")
            else:
                _check_said(index, said, findings)
        return findings

    def _hash(self, entries: Sequence[bytes], number: int, findings: Findings) -> None:
        hashes = [leaf_hash(entry) for entry in entries]
        findings.hashes = b"".join(hashes)
        if len(hashes) < TILE_WIDTH:
            return
        findings.root = complete_root(hashes)
        try:
            findings.tile = compare_tile(self._directory, tile_path(0, number, TILE_WIDTH), findings.hashes)
        except OSError as problem:
            findings.unreadable = str(problem)

    def _read(self, entries: Sequence[bytes], findings: Findings) -> Sequence[Said | None]:
        """What each entry says of itself, None for what is no canonical object. Adds key rotations and remarks to the findings."""
        said = [self._shapes.read(entry) for entry in entries]
        unknown = [place for place, known in enumerate(said) if known is None]
        for start in range(0, len(unknown), TOGETHER):
            places = unknown[start : start + TOGETHER]
            for place, leaf in zip(places, _parse_all([entries[place] for place in places]), strict=True):
                if not isinstance(leaf, dict):
                    continue
                said[place] = leaf.get("v"), leaf.get("index"), leaf.get("id"), leaf.get("time")
                if leaf.get("event") == KEY_ROTATED:
                    findings.rotations.append((findings.first + place, leaf.get("fields")))
                if remark := self._examine(leaf):
                    findings.remarks.append(remark)
                else:
                    self._shapes.learn(entries[place], leaf)
        return said


def compare_tile(directory: Path, path: str, expected: bytes) -> str:
    """What is wrong with a tile of hashes, if anything. Raises OSError."""
    file = directory / path
    return "" if file.stat().st_size == len(expected) and file.read_bytes() == expected else f"{path}: not the hashes of the events"


def is_number(value: object, expected: int) -> bool:
    """Whether a JSON value is this integer; `true` equals 1 in Python, but not in JSON."""
    return type(value) is int and value == expected


def _parse_all(entries: Sequence[bytes]) -> Sequence[object]:
    try:
        return parse_all(entries)
    except NotCanonical:
        return [_parse(entry) for entry in entries]


def _parse(entry: bytes) -> object:
    try:
        return parse(entry)
    except NotCanonical:
        return None


def _check_said(index: int, said: Said, findings: Findings) -> None:
    version, number, name, text = said
    if not is_number(version, LEAF_VERSION):
        findings.problems.append(f"event {index}: version is not {LEAF_VERSION}")
    if not is_number(number, index):
        findings.problems.append(f"event {index}: says it is another")
    if isinstance(name, str) and name:
        findings.ids.append(name)
    else:
        findings.problems.append(f"event {index}: no id")
    time = _time(text)
    if time is None:
        findings.problems.append(f"event {index}: no time with an offset")
    elif findings.latest is not None and time < findings.latest:
        findings.problems.append(f"event {index}: earlier than an event before")
    else:
        findings.latest = time
        findings.earliest = findings.earliest or time


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None
