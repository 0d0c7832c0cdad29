"""Which playbooks of the policy fit a case, and what they come to for it: a pure function of the policy and the route. Begins none of them
(`routing.review.playbook` does).
"""

from collections.abc import Collection, Iterator

from routing.case.case import Route
from routing.case.playbook import Playbook, PlaybookStep
from routing.case.submission import Submission
from routing.evaluation.gates import flag_names
from routing.policy.form.playbooks import PlaybookForm, Told, When
from routing.policy.policy import Policy


def playbooks_of(policy: Policy, chosen: Route, submission: Submission, rules: Collection[str]) -> tuple[Playbook, ...]:
    """The playbooks that fit, in the order of the policy. `rules` are the names of those that fired."""
    fitting = ((form, _because(form.when, chosen, submission, rules)) for form in policy.form.playbooks if _concerns(form, submission))
    return tuple(_playbook(policy, form, because) for form, because in fitting if because)


def _concerns(form: PlaybookForm, submission: Submission) -> bool:
    return not form.workflows or submission.workflow in form.workflows


def _because(when: When, chosen: Route, submission: Submission, rules: Collection[str]) -> str:
    """What of the case fits, in words; "" where not all does that has to."""
    flags, reasons = flag_names(submission.risk.flags), [reason.code for reason in chosen.reasons]
    asked = (
        (when.rules, "rule", [name for name in when.rules if name in rules]),
        (when.flags, "flag", [flag for flag in when.flags if flag_names((flag,)) & flags]),
        (when.reasons, "reason", [code for code in when.reasons if code in reasons]),
        (when.lanes, "lane", [lane.value for lane in when.lanes if lane is chosen.lane]),
        (when.risk, "risk", [chosen.risk.value] if when.risk is not None and chosen.risk.level >= when.risk.level else []),
    )
    if any(wanted and not found for wanted, _, found in asked):
        return ""
    said = [f"{word} {', '.join(found)}" for wanted, word, found in asked if wanted]
    return " and ".join([*said, *(["nobody answered in time"] if when.exhausted else [])])


def _playbook(policy: Policy, form: PlaybookForm, because: str) -> Playbook:
    return Playbook(
        name=form.name, because=because, exhausted=form.when.exhausted, steps=tuple(_steps(policy, form)), re_enter=form.re_enter
    )


def _steps(policy: Policy, form: PlaybookForm) -> Iterator[PlaybookStep]:
    """What is safe first, then who is told."""
    if form.interim is not None:
        yield PlaybookStep(kind="interim", to=form.interim)
    if form.legal_hold is not None:
        yield PlaybookStep(kind="legal_hold", words=form.legal_hold.reason, released_by=form.legal_hold.released_by)
    if form.page:
        yield PlaybookStep(kind="page")
    for told in form.tell:
        yield from _telling(policy, told)
    if form.ticket is not None:
        yield PlaybookStep(kind="ticket", to=form.ticket)


def _telling(policy: Policy, told: Told) -> Iterator[PlaybookStep]:
    """One message into the channel; without one, a message to each person."""
    groups = [policy.groups[name] for name in told.groups]
    people = tuple(dict.fromkeys((*told.people, *(user for group in groups for user in group.users))))
    if told.channel is not None:
        handles = tuple(group.usergroup for group in groups if group.usergroup is not None)
        yield PlaybookStep(kind="tell", to=told.channel.removeprefix("#"), words=told.words, people=people, groups=handles)
    else:
        yield from (PlaybookStep(kind="tell", to=person, words=told.words) for person in people)
