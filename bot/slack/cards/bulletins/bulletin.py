"""Messages about more than one case: an alert, the brake of a workflow, an exception. Whoever is woken by one reads what happened, by which
figures, what was done about it and who may undo it.

Owns their words and which button stands where; never decides and never fetches.
"""

import re
from collections.abc import Iterable
from typing import TypeGuard, assert_never

from bot.slack.cards.bulletins.board import draw_board
from bot.slack.cards.bulletins.bound_name import draw_binding
from bot.slack.cards.bulletins.break_glass_list import draw_list
from bot.slack.cards.bulletins.drill import draw_drill
from bot.slack.cards.bulletins.governance_buttons import governance_button, governance_row
from bot.slack.cards.bulletins.owed import draw_owed
from bot.slack.cards.bulletins.postmortem import draw_incident
from bot.slack.cards.bulletins.proposed_policy import draw_proposal
from bot.slack.cards.bulletins.waiting_pages import draw_waiting_pages
from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Block, Drawing, header, lines, quote, rich, run, small_words, words
from bot.slack.cards.text.mentions import bare, linked, mention
from bot.slack.cards.text.percentages import percent
from bot.slack.cards.text.safe_text import brief, escaped
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import Bulletin
from routing.authority import AlertLevel, Automation, GovernanceVerb
from routing.case.break_glass import BreakGlassList
from routing.governance.alert import Alert
from routing.governance.alert_lifecycle import said_before
from routing.governance.binding import Binding
from routing.governance.binding_lifecycle import shown_alarm
from routing.governance.brake import OPERATIONS, shown_number
from routing.governance.control import Control
from routing.governance.digest import Digest
from routing.governance.drill import Drill
from routing.governance.incident import Incident
from routing.governance.owed import Owed
from routing.governance.paging_alarm import PagingAlarm
from routing.governance.paging_alarm_lifecycle import shown_alarm as shown_paging_alarm
from routing.governance.proposal import Proposal
from routing.governance.waiver import Waiver, WaiverList
from routing.review.board import Board, BoardReminder
from routing.vocabulary import EventKind

STATE = {
    Automation.ON: "▶️ runs as the policy says",
    Automation.SAMPLING_RAISED: "🔎 is checked more often",
    Automation.REVIEW_ALL: "👀 is reviewed in full",
    Automation.PAUSED: "⏸ is paused",
    Automation.FROZEN: "❄️ is frozen",
}
"""What a workflow at a level does, after its name."""

MEANING = {
    Automation.ON: "The model acts by itself where the policy lets it.",
    Automation.SAMPLING_RAISED: "The model still acts by itself; people check more of it afterwards.",
    Automation.REVIEW_ALL: "Nothing is approved automatically: people decide every case.",
    Automation.PAUSED: "Nothing is approved automatically, and no approval leaves: it is kept back and reviewed afresh. Rejections count.",
    Automation.FROZEN: "Nothing moves: open cases and new ones are held until somebody resumes the workflow.",
}
"""What a level means, in one sentence or two."""

_USUAL = {
    "mean_confidence_drop": "a mean confidence of {:.2f}",
    "review_time": "{:,.0f} s for a review",
    "approval_rate": "{} approved",
    "model_latency": "{:,.0f} ms",
}
"""How the usual value of a measure reads, where it has one: what it was over the breaker's baseline."""


def draw_bulletin(bulletin: Bulletin) -> Drawing:  # noqa: C901, PLR0912 - one line for each kind of subject
    """The message for its subject as it is now."""
    match bulletin.about:
        case Alert() as alert:
            return _draw_alert(bulletin, alert)
        case Control() as control:
            return _draw_brake(bulletin, control)
        case Waiver() as waiver:
            return _draw_waiver(bulletin, waiver)
        case Proposal():
            return draw_proposal(bulletin)
        case Binding() as binding:
            return draw_binding(bulletin, binding)
        case PagingAlarm() as alarm:
            return draw_waiting_pages(bulletin, alarm)
        case WaiverList() as listed:
            drawn = draw_exceptions(listed.waivers)
            return Drawing(drawn.text, [header(f"⚖️ Exceptions, week {listed.week}"), *drawn.blocks])
        case Incident() as incident:
            return draw_incident(bulletin, incident)
        case BreakGlassList() as uses:
            return draw_list(uses, bulletin.names)
        case Drill() as drill:
            return draw_drill(bulletin, drill)
        case Owed() as about:
            return draw_owed(about, bulletin.links)
        case Board() | BoardReminder() as board:
            return draw_board(bulletin, board)
        case Digest() as unsaid:
            raise ValueError(f"{unsaid.id} is not said in Slack: each case that it lists has its card there")


def is_over(bulletin: Bulletin) -> bool:
    """Whether nobody need look at this message any more, so that it is not posted anew where somebody deleted it."""
    match bulletin.about:
        case Control() as control:
            return control.posted != shown_number(bulletin.tier)
        case Binding() as binding:
            return binding.over or binding.posted != shown_alarm(bulletin.tier)
        case PagingAlarm() as alarm:
            return alarm.over or alarm.posted != shown_paging_alarm(bulletin.tier)
        case Alert() | Proposal() | Waiver() | Incident() | Drill() | Digest() as subject:
            return subject.over
        case Board() as board:
            return board.over or board.posted > bulletin.tier
        case BoardReminder() | Owed():
            return True
        case WaiverList() | BreakGlassList():
            return False
        case unknown:
            assert_never(unknown)


def draw_exceptions(waivers: Iterable[Waiver]) -> Drawing:
    """`/review exception list`, and the weekly list: what is in force or waits for an approval, what ends first on top."""
    found = sorted((one for one in waivers if not one.over), key=lambda one: one.until)
    if not found:
        return Drawing("No exceptions.", [words("No exception is in force and none is asked for.")])
    text = f"{len(found):,} exception{'s' if len(found) != 1 else ''} in force or asked for."
    rows = [block for one in found[:20] for block in (words(waiver_line(one)), small_words(waiver_terms(one)))]
    more = [small_words(f"… and {len(found) - 20:,} more")] if len(found) > 20 else []
    return Drawing(text, [words(text), *rows, *more])


def draw_brake_line(control: Control) -> str:
    """One line of mrkdwn: how a workflow stands, since when and why."""
    since = f" since {moment(control.since)}" if control.since is not None else ""
    why = f": {escaped(control.reason, 300)}" if control.reason else ""
    return f"{code(control.workflow)} {STATE[control.automation]}{since}{why}"


def _draw_drills_alarm(bulletin: Bulletin, alert: Alert) -> Drawing:
    """The alarm of a drill: where a real one would stand, with the button that it would have."""
    title = f"{'🧪 Drill over' if alert.over else '🧪 [DRILL] Alarm'}, workflow {alert.workflow}"
    known = bulletin.known_as(alert.acknowledged_by)
    told = [f"Since {moment(alert.at)}"]
    told += [f"acknowledged by {escaped(known)}"] if known else ["nobody acknowledged it"] if alert.over else []
    found = [] if alert.over else [governance_button("Acknowledge", GovernanceVerb.ACKNOWLEDGE_ALERT, alert.id, style="primary")]
    owners = [words("Owners of the policy: " + " ".join(map(mention, bulletin.owners)))] if bulletin.owners and not alert.over else []
    said = [header(brief(title, 140)), rich(lines(run(_said(alert.why, 600), "bold"))), *_unpaged(alert), *owners]
    return Drawing(escaped(f"{title}. {alert.why}", 400), [*said, small_words(" · ".join(told)), *governance_row(found)])


def _draw_alert(bulletin: Bulletin, alert: Alert) -> Drawing:
    if alert.drill:
        return _draw_drills_alarm(bulletin, alert)
    sign = "✅ Over" if alert.over else "🚨 Incident" if alert.level is AlertLevel.INCIDENT else "⚠️ Alert"
    if not alert.over and alert.said and said_before(bulletin.tier):
        sign = "🔁 Still so"
    title = f"{sign}: {_title(alert.rule)}, workflow {alert.workflow}"
    scope = [run(f"  ·  only {brief(alert.scope, 80)}")] if alert.scope else []
    blocks: list[Block] = [
        header(brief(title, 140)),
        rich(lines(run(_said(alert.why, 600), "bold"), *scope)),
        *_more_of(bulletin, alert),
        words(f"*Done by itself:* {_done(alert)}"),
        *_unpaged(alert),
        *([words(stands)] if bulletin.control is not None and (stands := _stands(bulletin, alert, bulletin.control)) else []),
    ]
    told = [f"Since {moment(alert.at)}"]
    told += [f"said again {moment(alert.said_at)}, because it was still so"] if alert.said_at is not None else []
    told += [f"acknowledged by {escaped(bare(bulletin.known_as(alert.acknowledged_by)))}"] if alert.acknowledged_by else []
    told += ["its incident in PagerDuty is closed"] if alert.page_round and not (alert.page_open or alert.over) else []
    told += [f"over since {moment(alert.cleared_at)}"] if alert.cleared_at is not None else []
    if alert.level is AlertLevel.INCIDENT and bulletin.owners and not alert.over:
        blocks.append(words("Owners of the policy: " + " ".join(map(mention, bulletin.owners))))
    return Drawing(
        escaped(f"{title}. {alert.why}", 400), [*blocks, small_words(" · ".join(told)), *governance_row(_alert_buttons(bulletin, alert))]
    )


def _more_of(bulletin: Bulletin, alert: Alert) -> list[Block]:
    """What its sentence does not say: what is usual, how the figure stands since, how many cases, and the way to the newest of them."""
    figures = alert.figures
    usual, figure, count = (figures.get(name) for name in ("usual", "figure", "cases"))
    case = str(figures.get("newest") or figures.get("case") or "")
    measure = str(figures.get("measure"))
    shown = percent(usual) if _is_number(usual) and measure == "approval_rate" else usual
    told = [f"Usual: *{_USUAL[measure].format(shown)}*"] if _is_number(usual) and measure in _USUAL else []
    told += [f"Now: *{figure:.4g}*"] if alert.over and _is_number(figure) else []
    told += [f"*{count:,} cases* so far"] if _is_number(count) else []
    told += [f"{link} of {code(case)}"] if (link := linked(bulletin.links.get(case, ""), "Open the card")) else []
    return [words(" · ".join(told))] if told else []


def _unpaged(alert: Alert) -> list[Block]:
    if not alert.unpaged or alert.over or alert.acknowledged_by:
        return []
    why = escaped(alert.unpaged, 200)
    return [words(f"*PagerDuty has not taken the page about this* ({why}): nobody is rung, so see to it here. It is being tried on.")]


def _done(alert: Alert) -> str:
    if not alert.changed:
        return f"nothing was changed. {code(alert.workflow)} {STATE[alert.action]}."
    return f"{code(alert.workflow)} {STATE[alert.action]}. {MEANING[alert.action]}"


def _stands(bulletin: Bulletin, alert: Alert, control: Control) -> str:
    """How the workflow stands now, unless that is what was done or left; and who may let it go on."""
    if not alert.changed and control.automation is alert.action and not _braked(control):
        return ""
    as_done = alert.changed and control.automation is alert.action and control.since == alert.at
    return _who_resumes(bulletin, control) if as_done and _braked(control) else _now(bulletin, control)


def _now(bulletin: Bulletin, control: Control) -> str:
    since = f" since {moment(control.since)}" if control.since is not None else ""
    now = f"*Now:* {code(control.workflow)} {STATE[control.automation]}{since}."
    return f"{now} {_who_resumes(bulletin, control)}" if _braked(control) else now


def _who_resumes(bulletin: Bulletin, control: Control) -> str:
    """Who may let the workflow go on, as `routing.governance.automation.resume` has it."""
    incident = isinstance(bulletin.about, Alert) and bulletin.about.level is AlertLevel.INCIDENT
    if control.stop_cases:
        some = ", ".join(code(one) for one in control.stop_cases[:3])
        return f"A duty officer or policy owner may resume it, once the case that stopped it is decided: {some}."
    if incident:
        return "A duty officer or policy owner may resume it."
    if control.freezes():
        return "A supervisor, duty officer or admin may resume it."
    return "A supervisor, duty officer, policy owner or admin may resume it."


def _alert_buttons(bulletin: Bulletin, alert: Alert) -> list[Block]:
    control = bulletin.control
    found = []
    if not alert.over and not alert.acknowledged_by:
        found.append(governance_button("Acknowledge", GovernanceVerb.ACKNOWLEDGE_ALERT, alert.id, style="primary"))
    if control is not None and not alert.over:
        found += _brake_buttons(control)
    return found


def _brake_buttons(control: Control) -> list[Block]:
    """Resume where something is held back, and what goes further, as long as approvals leave."""
    subject, number = f"w_{control.workflow}", control.posted
    found = [governance_button("Resume …", GovernanceVerb.RESUME, subject, number)] if _braked(control) else []
    if not control.withholds():
        found.append(governance_button("Pause …", GovernanceVerb.PAUSE, subject, number, style="danger"))
    return found


def _draw_brake(bulletin: Bulletin, control: Control) -> Drawing:
    """One change of level. Posted anew at each change, so an older one only says that it is over, and by what."""
    number = shown_number(bulletin.tier)
    told = [one for one in bulletin.history if one.kind is EventKind.AUTOMATION_CHANGED]
    mine = next((one for one in told if one.fields.get("number") == number), None)
    if mine is None or control.posted == number:
        level, reason, at, by = control.automation, control.reason, control.since, _by(bulletin, control.cause, control.by)
    else:
        level, reason, at = Automation(str(mine.fields["after"])), str(mine.fields.get("reason", "")), mine.at
        by = _by(bulletin, str(mine.fields.get("cause", "")), str(mine.fields.get("by", "")))
    title, plainly = f"{code(control.workflow)} {STATE[level]}", f"{escaped(control.workflow)} {STATE[level]}"
    since = f" · {moment(at)}" if at is not None else ""
    blocks = [words(f"{title}\n{MEANING[level]}"), *([rich(quote(_said(reason, 600)))] if reason else []), small_words(f"{by}{since}")]
    if control.posted != number:
        return Drawing(f"No longer: {plainly}", [*blocks, words(f"_No longer so._ {_now(bulletin, control)}")])
    if _braked(control):
        blocks.append(words(_who_resumes(bulletin, control)))
    buttons = _brake_buttons(control) if bulletin.tier % 2 == OPERATIONS else []
    return Drawing(f"{plainly}: {escaped(reason, 300)}", [*blocks, *governance_row(buttons)])


def _by(bulletin: Bulletin, cause: str, by: str) -> str:
    match cause:
        case "person":
            return f"By {escaped(bulletin.known_as(by))}"
        case "stop":
            return f"By the case {code(by)}, which stopped the line"
        case "breaker":
            return f"By the breaker {code(by)}"
        case _:
            return "By the rules of sampling"


def _draw_waiver(bulletin: Bulletin, waiver: Waiver) -> Drawing:
    stands = {"requested": "❓ Exception asked for", "in_force": "⚖️ Exception in force", "ended": "⏹ Exception ended"}[waiver.state]
    title = f"{stands} in {escaped(waiver.workflow)}"
    people = [f"Asked for by {escaped(bulletin.known_as(waiver.requested_by))} {moment(waiver.requested_at)}"]
    people += [f"approved by {escaped(bulletin.known_as(waiver.approved_by))}"] if waiver.approved_by else []
    people += [_ended(bulletin, waiver)] if waiver.over else []
    blocks = [
        words(f"*{title}*  {code(waiver.id)}\n{_waived(waiver)}"),
        rich(quote(_said(waiver.reason, 600))),
        words(waiver_terms(waiver)),
        small_words(" · ".join(people)),
    ]
    return Drawing(f"{title}: {escaped(waiver.reason, 300)}", [*blocks, *governance_row(_waiver_buttons(waiver))])


def _waiver_buttons(waiver: Waiver) -> list[Block]:
    match waiver.state:
        case "requested":
            approve = governance_button("Approve", GovernanceVerb.APPROVE_EXCEPTION, waiver.id, style="primary")
            return [approve, governance_button("Decline …", GovernanceVerb.END_EXCEPTION, waiver.id, style="danger")]
        case "in_force":
            return [governance_button("End it …", GovernanceVerb.END_EXCEPTION, waiver.id)]
        case "ended":
            return []


def _ended(bulletin: Bulletin, waiver: Waiver) -> str:
    match waiver.ended:
        case "expired":
            return "its time is over"
        case "used_up":
            return "it is used up"
        case "declined":
            return "declined"
        case person:
            return f"ended by {escaped(bulletin.known_as(person))}"


def waiver_line(waiver: Waiver) -> str:
    """Mrkdwn: an exception in two lines."""
    stands = {"requested": "❓ asked for", "in_force": "⚖️ in force", "ended": "⏹ ended"}[waiver.state]
    return f"{code(waiver.id)}  {stands} in {code(waiver.workflow)}: {_waived(waiver)}\n“{escaped(waiver.reason, 300)}”"


def _waived(waiver: Waiver) -> str:
    what = ", ".join(escaped(code_label(code)) for code in waiver.waives)
    only = f" for {escaped(', '.join(waiver.action_types), 300)} only" if waiver.action_types else ""
    return f"waives {what}{only}"


def waiver_terms(waiver: Waiver) -> str:
    """Mrkdwn: until when it holds and how often it was used."""
    uses = f"used {waiver.uses:,} of {waiver.most:,} times" if waiver.most is not None else f"used {waiver.uses:,} times"
    return f"Until {moment(waiver.until)}, {uses}."


def _braked(control: Control) -> bool:
    return control.automation.level > Automation.SAMPLING_RAISED.level


def code(name: str) -> str:
    """A name or id that may have to be typed, to be copied as it is; anything else is escaped."""
    return f"`{name}`" if re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", name, re.ASCII) else escaped(name)


def _said(text: str, most: int) -> str:
    """On one line; never empty, which Slack refuses."""
    return brief(text, most) or "–"  # a dash


def _title(name: str) -> str:
    return code_label(name.replace("-", "_"))


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
