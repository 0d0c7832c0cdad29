"""What the service says about its own case: information, withdrawal, outcome. Each returns a step."""

from datetime import datetime

from routing.authorize import EXECUTABLE, email_sha256, refuse
from routing.canonical import Json
from routing.case import Case
from routing.change import SYSTEM, Actor, Subject
from routing.clock import after
from routing.followup import Information, Outcome, Withdrawal
from routing.review.deciding import PressStep, StepResult
from routing.review.draft import Draft
from routing.review.ladder import close_pages, move_up, tier_clocks
from routing.review.opening import answer, place, routed
from routing.review.revising import revise, risen
from routing.review.verdict import conclude
from routing.route import route
from routing.submission import Submission, read_submission
from routing.vocabulary import ClockName, EventKind, Lane, State, Verdict


def supply(letter: Information) -> PressStep:
    """The service supplies what was missing or asked for: a new revision, routed again. Needs the case's content.

    Raises `SubmissionError` when the fields it sends do not have the published form.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        case, content = subject.case, subject.submission
        if not case.open:
            return refuse("not_open")
        if content is None or subject.policy is None:
            raise ValueError("information needs the case's content and its policy")
        changed = merge(content, letter)
        again = route(subject.policy, changed, case.facts, now)
        seen = case.tier_since is not None
        draft = Draft(case, now)
        chosen = risen(case.route, again) if seen or case.route.lane is Lane.STOP else again  # nobody talks a case out of stop-the-line
        revise(draft, changed, chosen)
        if not seen:
            draft.put(tier=chosen.start)
        _take_requester(draft, changed)
        draft.put_clocks(deadline=changed.deadline)
        _forget_modifications(draft, content, changed)
        sealed: dict[str, Json] = {"answer": letter.answer} if letter.answer else {}
        event = draft.record(
            EventKind.INFORMATION_SUPPLIED, Actor("service", case.service), routed(draft.case, changed), sealed=sealed, submission=changed
        )
        _place_again(draft, case, event)
        return draft.change(answer(draft.case))

    return step


def withdraw(letter: Withdrawal) -> PressStep:
    """The service takes the case back; cards lose their buttons, pages are resolved."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not case.open:
            return refuse("not_open")
        draft = Draft(case, now)
        actor = Actor("service", case.service)
        draft.record(EventKind.WITHDRAWN, actor, {}, sealed={"reason": letter.reason})
        close_pages(draft)
        conclude(draft, Verdict.WITHDRAWN, actor, reason_code="withdrawn")
        return draft.change(answer(draft.case))

    return step


def report(letter: Outcome) -> PressStep:
    """The service says what became of the decision. Executing without a decision, or something else, is an alarm."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        draft = Draft(case, now)
        actor = Actor("service", case.service)
        fields: dict[str, Json] = {
            "result": letter.result,
            "executed_action_sha256": letter.executed_action_sha256,
            "cost": letter.cost,
            "complaint": letter.complaint,
        }
        sealed: dict[str, Json] = {"detail": letter.detail} if letter.detail else {}
        event = draft.record(EventKind.OUTCOME_REPORTED, actor, fields, sealed=sealed)
        if (wrong := _execution_alarm(case, letter)) is not None:
            event = draft.record(EventKind.EXECUTION_ALARM, actor, {"alarm": wrong, "action_sha256": case.action_sha256})
        if not case.open:
            draft.put(state=State.CLOSED, outcome=letter.result)
        draft.update_cards()
        draft.note(event)
        return draft.change(answer(draft.case))

    return step


def merge(content: Submission, letter: Information) -> Submission:
    """The content with the supplied top-level fields in place of the earlier ones; supplied evidence is added.

    Raises `SubmissionError` for fields that do not have the published form.
    """
    document = content.model_dump(mode="json", exclude_unset=True)
    supplied = {name: value for name, value in letter.case.items() if name not in ("workflow", "task_id")}
    known = {source["id"]: source for source in document.get("evidence", [])}
    if isinstance(fresh := supplied.get("evidence"), list):
        replaced = [source.get("id") for source in fresh if isinstance(source, dict)]  # of any type: nobody has checked it yet
        supplied["evidence"] = [source for name, source in known.items() if name not in replaced] + fresh
    return read_submission(document | supplied)


def _place_again(draft: Draft, before: Case, event: int) -> None:
    case = draft.case
    if before.tier_since is None:
        draft.put_clocks(information=None)
        place(draft)
        return
    if case.route.lane is Lane.REJECT:
        close_pages(draft)
        conclude(draft, Verdict.AUTO_REJECTED, SYSTEM, reason_code="policy")
        return
    if case.route.start > before.tier:
        move_up(draft, case.route.start, event)
        return
    calendar, resumed = case.calendar(ClockName.DECIDE), tier_clocks(case, draft.now)
    if before.clocks.left_s is not None:
        resumed = resumed.model_copy(
            update={"decide": after(calendar, draft.now, before.clocks.left_s), "reminders": (), "acknowledge": None},
        )
    elif before.state is State.PENDING:
        resumed = case.clocks
    if before.state is not State.HELD:
        draft.put(state=State.PENDING, clocks=resumed)
    draft.update_cards()
    draft.note(event)


def _take_requester(draft: Draft, changed: Submission) -> None:
    """Whoever is named now is kept from deciding, by id as by e-mail; naming nobody takes nothing back."""
    named = changed.requester
    if named is not None and named.slack_id is not None:
        draft.put(requester=named.slack_id)
    if named is not None and named.email is not None:
        draft.put(requester_email_sha256=email_sha256(named.email))


def _forget_modifications(draft: Draft, content: Submission, changed: Submission) -> None:
    """An action, or pre-filled fields, that the service proposes anew are its own again, whoever modified those before."""
    anew = {"params": changed.action != content.action, "prefill": changed.prefilled != content.prefilled}
    left = tuple(field for field in draft.case.modified_fields if not anew[field.partition(".")[0]])
    draft.put(modified_fields=left, modified_by=draft.case.modified_by if left else "")


def _execution_alarm(case: Case, letter: Outcome) -> str | None:
    if letter.result != "executed":
        return None
    if case.verdict not in EXECUTABLE:
        return "executed_without_decision"
    if letter.executed_action_sha256 is not None and letter.executed_action_sha256 != case.action_sha256:
        return "executed_other_action"
    return None
