"""Sensitive values made unreadable before people see a case: found by what they look like, or named by path (I6).

Owns what is masked and what stands in its place: as much as is needed to work on the case (a domain, the last digits of an account), and
never the same for two different values, so that a change of account can be seen. It never decides who may see what is masked.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from routing.case.submission import Feature, Submission
from routing.policy.form.guardrails import Sensitive
from routing.privacy.business_numbers import names_a_business_number
from routing.privacy.credentials import credentials
from routing.privacy.labelled_values import labelled_values, names_a_secret
from routing.privacy.national_ids import national_ids
from routing.privacy.personal_data import cards, emails, ibans, phones
from routing.privacy.spans import HIDDEN, Kind, Span, plain_spelling

KINDS: tuple[Kind, ...] = ("secret", "iban", "card", "national_id", "email", "phone")
"""What can be found. Where two overlap, the first of these says what stands there."""

_STANDS_OPEN = frozenset({"workflow", "task_id", "action.type", "sensitive"})
"""Fields of a submission that the audit log holds in the open, and the names of paths themselves."""

_FIGURES = frozenset({"amount", "currency"})
"""Fields that cards reckon with: they are left out rather than replaced."""

_READABLE = (str, BaseModel, Mapping, list, tuple)
_SAME_NUMBER = frozenset({"iban", "card", "phone"})
_DIGIT = re.compile(r"[0-9]")
_FEW_DIGITS = 10**5


@dataclass(frozen=True, slots=True)
class Hidden:
    """One value that is masked: the dotted path of the field it stands in, and what it is."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Masked:
    """A submission as it may be shown, and what is hidden in it, in the order of its fields."""

    submission: Submission
    hidden: tuple[Hidden, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Where something is hidden, each path once."""
        return tuple(dict.fromkeys(one.path for one in self.hidden))


def mask(submission: Submission, sensitive: Sensitive | None = None) -> Masked:
    """Mask every text of a submission, and entirely what the policy or the submission itself names by path.

    `sensitive` is what the policy says of the workflow; None: every kind is looked for.
    """
    wanted = sensitive or Sensitive()
    masking = _Masking(wanted.detect)
    shown: Submission = masking.value(submission, "", _steps((*wanted.paths, *submission.sensitive)))
    return Masked(shown, tuple(masking.hidden))


def mask_values(
    values: Mapping[str, Any], sensitive: Sensitive | None = None, declared: Iterable[str] = (), *, at: str = ""
) -> tuple[Mapping[str, Any], tuple[Hidden, ...]]:
    """The same for what an event of the case holds, by name: words of people, or the fields of a submission as JSON.

    `at` leads the paths.
    """
    wanted = sensitive or Sensitive()
    masking = _Masking(wanted.detect)
    shown: Mapping[str, Any] = masking.value(values, at, _steps((*wanted.paths, *declared)))
    return shown, tuple(masking.hidden)


def mask_text(text: str) -> str:
    """A text with everything masked that can be found."""
    return str(_Masking(KINDS).value(text, "", ()))


def find(text: str, kinds: Iterable[Kind] = KINDS) -> list[Span]:
    """What is sensitive in a text, in order; no two overlap."""
    wanted, plain = frozenset(kinds), plain_spelling(text)
    found = [span for span in labelled_values(plain) if span.kind in wanted]
    if "secret" in wanted:
        found += credentials(plain)
    if "email" in wanted and ("@" in plain or "%40" in plain):
        found += emails(plain)
    if _DIGIT.search(plain) is not None:
        numbers = {"iban": ibans, "card": cards, "national_id": national_ids, "phone": phones}
        found += [span for kind, search in numbers.items() if kind in wanted for span in search(plain)]
    return _apart(sorted(found, key=lambda span: (span.start, KINDS.index(span.kind))))


def _apart(found: list[Span]) -> list[Span]:
    """Spans that overlap made one that covers them all."""
    apart: list[Span] = []
    for span in found:
        if not apart or span.start >= apart[-1].end:
            apart.append(span)
            continue
        first = min(apart[-1], span, key=lambda one: KINDS.index(one.kind))
        apart[-1] = Span(apart[-1].start, max(apart[-1].end, span.end), first.kind, first.shown)
    return apart


Steps = tuple[str, ...]
"""What is left of the declared paths at some place; an empty one names the place itself."""


def _steps(paths: Iterable[str]) -> Steps:
    """`evidence[0].text` is read as `evidence.0.text`."""
    return tuple(re.sub(r"\[(\w+|\*)\]", r".\1", path.strip()) for path in paths)


def _below(steps: Steps, key: str) -> Steps:
    """What is left below a key, which may hold dots itself."""
    return tuple(step[len(key) + 1 :] for step in steps if step == key or step.startswith(f"{key}."))


class _Masking:
    """One pass over the values of one case. Values without anything to hide come back as the very same objects."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds = tuple(kinds)
        self._alike: dict[str, dict[str, int]] = {}
        self.hidden: list[Hidden] = []

    def value(self, value: object, path: str, steps: Steps, *, key: str = "", wholly: bool = False) -> Any:  # noqa: ANN401  # JSON
        """Any value. `steps`: what is left here of the declared paths; `key`: the name the service gave it; `wholly`: hide it all."""
        wholly = wholly or "" in steps or ("secret" in self._kinds and names_a_secret(key))
        match value:
            case None | bool() if not wholly or value is None:
                return value
            case BaseModel():
                return self._form(value, path, steps, wholly=wholly)
            case Mapping():
                return self._object(value, path, steps, wholly=wholly)
            case list() | tuple():
                return self._items(value, path, steps, key=key, wholly=wholly)
            case _ if wholly:
                return self._entirely(value, path)
            case str():
                return self._text(value, path, key)
            case int() if abs(value) >= _FEW_DIGITS:
                shown = self._text(str(value), path, key)
                return value if shown == str(value) else shown
            case _:
                return value

    def _form(self, form: BaseModel, path: str, steps: Steps, *, wholly: bool) -> BaseModel:
        changed: dict[str, object] = {}
        for name, value in form:
            here = _joined(path, name)
            if here in _STANDS_OPEN or value is None:
                continue
            below = _below(steps, name)
            if (wholly or "" in below) and not isinstance(value, BaseModel | Mapping | tuple):
                shown = self._field(form, name, value, here)
            else:
                given = form.name if isinstance(form, Feature) and name == "value" else ""
                shown = self.value(value, here, below, key=given, wholly=wholly) if isinstance(value, _READABLE) else value
            if shown is not value:
                changed[name] = shown
        return form.model_copy(update=changed) if changed else form

    def _field(self, form: BaseModel, name: str, value: object, path: str) -> object:
        """A declared field of the published form: free text is replaced; a figure or a word of a closed list, which cards know how to
        draw, is left out where it may be missing, and else stays: there is nothing in it to hide.
        """
        if type(value) is str and name not in _FIGURES and _takes_any_text(type(form), name):
            return self._entirely(value, path)
        if type(form).model_fields[name].default is not None:
            return value
        self.hidden.append(Hidden(path, _spelled(value)))
        return None

    def _object(self, value: Mapping[str, Any], path: str, steps: Steps, *, wholly: bool) -> Mapping[str, Any]:
        shown: dict[str, object] = {}
        for key, inner in value.items():
            name = self._text(key, path, "")
            shown[name] = self.value(inner, _joined(path, name), _below(steps, key), key=key, wholly=wholly)
        return value if _same(shown, value) else shown

    def _items(
        self, values: list[Any] | tuple[Any, ...], path: str, steps: Steps, *, key: str, wholly: bool
    ) -> list[Any] | tuple[Any, ...]:
        """A name below a list means that of each of its items."""
        shown = [
            self.value(value, _joined(path, str(at)), (*_below(steps, str(at)), *_below(steps, "*"), *steps), key=key, wholly=wholly)
            for at, value in enumerate(values)
        ]
        if all(one is other for one, other in zip(shown, values, strict=True)):
            return values
        return tuple(shown) if isinstance(values, tuple) else shown

    def _entirely(self, value: object, path: str) -> object:
        if value == "":
            return value
        spelled = _spelled(value)
        self.hidden.append(Hidden(path, spelled))
        return self._told_apart(HIDDEN, spelled, path)

    def _text(self, text: str, path: str, key: str) -> str:
        """A text, read behind its key: a number alone does not say whose it is."""
        lead = f"{key}: " if key else ""
        pieces, at = [], 0
        for span in find(lead + text, self._kinds):
            start, end = max(span.start - len(lead), 0), span.end - len(lead)
            if end <= 0 or (span.kind == "phone" and (start, end) == (0, len(text)) and "+" not in text and names_a_business_number(key)):
                continue
            original = text[start:end]
            self.hidden.append(Hidden(path, original))
            same = re.sub(r"[^0-9A-Za-z]", "", original).upper() if span.kind in _SAME_NUMBER else original
            pieces += [text[at:start], self._told_apart(span.shown, same, path)]
            at = end
        return "".join([*pieces, text[at:]]) if pieces else text

    def _told_apart(self, shown: str, original: str, path: str) -> str:
        """`shown`, with a number where another value looks the same: the second one is `… (2)`.

        What is masked entirely is only told apart from fields of the same name, such as a parameter from its state before.
        """
        known = self._alike.setdefault(shown if shown != HIDDEN else f"{shown} {path.rpartition('.')[2]}", {})
        number = known.setdefault(original, len(known) + 1)
        return shown if number == 1 else f"{shown} ({number})"


@cache
def _takes_any_text(form: type[BaseModel], name: str) -> bool:
    """Whether the field may hold any text, not only words of a closed list."""
    annotation = form.model_fields[name].annotation
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return str in (get_args(one)[0] if get_origin(one) is Annotated else one for one in options)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _spelled(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _same(shown: Mapping[str, object], value: Mapping[str, object]) -> bool:
    return len(shown) == len(value) and all(key in value and value[key] is inner for key, inner in shown.items())
