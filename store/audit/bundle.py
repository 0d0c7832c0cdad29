"""One bundle of an export, checked by itself: its bytes, its hashes, and what each leaf says about itself.

Owns the part of offline verification that needs no other bundle, so that bundles can be spread over processes. It never compares
bundles with each other or with a signature; store.audit.verify does. Standard library only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from store.audit.canonical import NotCanonical, parse, parse_all
from store.audit.merkle import TILE_WIDTH, leaf_hash
from store.audit.tiles import BadBundle, read_bundle

LEAF_VERSION = 1


@dataclass(slots=True)
class Findings:
    """What one bundle holds: leaf hashes, event ids, the times of its first and last event, key rotations (index, fields), problems.

    `broken` says why nothing more can be told, or is empty.
    """

    first: int
    hashes: list[bytes] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    earliest: datetime | None = None
    latest: datetime | None = None
    rotations: list[tuple[int, object]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    broken: str = ""


def check_bundle(directory: Path, size: int, number: int) -> Findings:
    """Read and check one bundle of an export of `size` leaves. Never raises."""
    findings = Findings(first=number * TILE_WIDTH)
    try:
        entries = read_bundle(directory, number, size)
    except OSError as problem:
        findings.broken = f"cannot be read: {problem}"
        return findings
    except BadBundle:
        findings.broken = f"events {findings.first} and following: the bundle of entries is broken"
        return findings
    findings.hashes = [leaf_hash(entry) for entry in entries]
    try:
        leaves: Sequence[object] = parse_all(entries)
    except NotCanonical:
        leaves = [_parse(entry) for entry in entries]
    for index, leaf in enumerate(leaves, findings.first):
        if isinstance(leaf, dict):
            _check_leaf(index, leaf, findings)
        else:
            findings.problems.append(f"event {index}: not a JSON object in canonical form (RFC 8785)")
    return findings


def is_number(value: object, expected: int) -> bool:
    """Whether a JSON value is this integer; `true` equals 1 in Python, but not in JSON."""
    return type(value) is int and value == expected


def _parse(entry: bytes) -> object:
    try:
        return parse(entry)
    except NotCanonical:
        return None


def _check_leaf(index: int, leaf: Mapping[str, object], findings: Findings) -> None:
    if not is_number(leaf.get("v"), LEAF_VERSION):
        findings.problems.append(f"event {index}: version is not {LEAF_VERSION}")
    if not is_number(leaf.get("index"), index):
        findings.problems.append(f"event {index}: says it is another")
    name = leaf.get("id")
    if isinstance(name, str) and name:
        findings.ids.append(name)
    else:
        findings.problems.append(f"event {index}: no id")
    time = _time(leaf.get("time"))
    if time is None:
        findings.problems.append(f"event {index}: no time with an offset")
    elif findings.latest is not None and time < findings.latest:
        findings.problems.append(f"event {index}: earlier than an event before")
    else:
        findings.latest = time
        findings.earliest = findings.earliest or time
    if leaf.get("event") == "key_rotated":
        findings.rotations.append((index, leaf.get("fields")))


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None
