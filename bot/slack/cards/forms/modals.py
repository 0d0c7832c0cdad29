"""The forms behind the buttons: reject, escalate, ask, comment, roll back, and approve where words are needed. Modify has its own file.

Owns the shape of a modal and its fixed inputs. It never judges what was typed. Protocol: callback_id `tierline:<verb>`, private_metadata
= the button's value + {"ch", "ts"}, input blocks `reason`, `text`, `question`, each with the element `value`.
"""

import json
from dataclasses import dataclass
from typing import Any

from bot.slack.cards.parts import checklist
from bot.slack.cards.parts.brakes import releasing
from bot.slack.cards.parts.buttons import action_id, value
from bot.slack.cards.parts.due import claimed
from bot.slack.cards.parts.reasons import check_text
from bot.slack.cards.text.block_kit import Block, bullets, lines, plain, rich, run, words
from bot.slack.cards.text.safe_text import Cuts, head, line
from bot.slack.cards.text.wording import code_label, labels
from bot.slack.cards.view import View
from routing.authorize import demands, moves_far, overrides, reason_codes
from routing.signals import Trigger
from routing.vocabulary import CaseKind, Verb

_TITLE = {
    Verb.ESCALATE: ("Escalate", "Escalate"),
    Verb.ASK: ("Ask for information", "Ask"),
    Verb.COMMENT: ("Comment", "Comment"),
    Verb.ROLL_BACK: ("Roll back", "Propose to undo it"),
    Verb.QUARANTINE: ("Quarantine", "Quarantine"),
    Verb.RESUME: ("Release", "Release"),
    Verb.TAKE_OVER: ("Take over", "Take over"),
    Verb.HAND_OVER: ("Hand over", "Hand over"),
}
"""Verb -> title of its modal and label of its submit button, at most 24 characters each; those of approve and reject depend on the case."""

_HINT = {
    Verb.APPROVE: "Say why the action is right all the same. It is kept with the case, and the service is told.",
    Verb.REJECT: "The service is told that a person said no.",
    Verb.ESCALATE: "The next tier gets the case with everything known, and this text.",
    Verb.ASK: "The service gets this question. The decision clock pauses until it answers.",
    Verb.COMMENT: "Everybody who reviews this case sees it, and it is kept with the case.",
    Verb.ROLL_BACK: "Somebody else decides whether to undo it; they see this text.",
    Verb.QUARANTINE: "Everybody who may release the case sees it.",
    Verb.RESUME: "The case is reviewed afresh; it is kept with the case why.",
    Verb.TAKE_OVER: "Say why. It is kept with the case, and whoever had it is told.",
    Verb.HAND_OVER: "What they have to know. It is kept with the case, and they are told.",
}

_HINT_OF_KIND = {
    (CaseKind.CHECK, Verb.APPROVE): "It is kept with both cases.",
    (CaseKind.CHECK, Verb.REJECT): "It counts as an error that was caught, and undoing it is proposed.",
    (CaseKind.REVIEW, Verb.APPROVE): "It is kept with both cases.",
    (CaseKind.REVIEW, Verb.REJECT): "It is kept with both cases; undoing what was approved is proposed.",
    (CaseKind.ROLLBACK, Verb.APPROVE): "The service is asked, once, for its compensating action.",
    (CaseKind.ROLLBACK, Verb.REJECT): "What was executed stays as it is.",
    (CaseKind.DRILL, Verb.APPROVE): "This is a drill: nothing is executed.",
    (CaseKind.DRILL, Verb.REJECT): "This is a drill: no service is told.",
}
"""In place of the usual ones, of which none is true there."""

TEXT_MOST = 3_000


@dataclass(frozen=True, slots=True)
class Seat:
    """The message a modal was opened from; `cut` as the pressed button said."""

    channel: str
    ts: str
    cut: bool = False


def metadata(view: View, seat: Seat, **more: str | int) -> str:
    """The private metadata of every modal of a case."""
    return value(view, cut=seat.cut, ch=seat.channel, ts=seat.ts, **more)


def verb_modal(view: View, verb: Verb, seat: Seat) -> dict[str, Any]:
    """The form of a verb: its reason where one is due, its text, mandatory where `routing.authorize.demands` says so.

    Approve has a form too, for a step with a checklist, a case with a failed check and a large change. Verbs without a form here raise
    KeyError.
    """
    rule = demands(verb, view.case)
    title, submit = _titles(view, verb)
    blocks: list[Block] = [summary(view), *(against(view) if verb is Verb.APPROVE else [])]
    if verb is Verb.ROLL_BACK:
        blocks.append(words("This does not undo anything by itself: somebody else has to say yes, then the service is asked to."))
    if verb is Verb.QUARANTINE:
        blocks.append(words(f"Nothing is executed until {releasing(view)} releases it."))
    if verb is Verb.TAKE_OVER:
        blocks.append(words(claimed(view)))
    blocks += [person_input()] if verb is Verb.HAND_OVER else []
    blocks += checklist.inputs(view.case) if verb is Verb.APPROVE else []
    if rule.reason:
        blocks.append(reason_input(view, verb))
    hint = _HINT_OF_KIND.get((view.case.kind, verb)) or (_HINT.get(verb, "") if rule.text or verb is not Verb.APPROVE else "")
    blocks.append(question_input() if verb is Verb.ASK else text_input(required=rule.text, hint=hint))
    return modal(title, action_id(verb), metadata(view, seat), blocks, submit=submit)


def _titles(view: View, verb: Verb) -> tuple[str, str]:
    """Title and submit button, which say what the card's button said; with a checklist it is sent, because a fail is no approval."""
    said = labels(view.case)
    match verb:
        case Verb.APPROVE:
            return said.approve, "Send" if checklist.asked(view.case) else said.approve
        case Verb.REJECT:
            return said.reject, said.reject
        case _:
            return _TITLE[verb]


def modal(title: str, callback_id: str, private_metadata: str, blocks: list[Block], *, submit: str = "") -> dict[str, Any]:
    """A modal view; without `submit` it can only be closed."""
    shown: dict[str, Any] = {"type": "modal", "callback_id": callback_id, "private_metadata": private_metadata, "title": plain(title)}
    shown |= {"submit": plain(submit), "close": plain("Cancel")} if submit else {"close": plain("Close")}
    return shown | {"blocks": blocks}


def summary(view: View) -> Block:
    """Which case the form speaks of."""
    title = Cuts().cut(line(view.submission.title) or "(no visible title)", 300)
    return rich(lines(run(title, "bold"), run(f"  ·  revision {view.case.revision}, action {view.case.action_sha256[:12]}")))


def against(view: View) -> list[Block]:
    """What speaks against the action before somebody lets it through all the same, each by its name; nothing where nothing does."""
    large = next((reason.text for reason in view.case.route.reasons if reason.code == Trigger.CHANGE_LARGE), "")
    change = [rich(lines(run("A large change", "bold"), run(f": {Cuts().cut(line(large), 300)}")))] if moves_far(view.case) else []
    return [*overridden(view), *change]


def overridden(view: View) -> list[Block]:
    """The checks that failed or warned, by their names."""
    if not overrides(Verb.APPROVE, view.case):
        return []
    cuts = Cuts()
    against = sorted((check for check in view.submission.checks if check.result != "pass"), key=lambda check: check.result)  # fail first
    some, more = cuts.few(tuple(against), 3)
    items = [cuts.cut(check_text(check), 220) for check in some] + ([more] if more else [])
    failed = view.case.failed_checks > 0
    asked = "A check failed: this needs a reason, in your own words too" if failed else "A check warned: say why it is right all the same"
    return [rich(lines(run(asked, "bold")), bullets(items))]


def reason_input(view: View, verb: Verb) -> Block:
    """The list of reasons for this verb."""
    codes = reason_codes(verb, view.case)
    options = [{"text": plain(head(code_label(code) or code, 75)), "value": code} for code in codes[:100]]
    return field("reason", "Reason", {"type": "static_select", "action_id": "value", "options": options})


def text_input(*, required: bool, hint: str = "") -> Block:
    """Free text of the person."""
    return field("text", "In your own words", _multiline(), required=required, hint=hint)


def person_input() -> Block:
    """To whom it is handed over."""
    return field("to", "To whom", {"type": "users_select", "action_id": "value"}, hint="Somebody who may decide this case now.")


def question_input() -> Block:
    """What the service is asked."""
    return field("question", "Your question to the service", _multiline(), hint=_HINT[Verb.ASK])


def field(block_id: str, label: str, element: Block, *, required: bool = True, hint: str = "") -> Block:
    """An input block."""
    block: Block = {"type": "input", "block_id": block_id, "label": plain(label), "element": element}
    return block | ({} if required else {"optional": True}) | ({"hint": plain(hint)} if hint else {})


def _multiline() -> Block:
    return {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": TEXT_MOST}


def read_metadata(private_metadata: str) -> dict[str, Any]:
    """What `metadata` wrote. Raises `ValueError` for anything that is not a JSON object."""
    found = json.loads(private_metadata)
    if not isinstance(found, dict):
        raise ValueError("the metadata of a modal is an object")  # noqa: TRY004  # hostile text, not a caller's mistake
    return found
