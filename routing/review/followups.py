"""What the service says about its own case: information, withdrawal, outcome. Each returns a step."""

from collections.abc import Collection
from datetime import datetime

from routing.authority import IncidentKind
from routing.authorize import EXECUTABLE, refuse, requesters
from routing.canonical import Json
from routing.case.address import name_of_address, names_within
from routing.case.case import Case
from routing.case.followup import Information, Outcome, Withdrawal
from routing.case.submission import Submission, read_submission
from routing.change import SYSTEM, Actor, Subject
from routing.evaluation.route import route
from routing.review.departure import announce_where_dark
from routing.review.draft import Draft
from routing.review.event_fields import answer, routed
from routing.review.ladder import move_up, resumed_clocks, stay
from routing.review.pages import open_page
from routing.review.placement import place
from routing.review.playbook import begin
from routing.review.press import PressStep, StepResult
from routing.review.related.near_duplicates import untie
from routing.review.related.parent_case import settle
from routing.review.related.sampled_check import draw_check
from routing.review.revision import present_facts, revise, risen
from routing.review.undoing import take_back
from routing.review.verdict import conclude
from routing.vocabulary import CaseKind, EventKind, Lane, State, Verdict


def supply(followup: Information) -> PressStep:
    """The service supplies what was missing or asked for: a new revision, routed again. Needs the case's content.

    Raises `SubmissionError` when the fields it sends do not have the published form.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        case, content = subject.case, subject.submission
        if not case.open:
            return refuse("not_open" if case.undo is None else "about_to_be_told")
        if case.kind is not CaseKind.CASE:
            return refuse("yes_or_no")
        if content is None or subject.policy is None:
            raise ValueError("information needs the case's content and its policy")
        changed, facts = merge(content, followup), present_facts(subject)
        if changed.action != content.action:  # what the service said of the one before no longer counts, nor who changed that
            facts = facts.model_copy(update={"left_behind": (), "rises_to": None})
        again = route(subject.policy, changed, facts, now)
        shown = case.tier_since is not None
        kept = shown or case.tied_to or case.route.lane is Lane.STOP  # nobody talks a case that people look at out of it, nor a stop
        draft = Draft(subject, now)
        untie(draft, "information")
        revise(draft, changed, risen(case.route, again) if kept else again, facts)
        if not shown:
            draft.put(tier=draft.case.route.start)
        _take_requester(draft, changed, subject.policy.form.dotless_domains)
        draft.put_clocks(deadline=changed.deadline)
        _forget_modifications(draft, content, changed)
        sealed: dict[str, Json] = {"answer": followup.answer} if followup.answer else {}
        event = draft.record(
            EventKind.INFORMATION_SUPPLIED, Actor("service", case.service), routed(draft.case, changed), sealed=sealed, submission=changed
        )
        _place_again(draft, case, event)
        draw_check(draft, changed)
        begin(draft)
        return draft.change(answer(draft.case))

    return step


def withdraw(followup: Withdrawal) -> PressStep:
    """The service takes the case back; cards lose their buttons, pages are resolved. An approval of which it was not told yet does not
    leave any more. Not a check and not a roll back: no service chooses its way out of being checked, or of undoing what it did wrong.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not case.open and case.undo is None:
            return refuse("not_open")
        if case.kind is not CaseKind.CASE:
            return refuse("yes_or_no")
        draft = Draft(subject, now)
        actor = Actor("service", case.service)
        if case.undo is not None:
            take_back(draft, actor, case.undo.before)
        untie(draft, "withdrawn")
        draft.record(EventKind.WITHDRAWN, actor, {}, sealed={"reason": followup.reason})
        conclude(draft, Verdict.WITHDRAWN, actor, reason_code="withdrawn")
        settle(draft)
        return draft.change(answer(draft.case))

    return step


def report(followup: Outcome) -> PressStep:
    """The service says what became of the decision. Executing without a decision, or something else, is an alarm."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if case.kind is not CaseKind.CASE:
            return refuse("yes_or_no")
        draft = Draft(subject, now)
        actor = Actor("service", case.service)
        fields: dict[str, Json] = {
            "result": followup.result,
            "executed_action_sha256": followup.executed_action_sha256,
            "cost": followup.cost,
            "complaint": followup.complaint,
        }
        sealed: dict[str, Json] = {"detail": followup.detail} if followup.detail else {}
        event = draft.record(EventKind.OUTCOME_REPORTED, actor, fields, sealed=sealed)
        if (wrong := _execution_alarm(case, followup)) is not None:
            event = draft.record(EventKind.EXECUTION_ALARM, actor, {"alarm": wrong, "action_sha256": case.action_sha256})
        if followup.result == "found_wrong" and case.verdict in EXECUTABLE:
            draft.catch()
            why = f"What was approved in the case {case.id} was found wrong; its risk is {case.route.risk.value}."
            draft.call_for_postmortem(IncidentKind.FOUND_WRONG, why, risk=case.route.risk)
        if not case.open and not case.kept_here:
            draft.put(state=State.CLOSED, outcome=followup.result)
        draft.update_cards()
        draft.note(event)
        for child in (subject.related[name] for name in case.children if name in subject.related):
            beside = draft.beside(child)
            beside.update_cards()
            draft.take(beside)
        return draft.change(answer(draft.case))

    return step


def merge(content: Submission, followup: Information) -> Submission:
    """The content with the supplied top-level fields in place of the earlier ones; supplied evidence is added.

    Raises `SubmissionError` for fields that do not have the published form.
    """
    document = content.model_dump(mode="json", exclude_unset=True)
    supplied = {name: value for name, value in followup.case.items() if name not in ("workflow", "task_id")}
    known = {source["id"]: source for source in document.get("evidence", [])}
    if isinstance(fresh := supplied.get("evidence"), list):
        replaced = [source.get("id") for source in fresh if isinstance(source, dict)]  # of any type: nobody has checked it yet
        supplied["evidence"] = [source for name, source in known.items() if name not in replaced] + fresh
    return read_submission(document | supplied)


def _place_again(draft: Draft, before: Case, event: int) -> None:
    case = draft.case
    if before.state is State.HELD:  # somebody else lets it go on, with what it has become
        draft.update_cards()
        draft.note(event)
        return
    if before.tier_since is None:
        draft.put_clocks(information=None)
        place(draft)
        return
    if case.route.lane is Lane.REJECT:
        conclude(draft, Verdict.AUTO_REJECTED, SYSTEM, reason_code="policy")
        return
    if case.route.start > before.tier:
        move_up(draft, case.route.start, event)
        return
    if before.state is State.NEEDS_INFO:
        draft.put(state=State.PENDING, clocks=resumed_clocks(case, draft.now).model_copy(update={"acknowledge": None}))
        announce_where_dark(draft, posted=True)
    if case.route.lane is Lane.STOP and before.route.lane is not Lane.STOP:
        open_page(draft)
    draft.update_cards()
    draft.note(event)
    stay(draft)  # also where it waited for people all the while: of a higher risk it may not wait for a tier to open


def _take_requester(draft: Draft, changed: Submission, dotless: Collection[str]) -> None:
    """Whoever is named now is kept from deciding, by id as by e-mail; so is whoever was named before. Naming nobody takes nothing back."""
    named, case = changed.requester, draft.case
    by_id = (named.slack_id or "") if named is not None else ""
    email = (named.email or "") if named is not None else ""
    by_email = name_of_address(email, dotless)
    if (by_id or by_email) and {case.requester, case.requester_email_sha256} - {"", by_id, by_email}:
        draft.put(barred=requesters(case))
    if by_id or by_email:
        draft.put(requester=by_id, requester_email_sha256=by_email)
    draft.put(barred=tuple(dict.fromkeys((*draft.case.barred, *names_within(email, dotless)))))


def _forget_modifications(draft: Draft, content: Submission, changed: Submission) -> None:
    """An action, or pre-filled fields, that the service proposes anew are its own again, whoever modified those before."""
    anew = {"params": changed.action.sha256 != content.action.sha256, "prefill": changed.prefilled != content.prefilled}
    left = tuple(field for field in draft.case.modified_fields if not anew[field.partition(".")[0]])
    draft.put(modified_fields=left, modified_by=draft.case.modified_by if left else "")


def _execution_alarm(case: Case, followup: Outcome) -> str | None:
    if followup.result != "executed":
        return None
    if case.verdict not in EXECUTABLE or case.kept_here:
        return "executed_without_decision"
    if followup.executed_action_sha256 is not None and followup.executed_action_sha256 != case.action_sha256:
        return "executed_other_action"
    return None
