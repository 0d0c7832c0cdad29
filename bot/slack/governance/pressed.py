"""A press about more than one case, with what its button carried read into values. Believes nothing of it and asks nobody."""

from dataclasses import dataclass

from bot.slack.cards.bulletins.governance_buttons import PREFIX
from bot.slack.cards.text.block_kit import carried
from bot.slack.interaction import SUBJECT_MOST, Interaction, UnreadablePress
from routing.authority import GovernanceVerb


@dataclass(frozen=True, slots=True)
class GovernancePressed:
    """One press. `subject`, `number` and `figure` as the button said, `reason` as it was typed; `origin` is who pressed, and where."""

    verb: GovernanceVerb
    subject: str
    number: int
    figure: int
    reason: str
    origin: Interaction


def pressed_on_bulletin(origin: Interaction) -> GovernancePressed:
    """The press that this interaction is. Raises UnreadablePress."""
    told = origin.told
    try:
        typed = origin.inputs["text"]["value"].get("value") if origin.view_id else ""
        return GovernancePressed(
            verb=GovernanceVerb(origin.action.removeprefix(PREFIX)),
            subject=str(told["s"])[:SUBJECT_MOST],
            number=int(told["r"]),
            figure=int(told.get("n", 0)),
            reason=str(typed or ""),
            origin=origin,
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


def metadata(pressed: GovernancePressed) -> str:
    """What the form of a press carries."""
    return carried(s=pressed.subject, r=pressed.number, n=pressed.figure, ch=pressed.origin.channel, ts=pressed.origin.ts)
