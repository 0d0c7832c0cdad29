"""Uses of break-glass in a list: once a week in the operations channel, and for whoever asks. Owns its lines; shows nobody's reason and no
content.
"""

from collections.abc import Iterable, Mapping

from bot.slack.cards.parts.break_glass import passed_over
from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Block, Drawing, header, small_words, words
from bot.slack.cards.text.safe_text import escaped, own_id
from routing.case.break_glass import BreakGlassList, BreakGlassUse
from routing.governance.break_glass_list import not_reviewed_first
from routing.policy.clocks.row import written
from routing.policy.form.break_glass import BreakGlass

MOST = 20
"""Uses that are listed one by one."""


def draw_list(listed: BreakGlassList, names: Mapping[str, str]) -> Drawing:
    """The weekly list."""
    text = f"Break-glass, week {listed.week}: {_counted(listed.uses)}"
    return Drawing(text, [header(f"🔨 Break-glass, week {listed.week}"), words(_counted(listed.uses)), *_rows(listed.uses, names)])


def draw_uses(uses: Iterable[BreakGlassUse], rule: BreakGlass | None, names: Mapping[str, str]) -> Drawing:
    """`/review break-glass`: every use that is remembered, what nobody has reviewed yet first, and who may."""
    found = not_reviewed_first(uses)
    text = _counted(found) if found else "Break-glass was not used."
    return Drawing(text, [words(text), *_rows(found, names), small_words(_who_may(rule))])


def _counted(uses: tuple[BreakGlassUse, ...]) -> str:
    waiting = sum(not use.over for use in uses)
    left = f"{waiting:,} of them not reviewed yet" if waiting else "all of them reviewed"
    return f"Used {'once' if len(uses) == 1 else f'{len(uses):,} times'}, {left}."


def _rows(uses: tuple[BreakGlassUse, ...], names: Mapping[str, str]) -> list[Block]:
    more = [small_words(f"… and {len(uses) - MOST:,} more")] if len(uses) > MOST else []
    return [*(words(_line(use, names)) for use in uses[:MOST]), *more]


def _line(use: BreakGlassUse, names: Mapping[str, str]) -> str:
    who = escaped(names.get(use.by) or use.by, 80)
    did = f"{who} {use.verdict.value} {own_id(use.case)} of {escaped(use.workflow, 80)} {moment(use.at)}"
    return f"{_stands(use, names)}  {did}\nPassed over: {passed_over(use.passed_over)}."


def _stands(use: BreakGlassUse, names: Mapping[str, str]) -> str:
    if not use.over:
        return f"❗ *Not reviewed*, due {moment(use.review_by)}:"
    by = escaped(names.get(use.reviewed_by) or use.reviewed_by, 80)
    return f"✅ Right, says {by}:" if use.outcome == "right" else f"⛔ *Wrong*, says {by}:"


def _who_may(rule: BreakGlass | None) -> str:
    if rule is None:
        return "The policy lets nobody decide by break-glass."
    often, long, soon = (written(length_s) for length_s in (rule.per, rule.within, rule.review_within))
    return (
        f"`/review break-glass CASE REASON` is for {escaped(rule.group, 80)}: at most {rule.most} times within {often}, and for"
        f" {long} until the first use is reviewed. The group {escaped(rule.supervisors, 80)} is told at once and reviews it within {soon}."
    )
