"""Leaf hashes that are shown to be under a root: read from stored tiles, each held against the one above, up to the root itself.

Owns that walk, which costs one tile of 256 hashes for leaves that are neighbours, where a proof of each would cost as much alone. It never
decides which root to believe, and never reads a leaf.
"""

from collections.abc import Sequence
from typing import Any

from store.audit.merkle import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH, Frontier, MissingHash, Read


class DamagedTreeError(ValueError):
    """Stored hashes of the audit log do not make the root that they should: leaves or nodes were changed, moved, or are missing."""


class ProvenLeaves:
    """The leaves of a tree of `size` leaves with this root. `known` are full tiles shown before, by (row, number): they never change."""

    def __init__(self, frontier: Frontier, read: Read, known: dict[tuple[int, int], tuple[bytes, ...]] | None = None) -> None:
        self._frontier = frontier
        self._read = read
        self._known = {} if known is None else known
        self._edge: dict[int, tuple[bytes, ...]] | None = None

    def hash(self, index: int) -> bytes:
        """The hash of a leaf. Raises DamagedTreeError; IndexError for a leaf the tree does not have."""
        if not 0 <= index < self._frontier.size:
            raise IndexError(index)
        return self._tile(0, index // TILE_WIDTH)[index % TILE_WIDTH]

    def _tile(self, row: int, number: int) -> tuple[bytes, ...]:
        if (row, number) in self._known:
            return self._known[row, number]
        if number == self._frontier.size >> TILE_HEIGHT * (row + 1):
            return self._right_edge()[row]
        tile = self._stored(row, number, TILE_WIDTH)
        if Frontier().extend(tile).root() != self._tile(row + 1, number // TILE_WIDTH)[number % TILE_WIDTH]:
            raise DamagedTreeError(f"{DamagedTreeError.__doc__} (row {row}, from {number * TILE_WIDTH} on)")
        self._known[row, number] = tile
        return tile

    def _right_edge(self) -> dict[int, tuple[bytes, ...]]:
        """The tiles that are not full, by row: together they make the root."""
        if self._edge is None:
            size, edge, found = self._frontier.size, list[bytes](), dict[int, tuple[bytes, ...]]()
            for row in range((size.bit_length() + TILE_HEIGHT - 1) // TILE_HEIGHT):
                count = (size >> TILE_HEIGHT * row) % TILE_WIDTH
                if count:
                    found[row] = self._stored(row, size >> TILE_HEIGHT * (row + 1), count)
                    edge[:0] = Frontier().extend(found[row]).edge
            if tuple(edge) != self._frontier.edge:
                raise DamagedTreeError(f"{DamagedTreeError.__doc__} (at its end)")
            self._edge = found
        return self._edge

    def _stored(self, row: int, number: int, count: int) -> tuple[bytes, ...]:
        tile: Sequence[Any] = self._read(row * TILE_HEIGHT, number * TILE_WIDTH, count)
        if len(tile) != count or not all(isinstance(one, bytes) and len(one) == HASH_SIZE for one in tile):
            raise DamagedTreeError(f"{MissingHash.__doc__} (row {row}, from {number * TILE_WIDTH} on)")
        return tuple(tile)
