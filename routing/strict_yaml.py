"""A YAML file read strictly, with the line of every value. Owns the reading of our two files; never knows what they mean.

Anchors, aliases and merge keys work. Refused are keys that stand twice, keys that are not text, tags, recursion, and more
nodes than a person writes. `yes`, `on`, `017` and `1:30` are text here, whatever YAML 1.1 made of them. `${NAME}` in a
value takes text from the environment that is given; nothing it contains is read as YAML.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from routing.canonical import Json
from routing.errors import Problem
from routing.number import NumberError, read_number
from routing.strict_json import pointer

MAX_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_DEPTH = 64

_TAG = "tag:yaml.org,2002:"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,15})", re.ASCII)
_NUMBER = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}", re.ASCII)

Place = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """What a file holds: its value, the line of every place in it and what was wrong with it."""

    value: Json = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, place: Sequence[str | int]) -> int | None:
        """The 1-based line of a place, of the nearest one around it where it is not in the file."""
        at = tuple(place)
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at)


def read_yaml(text: bytes, environment: Mapping[str, str]) -> Document:
    """Read one YAML document. Never raises: what is wrong stands in `problems`, in the order of the file."""
    document = Document()
    try:
        if len(text) > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES} bytes")  # noqa: TRY301  # one place says what an unreadable file is
        root = yaml.compose(text.decode("utf-8"), Loader=yaml.SafeLoader)
        _Reading(document, environment).read(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        document.problems.append(Problem("", f"not YAML: {error.problem or error.context}", mark.line + 1 if mark else None))
    except (yaml.YAMLError, ValueError) as error:
        document.problems.append(Problem("", f"not YAML: {str(error).splitlines()[0]}"))
    except RecursionError:
        document.problems.append(Problem("", f"nested more than {MAX_DEPTH} levels deep"))
    return document


class _Reading:
    """One walk over the nodes of a document."""

    def __init__(self, document: Document, environment: Mapping[str, str]) -> None:
        self._document = document
        self._environment = environment
        self._nodes = 0
        self._followups = 0

    def read(self, root: yaml.Node | None) -> None:
        self._document.value = None if root is None else self._value(root, (), ())

    def _value(self, node: yaml.Node, place: Place, around: tuple[yaml.Node, ...]) -> Json:
        self._document.lines.setdefault(place, node.start_mark.line + 1)
        self._nodes += 1
        if self._nodes > MAX_NODES or len(around) > MAX_DEPTH or any(node is outer for outer in around):
            raise ValueError("too large, too deep or an alias inside itself")
        inside = (*around, node)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, place, inside)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self._value(item, (*place, index), inside) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        self._wrong(place, node, f"the tag {node.tag} is not allowed")
        return None

    def _mapping(self, node: yaml.MappingNode, place: Place, inside: tuple[yaml.Node, ...]) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for key, item in node.value:
            if key.tag == f"{_TAG}merge":
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag not in (f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}bool", f"{_TAG}int"):
                self._wrong(place, key, "a key is text")
            elif key.value in found:
                self._wrong((*place, key.value), key, "the key stands twice")
            else:
                self._document.lines[(*place, key.value)] = key.start_mark.line + 1
                found[key.value] = self._value(item, (*place, key.value), inside)
        for key, item in node.value:
            if key.tag == f"{_TAG}merge":
                for merged in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    if isinstance(merged, yaml.MappingNode) and not any(merged is outer for outer in inside):
                        found = {**self._mapping(merged, place, (*inside, merged)), **found}
                    else:
                        self._wrong(place, item, "<< merges mappings")
        return found

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Json:
        text = node.value
        self._followups += len(text)
        if self._followups > 4 * MAX_BYTES:  # a long text repeated by aliases
            raise ValueError("too large once its aliases are followed")
        if node.tag == f"{_TAG}null":
            return None
        if node.tag == f"{_TAG}bool" and text.lower() in ("true", "false"):
            return bool(text.lower() == "true")
        if (node.tag == f"{_TAG}int" and _INTEGER.fullmatch(text)) or (node.tag == f"{_TAG}float" and _NUMBER.fullmatch(text)):
            return self._number(node, place)
        if node.tag.removeprefix(_TAG) not in ("str", "timestamp", "bool", "int", "float"):
            self._wrong(place, node, f"the tag {node.tag} is not allowed")
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            self._wrong(place, node, "holds NUL or half a surrogate pair")
        for name in _VARIABLE.findall(text):
            if name not in self._environment:
                self._wrong(place, node, f"${{{name}}} is not set in the environment")
        return _VARIABLE.sub(lambda found: self._environment.get(found[1], found[0]), text)

    def _number(self, node: yaml.ScalarNode, place: Place) -> int | float | None:
        try:
            return read_number(node.value)
        except NumberError as error:
            self._wrong(place, node, str(error))
            return None

    def _wrong(self, place: Place, node: yaml.Node, message: str) -> None:
        self._document.problems.append(Problem(pointer(*place), message, node.start_mark.line + 1))
