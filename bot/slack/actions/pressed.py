"""A press on a case, with what its button carried read into values. Believes nothing of it and asks nobody."""

from dataclasses import dataclass

from bot.slack.cards.forms.modals import Seat
from bot.slack.cards.parts.buttons import MORE
from bot.slack.interaction import Interaction, UnreadablePress
from routing.vocabulary import Verb

PREFIX = "tierline:"


@dataclass(frozen=True, slots=True)
class Pressed:
    """One press. `face`, `tier` (0-based), `cut`, `page`, `tab` and `shown_change` as the button said; `origin` is who pressed, and
    where. `batch` is how many cases were decided in one form, 0 for a press of its own.
    """

    verb: Verb
    case_id: str
    face: str
    tier: int
    cut: bool
    page: int
    shown_change: str
    origin: Interaction
    tab: str = ""
    batch: int = 0

    @property
    def seat(self) -> Seat:
        """Where a modal that belongs to this press sits."""
        return Seat(self.origin.channel, self.origin.ts, self.cut)


def pressed_on_case(origin: Interaction) -> Pressed:
    """The press that this interaction is. Raises UnreadablePress."""
    told = origin.told
    try:
        return Pressed(
            verb=Verb(told["v"] if origin.action == MORE else origin.action.removeprefix(PREFIX).partition(":")[0]),
            case_id=str(told["c"]),
            face=str(told["f"]),
            tier=int(told["t"]),
            cut=bool(told["cut"]),
            page=int(told.get("p", 0)),
            tab=str(told.get("tab", "")),
            shown_change=str(told.get("d", "")),
            origin=origin,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error
