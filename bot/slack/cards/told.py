"""What a playbook tells people: the policy's words, the case they are about, where it stands at this moment. Owns this message."""

from collections.abc import Mapping

from bot.slack.cards.text.block_kit import Drawing, small_words, words
from bot.slack.cards.text.mentions import linked, mention
from bot.slack.cards.text.safe_text import escaped
from bot.slack.cards.view import View
from routing.case.playbook import Playbook, PlaybookStep
from routing.vocabulary import State

_STANDS = {
    State.PENDING: "It waits for a decision",
    State.NEEDS_INFO: "It waits for information",
    State.HELD: "It is held",
    State.DECIDED: "It is decided by now",
    State.CLOSED: "It is over by now",
}


def draw_told(view: View, playbook: Playbook, step: PlaybookStep, groups: Mapping[str, str]) -> Drawing:
    """The message of one step. `groups` are Slack's ids of the user groups that it mentions, by how the policy names them.

    Once the content of the case was erased it shows nothing of it, and rings nobody.
    """
    case = view.case
    ringing = [*(mention(person) for person in step.people), *(f"<!subteam^{groups[one]}>" for one in step.groups if one in groups)]
    rung = " ".join(ringing if case.erased_at is None else ())
    name, because = escaped(playbook.name, 80), escaped(playbook.because, 200)
    about = f"*{escaped(view.submission.title, 200)}* ({escaped(case.workflow, 80)}, risk {case.route.risk.value})"
    link = linked(view.links, "Open the card") or f"`/review case {case.id}` shows it"
    stands = _STANDS[case.state] + (f" at tier {case.tier + 1}" if case.state is State.PENDING and case.tier_since is not None else "")
    said = escaped(step.words, 300)
    return Drawing(
        f"📕 Playbook {name}: {said}",
        [
            words(f"📕 *{said}*  {rung}".rstrip()),
            words(f"{about}\n{stands}. {link}"),
            small_words(f"Playbook {name} ({because}) · policy {escaped(case.route.policy_version, 80)}"),
        ],
    )
