"""Confidence as a bar of block characters with the mark that automation would need. Never says what follows from it."""

from bot.slack.cards.text.percentages import percent

_CELLS = 10


def bar(value: float, threshold: float) -> str:
    """`▰▰▰▰▰▰▰▰▱│▱`: 10 cells for 0 to 1, with │ put in front of the first cell that reaches the threshold.

    Plain text, because code is drawn in the colour of alarm. A value that missed the mark leaves at least one cell before it empty.
    """
    full = int(min(max(value, 0.0), 1.0) * _CELLS + 1e-9)
    mark = min(max(round(threshold * _CELLS), 0), _CELLS)
    if value < threshold:
        full = max(min(full, mark - 1), 0)
    cells = "▰" * full + "▱" * (_CELLS - full)
    return f"{cells[:mark]}│{cells[mark:]}"


def confidence_line(confidence: float | None, threshold: float) -> str:
    """One line of mrkdwn made of our own words. Missing or out of range counts as 0, and says so."""
    needed = f"automation needs {percent(threshold)}"
    if confidence is None:
        return f"*No confidence given*, counts as 0, {needed}"
    if not 0.0 <= confidence <= 1.0:
        return f"*Confidence {confidence!r} is outside 0 to 1*, counts as 0, {needed}"
    return f"*Confidence* {bar(confidence, threshold)} *{percent(confidence, threshold)}*, {needed}"
