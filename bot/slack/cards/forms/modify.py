"""The form to change an action and the fields a model pre-filled: its pages, and the second step that shows what would hold instead of what
holds now. Never judges a change.

What was typed lives in the inputs of the view that is open, and nowhere else: a page also holds the inputs of whatever was changed on the
others, and the second step those of everything that was changed. So turning a page, going back and sending read all of it from Slack's
state of the view, and nothing of it is in the metadata. A submission counts only when what it makes of the case has the digest that the
second step showed (`d` in the metadata); any other leads to a new second step. `form_input` beside it reads.

Protocol: buttons `tierline:modify:<word>` whose value holds the wanted page as "p".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bot.slack.cards.forms.fields import ABSENT, Field, Fields, changed_params, fields_of, fits
from bot.slack.cards.forms.inputs import draw, entry_of, holds, refilled, untouched
from bot.slack.cards.forms.modals import Seat, metadata, modal, overridden, reason_input, summary, text_input
from bot.slack.cards.forms.options import named
from bot.slack.cards.forms.shapes import initial
from bot.slack.cards.parts.buttons import action_id
from bot.slack.cards.parts.checklist import PREFIX as CHECK
from bot.slack.cards.parts.checklist import author_inputs
from bot.slack.cards.parts.diff import action_block, change_block, differences, legend
from bot.slack.cards.parts.near_duplicates import alone_words
from bot.slack.cards.parts.spelling import spelled
from bot.slack.cards.parts.text_difference import around
from bot.slack.cards.text.block_kit import Block, bullets, button, button_row, lines, rich, run, small, words
from bot.slack.cards.text.limits import TOTAL, total_of
from bot.slack.cards.text.safe_text import Cuts, exact, head, weight
from bot.slack.cards.text.wording import labels
from bot.slack.cards.view import View
from routing.authorize import demands
from routing.canonical import digest
from routing.evaluation.change_limits import large_changes
from routing.vocabulary import Verb

PAGE_MOST, PAGE_WEIGHT, PAGE_ENTRIES = 35, 3_500, 60_000
"""Inputs of a page, length of their labels, hints and options, and of what stands in them. A view has 100 blocks and about 12,000
characters; as many inputs as a page has may be there besides, because they were changed on other pages.
"""

_PREFILL_DIFFERENCE_MOST = 1_000
_SCALES = (1.0, 0.5, 0.2)
"""How far the differences may shrink before the form as a whole is too long."""
_BRIEF_MOST = 120
_COMPARED_MOST, _COMPARED_WEIGHT = 20, 2_500

Values = Mapping[str, Any]
"""State values of a view as Slack sends them: block id -> {"value": state of the element}."""

Changes = Sequence[tuple[Field, Any]]
"""The fields that a person changed, each with what becomes of it; ABSENT: it is left out."""


def modify_modal(view: View, seat: Seat, values: Values | None = None, page: int = 0) -> dict[str, Any]:
    """A page (from 0) of the form, with what was typed so far in `values`. Submitting it leads to the second step."""
    values = values or {}
    fields = fields_of(view)
    asked = changeable(fields)
    pages = _pages(asked)
    shown = min(max(page, 0), len(pages) - 1)
    here = {field.block_id for field in pages[shown]}
    typed = changed(asked, values)
    elsewhere = [field for field in typed if field.block_id not in here]
    blocks: list[Block] = []
    if not sum(map(_cost, elsewhere), start=_Room()).fits:
        told = "*You changed so much that only that fits here now.* Send it first, and change the rest afterwards; or put some of it back."
        blocks = [words(told), *_elsewhere(typed, values)]
    else:
        blocks = [*_sections(pages[shown], values)]
        if elsewhere:
            blocks += [rich(lines(run("Changed on other pages", "bold"))), *_elsewhere(elsewhere, values)]
        blocks += _turning(view, seat, shown, len(pages))
    blocks += _kept(fields, asked)
    answered = any(entry_of(state.get("value")) for name, state in values.items() if name.startswith(CHECK))
    checklist = author_inputs(view.case) if answered else []
    titles = (labels(view.case).modify or "Modify", "Show changes")
    return _form(view, metadata(view, seat, p=shown), [*blocks, *checklist], values, titles=titles)


def preview_modal(view: View, seat: Seat, changes: Changes, values: Values, *, page: int = 0) -> dict[str, Any]:
    """The second step: what would be executed and noted instead of what, over the inputs of what was changed, with a way back to `page`.

    Submitting it unchanged sends the modification.
    """
    drawn: dict[str, Any] = {}
    for scale in _SCALES:
        drawn = _preview(view, seat, changes, values, page=page, cuts=Cuts(scale))
        if total_of(drawn["blocks"]) <= TOTAL:
            break
    return drawn


def change_digest(changes: Changes) -> str:
    """16 hex characters that name a modification, as the metadata of its second step carries them; of what was changed only, so that
    they tell nothing of what is masked.
    """
    return digest({field.block_id: [] if value is ABSENT else [value] for field, value in changes})[:16]


def changeable(fields: Fields) -> list[Field]:
    """The fields that have an input of their own: those whose name and value Slack can hold."""
    return [field for field in fields.open if fits(field) and holds(initial(field))]


def changed(fields: Iterable[Field], values: Values) -> list[Field]:
    """The fields in whose input stands something else than at first."""
    given = [field for field in fields if field.block_id in values]
    return [field for field in given if not untouched(field, entry_of(values[field.block_id].get("value")))]


def _pages(fields: Iterable[Field]) -> list[list[Field]]:
    """The fields in order, as many to a page as it has room for; one page, empty, where there are none."""
    pages: list[list[Field]] = [[]]
    taken = _Room()
    for field in fields:
        cost = _cost(field)
        if pages[-1] and not (taken + cost).fits:
            pages.append([])
            taken = _Room()
        pages[-1].append(field)
        taken += cost
    return pages


@dataclass(frozen=True, slots=True)
class _Room:
    """What some fields take of a page."""

    inputs: int = 0
    weight: int = 0
    entries: int = 0

    def __add__(self, other: "_Room") -> "_Room":
        return _Room(self.inputs + other.inputs, self.weight + other.weight, self.entries + other.entries)

    @property
    def fits(self) -> bool:
        """Whether a page has so much room."""
        return self.inputs <= PAGE_MOST and self.weight <= PAGE_WEIGHT and self.entries <= PAGE_ENTRIES


def _cost(field: Field) -> _Room:
    entry = initial(field)
    return _Room(1, total_of([draw(field, beside=_beside(field))]), weight(entry) if isinstance(entry, str) else 0)


def _sections(fields: list[Field], values: Values) -> list[Block]:
    """The inputs of a page, those of one object under its name."""
    blocks: list[Block] = []
    for above, inside in groupby(fields, lambda field: (field.labels[:-1], field.abouts[-2:-1])):
        names, about = above
        if names:
            said = [run(", ".join(names), "bold")] + ([run(f"\n{head(exact(about[0]), 300)}")] if about and about[0] else [])
            blocks.append(rich(lines(*said)))
        blocks += [draw(field, _entry(field, values), beside=_beside(field)) for field in inside]
    return blocks


def _elsewhere(fields: list[Field], values: Values) -> list[Block]:
    return [draw(field, _entry(field, values), label=field.full_label, brief=True) for field in fields]


def _entry(field: Field, values: Values) -> Any:  # noqa: ANN401  # an entry, or None
    return entry_of(values[field.block_id].get("value")) if field.block_id in values else None


def _turning(view: View, seat: Seat, shown: int, count: int) -> list[Block]:
    if count == 1:
        return []
    turns = [(word, to) for word, to in (("previous", shown - 1), ("next", shown + 1)) if 0 <= to < count]
    row = [button(f"{word.capitalize()} page", f"{action_id(Verb.MODIFY)}:{word}", metadata(view, seat, p=to)) for word, to in turns]
    return [small(f"Page {shown + 1} of {count}. What you typed is kept while you turn pages."), button_row("tierline:pages", row)]


def _preview(view: View, seat: Seat, changes: Changes, values: Values, *, page: int, cuts: Cuts) -> dict[str, Any]:
    blocks: list[Block] = []
    if arguments := [(field, value) for field, value in changes if field.part == "params"]:
        blocks += _action(view, arguments, cuts)
    old = view.submission.prefilled
    if prefill := {field.path: value for field, value in changes if field.part == "prefill"}:
        difference = change_block(old, changed_params(old, prefill), cuts, _PREFILL_DIFFERENCE_MOST)
        blocks.append(rich(lines(run("Instead of what the model filled in", "bold")), difference))
    if cuts.made:
        blocks.append(small("Not all of it fits here. What you typed stands in full in the fields below."))
    blocks += [rich(lines(run("Yours", "bold"), run("   still to be changed here"))), *_elsewhere([field for field, _ in changes], values)]
    back = button_row("tierline:back", [button("Back", f"{action_id(Verb.MODIFY)}:back", metadata(view, seat, p=page))])
    private = metadata(view, seat, d=change_digest(changes), p=page)
    titles = ("Check your changes", "Send modification")
    return _form(view, private, [*blocks, *author_inputs(view.case)], values, titles=titles, last=[back])


def _action(view: View, changes: Changes, cuts: Cuts) -> list[Block]:
    """What would be executed, held against what holds now, else against what was proposed; then each changed value by its name."""
    old = view.submission.action
    new = old.model_copy(update={"params": changed_params(old.params or {}, {field.path: value for field, value in changes})})
    if new.before is not None:
        found = differences(new)
        said = [run("Now → yours", "bold"), run(f"   {legend(found)}")]
        shown = rich(lines(*said), action_block(new, found, cuts))
    else:
        said = [run("Instead of what was proposed", "bold"), run("   ~ changed   + added   - left out")]
        shown = rich(lines(*said), change_block(old.params or {}, new.params or {}, cuts))
    return [shown, *_compared(changes), *_too_far(view, new.params or {})]


def _compared(changes: Changes) -> list[Block]:
    """Of each changed value what stands now, what was proposed and what it becomes."""
    rows: list[str] = []
    for field, value in changes:
        known = {word: one for word, one in (("now", field.now), ("proposed", field.proposed), ("yours", value)) if one is not ABSENT}
        told = [f"{word} {text}" for word, text in zip(known, _briefly(field, *known.values()), strict=True)]
        rows.append(f"{field.full_label}: {', '.join([*told, *(['yours left out'] if value is ABSENT else [])])}")
    room = [row for number, row in enumerate(rows[:_COMPARED_MOST]) if sum(map(weight, rows[: number + 1])) <= _COMPARED_WEIGHT]
    left = len(rows) - len(room)
    return [rich(bullets([*room, *([f"and {left} more, in the fields below"] if left else [])]))]


def _too_far(view: View, params: Mapping[str, Any]) -> list[Block]:
    """The values that are moved beyond a limit of the policy."""
    if view.workflow is None:
        return []
    limits, action = view.workflow.checks, view.submission.action.model_copy(update={"params": dict(params)})
    far = ", ".join(exact(path) for path in large_changes(limits.change_percent, limits.change_amount, action))
    return [rich(lines(run("A large change", "bold"), run(f": {far}, by more than the policy lets pass unnoticed")))] if far else []


def _form(
    view: View, private: str, shown: list[Block], values: Values, *, titles: tuple[str, str], last: Iterable[Block] = ()
) -> dict[str, Any]:
    alone = [words(alone_words(view))] if view.case.tied else []
    said = [reason_input(view, Verb.MODIFY), text_input(required=demands(Verb.MODIFY, view.case).text)]
    blocks = [summary(view), *overridden(view), *alone, *shown, *said, *last]
    kept = [refilled(block, values[block["block_id"]].get("value")) if _ours(block, values) else block for block in blocks]
    return modal(titles[0], action_id(Verb.MODIFY), private, kept, submit=titles[1])


def _ours(block: Block, values: Values) -> bool:
    """Whether it is one of the form's own questions and was answered; the fields are drawn with their entries already."""
    name = str(block.get("block_id", ""))
    return name in values and (name in ("reason", "text") or name.startswith(CHECK))


def _kept(fields: Fields, asked: list[Field]) -> list[Block]:
    """What has no input, by name, and why."""
    ids = {field.block_id for field in asked}
    long = [field.full_label for field in fields.open if field.block_id not in ids]
    told = (
        ("Too long to change here, they stay as they are", long),
        ("Locked by the policy, they stay as they are", fields.locked),
        ("Masked, they stay as they are", fields.masked),
    )
    return [small(f"{why}: {', '.join(names[:5])}{' and others' if len(names) > 5 else ''}") for why, names in told if names]


def _beside(field: Field) -> str:
    """What stands now and what was proposed, beside what the reviewer makes of it: `Now "129.00", proposed "11.90"`."""
    known = {word: value for word, value in (("now", field.now), ("proposed", field.proposed)) if value is not ABSENT}
    if field.part == "prefill" or not known or ("now" not in known and spelled(field.proposed) == spelled(_there(field))):
        return ""
    texts = _briefly(field, *known.values())
    if len(texts) == 2 and spelled(field.now) == spelled(field.proposed):
        return f"Now and proposed {texts[0]}"
    said = ", ".join(f"{word} {text}" for word, text in zip(known, texts, strict=True))
    return said[:1].upper() + said[1:]


def _there(field: Field) -> object:
    return None if field.value is ABSENT else field.value


def _briefly(field: Field, *values: object) -> list[str]:
    """Values to hold against each other, long ones cut where they begin to differ."""
    return around([named(field, value) for value in values], _BRIEF_MOST)
