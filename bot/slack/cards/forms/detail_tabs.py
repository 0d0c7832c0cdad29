"""What stands in each tab of the details: the action, the evidence, why it is here, the model, cases like it, the history. Written for
people: labels for the names of our own fields, nothing that is empty; names and values of the service as they are.

Owns which part of a case belongs where. Every part of it is in exactly one tab.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.slack.cards.forms.happenings import about, told, who
from bot.slack.cards.parts.clock_line import clock_lines
from bot.slack.cards.parts.diff import changes_in_full, values_in_full
from bot.slack.cards.parts.model_says import confidence, feature_text
from bot.slack.cards.parts.near_duplicates import listed
from bot.slack.cards.parts.proposed_action import UNDO, if_wrong
from bot.slack.cards.parts.reasons import check_text, reason_text
from bot.slack.cards.parts.similar import compared, past_title, past_words
from bot.slack.cards.parts.small_print import terms
from bot.slack.cards.parts.sources import source_age
from bot.slack.cards.parts.spelling import leaves, spelled
from bot.slack.cards.parts.steps import people
from bot.slack.cards.text.safe_text import address, brief, exact, line
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import View

_HEADING_MOST = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a tab. `exactly`: in fixed letters, because every character counts. `beside` stands behind the title, then `at`, as each
    reader's client shows it.
    """

    title: str
    text: str
    exactly: bool = False
    beside: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: the label of its button, what stands in it, and what is said where nothing does."""

    label: str
    parts: Callable[[View], Iterator[Part]]
    empty: str


def preamble(view: View, tab: str) -> str:
    """Our own words (mrkdwn) before a tab's parts: until when and who, what the policy makes of the model's word, where the rest of the
    history is; "" in other tabs.
    """
    match tab:
        case "why":
            return "\n".join(part for part in (" ".join(clock_lines(view)), people(view), " · ".join(terms(view))) if part)
        case "history":
            return "Hashes, ids and every figure of these events stand in the audit log."
        case "similar" if view.similar is not None:
            return compared(view.similar)
        case "model":
            return "\n".join([if_wrong(view), confidence(view)]) if view.case.drill is None else ""
        case _:
            return ""


def _action(view: View) -> Iterator[Part]:
    action = view.submission.action
    undo = UNDO[action.reversible] or "the service can undo it"
    masked = "action.reversible" in view.masked
    if exact(view.submission.title) != line(view.submission.title):
        yield from _told("Title", view.submission.title)
    yield from _told("Type", f"{action.type} · {'whether it can be undone is masked' if masked else undo}")
    yield from _told("The model wrote", view.submission.output)
    yield from _exact("What it changes", changes_in_full(action))
    yield from _exact("Parameters", values_in_full(action.params) if action.params else "")
    yield from _exact("State before", values_in_full(action.before) if action.before else "")


def _evidence(view: View) -> Iterator[Part]:
    submission, context = view.submission, view.submission.context
    yield from _told("Request", submission.request)
    for source in submission.evidence:
        title = line(source.title or "")
        heading = brief(title or source.id, _HEADING_MOST) or "(unnamed source)"
        about_it = " · ".join(filter(None, [f"{source.kind} {line(source.id)}", source_age(source, view), address(source.url or "")]))
        yield Part(heading, "\n".join([*([title] if heading != title else []), about_it, _whole(source.text or "(no text)")]))
    yield from _told("Missing", "\n".join(map(line, (*context.missing, *view.case.route.missing))))
    yield from _told("Contradictory", "\n".join(map(line, context.conflicts)))
    yield from _told("Out of date", "\n".join(map(line, context.stale)))
    yield from _told("Urgent because", submission.urgency_reason)
    yield from _told("Decided with this case", listed(view, view.case.tied))
    yield from _told("Like this case, decided by themselves", listed(view, view.case.linked))


def _why(view: View) -> Iterator[Part]:
    rest = view.submission.model_dump(mode="json", include={"subject", "entities", "requester", "deadline", "labels"})
    risk = view.submission.risk.model_dump(mode="json")
    yield from _told("Why here", "\n".join(reason_text(reason, view) for reason in view.case.route.reasons))
    yield from _told("How to review", view.case.route.instructions)
    yield from _told("Checks", "\n".join(map(check_text, view.submission.checks)))
    yield from _told("What the service told of it", "\n".join(filter(None, (labelled(risk), labelled(rest)))))


def _model(view: View) -> Iterator[Part]:
    submission, model = view.submission, view.submission.model
    yield from _told("The model's rationale", model.rationale)
    yield from _told("It would answer otherwise if", model.counterfactual)
    yield from _told("Filled in by the model", labelled(submission.prefilled))
    yield from _told("Weighed", "\n".join(map(feature_text, model.features)))
    yield from _told("Model", labelled(model.model_dump(mode="json", exclude={"rationale", "counterfactual", "features"})))


def _history(view: View) -> Iterator[Part]:
    for happening in view.history:
        yield Part(about(happening), labelled(told(view, happening)), beside=who(view, happening), at=happening.at)
    yield from _told("Policy", f"{view.case.route.policy_version}{f' · log {view.checkpoint}' if view.checkpoint else ''}")


def _similar(view: View) -> Iterator[Part]:
    for past in view.similar.nearest if view.similar is not None else ():
        yield Part(past_title(past), past_words(past, view), at=past.case.decided_at, beside="decided")


TABS = {
    "action": Tab("Action", _action, "The action has no parameters."),
    "evidence": Tab("Evidence", _evidence, "The service gave no evidence."),
    "why": Tab("Why here", _why, "The policy gives no reason."),
    "model": Tab("Model", _model, "The service told nothing of its model."),
    "similar": Tab("Similar", _similar, "Nothing like it was decided before: only cases that services post are compared."),
    "history": Tab("History", _history, "Nothing has happened yet."),
}
"""By the name that a button carries, in the order of the buttons."""


def labelled(value: object) -> str:
    """Every value that is not empty, a line each, under a label made of where it is: `Risk, impact: high`."""
    found = [leaf for leaf in leaves(value) if leaf.value not in (None, "", [], {}, ())]
    return "\n".join(f"{_label(leaf.path)}: {_value(leaf.value)}" for leaf in found)


_OURS = re.compile(r"[a-z_0-9.\[\]]*")
"""Names as our own fields have them; a service's may be anything, and are shown as they are."""


def _value(value: object) -> str:
    """A plain text as it is, anything else as JSON; neither can make up a line of its own."""
    plain = isinstance(value, str) and value == exact(value) and "\n" not in value
    return str(value) if plain else spelled(value)


def _label(path: str) -> str:
    return code_label(path.replace(".", ", ")) if path and _OURS.fullmatch(path) is not None else exact(path)


def _told(title: str, text: str | None) -> Iterator[Part]:
    if shown := _whole(text or ""):
        yield Part(title, shown)


def _exact(title: str, text: str) -> Iterator[Part]:
    if text:
        yield Part(title, text, exactly=True)


def _whole(text: str) -> str:
    """The text with everything invisible spelled out, because what is not seen here is seen nowhere."""
    return exact(text.replace("\r\n", "\n")).strip()
