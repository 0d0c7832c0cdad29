"""How much alike two cases of one workflow and action are, by what is known of them. Owns the distance; reads and judges nothing.

Each trait counts the same, as in Gower's coefficient (J. C. Gower, "A General Coefficient of Similarity and Some of Its Properties",
Biometrics 27, 1971): of words 0 where they are the same, else 1; of numbers how far they are apart as a share of the larger one, at most 1.
Not as a share of their range, as there: of three amounts that are nearly the same, two would be as far apart as can be. A trait that only
one of both has counts as different. What is masked is no trait.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from routing.case.submission import Submission

ALIKE = 0.2
"""At most so far apart are cases that are called alike: of five traits one may differ, or all numbers by a fifth."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is compared of a case, by name: numbers, and words that are the same or not. A name is in one of both.

    `names` is everything that is known, and `told` the words with their names: kept, because one case is held against hundreds.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = field(init=False, compare=False, repr=False)
    told: frozenset[tuple[str, str]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Whatever is both a number and words counts as a number."""
        object.__setattr__(self, "names", frozenset((*self.numbers, *self.words)))
        object.__setattr__(self, "told", frozenset(item for item in self.words.items() if item[0] not in self.numbers))


def traits_of(submission: Submission, hidden: Collection[str] = ()) -> Traits:
    """The traits of a case: amount in its currency, segment, kind and tier of whom it is about, impact, what is flagged, and what the model
    weighed. `hidden` are the paths at which something is masked, `*` for each item of a list.
    """
    risk, subject = submission.risk, submission.subject
    numbers, words = dict[str, float](), dict[str, str]()
    told: tuple[tuple[str, str, object], ...] = (
        ("segment", "risk.segment", risk.segment),
        ("kind of subject", "subject.type", subject.type if subject is not None else None),
        ("tier of subject", "subject.tier", subject.tier if subject is not None else None),
        ("impact", "risk.impact", risk.impact.value if risk.impact is not None else None),
        ("currency", "risk.currency", risk.currency),
        ("flags", "risk.flags", ", ".join(sorted(risk.flags)) or None),
    )
    words |= {name: str(value) for name, path, value in told if value is not None and not _within(path, hidden)}
    if risk.amount is not None and not _within("risk.amount", hidden):
        numbers[f"amount in {risk.currency or 'no currency'}"] = float(Decimal(risk.amount))
    for at, feature in enumerate(submission.model.features):
        if feature.value is None or _within(f"model.features.{at}.value", hidden) or _within(f"model.features.{at}.name", hidden):
            continue
        if isinstance(feature.value, int | float) and not isinstance(feature.value, bool):
            numbers[feature.name] = float(feature.value)
        else:
            words[feature.name] = str(feature.value)
    return Traits(numbers, words)


def alike(this: Traits, others: Mapping[str, Traits]) -> dict[str, float]:
    """Those of the others that are alike, by id, with how far they are from this one (0 to `ALIKE`), the nearest first; none where nothing
    is known of this one.
    """
    found = {one: far for one, other in others.items() if (far := _far(this, other, ALIKE)) <= ALIKE} if this.names else {}
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def distance(one: Traits, other: Traits) -> float:
    """How far two cases are apart, 0 to 1, of which at least one has a trait."""
    return _far(one, other, 1.0)


def _far(one: Traits, other: Traits, most: float) -> float:
    """The distance, or 1 as soon as it is more than `most`: a card costs hundreds of these, so no trait is looked at in vain."""
    count = len(one.names | other.names)
    far = float(count - len(one.told & other.told) - len(one.numbers.keys() & other.numbers.keys()))
    those, too_far = other.numbers, most * count
    for name, this in one.numbers.items():
        if far > too_far:
            return 1.0
        that = those.get(name, this)
        if this != that:
            low, high = (this, that) if this < that else (that, this)
            far += min(1.0, (high - low) / max(high, -low))
    return far / count


def _within(path: str, hidden: Collection[str]) -> bool:
    """Whether a path is hidden, or lies in what is, or holds something that is."""
    steps = path.split(".")
    return any(
        all(want in ("*", step) for want, step in zip(one.replace("[", ".").replace("]", "").split("."), steps, strict=False))
        for one in hidden
    )
