"""Why a case is where it is, as a tree: gates, signals and rules with their values, won or lost. Owns the telling; decides nothing."""

from dataclasses import dataclass
from datetime import datetime

from routing.canonical import Json
from routing.case.case import Route
from routing.case.facts import Facts
from routing.case.playbook import Playbook
from routing.case.submission import Submission
from routing.evaluation.derived_risk import said
from routing.evaluation.evaluation import Evaluated, evaluate
from routing.evaluation.gates import worst
from routing.evaluation.route import astray, settle
from routing.evaluation.rules import Ruled
from routing.policy.clocks.table import Told, told
from routing.policy.policy import Policy
from routing.signals import SENTENCES, Signal, Trigger
from routing.vocabulary import Lane, Mode


@dataclass(frozen=True, slots=True)
class Node:
    """One thing that was looked at. `outcome` is pass, review or stop for gates and signals; won, lost or not fired for rules."""

    name: str
    value: str
    outcome: str
    why: str
    children: tuple["Node", ...] = ()

    def json(self) -> dict[str, Json]:
        """The node and what is below it."""
        said: dict[str, Json] = {"name": self.name, "value": self.value, "outcome": self.outcome, "why": self.why}
        return {**said, "children": [child.json() for child in self.children]} if self.children else said


@dataclass(frozen=True, slots=True)
class Explanation:
    """A route and the tree that led to it."""

    route: Route
    root: Node

    def json(self) -> dict[str, Json]:
        """The tree; the route has its own form."""
        return self.root.json()

    def text(self) -> str:
        """The tree for reading, two spaces a level."""
        return "\n".join(_lines(self.root, 0)) + "\n"


def explain(policy: Policy, submission: Submission, facts: Facts, now: datetime) -> Explanation:
    """Explain the route that `routing.evaluation.route.route` gives for the same arguments; total like it."""
    try:
        evaluated = evaluate(policy, submission, facts, now)
        chosen = settle(policy, evaluated, submission, facts, now)
    except Exception as error:  # noqa: BLE001  # as `route`: whatever it was, the tree says so
        lost = astray(policy, submission)
        return Explanation(lost, Node("lane", lost.lane, "stop", f"{SENTENCES[Trigger.ROUTING_ERROR]} ({type(error).__name__})"))
    return Explanation(chosen, Node("lane", chosen.lane, "", chosen.reasons[0].text, _parts(policy, submission, facts, evaluated, chosen)))


def _parts(policy: Policy, submission: Submission, facts: Facts, evaluated: Evaluated, chosen: Route) -> tuple[Node, ...]:
    """What was looked at, in that order; what had nothing to say is left out."""
    running = told(chosen, policy.clock_tables(submission.workflow))
    parts = [Node(f"{name} gate", "", str(worst(found)), "", tuple(map(_signal, found))) for name, found in evaluated.gates.items()]
    if evaluated.checks:
        parts.append(Node("checks", "", str(worst(evaluated.checks)), "", tuple(map(_signal, evaluated.checks))))
    parts.append(Node("workflow", submission.workflow, "", "", tuple(map(_signal, evaluated.autonomy))))
    if evaluated.rules:
        parts.append(Node("rules", str(len(evaluated.rules)), "", "", tuple(_rule(ruled, evaluated) for ruled in evaluated.rules)))
    if evaluated.missing:
        lacks = tuple(map(_signal, evaluated.missing))
        parts.append(Node("required", ", ".join(evaluated.lacking), "", "the service is asked for it first", lacks))
    if evaluated.exceptions:
        parts.append(Node("exceptions", ", ".join(evaluated.exceptions), "", "without them the lane would be stricter"))
    parts += [Node(f"risk.{fact}", value, "", f"read from {path}") for fact, path, value in said(evaluated.workflow, submission)]
    parts.append(Node("risk", chosen.risk, "", evaluated.assessed.why))
    parts.append(Node("mode", chosen.mode, "", f"the service {'waits' if chosen.mode is Mode.SYNC else 'goes on meanwhile'}"))
    parts.append(Node("work", chosen.template, "", _work(chosen), tuple(map(_signal, evaluated.placed.told))))
    if chosen.lane is Lane.AUTO:
        parts.append(_checked_after(chosen, facts))
    if chosen.playbooks:
        parts.append(Node("playbooks", "", "", "", tuple(map(_playbook, chosen.playbooks))))
    if running:
        parts.append(Node("clocks", "", "", "", tuple(map(_clock, running))))
    return tuple(parts)


def _checked_after(chosen: Route, facts: Facts) -> Node:
    """Whether people check the automatic approval afterwards."""
    drawn = "no lot is drawn here" if facts.lot is None else f"the lot is {facts.lot:.4f}"
    return Node("checked afterwards", chosen.sampled or "no", "", f"{drawn}, the rate {chosen.sampling_rate:.4g}")


def _signal(signal: Signal) -> Node:
    value = f"{signal.value} (limit {signal.limit})" if signal.limit else signal.value
    asks = f", asks for {signal.lane}" if signal.lane is not Lane.AUTO else ""
    code = f" [{signal.trigger}{asks}]" if signal.trigger else ""
    return Node(signal.name, value, str(signal.outcome), f"{signal.why}{code}")


def _rule(ruled: Ruled, evaluated: Evaluated) -> Node:
    rule, signal = ruled.rule, ruled.signal
    if signal.trigger is Trigger.RULE_ERROR:
        return Node(rule.name, rule.when, "error", f"{signal.why} {signal.limit}")
    if not ruled.fired:
        return Node(rule.name, rule.when, "not fired", signal.why)
    asked = (("lane", rule.lane), ("template", rule.template), ("skills", ", ".join(rule.skills)))
    asks = " and ".join(f"{name} {demand}" for name, demand in asked if demand)
    if evaluated.won(ruled):
        return Node(rule.name, rule.when, "won", f"{rule.reason} (asks for {asks})")
    against = f"the rule {evaluated.winner}" if evaluated.winner else "a built-in"
    return Node(rule.name, rule.when, "lost", f"{rule.reason} (asks for {asks}; {against} decided the lane {evaluated.lane})")


def _playbook(one: Playbook) -> Node:
    """What it would do, in order, and why it fits."""
    when = "once nobody has answered at the end of the ladder" if one.exhausted else "with the case"
    does = ", then ".join(f"{step.kind.replace('_', ' ')} {step.to}".rstrip() for step in one.steps)
    return Node(one.name, does, "", f"{one.because}; begins {when}")


def _clock(one: Told) -> Node:
    return Node(one.clock, one.lasts, "", f"then {one.then} (from {one.origin})")


def _work(chosen: Route) -> str:
    if not chosen.steps:
        return "no person is asked"
    steps = ", then ".join(
        f"{step.name} by {'1 person' if step.people == 1 else f'{step.people} people'} of {step.group or chosen.tiers[chosen.start].group}"
        for step in chosen.steps
    )
    return f"{steps}, from tier {chosen.start + 1} of {len(chosen.tiers)} of {chosen.ladder}, priority {chosen.priority}"


def _lines(node: Node, depth: int) -> list[str]:
    said = " ".join(part for part in (f"{node.name}:", node.value, f"<{node.outcome}>" if node.outcome else "") if part)
    mine = "  " * depth + said + (f" - {node.why}" if node.why else "")
    return [mine, *(line for child in node.children for line in _lines(child, depth + 1))]
