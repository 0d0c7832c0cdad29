"""Which cases one person may decide together, and which of them are set aside to be looked at one by one. Owns the rules by which cases are
alike and by which one stands out; who may decide them says `routing.authorize`, what a reader has to see of one says its card.

A case stands out by a figure where that lies beyond Tukey's fences: 1.5 times the range of the middle half away from it (J. W. Tukey,
Exploratory Data Analysis, 1977, section 2C). Of fewer than five figures nothing is said.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import quantiles

from routing.case.case import Case
from routing.vocabulary import CaseKind, Risk, State

FEW = 5
"""So many figures at least have a middle half."""
_FENCE = Decimal("1.5")

Kind = tuple[str, str, str, int]
"""What cases have in common that are decided together: workflow, type of the action, ladder and tier."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case with what it is compared by: what somebody has to look at by itself (`against`, "" for nothing), and its amount."""

    case: Case
    amount: Decimal | None = None
    currency: str = ""
    against: str = ""


@dataclass(frozen=True, slots=True)
class Aside:
    """A case that is not decided with the others, and why, in words."""

    case: Case
    why: str


def kind_of(case: Case) -> Kind:
    """What another case has to share with this one."""
    return case.workflow, case.action_type, case.route.template.value, case.tier


def batchable(case: Case) -> bool:
    """Whether a case may be decided with others at all: one yes of one person is missing, for an action of low or medium risk that a
    service proposed. Not what is high, a check, a drill, in several hands, tied to others already, or held.
    """
    plan = case.route.steps
    alone = len(plan) == 1 and plan[0].people == 1 and not plan[0].checklist and not case.votes
    waiting = case.state is State.PENDING and case.kind is CaseKind.CASE and not case.tied and not case.tied_to
    return waiting and alone and case.route.risk.level < Risk.HIGH.level and case.drill is None and case.interim is None


def sort_out(candidates: Sequence[Candidate]) -> tuple[list[Case], list[Aside]]:
    """Those alike, and those that stand out, each in the order given. Wants candidates of one kind."""
    reasons = Counter(_reason(one.case) for one in candidates)
    usual = max(reasons, key=lambda code: reasons[code], default="")
    currencies = Counter(one.currency for one in candidates)
    currency = max(currencies, key=lambda name: currencies[name], default="")
    amounts = _fences(one.amount for one in candidates if one.amount is not None and one.currency == currency)  # others are no measure
    sure = _fences(Decimal(repr(one.case.confidence)) for one in candidates if one.case.confidence is not None)
    alike, aside = list[Case](), list[Aside]()
    for one in candidates:
        why = one.against or _stands_out(one, amounts, sure, usual, currency)
        if why:
            aside.append(Aside(one.case, why))
        else:
            alike.append(one.case)
    return alike, aside


def _stands_out(one: Candidate, amounts: "_Fences | None", sure: "_Fences | None", usual: str, currency: str) -> str:
    confidence = one.case.confidence
    if one.currency != currency:
        return "its currency is another"
    if amounts is not None and one.amount is None:
        return "nobody says its amount"
    if amounts is not None and one.amount is not None and not amounts.low <= one.amount <= amounts.high:
        return "its amount is far from the others'"
    if confidence is not None and sure is not None and Decimal(repr(confidence)) < sure.low:
        return "the model is far less sure of it"
    if confidence is None and sure is not None:
        return "the model does not say how sure it is"
    return "it is here for another reason" if _reason(one.case) != usual else ""


def _reason(case: Case) -> str:
    return case.route.reasons[0].code if case.route.reasons else ""


@dataclass(frozen=True, slots=True)
class _Fences:
    low: Decimal
    high: Decimal


def _fences(figures: Iterable[Decimal]) -> _Fences | None:
    """Tukey's fences, None of fewer than five figures."""
    given = sorted(figures)
    if len(given) < FEW:
        return None
    first, _, third = quantiles(given, n=4, method="inclusive")
    return _Fences(first - _FENCE * (third - first), third + _FENCE * (third - first))
