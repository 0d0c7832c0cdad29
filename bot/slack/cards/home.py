"""The Home tab: what somebody took, what waits for them, how the channels stand, what is stopped. Owns its order, and for which cases it
offers to approve: those of which it shows all that their card would ask to be looked at. Never who may.

Protocol: the buttons of a case are those of its card, with where that stands ("ch", "ts") and the digest of what was shown of it ("s").
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.slack.cards.bulletins.bulletin import draw_brake_line, waiver_line, waiver_terms
from bot.slack.cards.command_answers import COMING, ChannelStatus, standing
from bot.slack.cards.parts.brakes import afresh
from bot.slack.cards.parts.buttons import action_id, value
from bot.slack.cards.parts.checklist import confirming, form_first
from bot.slack.cards.parts.child_cases import lead
from bot.slack.cards.parts.clock_line import due_words, time_of_day
from bot.slack.cards.parts.due import due_line
from bot.slack.cards.parts.model_says import confidence, wrote
from bot.slack.cards.parts.playbooks import playbook_blocks
from bot.slack.cards.parts.proposed_action import amount_beside_title, execution, worst_lead
from bot.slack.cards.parts.reasons import nothing_against, speaks_against, why_here
from bot.slack.cards.parts.sources import at_hand
from bot.slack.cards.parts.steps import steps, verification_failed
from bot.slack.cards.parts.to_be_opened import to_be_opened
from bot.slack.cards.text.block_kit import Block, Drawing, button, button_row, digest, header, lines, rich, run, small_words, words
from bot.slack.cards.text.limits import TOTAL, total_of
from bot.slack.cards.text.mentions import linked
from bot.slack.cards.text.safe_text import Cuts, brief, channel_name, escaped, own_id
from bot.slack.cards.text.wording import labels
from bot.slack.cards.view import View
from routing.authority import Automation
from routing.governance.control import Control
from routing.governance.waiver import Waiver
from routing.review.outlook import upcoming
from routing.vocabulary import CaseKind, Risk, State, Verb

REFRESH = "tierline:h:refresh"
_CHANNELS, _STOPPED = 8, 5


@dataclass(frozen=True, slots=True)
class Home:
    """What is drawn for one person at `now`, kept up to date until `until` (aware UTC). `claims` and `queue` are in the order in which
    they are due; `places` says where the card of each stands: channel and ts. `may_approve`: ids of those whose Approve would count.
    `more_claims` counts others that they took; `more_queue`: others wait. `answers_in` are the channels in which this person reviews.
    """

    now: datetime
    until: datetime
    claims: tuple[View, ...] = ()
    queue: tuple[View, ...] = ()
    places: Mapping[str, tuple[str, str]] | None = None
    may_approve: frozenset[str] = frozenset()
    more_claims: int = 0
    more_queue: bool = False
    answers_in: tuple[str, ...] = ()
    channels: tuple[ChannelStatus, ...] = ()
    supervises: bool = False
    brakes: tuple[Control, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    note: Drawing | None = None


def draw_home(home: Home) -> Block:
    """A `home` view. Where it would be too long, the last cases are told in a line, and decided on their cards."""
    blocks: list[Block] = []
    for whole in (len(home.claims) + len(home.queue), 6, 3, 0):
        blocks = _blocks(home, whole)
        if total_of(blocks) <= TOTAL:
            break
    return {"type": "home", "blocks": blocks}


def draw_away(text: str) -> Block:
    """A `home` view without any case: why, and the button that has it drawn."""
    return {"type": "home", "blocks": [_with_refresh(escaped(text, 2_000))]}


def _blocks(home: Home, whole: int) -> list[Block]:
    """The first `whole` cases with all that is decided on."""
    as_of = f"As of {time_of_day(home.now)}. It follows what changes for you until {time_of_day(home.until)}; then open it again."
    note = [*home.note.blocks, {"type": "divider"}] if home.note is not None else []
    return [
        _with_refresh(as_of),
        *note,
        *_cases(f"Taken by you ({len(home.claims) + home.more_claims:,})", home.claims, home, whole),
        *([small_words(f"… and {home.more_claims:,} more: `/review mine`")] if home.more_claims else []),
        *_cases(_waiting(home), home.queue, home, whole - len(home.claims)),
        *([small_words("… and others, due later. `/review next` names the one that matters most.")] if home.more_queue else []),
        *([] if home.claims or home.queue else _beginning(home)),
        *_channels(home),
        *_stopped(home),
    ]


def _with_refresh(text: str) -> Block:
    return words(text) | {"block_id": "tierline:h", "accessory": button("Refresh", REFRESH, "{}")}


def _waiting(home: Home) -> str:
    return f"Waits for you: the {len(home.queue)} due first" if home.more_queue else f"Waits for you ({len(home.queue)})"


def _cases(title: str, views: tuple[View, ...], home: Home, whole: int) -> list[Block]:
    if not views:
        return []
    return [header(title), *(block for number, view in enumerate(views) for block in _entry(view, home, full=number < whole))]


def _entry(view: View, home: Home, *, full: bool) -> list[Block]:
    """One case: in full with Approve, or what it is called and where to decide it."""
    place = (home.places or {}).get(view.case.id)
    cuts = Cuts()
    shown = decided_on(view, cuts)
    if full and place is not None and view.case.id in home.may_approve and approvable(view) and not cuts.made:
        return [*shown, _buttons(view, place, digest(shown))]
    why = "" if view.case.state is not State.PENDING else linked(view.links, "Decide it on its card") or COMING
    due = due_words(upcoming(view.case)) if view.case.state is not State.PENDING else due_line(view)
    told = [rich(_title(view)), small_words(" · ".join(part for part in (due, why, own_id(view.case.id)) if part))]
    return [*told, *([_buttons(view, place)] if place is not None else [])]


def approvable(view: View) -> bool:
    """Whether nothing of this case has to be looked at, typed or confirmed that stands on its card and not here."""
    return view.case.route.risk is not Risk.CRITICAL and not by_itself(view)


def by_itself(view: View) -> str:
    """Why somebody has to look at the card of this case before deciding it, in words; "" where `decided_on` says it all."""
    case = view.case
    if speaks_against(view) or verification_failed(view, Cuts()):
        return "something speaks against it"
    if case.kind is not CaseKind.CASE or case.state is not State.PENDING or case.tied:
        return "it asks for more than one answer"
    if form_first(Verb.APPROVE, case) or confirming(case):
        return "it asks for words of its own"
    if to_be_opened(view):
        return "it is longer than what fits here"
    if view.masked:
        return "values of it are masked"
    if case.modified_fields or playbook_blocks(view) or afresh(view) or view.automation.level >= Automation.PAUSED.level:
        return "its card says more of it"
    cuts = Cuts()
    decided_on(view, cuts)
    return "it is longer than what fits here" if cuts.made else ""


def decided_on(view: View, cuts: Cuts, number: str = "") -> list[Block]:
    """What the card says of an ordinary case: what would be executed, what the model wrote, why it is here, until when."""
    proposal = rich(_title(view, number), *execution(view, cuts), *at_hand(view), *wrote(view, cuts), why_here(view, cuts))
    weighed = (due_line(view), *steps(view), confidence(view), nothing_against(view), linked(view.links, "its card"), own_id(view.case.id))
    return [proposal, small_words(" · ".join(part for part in weighed if part))]


def _title(view: View, number: str = "") -> Block:
    title = brief(view.submission.title, 300) or "(no visible title)"
    amount = amount_beside_title(view)
    return lines(run(f"{number}{lead(view) or worst_lead(view)}  ", "bold"), run(title, "bold"), *([run(f" · {amount}")] if amount else []))


def _buttons(view: View, place: tuple[str, str], shown: str = "") -> Block:
    """Details, and where `shown` says what was seen of it, Approve."""
    channel, ts = place
    here = value(replace(view, tier=view.case.tier), cut=to_be_opened(view), ch=channel, ts=ts, s=shown)
    approve = [button(labels(view.case).approve, action_id(Verb.APPROVE), here, "primary")] if shown else []
    return button_row(f"tierline:h:{view.case.id}", [*approve, button("Details", action_id(Verb.OPEN_EVIDENCE), here)])


def _beginning(home: Home) -> list[Block]:
    """For somebody who has nothing to do: where their cases come, or that none do."""
    if not home.answers_in:
        return [
            words(
                "*You review nothing yet.* You are in none of the groups that the policy lets decide. Whoever looks after Slack's user"
                " groups can add you; then cases for you stand here. `/review help` shows what anybody may ask."
            )
        ]
    where = ", ".join(f"*{escaped(channel_name(channel))}*" for channel in home.answers_in[:_CHANNELS])
    return [
        words(
            f"*Nothing waits for you.* Cases for you come to {where}. Read what would be executed, press *Claim* to take one, then"
            " *Approve*, *Reject* or *Modify*. `/review help` shows the rest."
        )
    ]


def _channels(home: Home) -> list[Block]:
    if not home.channels:
        return []
    left = len(home.channels) - _CHANNELS
    more = [f"… and {left:,} more channels: `/review status`"] if left > 0 else []
    return [header("Channels"), words("\n".join([*map(standing, home.channels[:_CHANNELS]), *more]))]


def _stopped(home: Home) -> list[Block]:
    """For those who can do something about it; that nothing is stopped is said as well."""
    if not home.supervises and not home.waivers:
        return []
    brakes = [words(f"⏸️ {draw_brake_line(one)}") for one in home.brakes[:_STOPPED]]
    brakes += [small_words("Whoever may: `/review resume WORKFLOW REASON`")] if brakes else []
    if home.supervises and not brakes:
        brakes = [words("No workflow is stopped.")]
    waivers = [block for one in home.waivers[:_STOPPED] for block in (words(waiver_line(one)), small_words(waiver_terms(one)))]
    left = max(0, len(home.brakes) - _STOPPED) + max(0, len(home.waivers) - _STOPPED)
    more = [small_words(f"… and {left:,} more: `/review status`, `/review exception list`")] if left else []
    return [header("Stopped workflows and exceptions"), *brakes, *waivers, *more]
