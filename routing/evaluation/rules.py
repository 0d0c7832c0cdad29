"""The policy's rules, evaluated for one case. Owns what becomes of each; never chooses the lane."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from routing.case.submission import Submission
from routing.policy.expressions import Expression, Failure, together, variables
from routing.policy.form.form import Rule
from routing.policy.policy import Policy
from routing.signals import Signal, Trigger, fired, passed
from routing.vocabulary import Lane, Template


@dataclass(frozen=True, slots=True)
class Ruled:
    """What became of one rule."""

    rule: Rule
    signal: Signal
    fired: bool


def ruled(policy: Policy, submission: Submission, codes: list[str], now: datetime) -> tuple[Ruled, ...]:
    """Each rule of the case's workflow in the order of the file; one without an answer asks for an expert. `codes`: what fired so far."""
    book = policy.once(("rules", submission.workflow), lambda: _Book.of(policy.expressions[submission.workflow]))
    asked = book.asked(submission.action.type)
    if not asked:
        return book.silent
    found = list(book.silent)
    for (place, rule, _), answer in zip(asked, _answers([each for _, _, each in asked], submission, codes, now), strict=True):
        if isinstance(answer, Failure):
            found[place] = Ruled(rule, fired("rule", Trigger.RULE_ERROR, Lane.EXPERT, rule.name, answer.text), fired=False)
        elif answer:
            found[place] = Ruled(rule, fired("rule", Trigger.POLICY_RULE, demanded(rule), rule.reason), fired=True)
    return tuple(found)


_Asked = tuple[tuple[int, Rule, Expression], ...]
"""Rules with their places in the file."""


@dataclass(frozen=True, slots=True)
class _Book:
    """The rules of a workflow: what becomes of them where none holds, and which are asked for an action, by its type where some are for
    that type alone.
    """

    silent: tuple[Ruled, ...]
    by_type: Mapping[str, _Asked]
    of_any_type: _Asked

    @classmethod
    def of(cls, rules: Sequence[tuple[Rule, Expression]]) -> "_Book":
        def asked(kind: str | None) -> _Asked:
            return tuple((place, *each) for place, each in enumerate(rules) if each[1].action_type in (None, kind))

        silent = tuple(Ruled(rule, passed("rule", rule.name, "its condition does not hold"), fired=False) for rule, _ in rules)
        named = {expression.action_type for _, expression in rules} - {None}
        return cls(silent, {kind: asked(kind) for kind in named if kind is not None}, asked(None))

    def asked(self, kind: str) -> _Asked:
        """The rules whose condition may hold for this type of action."""
        return self.by_type.get(kind, self.of_any_type)


def _answers(conditions: Sequence[Expression], submission: Submission, codes: Sequence[str], now: datetime) -> Sequence[bool | Failure]:
    """What these say. All are asked at once; where one of them fails, each alone."""
    at_once = together(tuple([condition.text for condition in conditions]))
    answers = at_once.evaluate(submission, codes, now) if at_once is not None else None
    if answers is not None:
        return answers
    bound = variables(submission, codes, now)
    return [condition.evaluate(bound) for condition in conditions]


def demanded(rule: Rule) -> Lane:
    """The lane a rule demands; a template demands one too. One that asks for skills only demands none."""
    by_template = {None: Lane.AUTO, Template.EXPERT: Lane.EXPERT}.get(rule.template, Lane.REVIEW)
    return max(rule.lane or Lane.AUTO, by_template, key=lambda lane: lane.severity)
