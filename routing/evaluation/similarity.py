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
    """What is compared of a case, by name: numbers, and words that are the same or not."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Everything that is known."""
        return frozenset((*self.numbers, *self.words))


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
    found = {one: distance(this, other) for one, other in others.items()} if this.names else {}
    return dict(sorted(((one, far) for one, far in found.items() if far <= ALIKE), key=lambda pair: pair[1]))


def distance(one: Traits, other: Traits) -> float:
    """How far two cases are apart, 0 to 1, of which at least one has a trait."""
    names = one.names | other.names
    return sum(_apart(one, other, name) for name in names) / len(names)


def _apart(one: Traits, other: Traits, name: str) -> float:
    if name in one.numbers and name in other.numbers:
        this, that = one.numbers[name], other.numbers[name]
        return min(1.0, abs(this - that) / max(abs(this), abs(that))) if this != that else 0.0
    return 0.0 if name in one.words and one.words[name] == other.words.get(name) else 1.0


def _within(path: str, hidden: Collection[str]) -> bool:
    """Whether a path is hidden, or lies in what is, or holds something that is."""
    steps = path.split(".")
    return any(
        all(want in ("*", step) for want, step in zip(one.replace("[", ".").replace("]", "").split("."), steps, strict=False))
        for one in hidden
    )
