"""The direct message about what somebody owes. Owns its words; it holds nothing of what a case contains."""

from collections.abc import Mapping

from bot.slack.cards.parts.clock_line import due_words
from bot.slack.cards.text.block_kit import Block, Drawing, small_words, words
from bot.slack.cards.text.mentions import linked
from bot.slack.cards.text.safe_text import escaped, own_id
from bot.slack.cards.text.wording import RISK
from routing.governance.owed import Claim, Owed
from routing.review.outlook import upcoming

SHOWN = 10
"""Cases and exceptions that are listed; of the others the number is said."""


def draw_owed(about: Owed, links: Mapping[str, str]) -> Drawing:
    """What is owed now; `links` are the permalinks of cards by case id."""
    claims, waivers = len(about.claims), len(about.waivers)
    said = [f"{_counted(claims, 'case')} that you took {'runs' if claims == 1 else 'run'} out soon"] if claims else []
    said += [f"{_counted(waivers, 'exception')} to the policy {'waits' if waivers == 1 else 'wait'} for an owner"] if waivers else []
    text = f"{' and '.join(said)}."
    rows = [_claim(claim, links) for claim in about.claims[:SHOWN]]
    rows += [
        words(f"⚖️ `{own_id(one.id)}` asked for in {escaped(one.workflow, 80)}: “{escaped(one.reason, 300)}”")
        for one in about.waivers[:SHOWN]
    ]
    left = max(0, claims - SHOWN) + max(0, waivers - SHOWN)
    more = [small_words(f"… and {left:,} more: `/review mine`, `/review exception list`")] if left else []
    then = ["decide it on its card, or give it back there with *Release*"] if claims else []
    then += ["`/review exception approve ID` or `/review exception end ID REASON`"] if waivers else []
    told = f"Next: {'; '.join(then)}. At most one such message an hour; `/review notify off` ends them."
    return Drawing(text, [words(f"*{text}*"), *rows, *more, small_words(told)])


def _claim(claim: Claim, links: Mapping[str, str]) -> Block:
    case = claim.case
    what = f"{escaped(case.action_type, 100)} of {escaped(case.workflow, 80)}"
    parts = [f"*{RISK[case.route.risk]}*", what, due_words(upcoming(case)), linked(links.get(case.id, ""), "its card"), own_id(case.id)]
    return words(" · ".join(part for part in parts if part))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
