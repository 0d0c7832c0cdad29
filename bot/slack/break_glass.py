"""`/review break-glass CASE REASON`: from what was typed to the form that says what would be executed. It decides nothing: the form is sent
like any other, and counts on the locked case.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from bot.slack.actions.pressed import Pressed
from bot.slack.actions.presses import Declined, Presses
from bot.slack.actions.replies import Replies
from bot.slack.cards.bulletins.break_glass_list import draw_uses
from bot.slack.cards.command_answers import draw_answer, draw_not_found, draw_usage
from bot.slack.cards.forms.break_glass import break_glass_modal
from bot.slack.cards.text.block_kit import Drawing
from bot.slack.cards.view import View
from bot.slack.interaction import Interaction
from bot.slack.named_cases import named_cases
from bot.slack.people import People
from bot.slack.typed import bare
from routing.policy.policy import Policy
from routing.vocabulary import Verb
from store.database.database import Database
from store.reads.cases import Reads

USAGE = "/review break-glass CASE REASON, or /review break-glass to see who did lately"
OPENED = "Nothing is decided yet: the form shows what would be executed and asks you to confirm it."
NOT_OPENED = "The form could not be opened, so nothing was recorded. Please type it again."
UNREADABLE = "The content of this case was erased, so nothing more can be done with it here."


class Views(Protocol):
    """Reads a case with all there is to show of it."""

    async def view(self, case_id: str) -> View | None:
        """The case as it is now, None when there is none or its content was erased."""
        ...


class BreakGlassCommand:
    """The command. `policy` gives the policy in force."""

    def __init__(
        self,
        database: Database,
        reads: Reads,
        people: People,
        policy: Callable[[], Policy],
        *,
        presses: Presses,
        views: Views,
        replies: Replies,
    ) -> None:
        self._database = database
        self._reads = reads
        self._people = people
        self._presses = presses
        self._views = views
        self._replies = replies
        self._policy = policy

    async def listed(self) -> Drawing:
        """What was used, what waits for a review, and what the policy allows."""
        uses = (await self._reads.governance()).break_glass
        people = {person for use in uses for person in (use.by, use.reviewed_by) if person}
        return draw_uses(uses, self._policy().form.break_glass, await self._people.names(people))

    async def answer(self, asked: Interaction, typed: Sequence[str]) -> Drawing:
        """What whoever `asked` gets to see, who typed this behind the word."""
        match typed:
            case []:
                return await self.listed()
            case [word, *reason] if reason:
                return await self.open_form(asked, bare(word), reason)
            case _:
                return draw_usage(USAGE)

    async def open_form(self, typed: Interaction, word: str, reason: Sequence[str]) -> Drawing:
        """Show the form to whoever typed it, or say why this cannot be; every refusal is on record."""
        found = await named_cases(self._database, [word])
        if len(found) != 1:
            return draw_answer("Several cases are called so: please name one by its id.") if found else draw_not_found(word)
        case = found[0]
        pressed = Pressed(Verb.BREAK_GLASS, case.id, case.face, case.tier, cut=False, page=0, shown_change="", origin=typed)
        if (refused := await self._presses.may_begin(pressed)) is not None:
            return draw_answer(refused.text)
        terms = await self._presses.terms(pressed)
        if isinstance(terms, Declined):
            return draw_answer(terms.text)
        view = await self._views.view(case.id)
        if view is None:
            return draw_answer(UNREADABLE)
        shown = await self._replies.opened(typed, break_glass_modal(view, terms, " ".join(reason), channel=typed.channel))
        return draw_answer(OPENED if shown else NOT_OPENED)
