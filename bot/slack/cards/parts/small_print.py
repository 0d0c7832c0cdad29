"""Under which terms a case was routed: exceptions used, skills, how far the model may act. Small print; what moved the case is a reason."""

from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.safe_text import escaped, own_id
from bot.slack.cards.view import View
from routing.authority import Autonomy

_AUTONOMY = {
    Autonomy.INFORMATIONAL: "Informational: nothing is executed",
    Autonomy.HUMAN_ASSISTED: "",
    Autonomy.HUMAN_APPROVED: "",
    Autonomy.HUMAN_EXECUTED: "The model only advises: an expert decides and does it",
}
_EXCEPTIONS_MOST = 3


def terms(view: View) -> list[str]:
    """Mrkdwn, one part each; empty where everything is as usual."""
    route = view.case.route
    parts = [_exception(view, one) for one in route.exceptions[:_EXCEPTIONS_MOST]]
    if len(route.exceptions) > _EXCEPTIONS_MOST:
        parts.append(f"{len(route.exceptions) - _EXCEPTIONS_MOST:,} more exceptions applied")
    if route.skills:
        parts.append(f"Needs {escaped(', '.join(route.skills), 200)}")
    return [*parts, *filter(None, [_AUTONOMY[route.autonomy]])]


def _exception(view: View, identifier: str) -> str:
    waiver = view.waivers.get(identifier)
    until = f" until {moment(waiver.until)}" if waiver is not None else ""
    return f"*Exception {own_id(identifier)}* applied{until}"
