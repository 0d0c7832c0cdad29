"""What a person is told once their decision about more than one case counts. Owns these sentences, which are mrkdwn."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bot.slack.cards.bulletins.bulletin import code
from bot.slack.cards.command_answers import next_step
from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Drawing, words
from bot.slack.cards.text.safe_text import escaped
from bot.slack.governance.rulings import Asked, Done
from routing.authority import Automation, GovernanceVerb
from routing.governance.automation import workflow_of
from routing.governance.governance import Governance
from routing.governance.ruling import BINDING

BEFORE = "This was recorded already."


def confirmation(asked: Asked, done: Done) -> Drawing:
    """One or two sentences for the person alone: what holds now."""
    say = _SAID.get(asked.verb)
    text = say(asked, done, done.governance) if done.governance is not None and say is not None else BEFORE
    then = _NEXT.get(asked.verb, "`/review help` shows what else there is")
    return Drawing(text, [words(text), next_step(then)])


def _name(asked: Asked) -> str:
    return escaped(asked.subject.removeprefix(BINDING), 90)


def _resumed(asked: Asked, _done: Done, now: Governance) -> str:
    raised = now.control(workflow_of(asked.subject)).automation is Automation.SAMPLING_RAISED
    more = " Sampling stays raised." if raised else ""
    return f"{_workflow(asked)} goes on. What was decided or held meanwhile is reviewed afresh.{more}"


def _workflow(asked: Asked) -> str:
    return code(workflow_of(asked.subject))


def _acknowledged(asked: Asked, _done: Done, now: Governance) -> str:
    alert = now.alert(asked.subject)
    paged = alert is not None and alert.page_round > 0
    return f"You look after this alert{'; nobody is paged for it any more' if paged else ''}."


def _approved(asked: Asked, _done: Done, now: Governance) -> str:
    waiver = now.waiver(asked.subject)
    return f"The exception is in force until {moment(waiver.until)}." if waiver is not None else BEFORE


def _accepted(asked: Asked, _done: Done, now: Governance) -> str:
    found = now.proposal(asked.subject)
    waits = found is not None and not found.over
    return "You accepted this policy. It still needs somebody else." if waits else "You accepted this policy, and it takes effect."


_STOPPED = "`/review status` shows what is stopped; `/review resume WORKFLOW REASON` lets it go on"

_NEXT: Mapping[GovernanceVerb, str] = {
    **dict.fromkeys((GovernanceVerb.PAUSE, GovernanceVerb.REVIEW_ALL, GovernanceVerb.FREEZE), _STOPPED),
    GovernanceVerb.RESUME: "`/review status` shows how the channels stand",
    **dict.fromkeys(
        (GovernanceVerb.REQUEST_EXCEPTION, GovernanceVerb.APPROVE_EXCEPTION, GovernanceVerb.END_EXCEPTION),
        "`/review exception list` shows all of them",
    ),
    **dict.fromkeys(
        (
            *(GovernanceVerb.ACCEPT_POLICY, GovernanceVerb.DECLINE_POLICY, GovernanceVerb.WIDEN_POLICY),
            GovernanceVerb.ROLL_BACK_POLICY,
        ),
        "`/review policy` shows what is in force, proposed or on stage",
    ),
    **dict.fromkeys((GovernanceVerb.START_DRILL, GovernanceVerb.STOP_DRILL), "`/review drill list` shows all of them"),
    GovernanceVerb.ACKNOWLEDGE_ALERT: "look at what it tells, and at `/review status`",
    GovernanceVerb.AWAY: "`/review mine` shows what you have still claimed",
    GovernanceVerb.BACK: "`/review next` shows what to take",
    GovernanceVerb.NOTIFY: "`/review mine` shows what you have claimed",
    GovernanceVerb.NOTIFY_OFF: "`/review notify on` undoes it",
}
"""What somebody does next, by what they just did."""

_SAID: Mapping[GovernanceVerb, Callable[[Asked, Done, Governance], str]] = {
    GovernanceVerb.PAUSE: lambda asked, _done, _now: (
        f"{_workflow(asked)} is paused. What people approve is kept back and reviewed afresh once it is resumed."
    ),
    GovernanceVerb.REVIEW_ALL: lambda asked, _done, _now: f"From now on people decide every case of {_workflow(asked)}.",
    GovernanceVerb.FREEZE: lambda asked, _done, _now: (
        f"{_workflow(asked)} is frozen. Its open cases are being held; they go on, with fresh clocks, once it is resumed."
    ),
    GovernanceVerb.RESUME: _resumed,
    GovernanceVerb.REQUEST_EXCEPTION: lambda _asked, done, _now: (
        f"Asked for as {code(done.told)}. It waits for a policy owner who is not you."
    ),
    GovernanceVerb.APPROVE_EXCEPTION: _approved,
    GovernanceVerb.END_EXCEPTION: lambda _asked, _done, _now: "The exception has ended.",
    GovernanceVerb.ACKNOWLEDGE_ALERT: _acknowledged,
    GovernanceVerb.KEEP_NAME: lambda asked, _done, _now: f"{_name(asked)} goes on to stand for what it stood for.",
    GovernanceVerb.MOVE_NAME: lambda asked, _done, _now: (
        f"{_name(asked)} stands for the one that carries the name now. What waits goes there; cards that stand already stay where they are."
    ),
    GovernanceVerb.START_DRILL: lambda asked, done, _now: (
        f"The drill {code(done.told)} has begun in {_workflow(asked)}. `/review drill show {done.told}` has its"
        " report, also before it is over."
    ),
    GovernanceVerb.STOP_DRILL: lambda _asked, done, _now: f"The drill {code(done.told)} is stopped; its cards close within seconds.",
    GovernanceVerb.AWAY: lambda asked, _done, _now: (
        f"You are away until {moment(datetime.fromtimestamp(asked.figure, UTC))}. Where a tier names you, its other one is named and rung"
        " instead; what you have claimed is everybody's again, and nothing is handed to you. `/review back` undoes it."
    ),
    GovernanceVerb.NOTIFY: lambda _asked, _done, _now: "You are told directly what you owe, at most once an hour.",
    GovernanceVerb.NOTIFY_OFF: lambda _asked, _done, _now: (
        "You are told directly no more what you owe. Cards, threads and pages ask as before."
    ),
    GovernanceVerb.BACK: lambda _asked, _done, _now: "You are back: where a tier names you, you are named and rung again.",
    GovernanceVerb.ACCEPT_POLICY: _accepted,
    GovernanceVerb.DECLINE_POLICY: lambda _asked, _done, _now: "You declined this policy.",
    GovernanceVerb.WIDEN_POLICY: lambda asked, _done, _now: f"{asked.figure} % of the new cases follow this policy from now on.",
    GovernanceVerb.ROLL_BACK_POLICY: lambda _asked, _done, _now: "Rolled back: new cases follow the policy that was in force before.",
}
