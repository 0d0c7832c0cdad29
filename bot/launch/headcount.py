"""Whether the groups that answer have as many different people as the work of a case takes. Pure; who is in a group is handed in.

Nobody takes two steps of a case, so a group that is too small leaves it undecided for ever.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from bot.launch.finding import Finding, missing, warn
from routing.case.case import Step
from routing.evaluation.work_templates import start_of, steps_of, strictest
from routing.policy.form.form import Workflow
from routing.policy.policy import Policy
from routing.vocabulary import Lane

MEND = "Add members of this workspace to those groups, or name others in the policy."


def headcount(policy: Policy, members: Mapping[str, Collection[str]]) -> Sequence[Finding]:
    """A line for each workflow and tier where too few people are in the groups: for its usual work missing, for a case that stops the line,
    which one person can still reject, a warning. Of a group that is not in `members` nothing is known.
    """
    found: dict[str, Finding] = {}
    for judged, lane in ((missing, Lane.REVIEW), (warn, Lane.STOP)):
        for name, workflow in policy.workflows.items():
            for tier, steps in _work(policy, workflow, lane):
                group = policy.ladders[workflow.ladder].tiers[tier].group
                if (said := _too_few(steps, group, members)) and (about := f"{name}, tier {tier + 1}") not in found:
                    found[about] = judged(about, said, MEND)
    return list(found.values())


def _work(policy: Policy, workflow: Workflow, lane: Lane) -> Iterator[tuple[int, Sequence[Step]]]:
    """Every tier (0-based) that such a case may come to, with the steps that the workflow or one of its rules has it take there."""
    tiers = len(policy.ladders[workflow.ladder].tiers)
    for template in dict.fromkeys([workflow.template, *(rule.template for rule in workflow.rules if rule.template is not None)]):
        templates = frozenset({workflow.template, template})
        first, steps = start_of(workflow, lane, strictest(templates), tiers), steps_of(workflow, lane, templates)
        yield from ((tier, steps) for tier in range(first, tiers))


def _too_few(steps: Sequence[Step], tier_group: str, members: Mapping[str, Collection[str]]) -> str:
    """Why these steps can never all be taken, empty where they can."""
    wanted: dict[str, int] = {}
    for step in steps:
        group = step.group or tier_group
        wanted[group] = wanted.get(group, 0) + step.people
    if not all(group in members for group in wanted):
        return ""
    together = set[str]().union(*(members[group] for group in wanted))
    names = " and ".join(sorted(wanted))
    if sum(wanted.values()) > len(together) or any(people > len(members[group]) for group, people in wanted.items()):
        return f"{sum(wanted.values())} different people have to decide there, and {names} has {len(together)}."
    return ""
