"""What was measured: one figure is the median of several runs with its least and its most, and perhaps a target. Owns how it is shown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Target:
    """What to reach: at least, or at most, that much."""

    value: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether this is enough."""
        return value >= self.value if self.at_least else value <= self.value


@dataclass(frozen=True)
class Figure:
    """One line of the table. `runs`: what each run gave."""

    name: str
    runs: Sequence[float]
    unit: str = ""
    target: Target | None = None

    @property
    def value(self) -> float:
        """The median."""
        return median(self.runs)

    @property
    def met(self) -> bool | None:
        """Whether the target is met, None where there is none."""
        return None if self.target is None else self.target.met(self.value)


HEADING = f"{'figure':<66}{'median':>10} {'(min - max)':<21}{'unit':<9}{'target':>9}  met"


def row(figure: Figure) -> str:
    """One line of the table."""
    spread = f"({_short(min(figure.runs))} - {_short(max(figure.runs))})" if len(figure.runs) > 1 else ""
    target = "" if figure.target is None else f"{'>=' if figure.target.at_least else '<'} {_short(figure.target.value)}"
    met = {None: "", True: "yes", False: "NO"}[figure.met]
    return f"{figure.name:<66}{_short(figure.value):>10} {spread:<21}{figure.unit:<9}{target:>9}  {met}".rstrip()


def as_json(figures: Sequence[Figure]) -> str:
    """All figures, with what each run gave."""
    return json.dumps(
        [
            {
                "figure": figure.name,
                "median": figure.value,
                "runs": list(figure.runs),
                "unit": figure.unit,
                "target": None if figure.target is None else figure.target.value,
                "met": figure.met,
            }
            for figure in figures
        ],
        indent=1,
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
