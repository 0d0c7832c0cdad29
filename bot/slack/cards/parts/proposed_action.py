"""What is proposed and what it would mean: the header line, the exact action, the harm if it is wrong. Never why it came here."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from bot.slack.cards.parts.diff import action_block, change_block, differences, legend
from bot.slack.cards.parts.reasons import checks_against
from bot.slack.cards.text.block_kit import Block, header, lines, rich, run
from bot.slack.cards.text.percentages import percent
from bot.slack.cards.text.safe_text import Cuts, head, line, weight
from bot.slack.cards.text.wording import RISK, amount_text
from bot.slack.cards.view import View
from routing.authorize import moves_far
from routing.case.submission import Submission
from routing.policy.form.derived import path_of
from routing.vocabulary import EventKind, Risk

_HEADER_MOST = 150
_FIGURE = frozenset({"amount", "currency"})


def headline(lead: str, view: View) -> list[Block]:
    """One line: `lead` (an icon and a word), the title, the amount. A title too long for a header follows in full."""
    title = line(view.submission.title) or "(no visible title)"
    amount = amount_beside_title(view)
    room = _HEADER_MOST - weight(lead) - weight(amount) - 8
    if weight(title) <= room:
        return [header(" · ".join(part for part in (lead, title, amount) if part))]
    short = head(title, room) + "…"
    return [header(" · ".join(part for part in (lead, short, amount) if part)), rich(lines(run(title, "bold")))]


def worst_lead(view: View) -> str:
    """`🟠 High risk`, or what is worse than the class: a check that failed or warned, a change beyond the limits of the policy."""
    case = view.case
    found = [(case.route.risk, RISK[case.route.risk])]
    if case.failed_checks:
        found.append((Risk.HIGH, f"🟠 {checks_against(case)}"))
    if moves_far(case):
        found.append((Risk.HIGH, "🟠 Large change"))
    if case.warned_checks:
        found.append((Risk.MEDIUM, f"🟡 {checks_against(case)}"))
    return max(found, key=lambda one: one[0].level)[1]  # of equals the first: the class, then the check


def amount_beside_title(view: View) -> str:
    """The amount, and whose word it is where the policy does not read it from the action; "" where the title already says the same figure,
    or where it is what the service said of an action that people have changed.
    """
    risk, tied = view.submission.risk, _tied(view)
    changed = any(field.startswith("params.") for field in view.case.modified_fields)
    if changed and any(getattr(risk, fact) is not None for fact in _FIGURE - tied):
        return ""
    said = re.search(rf"(?<![\d.,-]){re.escape(amount_text(risk, _FIGURE))}(?![\d.,\w])", line(view.submission.title))
    return "" if said else amount_text(risk, tied)


def _tied(view: View) -> frozenset[str]:
    """Which of amount and currency the policy reads from the action."""
    given = view.workflow.risk_from if view.workflow is not None else {}
    return frozenset(fact for fact in _FIGURE if path_of(given, fact, view.submission.action.type))


UNDO = {True: "", False: "cannot be undone", None: "not known to be undoable"}
"""By what the service says of the action; of what is masked nothing is said."""


def execution(view: View, cuts: Cuts, label: str = "Will execute") -> list[Block]:
    """Parts of rich text, the exact action: its type, whether it can be undone, then its parameters."""
    action = view.submission.action
    found = differences(action)
    kind = run(line(action.type) or "(no visible name)", "code")
    undo = "" if "action.reversible" in view.masked else UNDO[action.reversible]
    said = [run(f"   {text}", *styles) for text, *styles in ((undo, "bold"), (legend(found),)) if text]
    return [lines(run(f"{label} ", "bold"), kind, *said), action_block(action, found, cuts)]


def proposed_params(view: View) -> Mapping[str, Any]:
    """The parameters as the service last proposed them, whatever people have made of them since."""
    told = next((one for one in reversed(view.history) if one.kind is not EventKind.MODIFIED and "action" in one.opened), None)
    action = told.opened["action"] if told is not None else None
    params = action.get("params") if isinstance(action, Mapping) else (view.submission.action.params if told is None else None)
    return params if isinstance(params, Mapping) else {}


def instead_of_proposed(view: View, cuts: Cuts) -> list[Block]:
    """The parameters that people changed, each as it was proposed and as it is; nothing where they stand as they were."""
    after, before = view.submission.action.params or {}, proposed_params(view)
    names = {field.split(".")[1] for field in view.case.modified_fields if field.startswith("params.")}
    old, new = ({name: one[name] for name in one if name in names} for one in (before, after))
    return [rich(lines(run("Instead of what was proposed", "bold")), change_block(old, new, cuts))] if old != new else []


def harm(view: View) -> str:
    """Mrkdwn: what makes a mistake worse as far as anybody said, but for what stands beside the action; "" where nothing does."""
    bad, _ = _harm(view.submission, view.masked)
    return ", ".join(said for said in bad if said not in _ELSEWHERE)


def if_wrong(view: View) -> str:
    """Mrkdwn: what happens if this is wrong and the risk class that the policy makes of it: the bad first, "but" the rest."""
    bad, mild = _harm(view.submission, view.masked)
    said = ", ".join(bad) + (", but " if bad and mild else "") + " and ".join([", ".join(mild[:-1]), mild[-1]] if len(mild) > 1 else mild)
    return f"*{RISK[view.case.route.risk].partition(' ')[2]} if this is wrong:* {said}."


def _harm(submission: Submission, masked: Collection[str]) -> tuple[list[str], list[str]]:
    """What makes a mistake worse, and what makes it bearable; of what is masked, that it is: it was said all the same."""
    risk, reversible = submission.risk, submission.action.reversible
    facts: list[tuple[bool, str]] = [
        (True, "impact masked" if "risk.impact" in masked else _NOT_STATED)
        if risk.impact is None
        else (risk.impact.level >= Risk.HIGH.level, f"impact {risk.impact.value}"),
        (True, "whether it can be undone is masked") if "action.reversible" in masked else _UNDOING[reversible],
    ]
    if risk.recoverability is not None:
        facts.append(_RECOVERING[risk.recoverability])
    if risk.blast_radius is not None:
        facts.append((risk.blast_radius > _NEAR, f"blast radius {percent(risk.blast_radius, _NEAR)}"))
    if risk.likelihood is not None:
        facts.append((risk.likelihood >= _LIKELY, f"{percent(risk.likelihood, _LIKELY)} likely to go wrong"))
    return [said for worse, said in facts if worse], [said for worse, said in facts if not worse]


_NOT_STATED = "impact not stated"
_UNDOING = {
    True: (False, "the service can undo it"),
    False: (True, "*cannot be undone*"),
    None: (True, "*not known to be undoable*, which counts as irreversible"),
}
_ELSEWHERE = frozenset({_NOT_STATED, *(said for worse, said in _UNDOING.values() if worse)})
_RECOVERING = {
    "easy": (False, "easy to recover from"),
    "hard": (True, "*hard to recover from*"),
    "none": (True, "*no way to recover*"),
}
"""Whether it makes a mistake worse, and how that is said."""

_NEAR = 0.1
_LIKELY = 0.25
