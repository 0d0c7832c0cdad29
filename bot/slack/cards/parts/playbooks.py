"""Playbooks on a card: a checklist of their steps as they are, what the service is asked to do meanwhile, what keeps the content from being
erased, and what has to be true before automation goes on. Owns these sentences; begins and ends nothing.
"""

from collections.abc import Iterator

from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Block, words
from bot.slack.cards.text.mentions import named
from bot.slack.cards.text.safe_text import channel_name, escaped
from bot.slack.cards.view import View
from routing.case.playbook import LegalHold, Playbook, PlaybookStep
from routing.governance.binding import is_person_id
from routing.vocabulary import EventKind

_MARK = {"planned": "▫️", "waiting": "⏳", "done": "✅", "failed": "❌", "needless": "⏭️"}
_OPEN = ("planned", "waiting", "failed")
_MOST = 1_800
"""Characters of all checklists of a card together: it has to stay within a message whatever else it shows."""

_HOLDS_MOST, _NAMED_MOST = 2, 3


def playbook_blocks(view: View) -> list[Block]:
    """Nothing for a case without playbooks and legal holds."""
    texts = ["\n".join(_checklists(view)), "\n".join(_in_force(view))]
    return [words(text) for text in texts if text]


def _checklists(view: View) -> list[str]:
    """Every step; where that is too much, those that are done are counted, and then what is left over is."""
    found = list[str]()
    for only_open in (False, True):
        found = [line for one in view.case.playbooks for line in _lines(view, one, only_open=only_open)]
        if sum(map(len, found)) <= _MOST:
            return found
    kept = list[str]()
    while sum(map(len, kept)) + len(found[len(kept)]) <= _MOST:
        kept.append(found[len(kept)])
    return [*kept, f"… and {len(found) - len(kept):,} more lines, which do not fit on a card"]


def _lines(view: View, playbook: Playbook, *, only_open: bool) -> Iterator[str]:
    yield f"📕 *Playbook {escaped(playbook.name, 80)}* ({escaped(playbook.because, 120)})"
    shown = [step for step in playbook.steps if not only_open or step.state in _OPEN]
    yield from (f"{_MARK[step.state]} {step_words(view, step)}" for step in shown)
    if (over := len(playbook.steps) - len(shown)) > 0:
        yield f"✅ {over:,} {'step is' if over == 1 else 'steps are'} done or not needed"
    if playbook.re_enter:
        yield f"*Automation goes on only when this is so:* {escaped(playbook.re_enter, 300)}"


def step_words(view: View, step: PlaybookStep) -> str:
    """Mrkdwn: what the step is, and how far."""
    what, done, waiting = _WORDS[step.kind]
    text = {"done": done, "needless": f"{what}: not needed", "failed": f"{what}: *failed*"}.get(step.state, f"{what}: {waiting}")
    why = f", {escaped(step.why, 120)}" if step.why and step.state in ("failed", "needless") else ""
    at = f" {moment(step.at)}" if step.at is not None and step.state == "done" else ""
    return text.format(to=_to(view, step)) + why + at


_WORDS = {
    "interim": ("Ask the service to {to}", "The service was asked to {to}", "not told yet"),
    "legal_hold": ("Legal hold", "Legal hold set", "not set yet"),
    "page": ("Page whoever is on call", "Whoever is on call was paged", "no page accepted yet"),
    "tell": ("Tell {to}", "Told {to}", "not sent yet"),
    "ticket": ("Ticket in {to}", "Ticket opened in {to}", "not accepted yet"),
}
"""By kind of step: what it is, that it is done, that it waits."""


def _to(view: View, step: PlaybookStep) -> str:
    if step.kind == "tell":
        return named(step.to, view) if is_person_id(step.to) else escaped(channel_name(step.to), 80)
    return escaped(step.to, 80)


def _in_force(view: View) -> Iterator[str]:
    interim = view.case.interim
    if interim is not None and interim.in_force and view.case.open:
        yield f"🧊 *Interim {interim.action} since {moment(interim.since)}:* an approval releases it, any other end keeps it."
    elif interim is not None and interim.in_force:
        yield f"🧊 *Interim {interim.action} goes on:* the decision is kept back."
    elif interim is not None and interim.ended == "released":
        yield f"🧊 Interim {interim.action}: released by the verdict."
    elif interim is not None:
        yield f"🧊 *Interim {interim.action}: kept by the verdict.*"
    holds = view.case.legal_holds
    yield from (_held(view, one) for one in holds[-_HOLDS_MOST:])
    if len(holds) > _HOLDS_MOST:
        yield f"… and {len(holds) - _HOLDS_MOST:,} more"


def _held(view: View, hold: LegalHold) -> str:
    """Who set it and why, and who may release it."""
    setting = (one for one in view.history if one.kind is EventKind.LEGAL_HOLD_SET)
    said = next((one for one in setting if (one.actor.id, one.at) == (hold.by, hold.at)), None)
    reason = hold.reason or (str(said.opened.get("text") or "") if said is not None else "")
    by = f"playbook {escaped(hold.playbook, 80)}" if hold.playbook else named(hold.by, view)
    who = [named(one, view) for one in hold.released_by[:_NAMED_MOST]]
    who += [f"{len(hold.released_by) - _NAMED_MOST} others"] if len(hold.released_by) > _NAMED_MOST else []
    by_whom = ", ".join(who) or "a supervisor, duty officer or admin"
    does = f"It keeps the content, and stops no decision. May be released by {by_whom}."
    return f"⚖️ *Legal hold* by {by} since {moment(hold.at)}: {escaped(reason, 200)} {does}"
