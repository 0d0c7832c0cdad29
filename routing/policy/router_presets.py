"""The two documented routers (R4) as tables of values: which figures lead to which lane, and whether the service waits. Owns the presets;
the gates hold cases against them. Hard rules, flags, money, checks and what cannot be undone win over either.

`by-risk-class`: the confidence and the class of risk.

    confidence from   risk           lane     the service waits
    0.92              low            auto     no
    0.75              low, medium    review   from the risk of `sync_from`
    0                 any            expert   from the risk of `sync_from`

`by-risk-score`: the confidence and the service's own risk score; high and critical risk still ask for an expert.

    confidence from   score below    lane     the service waits
    0.85              0.6            auto     no
    0.6               0.9            review   no
    0                 any            expert   yes

The figures are those of `thresholds`; what a policy writes there takes the place of a router's. A score that is missing is not low: such a
case is reviewed where the router goes by the score.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.policy.form.form import Defaults, Workflow
from routing.vocabulary import Lane, Mode, Risk

_RISK_ORDER = ("low", "medium", "high", "critical", "never")


@dataclass(frozen=True, slots=True)
class Router:
    """One router: its thresholds, the lane that each class of risk asks for, and what it makes of the risk score.

    `thresholds` are those in which it differs from the defaults of the policy form. `unscored` is the lane of a case without a risk
    score. `waiting` are the lanes in which the service waits; none: that follows from the risk.
    """

    by_class: Mapping[Risk, Lane]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    unscored: Lane = Lane.AUTO
    blends_score: bool = True
    waiting: frozenset[Lane] = frozenset()

    def mode(self, workflow: Workflow, lane: Lane, risk: Risk) -> Mode:
        """Whether the service waits: as the workflow says, else by lane or by risk; always in the stop lane."""
        if workflow.mode is not None:
            return workflow.mode
        by_risk = not self.waiting and _RISK_ORDER.index(risk) >= _RISK_ORDER.index(workflow.sync_from)
        return Mode.SYNC if lane is Lane.STOP or lane in self.waiting or by_risk else Mode.ASYNC


ROUTERS: Mapping[str, Router] = {
    "by-risk-class": Router(
        by_class={Risk.LOW: Lane.AUTO, Risk.MEDIUM: Lane.REVIEW, Risk.HIGH: Lane.EXPERT, Risk.CRITICAL: Lane.EXPERT},
    ),
    "by-risk-score": Router(
        by_class={Risk.LOW: Lane.AUTO, Risk.MEDIUM: Lane.AUTO, Risk.HIGH: Lane.EXPERT, Risk.CRITICAL: Lane.EXPERT},
        thresholds={"auto": 0.85, "review": 0.6, "risk_score": 0.6, "risk_score_stop": 0.9},
        unscored=Lane.REVIEW,
        blends_score=False,
        waiting=frozenset({Lane.EXPERT, Lane.STOP}),
    ),
}


def router_of(workflow: Workflow) -> Router:
    """The router that a workflow follows."""
    return ROUTERS[workflow.router]


def with_thresholds(workflow: Workflow, own: Workflow, defaults: Defaults) -> Workflow:
    """The complete `workflow` with its router's figures where neither it (`own`, as the file has it) nor the defaults write any."""
    written = defaults.thresholds.model_fields_set | own.thresholds.model_fields_set
    wanted = {name: value for name, value in router_of(workflow).thresholds.items() if name not in written}
    return workflow.model_copy(update={"thresholds": workflow.thresholds.model_copy(update=wanted)}) if wanted else workflow
