"""A drill on the cards of its cases: that it is one, what it tries and what whoever reads it should do. Owns these sentences."""

from bot.slack.cards.text.block_kit import Block, words
from bot.slack.cards.text.safe_text import escaped
from bot.slack.cards.view import View
from routing.authorize import drill_goes_on
from routing.case.case import Case
from routing.vocabulary import DrillEnd, DrillKind, Verdict

LEAD = "🧪 Drill"

NOTHING = "Nothing is executed, no service is told, and nothing is counted."

TRIES = {
    DrillKind.NOBODY_AVAILABLE: "whether a case reaches every tier when nobody takes it",
    DrillKind.VOLUME_SPIKE: "whether many cases at once are taken in time",
    DrillKind.DOWNSTREAM_FAILURE: "who hears of it when a service takes no decisions",
    DrillKind.LOW_CONFIDENCE: "whether a case of which the model is not sure reaches people",
    DrillKind.VIOLATION: "who comes when a case stops the line; the workflow itself is not paused",
}
"""What each kind shows, after `It shows`."""


def asked_in_a_drill(view: View) -> list[Block]:
    """What its card says first."""
    drill = view.case.drill
    if drill is None:
        return []
    do = f" {_do(view.case)}" if view.current else ""
    why = f" By the policy it is here because: {_why(view.case)}" if drill.kind is DrillKind.LOW_CONFIDENCE else ""
    return [words(f"*This is a drill.* {NOTHING} It shows {TRIES[drill.kind]}.{do}{why}")]


def _do(case: Case) -> str:
    if drill_goes_on(case):
        return "Press *Claim* when you see this: that is recorded, and it goes on to the next tier at once, as if nobody here had taken it."
    return "Take it as you would a real one: *Claim*, or decide. That ends it."


def _why(case: Case) -> str:
    return " ".join(escaped(reason.text, 300) for reason in case.route.reasons) or "the policy says no more."


def over(case: Case) -> str:
    """How a case of a drill ended; "" for any other."""
    if case.drill is None or case.verdict is None:
        return ""
    if case.verdict is Verdict.EXPIRED:
        return "⌛ Drill over, nobody answered"
    said = {DrillEnd.STOPPED.value: "⏹ Drill stopped", DrillEnd.NOT_ASKED.value: "⚠️ Drill over, the policy asks nobody"}
    return said.get(case.reason_code, "🧪 Drill over, answered")


def who_ended(case: Case) -> str:
    """What became of it, in a sentence; "" where somebody decided it, as they would a real one."""
    said = {
        DrillEnd.ANSWERED.value: "Somebody took it, which is what the drill was for.",
        DrillEnd.STOPPED.value: "The drill was stopped.",
        DrillEnd.NOT_ASKED.value: "The policy would have decided such a case without people.",
    }
    return f"{said[case.reason_code]} {NOTHING}" if case.drill is not None and case.reason_code in said else ""
