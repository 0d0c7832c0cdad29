"""What stops a case or its workflow: paused, frozen, quarantined, kept back, void. Owns these sentences; never says who may release.

That is for the roles of the case's policy to say: here they are only named.
"""

from bot.slack.cards.text.safe_text import escaped
from bot.slack.cards.view import View
from routing.authority import Automation
from routing.authorize import RELEASERS
from routing.vocabulary import CaseKind, EventKind, State


def held_lead(view: View) -> str:
    """The headline's beginning of a held case."""
    return {"frozen": "❄️ Held, workflow frozen", "quarantine": "🔒 In quarantine"}.get(view.case.held_by, "✋ Held")


def held_words(view: View) -> str:
    """Mrkdwn: what holds the case and why, and who lets it go on."""
    why = f": {said}" if (said := _why_held(view)) else ""
    match view.case.held_by:
        case "frozen":
            frozen = f"*Held: {_workflow(view)} is frozen: {_runs_on(view)}.*"
            return f"{frozen} It goes on, with fresh clocks, when {releasing(view)} resumes the workflow."
        case "quarantine":
            return f"*In quarantine{why}.* Nothing is executed until {releasing(view)} releases it."
        case _:
            return f"*Held{why}.* Nothing is executed until somebody takes the case up again."


def _runs_on(view: View) -> str:
    """Which clocks a freeze does not stop."""
    clocks = view.case.clocks
    running = [name for name, at in (("deadline", clocks.deadline), ("total time", clocks.total)) if at is not None]
    return f"only the {' and the '.join(running)} run{'s' if len(running) == 1 else ''} on" if running else "no clock runs"


_RAN_OUT = {"acknowledge": "nobody took it in time", "decide": "nobody decided in time", "": "nobody answered in time"}
"""By the clock of the top tier that ran out; "" in what was recorded before that was."""


def _why_held(view: View) -> str:
    """Why a case is held that no person set aside and no freeze holds; "" where that stands elsewhere."""
    held = view.last(EventKind.HELD)
    if held is None:
        return ""
    match str(held.fields.get("reason", "")):
        case "total_passed":
            return "its total time is over"
        case "verification_failed":
            return "it was found wrong, and there is no tier above"
        case "ladder_exhausted_hold" | "ladder_exhausted_quarantine":
            return f"{_RAN_OUT[str(held.fields.get('ran_out', ''))]}, and there is no tier above"
        case _:
            return ""


def releasing(view: View) -> str:
    """Mrkdwn: `a supervisor, duty officer or admin (group leads)`, with the groups that the policy names."""
    roles = view.case.route.roles
    groups = {group for role in RELEASERS for group in roles.get(role, ())}
    named = f" (group {escaped(', '.join(sorted(groups)), 200)})" if groups else " (the policy names nobody yet)"
    return f"a supervisor, duty officer or admin{named}"


def kept_back(view: View) -> str:
    """Mrkdwn: what a decision is worth that was made while the workflow is paused, or that the log does not prove."""
    if view.case.held_by == "unproven":
        return (
            "🚨 *Kept back: the audit log does not prove this decision.* The service has not been told, and nothing is executed. "
            "Somebody changed the database; whoever runs Tierline has to look."
        )
    return f"*Kept back: {_workflow(view)} is paused.* The service has not been told. It is reviewed afresh when the workflow goes on."


def brake_now(view: View) -> str:
    """Mrkdwn beside the buttons where an approval would not leave; "" where it would."""
    case = view.case
    if case.kind is not CaseKind.CASE or view.automation.level < Automation.PAUSED.level:
        return ""
    word = "frozen" if view.automation is Automation.FROZEN else "paused"
    return f"⏸ *T{_workflow(view)[1:]} is {word}:* an approval is kept back and reviewed afresh later; a rejection counts at once."


def raised_care(view: View) -> str:
    """Small print where a workflow acts less by itself than usual; "" where it does as usual, or is stopped, which stands elsewhere."""
    match view.automation:
        case Automation.SAMPLING_RAISED:
            return f"More automatic approvals of {_workflow(view)} are checked at present"
        case Automation.REVIEW_ALL:
            return f"Nothing of {_workflow(view)} is approved automatically at present"
        case Automation.ON | Automation.PAUSED | Automation.FROZEN:
            return ""


def afresh(view: View) -> str:
    """Mrkdwn: that an earlier decision counts no longer; "" where there was none."""
    if view.case.state is not State.PENDING or view.last(EventKind.VOIDED) is None:
        return ""
    return "🔁 *Reviewed afresh:* it was decided while the workflow was paused, and that decision counts no longer."


def _workflow(view: View) -> str:
    return f"the workflow {escaped(view.case.workflow, 80)}"
