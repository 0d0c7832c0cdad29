"""What a JSON Schema says of each parameter, for a form that people fill in: its kind, its name in words, what may stand there.

An outline is how something is asked for, never whether it is right: that is `params_schema` beside it. What has no plain form here (several
types, lists of objects, conditions) has the kind "", and whoever draws it goes by the value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from routing.policy.params_schema import NOTHING

Kind = Literal["text", "number", "choice", "choices", "date", "moment", "lines", "object", "json", ""]

_HOPS = 20
"""So many `$ref` and `allOf` are followed from one place; a schema that goes on for longer is none to draw a form from."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that are allowed, and what it is called; "" where the schema has no name for it."""

    value: Any
    title: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """How one value is asked for.

    `title` and `about` are the schema's words, "" where it has none. `nullable`: null stands for nothing. `whole`: whole numbers only, also
    as items of `lines`. `least` and `most` are the bounds of a number, both allowed; `longest` is in characters of text. `choices` are all
    that is allowed. Of an object `inner` are its properties in the schema's order and `needed` those that it must have.
    """

    kind: Kind = ""
    title: str = ""
    about: str = ""
    nullable: bool = False
    whole: bool = False
    numbers: bool = False
    least: Decimal | None = None
    most: Decimal | None = None
    longest: int | None = None
    choices: tuple[Choice, ...] = ()
    inner: Mapping[str, Any] = field(default_factory=dict)
    needed: frozenset[str] = frozenset()


ANYTHING = Outline()
"""Of what no schema speaks."""


@dataclass(frozen=True, slots=True)
class Outliner:
    """Reads outlines out of one schema, whose `$ref` lead into itself."""

    root: Mapping[str, Any]

    def of(self, schema: object) -> Outline:
        """The outline of a value by its (sub)schema; its own properties are not looked into before somebody asks for them."""
        merged = self._merged(schema)
        nullable = False
        if alternatives := self._alternatives(merged):
            some = [one for one in alternatives if not _is_null(one)]
            nullable = len(some) < len(alternatives)
            if len(some) == 1:
                merged = {**some[0], **{key: value for key, value in merged.items() if key not in ("oneOf", "anyOf")}}
            elif all("const" in one or "enum" in one for one in some):
                named = [Choice(value, _text(one, "title")) for one in some for value in _allowed(one)]
                return self._told(merged, kind="choice", choices=tuple(named), nullable=nullable)
            else:
                return self._told(merged)
        types = _types(merged)
        nullable = nullable or "null" in types
        if allowed := list(_allowed(merged)):
            choices = tuple(Choice(value) for value in allowed if value is not None)
            return self._told(merged, kind="choice", choices=choices, nullable=None in allowed)
        kinds = types - {"null"}
        if kinds == {"integer", "number"}:
            kinds = {"number"}
        if len(kinds) != 1:
            return self._told(merged, nullable=nullable)
        (kind,) = kinds
        return self._typed(kind, merged, nullable=nullable)

    def _typed(self, kind: str, merged: Mapping[str, Any], *, nullable: bool) -> Outline:
        match kind:
            case "string":
                of_text: dict[str, Kind] = {"date": "date", "date-time": "moment"}
                longest = merged.get("maxLength")
                shape = of_text.get(_text(merged, "format"), "text")
                return self._told(merged, kind=shape, nullable=nullable, longest=longest if isinstance(longest, int) else None)
            case "integer" | "number":
                whole = kind == "integer"
                bounds = {"least": _bound(merged, 1, whole=whole), "most": _bound(merged, -1, whole=whole)}
                return self._told(merged, kind="number", nullable=nullable, whole=whole, **bounds)
            case "boolean":
                return self._told(merged, kind="choice", nullable=nullable, choices=(Choice(value=True), Choice(value=False)))
            case "array":
                return self._listed(merged, nullable=nullable)
            case "object" if isinstance(merged.get("properties"), Mapping) and merged["properties"]:
                needed = frozenset(name for name in _list(merged.get("required")) if isinstance(name, str))
                return self._told(merged, kind="object", nullable=nullable, inner=merged["properties"], needed=needed)
            case _:
                return self._told(merged, kind="json", nullable=nullable)

    def _listed(self, merged: Mapping[str, Any], *, nullable: bool) -> Outline:
        if "prefixItems" in merged or "items" not in merged:
            return self._told(merged, kind="json", nullable=nullable)
        item = self.of(merged["items"])
        if item.nullable:
            return self._told(merged, kind="json", nullable=nullable)
        if item.kind == "choice" and not any(isinstance(one.value, bool | list | dict) for one in item.choices):
            return self._told(merged, kind="choices", nullable=nullable, choices=item.choices)
        if item.kind in ("text", "date", "number"):
            return self._told(merged, kind="lines", nullable=nullable, numbers=item.kind == "number", whole=item.whole)
        return self._told(merged, kind="json", nullable=nullable)

    def _told(self, merged: Mapping[str, Any], **more: Any) -> Outline:
        return Outline(title=_text(merged, "title"), about=_text(merged, "description"), **more)

    def _merged(self, schema: object) -> dict[str, Any]:
        """A schema with what its `$ref` and `allOf` say; its own words win, properties and required names are put together."""
        found: dict[str, Any] = {}
        waiting, hops = [schema], 0
        while waiting and hops < _HOPS:
            hops += 1
            one = waiting.pop(0)
            if not isinstance(one, Mapping):
                continue
            for key, value in one.items():
                if key == "properties" and isinstance(value, Mapping):
                    found[key] = {**value, **found.get(key, {})}
                elif key == "required" and isinstance(value, list):
                    found[key] = [*found.get(key, []), *value]
                elif key not in ("$ref", "allOf"):
                    found.setdefault(key, value)
            if isinstance(one.get("$ref"), str):
                waiting.append(self._target(one["$ref"]))
            waiting += _list(one.get("allOf"))
        return found

    def _target(self, reference: str) -> object:
        try:
            return NOTHING.with_resource("", DRAFT202012.create_resource(self.root)).resolver().lookup(reference).contents
        except Unresolvable:
            return {}

    def _alternatives(self, merged: Mapping[str, Any]) -> list[dict[str, Any]]:
        listed = _list(merged.get("oneOf")) or _list(merged.get("anyOf"))
        return [self._merged(one) for one in listed] if not ("oneOf" in merged and "anyOf" in merged) else []


def _is_null(schema: Mapping[str, Any]) -> bool:
    return _types(schema) == {"null"} or ("const" in schema and schema["const"] is None)


def _types(schema: Mapping[str, Any]) -> set[str]:
    kind = schema.get("type")
    return {str(one) for one in (kind if isinstance(kind, list) else [kind] if kind is not None else [])}


def _allowed(schema: Mapping[str, Any]) -> Iterator[Any]:
    if "const" in schema:
        yield schema["const"]
    else:
        yield from _list(schema.get("enum"))


def _bound(schema: Mapping[str, Any], sign: int, *, whole: bool) -> Decimal | None:
    """The smallest (sign 1) or largest number that is allowed; of what may only come near a bound, none where it need not be whole."""
    names = ("minimum", "exclusiveMinimum") if sign > 0 else ("maximum", "exclusiveMaximum")
    given = [schema.get(name) for name in names]
    inside, beyond = (Decimal(repr(one)) if isinstance(one, int | float) and not isinstance(one, bool) else None for one in given)
    if beyond is not None and whole and beyond == beyond.to_integral_value():
        beyond += sign
    elif beyond is not None:
        beyond = None
    bounds = [one for one in (inside, beyond) if one is not None]
    return (max(bounds) if sign > 0 else min(bounds)) if bounds else None


def _text(schema: Mapping[str, Any], key: str) -> str:
    value = schema.get(key)
    return value.strip() if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
