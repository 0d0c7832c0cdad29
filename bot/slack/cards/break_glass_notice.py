"""What a supervisor is told directly when somebody decided by break-glass. Owns its shape; holds no content of the case, and has no button:
the review is asked for in the operations channel.
"""

from bot.slack.cards.parts.break_glass import told_of
from bot.slack.cards.text.block_kit import Drawing, words
from bot.slack.cards.view import Happening, View


def draw_break_glass_notice(view: View, used: Happening) -> Drawing:
    """The message about the event `used`."""
    first, *others = told_of(view, used)
    return Drawing(f"🔨 {first}", [words(f"🔨 {first}"), *map(words, others)])
