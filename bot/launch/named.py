"""What a policy names that exists elsewhere: people, user groups, routing keys, escalation policies. Owns finding every place of them, by
the types of the policy's form, so that a key added to the form is found as well; asks nobody.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, SecretStr

from routing.policy.form.parts import UserId
from routing.policy.policy import Policy

Place = tuple[str | int, ...]

PAST = "accepted_by"
"""Who once accepted a model version may have left since."""


def people(policy: Policy) -> Mapping[str, Sequence[str]]:
    """The places of each person (Slack id) who is named."""
    return _places((place, value) for place, hint, value in _every(policy) if hint == UserId and PAST not in place)


def routing_keys(policy: Policy) -> Mapping[str, Sequence[str]]:
    """The places of each routing key. Keys are secret: only their places are shown."""
    keys = ((place, value) for place, hint, value in _every(policy) if hint == SecretStr and str(place[-1]).endswith("_key"))
    return _places((place, key.get_secret_value()) for place, key in keys)


def escalation_policies(policy: Policy) -> Mapping[str, Sequence[str]]:
    """The places of each escalation policy of PagerDuty (its id)."""
    return _places((place, value) for place, hint, value in _every(policy) if place[-1:] == ("escalation_policy",) and hint is str)


def _places(found: Iterable[tuple[Place, str]]) -> Mapping[str, Sequence[str]]:
    by_name: dict[str, list[str]] = {}
    for place, name in found:
        by_name.setdefault(name, []).append(spelled(place))
    return by_name


def spelled(place: Place) -> str:
    """`ladders.standard, tier 1, owner`: as a person would look for it."""
    words = [f"{str(before).removesuffix('s')} {part + 1}" if isinstance(part, int) else part for before, part in _paired(place)]
    return ", ".join(word for word, after in zip(words, (*place[1:], ""), strict=True) if not isinstance(after, int))


def _paired(place: Place) -> Iterator[tuple[str | int, str | int]]:
    return zip(("", *place), place, strict=False)


def _every(policy: Policy) -> Iterator[tuple[Place, Any, Any]]:
    """Every value of a policy, of whatever size, with its place and its annotation; where that wraps another, once for each."""
    waiting: list[tuple[Place, Any, Any]] = [((), type(policy.form), policy.form)]
    while waiting:
        place, hint, value = waiting.pop(0)
        yield place, hint, value
        waiting += [((*place, *step), below, inside) for below, inside, step in _inside(hint, value)]


def _inside(hint: Any, value: Any) -> Iterator[tuple[Any, Any, Place]]:  # noqa: ANN401  # any annotation, any value
    """What a value is made of, or what else its annotation says of it: annotation, value, and the step from there to here."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind is Annotated:
        yield parts[0], value, ()
    elif kind in (Union, UnionType):
        fitting = (one for one in parts if not isinstance(one, type) or isinstance(value, one))
        yield from ((one, value, ()) for one in fitting if value is not None)
    elif isinstance(value, BaseModel):
        hints = get_type_hints(type(value), include_extras=True)
        yield from ((hints[name], getattr(value, name), (name,)) for name in type(value).model_fields)
    elif isinstance(value, Mapping) and parts:
        yield from ((parts[-1], item, (str(key),)) for key, item in value.items())
    elif isinstance(value, tuple) and parts:
        yield from ((parts[0], item, (index,)) for index, item in enumerate(value))
