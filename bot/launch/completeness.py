"""Whether a policy says all that a launch needs: who answers, who stands in, until when, who may pull the brake, what trips. Pure.

Owns these lines of the checklist; whether what the policy names exists elsewhere is for others to find out.
"""

from collections.abc import Iterator, Sequence

from bot.launch.finding import Finding, missing, ok, warn
from routing.authority import Automation, Role
from routing.governance.breakers import BUILT_IN, acts_alone, in_force
from routing.governance.governance import Governance
from routing.governance.permissions import MAY
from routing.policy.clocks.row import written
from routing.policy.form.form import Workflow
from routing.policy.form.ladders import Rung
from routing.policy.policy import Policy
from routing.vocabulary import ClockName

IN_CHARGE = (Role.SUPERVISOR, Role.DUTY_OFFICER, Role.POLICY_OWNER)


async def ladders(policy: Policy) -> Sequence[Finding]:
    """Each tier of each ladder: owner, backup, group, time to acknowledge and to decide, and whether anybody is paged."""
    return [finding for name in policy.ladders for finding in _ladder(policy, name)]


def _ladder(policy: Policy, name: str) -> Iterator[Finding]:
    tiers = policy.ladders[name].tiers
    for number, rung in enumerate(tiers, 1):
        yield from _tier(policy, name, number, rung)
    if not any(rung.pagerduty for rung in tiers):
        yield warn(name, "No tier pages anybody.", "Give a tier of it pagerduty with a routing_key, so that somebody is woken.")


def _tier(policy: Policy, ladder: str, number: int, rung: Rung) -> Iterator[Finding]:
    about = f"{ladder}, tier {number}"
    wrong: list[Finding] = []
    if rung.owner is None:
        wrong.append(
            missing(about, "It has no owner.", "Write into this tier owner: and the Slack member id (U…) of whoever answers for it.")
        )
    if rung.backup is None:
        wrong.append(missing(about, "It has no backup.", "Write into this tier backup: and the Slack member id (U…) of who stands in."))
    elif rung.backup == rung.owner:
        wrong.append(missing(about, "Its backup is its owner.", "Name somebody else as backup: nobody stands in for themselves."))
    if rung.ack is None and not _acknowledged(policy, ladder):
        wrong.append(missing(about, "Nobody has to acknowledge its cases.", "Write into this tier ack: and a time such as 15m."))
    if wrong:
        yield from wrong
        return
    ack = written(rung.ack) if rung.ack is not None else "as the clock table says"
    yield ok(about, f"Owner, backup and group {rung.group}; acknowledge {ack}, decide {written(rung.decide)}.")


def _acknowledged(policy: Policy, ladder: str) -> bool:
    """Whether the clock table has a time to acknowledge for every workflow on this ladder."""
    on_it = [name for name, workflow in policy.workflows.items() if workflow.ladder == ladder]
    return bool(on_it) and all(
        any(row.clock is ClockName.ACKNOWLEDGE for row in (*policy.own_clocks.get(name, ()), *policy.clocks)) for name in on_it
    )


async def roles(policy: Policy) -> Sequence[Finding]:
    """Whether somebody may do each thing that is about more than one case, and whether it is said anywhere."""
    held = {role for role, groups in policy.form.roles.items() if groups} | ({Role.POLICY_OWNER} if policy.form.owners else set())
    lacking = [verb for verb, may in MAY.items() if not may & held]
    found: list[Finding] = []
    if lacking:
        said = f"Nobody may {', '.join(verb.value.replace('_', ' ') for verb in lacking)}."
        roles = ", ".join(f"{role}: […]" for role in _enough([MAY[verb] for verb in lacking]))
        found.append(missing("roles", said, f"Name a group for each of these in the policy: roles: {{{roles}}}"))
    if not lacking:
        found.append(ok("roles", "Brakes, exceptions and the policy are in somebody's hands."))
    channels = policy.form.channels
    if channels.operations is None:
        said = "Alerts and pauses are said nowhere."
        found.append(missing("operations channel", said, "Name a channel under channels: {operations: …}, and invite the app there."))
    if channels.owners is None:
        said = "Proposed policies and exceptions are put before nobody."
        found.append(missing("owners channel", said, "Name a channel under channels: {owners: …}, and invite the app there."))
    return found


async def safeguards(policy: Policy, governance: Governance) -> Sequence[Finding]:
    """What pulls the brake by itself: breakers, what brings cases of a model that may act alone before people; and brakes that are on."""
    working = in_force(policy.form)
    off = sorted({breaker.name for breaker in BUILT_IN} - {one.name for one in working})
    found: list[Finding] = []
    unwatched = [name for name in policy.workflows if not any(not one.workflows or name in one.workflows for one in working)]
    if unwatched:
        said = f"No breaker watches {', '.join(unwatched)}."
        found.append(missing("breakers", said, "Take off: true away from breakers that shall trip, or name these workflows in one."))
    elif off:
        found.append(warn("breakers", f"Switched off: {', '.join(off)}.", "Take off: true away from those that shall trip after all."))
    else:
        found.append(ok("breakers", f"{len(working)} breakers watch {_counted(len(policy.workflows), 'workflow')}."))
    untriggered = [name for name, workflow in policy.workflows.items() if acts_alone(workflow) and not _triggers(workflow)]
    if untriggered:
        said = f"In {', '.join(untriggered)} a model may act alone, and only what is built in brings a case before people."
        found.append(warn("triggers", said, "Give these workflows rules, checks or required, or see that the built-in gates suffice."))
    else:
        rules = sum(len(workflow.rules) for workflow in policy.workflows.values())
        found.append(ok("triggers", f"{_counted(rules, 'rule')} besides the built-in gates and flags."))
    for name in policy.workflows:
        held = governance.control(name).automation
        if held is not Automation.ON:
            said = f"It is held back: {held.value.replace('_', ' ')}."
            found.append(warn(f"workflow {name}", said, f"If that is over, somebody in charge lets it go on: /review resume {name}"))
    if policy.form.incidents is None:
        said = "An alert of the level incident pages nobody."
        found.append(warn("incidents", said, "Write incidents: {routing_key: …} into the policy, so that somebody is woken."))
    return found


def _enough(wanted: Sequence[frozenset[Role]]) -> Sequence[Role]:
    """Roles of which each of the sets has one, those first that may do most of what is about the day's work."""
    chosen: list[Role] = []
    for may in sorted(wanted, key=len):
        if not may & set(chosen):
            chosen.append(next((role for role in IN_CHARGE if role in may), min(may)))
    return chosen


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _triggers(workflow: Workflow) -> bool:
    """Whether the policy itself says, for a workflow where the model may act alone, when people look."""
    checks = workflow.checks
    asked = workflow.rules or workflow.required or workflow.required_evidence
    checked = checks.forbidden or checks.required or checks.citations or checks.entity or checks.change_percent or checks.change_amount
    return bool(asked or checked)
