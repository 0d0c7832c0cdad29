"""The policy's rules, evaluated for one case. Owns what becomes of each; never chooses the lane."""

from collections.abc import Sequence
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
    rules = policy.expressions[submission.workflow]
    if not rules:
        return ()
    found = []
    for rule, answer in zip((rule for rule, _ in rules), _answers(rules, submission, codes, now), strict=True):
        if isinstance(answer, Failure):
            found.append(Ruled(rule, fired("rule", Trigger.RULE_ERROR, Lane.EXPERT, rule.name, answer.text), fired=False))
        elif answer:
            found.append(Ruled(rule, fired("rule", Trigger.POLICY_RULE, demanded(rule), rule.reason), fired=True))
        else:
            found.append(Ruled(rule, passed("rule", rule.name, "its condition does not hold"), fired=False))
    return tuple(found)


def _answers(
    rules: Sequence[tuple[Rule, Expression]], submission: Submission, codes: Sequence[str], now: datetime
) -> Sequence[bool | Failure]:
    """What each condition says; one for another type of action is not asked."""
    kind = submission.action.type
    asked = [expression for _, expression in rules if expression.action_type in (None, kind)]
    answers = iter(_asked(asked, submission, codes, now)) if asked else iter(())
    return [next(answers) if expression.action_type in (None, kind) else False for _, expression in rules]


def _asked(conditions: Sequence[Expression], submission: Submission, codes: Sequence[str], now: datetime) -> Sequence[bool | Failure]:
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
