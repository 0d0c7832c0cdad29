"""The case that asks whether a decision by break-glass was right: opened with it, put before the supervisors, never closed by time.

Owns its route and what its answer means for the decision it is about. It never decides whether break-glass may be used.
"""

from routing.canonical import Json
from routing.case.case import Case, Group, Page, Reason, Route, Step, Tier
from routing.case.people import Standing
from routing.case.submission import Submission
from routing.change import Actor, Opens
from routing.policy.form.break_glass import BreakGlass
from routing.policy.policy import BREAK_GLASS, Policy
from routing.review.draft import Draft
from routing.review.related.child_case import open_child
from routing.vocabulary import CaseKind, Exhausted, Lane, Mode, Template, Verdict


def open_review(
    about: Draft,
    policy: Policy,
    rule: BreakGlass,
    content: Submission,
    standing: Standing,
    *,
    passed_over: tuple[str, ...],
    said: dict[str, Json],
) -> Opens:
    """What opens it. `policy` is the one in force; `said` are the words of whoever used it."""
    case = about.case
    number = f"{case.revision}" if case.revision > 1 else ""
    why: dict[str, Json] = {"verdict": case.verdict.value if case.verdict is not None else None, "passed_over": list(passed_over)}
    return open_child(
        about,
        review_route(case, policy, rule, standing),
        content,
        kind=CaseKind.REVIEW,
        name=f"breakglass{number}",
        why=why | {"by": case.votes[-1].by},
        reason_code="break_glass",
        said=said,
    )


def review_route(parent: Case, policy: Policy, rule: BreakGlass, standing: Standing) -> Route:
    """One supervisor answers, in the operations channel, above whatever tiers the case had. It waits until somebody has."""
    route = parent.route
    members = Group(usergroup=standing.handle) if standing.handle else policy.groups[rule.supervisors]
    desk = Tier(
        channel=policy.form.channels.operations or "",
        group=rule.supervisors,
        decide_s=rule.review_within,
        page=_page(policy, rule),
        email=bool(policy.addresses(BREAK_GLASS, 0)),
    )
    return route.model_copy(
        update={
            "lane": Lane.REVIEW,
            "mode": Mode.ASYNC,
            "template": Template.APPROVAL,
            "steps": (Step(name="approve"),),
            "ladder": BREAK_GLASS,
            "tiers": (*route.tiers, desk),
            "start": len(route.tiers),
            "page_at_start": desk.can_page,
            "exhausted": Exhausted.HOLD,
            "total_s": None,
            "groups": {**route.groups, rule.supervisors: members},
            "reasons": (Reason(code="break_glass", text="Somebody decided it by break-glass, which is always reviewed."),),
            "missing": (),
            "sampled": "",
            "duplicates_s": None,
            "policy_version": policy.version,
            "policy_sha256": policy.sha256,
        },
    )


def _page(policy: Policy, rule: BreakGlass) -> Page | None:
    """How loud the supervisors are rung, and whether there is a second key for all that page; None where they are told in Slack."""
    if rule.pagerduty is None:
        return None
    return Page(severity=rule.pagerduty.severity, second_key=policy.routing_key(BREAK_GLASS, 0, second=True) is not None)


def outcome_of(review: Case) -> str:
    """What its answer says of the decision: right or wrong."""
    return "right" if review.verdict is Verdict.APPROVED else "wrong"


def remember(draft: Draft, actor: Actor) -> None:
    """Have the answer remembered with the use that it is about, where that is still remembered."""
    review = draft.case
    use = next((one for one in reversed(draft.subject.break_glass) if one.case == review.parent and one.review == review.id), None)
    if use is not None:
        answered = {"outcome": outcome_of(review), "reviewed_by": actor.id, "reviewed_at": draft.now}
        draft.keep_use(use.model_copy(update=answered))
