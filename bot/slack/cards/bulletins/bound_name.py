"""The alarm about a name of the policy: nothing can be sent there, or in Slack the name and what it stood for have parted.

Owns its words and buttons. Whoever reads it learns the cause, what helps and what waits; it decides nothing.
"""

from bot.slack.cards.bulletins.governance_buttons import governance_button, governance_row
from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Block, Drawing, header, small_words, words
from bot.slack.cards.text.mentions import mention
from bot.slack.cards.text.remedies import plain_code, remedy
from bot.slack.cards.text.safe_text import brief, escaped
from bot.slack.cards.view import Bulletin
from routing.authority import GovernanceVerb
from routing.governance.binding import Binding
from routing.governance.binding_lifecycle import shown_alarm
from routing.governance.ruling import BINDING

MEANWHILE = (
    "Tierline tries again and again, and at once when it learns that the cause is gone. Cases whose cards cannot be shown go to the next"
    " tier, or to their owners directly."
)


def draw_binding(bulletin: Bulletin, binding: Binding) -> Drawing:
    """The message for a name as it stands now."""
    what = "user group" if binding.name.startswith("@") else "channel"
    if binding.posted != shown_alarm(bulletin.tier):
        return _over(f"{what} {binding.name}", "_A newer message says how it stands now._" if not binding.over else "_This is over._")
    if binding.over:
        return _over(f"{what} {binding.name}", f"It stands for `{binding.id}`." if binding.id else "_This is over._")
    title = f"⚠️ {what} {binding.name}: {'nothing arrives there' if binding.trouble and what == 'channel' else 'which one is meant?'}"
    blocks: list[Block] = [header(brief(title, 140))]
    if binding.trouble:
        told = remedy(binding.trouble)
        blocks.append(words(f"*Why:* {escaped(told.cause, 400)} `{plain_code(binding.trouble)}`\n*What helps:* {escaped(told.mend, 400)}"))
    if binding.trouble and what == "channel":
        count = f"{bulletin.waiting:,} message{'s wait' if bulletin.waiting != 1 else ' waits'}"
        waits = f"*{count}* for it" if bulletin.waiting else "No message waits for it"
        blocks.append(words(f"{waits}. {MEANWHILE}"))
    if binding.parted:
        blocks.append(words(_parted(binding, what)))
        blocks += [words("Owners of the policy: " + " ".join(map(mention, bulletin.owners)))] if bulletin.owners else []
    since = f"Since {moment(binding.trouble_since)}" if binding.trouble_since is not None else ""
    footer = [small_words(since)] if since else []
    return Drawing(escaped(title, 200), [*blocks, *footer, *governance_row(_buttons(binding))])


def _parted(binding: Binding, what: str) -> str:
    """How name and id stand now, and what is done until an owner has said which is meant."""
    name, now = escaped(binding.name, 90), []
    sign = binding.name[:1]
    if binding.called:
        now.append(f"The {what} `{binding.id}` that the policy means by {name} is called {sign}{escaped(binding.called, 80)} now.")
    if binding.claimant:
        now.append(f"Another {what}, `{binding.claimant}`, carries the name {name} now.")
    goes = "everything goes on to" if what == "channel" else "the people who count are still those of"
    return " ".join([*now, f"Until an owner of the policy says otherwise, {goes} `{binding.id}`."])


def _buttons(binding: Binding) -> list[Block]:
    if not binding.parted:
        return []
    subject = BINDING + binding.name
    found = [governance_button(f"Keep {binding.id}", GovernanceVerb.KEEP_NAME, subject, binding.posted)]
    if binding.claimant:
        found.append(governance_button(f"Use {binding.claimant}", GovernanceVerb.MOVE_NAME, subject, binding.posted, style="danger"))
    return found


def _over(what: str, how: str) -> Drawing:
    title = f"✅ {what}"
    return Drawing(escaped(title, 200), [words(f"*{escaped(title, 200)}*\n{how}")])
