"""The Merkle tree of the audit log: growing it, its root, and proofs, after RFC 6962 and RFC 9162.

Owns the hashing rules and the frontier, the few hashes on the right edge that are enough to go on appending. Pure: it never
stores, reads or signs anything; who keeps the hashes hands in a `read` function when a proof is wanted. A store needs only the leaf
hashes and the nodes at levels 8, 16, 24 ... (the rows of C2SP tlog-tiles); everything between is computed from them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_SIZE = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

MOST_LEAVES = (1 << 63) - 1
"""The size of a log is a signed 64-bit integer wherever it is kept."""

MOST_STEPS = 64
"""No proof in a tree of that size has more hashes."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962 section 2.1)."""

Read = Callable[[int, int, int], Sequence[bytes]]
"""`read(level, first, count)`: the hashes `first .. first + count - 1` at level 0 (leaf hashes) or a multiple of 8."""


class MalformedFrontier(ValueError):
    """The stored frontier is not a size followed by one hash for each set bit of that size."""


class OutOfTree(ValueError):
    """The index or size asked for is no whole number, or lies outside the tree."""


class MissingHash(LookupError):
    """The store returned fewer tree hashes than were asked for, or hashes of another length: the log's hashes are damaged."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 || leaf) (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees: SHA-256(0x01 || left || right) (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """Root of a complete subtree, from the hashes on one of its levels: a power of two of them."""
    while len(hashes) > 1:
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree of 2**level leaves, the `index`-th of its level, level being 8, 16, 24 ..."""

    level: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Growth:
    """What appending gave: the new frontier, and the nodes at levels 8, 16, 24 ... that are now complete, in order."""

    frontier: "Frontier"
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: its size and the roots of its complete subtrees, largest first, one per set bit of the size."""

    size: int = 0
    edge: tuple[bytes, ...] = ()

    def append(self, leaf_hash: bytes) -> "Frontier":
        """The frontier after one more leaf."""
        return self.grow((leaf_hash,)).frontier

    def extend(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """The frontier after these leaves, in order."""
        return self.grow(leaf_hashes).frontier

    def grow(self, hashes: Iterable[bytes], base: int = 0) -> Growth:
        """Append these leaf hashes and tell which nodes to store besides them.

        With a `base`, they are hashes of complete subtrees of 2**base leaves each, and the size must be a multiple of that.
        """
        size, edge, nodes = self.size, list(self.edge), list[Node]()
        for subtree in hashes:
            node, level, index = subtree, base, size >> base
            while index & 1:  # like a carry in binary addition: two complete subtrees of a level make one of the next
                node = sha256(b"\x01" + edge.pop() + node).digest()
                level += 1
                index >>= 1
                if level % TILE_HEIGHT == 0:
                    nodes.append(Node(level, index, node))
            edge.append(node)
            size += 1 << base
        return Growth(Frontier(size, tuple(edge)), tuple(nodes))

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far (RFC 6962 section 2.1)."""
        return _fold_right(self.edge)

    def to_bytes(self) -> bytes:
        """Eight bytes of size, big-endian, then the edge; format v1, frozen."""
        return self.size.to_bytes(8, "big") + b"".join(self.edge)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Frontier":
        """Read back `to_bytes`. Raises MalformedFrontier."""
        if not isinstance(data, bytes):  # a database may hand out whatever somebody put there
            raise MalformedFrontier
        size = int.from_bytes(data[:8], "big")
        if len(data) != 8 + HASH_SIZE * size.bit_count():
            raise MalformedFrontier
        return cls(size, tuple(data[at : at + HASH_SIZE] for at in range(8, len(data), HASH_SIZE)))


def root_at(size: int, read: Read) -> bytes:
    """The root the tree had at `size` leaves, from stored hashes. Raises OutOfTree, MissingHash."""
    if not _ascending(0, size):
        raise OutOfTree
    return _Tree(size, read).subtree(0, size)


def inclusion_proof(index: int, size: int, read: Read) -> list[bytes]:
    """Proof that leaf `index` is in the tree of `size` leaves (RFC 6962 section 2.1.1). Raises OutOfTree, MissingHash."""
    if not _ascending(0, index, size) or index == size:
        raise OutOfTree
    tree, start, end, path = _Tree(size, read), 0, size, list[tuple[int, int]]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return [tree.subtree(*span) for span in reversed(path)]


def consistency_proof(old: int, new: int, read: Read) -> list[bytes]:
    """Proof that the first `old` of `new` leaves are unchanged (RFC 6962 section 2.1.2). Raises OutOfTree, MissingHash.

    For old = 0 and old = new nothing needs proving and the proof is empty.
    """
    if not _ascending(0, old, new):
        raise OutOfTree
    if old in (0, new):
        return []
    tree, start, end, path = _Tree(new, read), 0, new, list[tuple[int, int]]()
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    if start > 0:  # else the old root itself is the starting point, which the verifier already has
        path.append((start, end))
    return [tree.subtree(*span) for span in reversed(path)]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows the leaf at `index` of the tree with this size and root (RFC 9162 section 2.1.3.2). Never raises.

    Index and size are whole numbers, hashes have 32 bytes, and the proof is no longer than a tree of that size makes it: else False.
    """
    if not _ascending(0, index, size) or index == size or not _hashes([leaf_hash, root], MOST_STEPS) or not _hashes(proof, MOST_STEPS):
        return False
    place, last, node = index, size - 1, leaf_hash
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(step, node)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, step)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree `new` begins with the tree `old` (RFC 9162 section 2.1.4.2). Never raises.

    As with `verify_inclusion`, what is not of the form of sizes, hashes and proofs shows nothing.
    """
    if not _ascending(0, old, new) or not _hashes([old_root, new_root], MOST_STEPS) or not _hashes(proof, MOST_STEPS):
        return False
    if old == new:
        return not proof and old_root == new_root and (old > 0 or old_root == EMPTY_ROOT)
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_node = new_node = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old_node, new_node = node_hash(step, old_node), node_hash(step, new_node)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new_node = node_hash(new_node, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old_node == old_root and new_node == new_root


class _Tree:
    """Hashes of any subtree of one tree, reading each tile of stored hashes at most once."""

    def __init__(self, size: int, read: Read) -> None:
        self._size = size
        self._read = read
        self._tiles: dict[tuple[int, int], Sequence[bytes]] = {}

    def subtree(self, start: int, end: int) -> bytes:
        """Root of leaves start .. end - 1, where start is a multiple of the largest power of two within the span."""
        roots = list[bytes]()
        while start < end:
            level = (end - start).bit_length() - 1
            roots.append(self._complete(level, start >> level))
            start += 1 << level
        return _fold_right(roots)

    def _complete(self, level: int, index: int) -> bytes:
        height = level % TILE_HEIGHT
        row, first, width = level - height, index << height, 1 << height
        tile = self._tile(row, first >> TILE_HEIGHT)
        offset = first % TILE_WIDTH
        return complete_root(tile[offset : offset + width])

    def _tile(self, row: int, number: int) -> Sequence[bytes]:
        if (row, number) not in self._tiles:
            first = number << TILE_HEIGHT
            count = min(TILE_WIDTH, (self._size >> row) - first)
            tile = self._read(row, first, count)
            if len(tile) != count or not _hashes(tile, TILE_WIDTH):
                raise MissingHash(f"{MissingHash.__doc__} (level {row}, from {first} on)")
            self._tiles[row, number] = tile
        return self._tiles[row, number]


def _ascending(*numbers: object) -> bool:
    """Whether these are whole numbers (`True` is none) that a tree may have, none smaller than the one before."""
    whole = [number for number in numbers if type(number) is int and number <= MOST_LEAVES]
    return len(whole) == len(numbers) and whole == sorted(whole)


def _hashes(values: object, most: int) -> bool:
    """Whether this is a list of at most so many hashes."""
    if not isinstance(values, list | tuple) or len(values) > most:
        return False
    return all(isinstance(value, bytes) and len(value) == HASH_SIZE for value in values)


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 6962 section 2.1: k < n <= 2k)."""
    return 1 << ((count - 1).bit_length() - 1)


def _fold_right(roots: Sequence[bytes]) -> bytes:
    """Root over complete subtrees, largest first: the smaller ones are joined first."""
    if not roots:
        return EMPTY_ROOT
    node = roots[-1]
    for left in reversed(roots[:-1]):
        node = node_hash(left, node)
    return node
