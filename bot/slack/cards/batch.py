"""The form in which cases alike are decided together: those that stand out first, each with its reason and the way to its card, then the
others, each with all that is executed. Owns its order and what it reads back; which are alike says `routing.review.batch`.

Protocol: callback_id `tierline:b:decide`, input blocks `cases`, `verdict`, `reason`, `text`, each with the element `value`; a ticked case
is `<case>|<face>|<tier>|<digest of what was shown of it>`. The select `tierline:b:kind` shows another kind.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.slack.cards.forms.modals import field, modal, reason_input, text_input
from bot.slack.cards.home import decided_on
from bot.slack.cards.text.block_kit import Block, Drawing, carried, digest, header, lines, plain, rich, run, small, small_words, words
from bot.slack.cards.text.limits import TOTAL, total_of
from bot.slack.cards.text.mentions import linked
from bot.slack.cards.text.safe_text import Cuts, brief, escaped, own_id
from bot.slack.cards.view import View
from routing.case.case import Case
from routing.vocabulary import Verb

DECIDE, KIND = "tierline:b:decide", "tierline:b:kind"
TICKED_MOST = 10
"""Options of Slack's checkboxes; also about what one person looks at before sending a form."""
_ASIDE_MOST = 10


@dataclass(frozen=True, slots=True)
class Alike:
    """What one person may decide together: `kind` is its key in the select, `of` tells what they have in common. `aside` are those that
    stand out, each with why; `left` counts others that are alike and come next; `kinds` are all keys with what is told of them.
    """

    kind: str
    of: str
    views: tuple[View, ...]
    aside: tuple[tuple[View, str], ...] = ()
    left: int = 0
    kinds: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ticked:
    """One case that was ticked, as the form showed it."""

    case_id: str
    face: str
    tier: int
    saw: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What the form was sent with. `errors`: block id -> what is wrong."""

    cases: tuple[Ticked, ...]
    verb: Verb
    reason_code: str
    text: str
    errors: Mapping[str, str]


def batch_modal(alike: Alike, channel: str) -> dict[str, Any]:
    """The form; fewer cases where it would be too long."""
    form: dict[str, Any] = {}
    for count in range(len(alike.views), -1, -1):
        form = _modal(alike, channel, count)
        if total_of(form["blocks"]) <= TOTAL:
            break
    return form


def _modal(alike: Alike, channel: str, count: int) -> dict[str, Any]:
    blocks = [*_kinds(alike), words(f"*{escaped(alike.of, 300)}*"), *_aside(alike), *_listed(alike, count)]
    submit = "Send" if count else ""
    return modal("Decide together", DECIDE, carried(ch=channel, ts="", k=alike.kind), blocks, submit=submit)


def _kinds(alike: Alike) -> list[Block]:
    """The select, where there is more than one kind."""
    if len(alike.kinds) < 2:
        return []
    options = [{"text": plain(brief(told, 75) or "(unnamed)"), "value": key} for key, told in alike.kinds[:100]]
    chosen = next((option for option in options if option["value"] == alike.kind), options[0])
    select = {"type": "static_select", "action_id": KIND, "options": options, "initial_option": chosen}
    return [{"type": "actions", "block_id": "tierline:b", "elements": [select]}]


def _aside(alike: Alike) -> list[Block]:
    if not alike.aside:
        return []
    told = [
        rich(lines(run(brief(view.submission.title, 200) or "(no visible title)", "bold"), run(f"  {why}")))
        | {"block_id": f"aside:{view.case.id}"}
        for view, why in alike.aside[:_ASIDE_MOST]
    ]
    links = " · ".join(linked(view.links, own_id(view.case.id)) or own_id(view.case.id) for view, _ in alike.aside[:_ASIDE_MOST])
    more = len(alike.aside) - _ASIDE_MOST
    others = [small(f"… and {more:,} more that stand out")] if more > 0 else []
    return [header(f"Set aside: look at each by itself ({len(alike.aside)})"), *told, small_words(f"Their cards: {links}"), *others]


def _listed(alike: Alike, count: int) -> list[Block]:
    """Each case in full, then one group of boxes, none of them ticked, and one decision."""
    if not count:
        return [words("Nothing is left here that could be decided together.")]
    views = alike.views[:count]
    shown = [decided_on(view, Cuts(), f"{number}.  ") for number, view in enumerate(views, 1)]
    options = [
        {"text": plain(brief(f"{number}. {view.submission.title}", 75)), "value": _value(view, digest(one))}
        for number, (view, one) in enumerate(zip(views, shown, strict=True), 1)
    ]
    left = alike.left + len(alike.views) - count
    more = [small(f"{left:,} more are alike: they come when these are decided.")] if left else []
    boxes = {"type": "checkboxes", "action_id": "value", "options": options}
    verdicts = (("Approve them", Verb.APPROVE), ("Reject them", Verb.REJECT))
    choices = [{"text": plain(label), "value": verb.value} for label, verb in verdicts]
    verdict = {"type": "radio_buttons", "action_id": "value", "options": choices}
    reason = reason_input(views[0], Verb.REJECT) | {"optional": True, "hint": plain("Needed to reject; it is the same for all of them.")}
    return [
        header(f"Alike ({len(alike.views) + alike.left})"),
        *(block for one in shown for block in one),
        *more,
        field("cases", "Which of these?", boxes, hint="Each is recorded by itself, with its own answer to the service."),
        field("verdict", "Your decision", verdict),
        reason,
        text_input(required=False),
    ]


def _value(view: View, saw: str) -> str:
    return f"{view.case.id}|{view.case.face}|{view.case.tier}|{saw}"


def read_batch(values: Mapping[str, Any]) -> Sent:
    """What the form says; a box that is none of ours raises ValueError."""
    chosen = (values.get("cases", {}).get("value") or {}).get("selected_options") or []
    ticked = []
    for option in chosen:
        case_id, face, tier, saw = str(option["value"]).split("|")
        ticked.append(Ticked(case_id, face, int(tier), saw))
    verb = Verb(_option(values, "verdict"))
    reason, text = _option(values, "reason"), str((values.get("text", {}).get("value") or {}).get("value") or "")
    errors = {"reason": "Please say why: it is told to the service."} if verb is Verb.REJECT and not reason else {}
    return Sent(tuple(ticked[:TICKED_MOST]), verb, reason if verb is Verb.REJECT else "", text, errors)


def _option(values: Mapping[str, Any], name: str) -> str:
    return str(((values.get(name, {}).get("value") or {}).get("selected_option") or {}).get("value") or "")


def draw_sent(verb: Verb, done: Sequence[tuple[str, Case | None]], refused: Sequence[tuple[str, str]]) -> Drawing:
    """What became of the form: each case that counts, by title and as it is since, with what follows; and of each that does not, why."""
    word = "approved" if verb is Verb.APPROVE else "rejected"
    text = f"Recorded: you {word} {len(done)} of {len(done) + len(refused)}." if done else f"Nothing was {word}."
    counted = [
        lines(run(f"{word.capitalize()}  ", "bold"), run(brief(title, 200)), *([run(f"  {case.id}")] if case is not None else []))
        for title, case in done
    ]
    blocks = [words(f"*{text}*"), *([rich(*counted)] if counted else [])]
    blocks += [words(said) for said in _follows([case for _, case in done if case is not None])]
    blocks += [rich(lines(run("Not  ", "bold"), run(f"{brief(title, 200)}: "), run(why, "bold"))) for title, why in refused]
    return Drawing(text, [*blocks, words("`/review batch` shows what is left.")])


def _follows(cases: Sequence[Case]) -> Iterator[str]:
    """When the services are told, and which are not."""
    if waits := {case.route.undo_s for case in cases if case.undo is not None}:
        yield f"Their services are told in {max(waits)} s at the latest; until then *Undo* on a card or `/review undo CASE` takes one back."
    if kept := sum(case.withheld for case in cases):
        yield f"*{kept} of them kept back:* the workflow is paused, and the service is not told. They are reviewed afresh when it goes on."
