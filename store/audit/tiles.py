"""The export directory: the log as C2SP tlog-tiles (https://c2sp.org/tlog-tiles), which other people's tools read too.

Owns the names and bytes of the files `checkpoint`, `key.vkey`, `tile/<level>/<number>` and `tile/entries/<number>`. It never judges what
it reads (store.audit.verify does) and never looks into a leaf.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from store.audit.checkpoint import Checkpoint
from store.audit.merkle import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH, Frontier, leaf_hash
from store.audit.signed_note import VerifierKey

CHECKPOINT_FILE: Final = "checkpoint"
KEY_FILE: Final = "key.vkey"
MAX_LEAF_BYTES = 65_535
"""An entry's length is a uint16 (C2SP tlog-tiles, "Log entries")."""

_TILE = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class BadBundle(ValueError):
    """The file is not the announced number of entries, each with its length in front."""


class BadExport(ValueError):
    """The export cannot be written: the directory is not empty, a leaf is too long, or the leaves are not those of the checkpoint."""


def tile_path(row: int | None, number: int, width: int) -> str:
    """Path of a tile of hashes (row 0, 1, 2 ...) or, for row None, of a bundle of entries, with `/` between its elements."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{'entries' if row is None else row}/{'/'.join(groups)}{suffix}"


def is_tile_path(path: str, size: int) -> bool:
    """Whether an export of `size` leaves has a file of this name under `tile/`."""
    match = _TILE.fullmatch(path)
    if match is None:
        return False
    row = None if match[1] == "entries" else int(match[1])
    number = int(match[2].replace("/", "").replace("x", ""))
    width = tile_width(row, number, size)
    return width > 0 and tile_path(row, number, width) == path


def tile_width(row: int | None, number: int, size: int) -> int:
    """How many hashes or entries that tile has in a log of `size` leaves; 0 if it does not exist."""
    return max(0, min(TILE_WIDTH, (size >> TILE_HEIGHT * (row or 0)) - number * TILE_WIDTH))


class TileStack:
    """Turns leaf hashes into the tiles of hashes that they complete; the writer saves them, the verifier compares them."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self._rows: list[list[bytes]] = [[]]

    def push(self, hashes: Sequence[bytes], row: int = 0) -> list[tuple[str, bytes]]:
        """Append at most a tile's width of leaf hashes that end on or before a tile's end; gives (path, bytes) of each tile now full.

        On row 1 append roots of whole tiles of leaf hashes; those tiles are not given.
        """
        growth = self.frontier.grow(hashes, row * TILE_HEIGHT)
        self.frontier = growth.frontier
        self._row(row).extend(hashes)
        for node in growth.nodes:
            self._row(node.level // TILE_HEIGHT).append(node.hash)
        full = list[tuple[str, bytes]]()
        for level, tile in enumerate(self._rows):
            if len(tile) == TILE_WIDTH:
                full.append((tile_path(level, (self.frontier.size - 1) >> TILE_HEIGHT * (level + 1), TILE_WIDTH), b"".join(tile)))
                tile.clear()
        return full

    def partial(self) -> list[tuple[str, bytes]]:
        """(path, bytes) of the tiles that are not full at the present size."""
        rows = ((row, hashes, self.frontier.size >> TILE_HEIGHT * (row + 1)) for row, hashes in enumerate(self._rows))
        return [(tile_path(row, number, len(hashes)), b"".join(hashes)) for row, hashes, number in rows if hashes]

    def _row(self, row: int) -> list[bytes]:
        if row == len(self._rows):
            self._rows.append([])
        return self._rows[row]


def write_export(
    directory: Path, leaves: Iterable[bytes], checkpoint_note: str, checkpoint: Checkpoint, keys: Sequence[VerifierKey]
) -> None:
    """Write the first `checkpoint.size` of `leaves` as an export into an empty or new directory, the keys oldest first.

    `checkpoint` is what `checkpoint_note` says. The file `checkpoint` comes last, so an export cut short is never taken for a whole one.
    Raises BadExport.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise BadExport(f"{directory} is not empty")
    stack, rest = TileStack(), islice(leaves, checkpoint.size)
    while bundle := list(islice(rest, TILE_WIDTH)):
        path = tile_path(None, stack.frontier.size >> TILE_HEIGHT, len(bundle))
        _write(directory, path, join_entries(bundle))
        for tile in stack.push([leaf_hash(leaf) for leaf in bundle]):
            _write(directory, *tile)
    for tile in stack.partial():
        _write(directory, *tile)
    if (stack.frontier.size, stack.frontier.root()) != (checkpoint.size, checkpoint.root):
        raise BadExport(f"the {stack.frontier.size} leaves given are not the {checkpoint.size} leaves of the checkpoint")
    _write(directory, KEY_FILE, "".join(f"{key}\n" for key in keys).encode())
    _write(directory, CHECKPOINT_FILE, checkpoint_note.encode())


def read_entries(directory: Path, size: int) -> Iterator[list[bytes]]:
    """The entries of an export of `size` leaves, bundle by bundle. Raises OSError for a missing file, BadBundle."""
    for number in range((size + TILE_WIDTH - 1) // TILE_WIDTH):
        yield read_bundle(directory, number, size)


def read_bundle(directory: Path, number: int, size: int) -> list[bytes]:
    """The entries of one bundle. Raises OSError for a missing file, BadBundle."""
    width = tile_width(None, number, size)
    path = directory / tile_path(None, number, width)
    if path.stat().st_size > width * (2 + MAX_LEAF_BYTES):
        raise BadBundle
    return split_entries(path.read_bytes(), width)


def read_hashes(directory: Path, size: int, level: int, first: int, count: int) -> list[bytes]:
    """Stored hashes of an export, in the shape of `store.audit.merkle.Read` once directory and size are bound. Raises OSError.

    The span must not cross a tile's end; `inclusion_proof` and `consistency_proof` ask for whole tiles.
    """
    row, number = level // TILE_HEIGHT, first // TILE_WIDTH
    start = first % TILE_WIDTH * HASH_SIZE
    data = (directory / tile_path(row, number, tile_width(row, number, size))).read_bytes()
    return [data[at : at + HASH_SIZE] for at in range(start, start + count * HASH_SIZE, HASH_SIZE)]


def join_entries(entries: Iterable[bytes]) -> bytes:
    """A bundle: each entry after its length as a big-endian uint16. Raises BadExport for an entry that is too long."""
    parts = list[bytes]()
    for entry in entries:
        if len(entry) > MAX_LEAF_BYTES:
            raise BadExport(f"a leaf has {len(entry)} bytes, more than {MAX_LEAF_BYTES}")
        parts += len(entry).to_bytes(2, "big"), entry
    return b"".join(parts)


def split_entries(data: bytes, count: int) -> list[bytes]:
    """The `count` entries of a bundle. Raises BadBundle unless they are exactly the whole of it."""
    entries, at = list[bytes](), 0
    while at < len(data) and len(entries) < count:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(entries) != count:
        raise BadBundle
    return entries


def _write(directory: Path, path: str, data: bytes) -> None:
    target = directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
