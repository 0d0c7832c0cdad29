"""What an owner is told directly when a case waits and its card cannot be shown where it belongs. Owns these sentences; holds no content of
the case, and has no button: whoever may decide it is asked on the card.
"""

from bot.slack.cards.parts.clock_line import clock_lines
from bot.slack.cards.text.block_kit import Drawing, small_words, words
from bot.slack.cards.text.remedies import remedy
from bot.slack.cards.text.safe_text import escaped
from bot.slack.cards.view import View
from routing.vocabulary import EventKind


def draw_unseen(view: View, event: int) -> Drawing:
    """The message. `event` is the index of the leaf that says that nobody could see the card."""
    case = view.case
    told = next((one for one in view.history if one.index == event), None) or view.last(EventKind.NOT_SEEN)
    error = str(told.fields.get("error") or "") if told is not None else ""
    channel, why = escaped(view.rung.channel.removeprefix("#"), 80), remedy(error)
    mark = "[DRILL] " if case.drill is not None else ""
    title = f"{mark}A case of {escaped(case.workflow, 80)} could not be shown in #{channel}, and you are its owner"
    if not case.open:
        return Drawing(title, [words(f"{title}. It is over by now: `/review case {case.id}` shows it.")])
    waits = (
        f"`{case.id}` waits at tier {view.tier + 1} for the group *{escaped(view.rung.group, 80)}*. {' '.join(clock_lines(view))}".strip()
    )
    blocks = [
        words(f"⚠️ *{title}.*"),
        words(waits),
        words(f"*Why:* {escaped(why.cause, 400)}\n*What helps:* {escaped(why.mend, 400)} The card is shown there as soon as that is done."),
        small_words(f"`/review case {case.id}` shows the case to whoever may see it."),
    ]
    return Drawing(title, blocks)
