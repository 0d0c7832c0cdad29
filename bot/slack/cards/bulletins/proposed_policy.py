"""A proposed policy: what it changes in words, what that would have meant for the cases of the past, and who has to accept it.

Owns the card in the owners' channel and the notices to the channels whose cases it treats differently. Shows only what the proposal's
summary holds: words of the policies and figures. Never judges a policy.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.slack.cards.bulletins.governance_buttons import governance_button, governance_row
from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Block, Drawing, bullets, header, quote, rich, run, small_words, typewriter, words
from bot.slack.cards.text.safe_text import brief, escaped, line
from bot.slack.cards.text.wording import LANE
from bot.slack.cards.view import Bulletin
from routing.authority import GovernanceVerb
from routing.governance.proposal import Proposal
from routing.vocabulary import EventKind, Lane

STEPS = (10, 25, 50, 100)
"""Shares in percent that the buttons offer for a staged policy, one after the other."""

_SIGNS = {"loosens": "−", "tightens": "+", "neutral": "·"}  # noqa: RUF001  # a minus as wide as the plus
_CELLS = 12


def draw_proposal(bulletin: Bulletin) -> Drawing:
    """The card (tier 0) or a channel's notice of a proposal as it is now. `bulletin.about` is a Proposal."""
    proposal = bulletin.about
    if not isinstance(proposal, Proposal):
        raise TypeError(f"a proposal is drawn, not a {type(proposal).__name__}")
    return _card(bulletin, proposal) if bulletin.tier == 0 else _notice(bulletin, proposal)


def _card(bulletin: Bulletin, proposal: Proposal) -> Drawing:
    title = f"📜 Policy {line(proposal.version)}: {_stands(proposal)}"
    blocks = [
        header(brief(title, 140)),
        rich(quote(brief(proposal.changes, 600))),
        small_words(_origin(bulletin, proposal)),
        *_raise(proposal),
        *_changes(proposal.summary.get("differences", []), int(proposal.summary.get("more", 0))),
        *_replay(proposal),
        words(_progress(bulletin, proposal)),
        *governance_row(_buttons(proposal)),
    ]
    return Drawing(escaped(f"{title}. {proposal.changes}", 400), blocks)


def _notice(bulletin: Bulletin, proposal: Proposal) -> Drawing:
    """What the reviewers of a workflow need to know, and no button."""
    title = f"*Policy {escaped(proposal.version, 80)}*  {_progress(bulletin, proposal)}"
    about = f"It treats cases of {escaped(', '.join(proposal.workflows), 400)} differently." if proposal.workflows else ""
    mine = [one for one in proposal.summary.get("differences", []) if one["workflow"] in ("", *proposal.workflows)]
    told = [small_words(about)] if about else []
    blocks = [words(title), rich(quote(brief(proposal.changes, 600))), *_changes(mine, 0), *told]
    return Drawing(f"Policy {escaped(proposal.version, 80)}: {escaped(proposal.changes, 300)}", blocks)


def _stands(proposal: Proposal) -> str:
    match proposal.state:
        case "open":
            return "proposed"
        case "declined":
            return "declined"
        case "superseded":
            return "over"
        case "accepted":
            return "in force" if _whole(proposal) else "in shadow" if proposal.stage == "shadow" else f"{proposal.share} % of new cases"


def _whole(proposal: Proposal) -> bool:
    """Whether, once accepted, every new case follows it."""
    return proposal.stage == "full" or (proposal.stage == "share" and proposal.share == STEPS[-1])


def _origin(bulletin: Bulletin, proposal: Proposal) -> str:
    by = {"tierline": "the changed file", "": "nobody"}.get(proposal.by) or bulletin.known_as(proposal.by)
    reason = f": “{escaped(proposal.reason, 300)}”" if proposal.reason else ""
    then = {"share": f" · then for {proposal.share} % of new cases", "shadow": " · then in shadow: it acts on no case", "full": ""}
    return f"Proposed by {escaped(by, 80)} {moment(proposal.at)}{reason}{then[proposal.stage] if proposal.state == 'open' else ''}"


def _raise(proposal: Proposal) -> list[Block]:
    if not proposal.raises:
        return []
    without = "" if proposal.replayed else "  It was not replayed on any case, so it cannot be accepted."
    return [words(f"⚠️ *It lets the model do more by itself*, so {proposal.needs} different people have to accept it.{without}")]


def _changes(differences: Sequence[Mapping[str, Any]], more: int) -> list[Block]:
    """A line for each change, what lets the model do more first."""
    if not differences:
        return []
    items = []
    for one in differences:
        sign = "🔓" if one["raises"] else _SIGNS[one["effect"]]
        items.append([run(f"{sign} "), run(line(one["workflow"] or "everywhere"), "bold"), run(f"  {brief(one['text'], 220)}")])
    left = [small_words(f"… and {more:,} more: `tierline policy diff`")] if more else []
    return [words("*What it changes*   🔓 lets the model do more · − loosens · + tightens"), rich(bullets(items)), *left]  # noqa: RUF001


def _replay(proposal: Proposal) -> list[Block]:
    """Lanes before and after as bars, then what that means for people."""
    found = proposal.summary.get("replay")
    if not found or not found["cases"]:
        return [words("*No case of the past to try it on.*")]
    before, after, cases = found["before"], found["after"], found["cases"]
    most = max(1, *(tally["lanes"].get(lane.value, 0) for tally in (before, after) for lane in Lane))
    rows = [f"{'':20}{'now':>9}{'with it':>9}"]
    for lane in Lane:
        was, will = before["lanes"].get(lane.value, 0), after["lanes"].get(lane.value, 0)
        if was or will:
            rows.append(f"{LANE[lane]:20}{was:>9,}{will:>9,}  {'█' * round(_CELLS * will / most) or '▏'}")
    labelled = after["labelled"]
    figures = [("people's steps", "reviews"), ("checks afterwards", "checks"), ("pages at opening", "pages")]
    figures += [("false approvals", "false_approvals"), ("false escalations", "false_escalations")] if labelled else []
    rows += [f"{name:20}{before[key]:>9,}{after[key]:>9,}" for name, key in figures]
    known = f", {labelled:,} of them labelled right or wrong" if labelled else ""
    lead = f"*Tried on the last {cases:,} cases*{known}: {found['changed']:,} {'goes' if found['changed'] == 1 else 'go'} elsewhere."
    moved = [
        [run(brief(one["task_id"], 60), "bold"), run(f"  {one['from']} → {one['to']}: {brief(' '.join(one['why']), 200)}")]
        for one in found.get("moved", [])[:3]
    ]
    return [words(lead), rich(typewriter("\n".join(rows))), *([rich(bullets(moved))] if moved else [])]


def _progress(bulletin: Bulletin, proposal: Proposal) -> str:
    """Where it stands, who took part, and what is missing."""
    people = ", ".join(escaped(bulletin.known_as(one), 80) for one in proposal.accepted_by)
    last = next((one for one in reversed(bulletin.history) if one.kind in (EventKind.POLICY_ACTIVATED, EventKind.POLICY_STAGED)), None)
    since = f" since {moment(last.at)}" if last is not None else ""
    accepted = f" Accepted by {people}." if people else ""
    match proposal.state:
        case "open":
            left = proposal.needs - len(proposal.accepted_by)
            return f"*{left} more {'person has' if left == 1 else 'people have'} to accept it.*{accepted}"
        case "declined":
            return f"*Declined* by {escaped(bulletin.known_as(proposal.declined_by), 80)}; the policy before stays in force.{accepted}"
        case "superseded":
            return f"*Over*: another policy took its place.{accepted}"
        case "accepted":
            return f"*{_effect(proposal)}*{since}.{accepted}{_by_itself(bulletin, proposal)}"


def _effect(proposal: Proposal) -> str:
    if _whole(proposal):
        return "In force for every new case"
    if proposal.stage == "shadow":
        return "In shadow: it routes every case and acts on none"
    return f"In force for {proposal.share} % of new cases"


def _by_itself(bulletin: Bulletin, proposal: Proposal) -> str:
    match proposal.origin:
        case "person":
            return ""
        case "file":
            return " The file changed and the policy before left that to the file."
        case "roll_back":
            return f" Rolled back by {escaped(bulletin.known_as(proposal.by), 80)}."


def _buttons(proposal: Proposal) -> list[Block]:
    if proposal.state == "open":
        accept = governance_button("Accept", GovernanceVerb.ACCEPT_POLICY, proposal.id, style="primary")
        rehearsed = proposal.replayed or not proposal.raises  # else nobody can accept it as it is
        return [
            *([accept] if rehearsed else []),
            governance_button("Decline …", GovernanceVerb.DECLINE_POLICY, proposal.id, style="danger"),
        ]
    if proposal.state != "accepted":
        return []
    back = governance_button("Roll back …", GovernanceVerb.ROLL_BACK_POLICY, proposal.id, style="danger")
    if _whole(proposal):
        return [back]
    share = 0 if proposal.stage == "shadow" else proposal.share
    wider = next(step for step in STEPS if step > share)
    label = "Put it in force" if wider == STEPS[-1] else f"Give it {wider} %"
    return [governance_button(label, GovernanceVerb.WIDEN_POLICY, proposal.id, style="primary", figure=wider), back]
