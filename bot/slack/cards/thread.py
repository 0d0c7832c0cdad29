"""Notes in a card's thread: the history of a case as it happens, one sentence each, with people's own words quoted.

Owns one sentence per kind of event. Only a reminder, an escalation, an alarm and a claim that moves ring anybody, and then one person. It
never changes a card.
"""

from typing import assert_never

from bot.slack.cards.parts.brakes import held_words, releasing
from bot.slack.cards.parts.break_glass import passed_over, ringing
from bot.slack.cards.parts.checklist import told_failed
from bot.slack.cards.parts.clock_line import business_hours, clock_lines, moment, span
from bot.slack.cards.text.block_kit import Block, Drawing, lines, quote, rich, run, words
from bot.slack.cards.text.mentions import acted, can_be_rung, mention
from bot.slack.cards.text.remedies import plain_code
from bot.slack.cards.text.safe_text import Cuts, clean, escaped
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import Happening, View
from routing.clock import opens
from routing.review.page_routes import OPERATIONS
from routing.vocabulary import EventKind, PageRoute, State

_TELLING = frozenset(
    {
        EventKind.COMMENTED,
        EventKind.TAKEN_OVER,
        EventKind.HANDED_OVER,
        EventKind.INFORMATION_REQUESTED,
        EventKind.INFORMATION_SUPPLIED,
        EventKind.ESCALATED,
        EventKind.APPROVED,
        EventKind.REJECTED,
        EventKind.MODIFIED,
        EventKind.PAGE_NOTED,
        EventKind.ROLLBACK_REQUESTED,
        EventKind.RESUMED,
        EventKind.VERIFICATION_FAILED,
        EventKind.QUARANTINED,
    }
)
"""Events that carry people's words, which an escalation passes on."""


def draw_note(view: View, happening: Happening) -> Drawing:
    """What the thread says of one event. `view` is the case as it is when the note is sent."""
    cuts = Cuts()
    sentence = _sentence(view, happening)
    blocks: list[Block] = [words(sentence), *_own_words(happening, cuts)]
    if happening.kind is EventKind.ESCALATED:
        blocks += _so_far(view, happening, cuts)
    return Drawing(sentence, blocks)


_SENTENCE: dict[EventKind, str] = {
    EventKind.REMINDED: "🔔 {rung}This case still waits for a decision. {clock}",
    EventKind.ESCALATED: "⬆️ {owner}{who} escalated this case{reason}. It is now at tier {now_at}.",
    EventKind.COMMENTED: "💬 {who} comments:",
    EventKind.INFORMATION_REQUESTED: "❓ {who} asks the service:",
    EventKind.INFORMATION_SUPPLIED: "📨 {who} has answered. The card shows revision {revision}.",
    EventKind.APPROVED: "✅ {who} said yes to the step {step}.",
    EventKind.REJECTED: "⛔ {who} rejected this{reason}.",
    EventKind.MODIFIED: "✏️ {who} made changes{reason}.",
    EventKind.DECIDED: "🏁 Decided: *{verdict}*{reason}.",
    EventKind.CLAIMED: "🙋 {who} has taken this case.",
    EventKind.UNCLAIMED: "↩️ {who} has released this case; anybody of the group can take it.",
    EventKind.TAKEN_OVER: "🙋 {who} has taken this case over from {whom}:",
    EventKind.HANDED_OVER: "🤝 {who} has handed this case to {whom}:",
    EventKind.CLAIM_RETURNED: "↩️ The claim of {whom} has ended: {ended}.",
    EventKind.ACKNOWLEDGED: "👀 {who} is looking at this.",
    EventKind.EVIDENCE_OPENED: "📂 {who} has opened the details.",
    EventKind.PAGED: "📟 Tier {tier} was paged{on_call}{in_digest} (page {round}).",
    EventKind.PAGE_ACCEPTED: "📟 Page {round} for tier {tier} was taken {by_route}.",
    EventKind.PAGE_NOT_ACCEPTED: "⚠️ {owner}Page {round} for tier {tier} did not get through {by_route} ({cause}). {then}",
    EventKind.PAGE_ACKNOWLEDGED: "📟 {who} has acknowledged the page{in_digest}.",
    EventKind.PAGE_RESOLVED: "📟 {who} resolved the incident in PagerDuty. The case still waits for a decision here.",
    EventKind.PAGE_NOTED: "📟 {who} wrote in PagerDuty:",
    EventKind.PAGE_REASSIGNED: "📟 {who} {how} the incident in PagerDuty{to}.",
    EventKind.PAGE_UNACKNOWLEDGED: "📟 {who} no longer has the incident in PagerDuty: it rings again there.",
    EventKind.PAGE_REOPENED: "📟 {who} has reopened the incident in PagerDuty: it rings again there.",
    EventKind.EXPIRED: "⌛ Nobody decided in time. Nothing is executed.",
    EventKind.HELD: "✋ {held}",
    EventKind.RESUMED: "▶️ {who} has taken the case up again.",
    EventKind.WITHDRAWN: "↩️ The service has taken the case back. Nothing is executed.",
    EventKind.OUTCOME_REPORTED: "📦 The service reports: *{result}*.",
    EventKind.VERIFICATION_FAILED: "✗ {who} found it wrong: {failed}. Earlier votes no longer count.",
    EventKind.CHECK_OPENED: "🔎 People check this automatic approval.",
    EventKind.CHECK_AGREED: "🔎 {who} has checked it: the automatic approval was right.",
    EventKind.CHECK_DISAGREED: "🔎 {owner}{who} has checked it: the automatic approval was *wrong*{reason}.",
    EventKind.BREAK_GLASS_USED: "🔨 {who} decided this by break-glass: *{verdict}*. Passed over: {passed_over}. The supervisors are told.",
    EventKind.BREAK_GLASS_REVIEWED: "🔨 {who} has reviewed the break-glass here: it was *{outcome}*{reason}.",
    EventKind.TIED: "🔗 An identical case has arrived; they are decided together.",
    EventKind.LINKED: "🔗 A case like this one has arrived; it is decided by itself.",
    EventKind.SEPARATED: "✂️ {who} sees a difference: the identical cases are decided by themselves from here.",
    EventKind.REVEALED: "🔓 {who} has looked at what is masked.",
    EventKind.QUARANTINED: "🔒 {who} has put this case in quarantine{reason}. Nothing is executed until {releasing} releases it.",
    EventKind.WITHHELD: "⏸ Decided, and *kept back*: the workflow is paused. The service has not been told.",
    EventKind.UNPROVEN: "🚨 {owner}*Kept back*: the audit log does not prove this case. Nothing is executed on it.",
    EventKind.DATABASE_ALTERED: "🚨 Rows of the database are not what the audit log says of this case.",
    EventKind.CHANGED: "✏️ This case changed.",
    EventKind.RELEASED: "📤 The service is told what was decided.",
    EventKind.UNDONE: "↩️ {who} took back what was decided here, before the service was told. The case waits for people as before.",
    EventKind.VOIDED: "🔁 The decision that was kept back counts no longer. The case is reviewed afresh.",
    EventKind.ROLLBACK_PROPOSED: "⏪ {who} proposes to undo this{reason}. Somebody else decides.",
    EventKind.ROLLBACK_DECLINED: "⏪ {who} decided not to undo this{reason}.",
    EventKind.ROLLBACK_REQUESTED: "⏪ {who} asked the service to roll this back{reason}.",
    EventKind.EXECUTION_ALARM: "🚨 {owner}The service reports an execution that does not match what was decided here.",
    EventKind.NOT_DELIVERED: "⚠️ {owner}A message about this case could not be delivered.",
    EventKind.NOT_SEEN: "⚠️ Slack does not show the card here (`{error}`), so the owners were told directly that this case waits.",
    EventKind.CARD_LOST: "📦 The card that stood for this case was deleted or could not be changed any more, so it was posted anew.",
    EventKind.DELIVERY_RETRIED: "📦 A message that could not be delivered is being sent again.",
    EventKind.RECEIVED: "📥 The case has arrived.",
    EventKind.PLAYBOOK_BEGUN: "📕 A playbook has begun. The card shows its steps.",
    EventKind.PLAYBOOK_STEP_BEGUN: "📕 A step of a playbook has begun.",
    EventKind.PLAYBOOK_STEP_DONE: "📕 A step of a playbook is done.",
    EventKind.PLAYBOOK_STEP_FAILED: "📕 A step of a playbook *failed*. The card shows which.",
    EventKind.PLAYBOOK_STEP_SKIPPED: "📕 A step of a playbook is not needed.",
    EventKind.INTERIM_SET: "🧊 The service is asked to hold this until it is decided.",
    EventKind.INTERIM_ENDED: "🧊 The verdict has ended what the service was asked to do meanwhile.",
    EventKind.LEGAL_HOLD_SET: "⚖️ {who} has put a legal hold on this case: its content is not erased.",
    EventKind.LEGAL_HOLD_RELEASED: "⚖️ {who} has released a legal hold on this case:",
    EventKind.CONTENT_ERASED: "🧹 The content of this case was erased.",
    EventKind.PRESS_REFUSED: "🚫 A press by {who} was refused{reason}.",
    EventKind.PRESSES_REFUSED: "🚫 Further presses by {who} were refused.",
}
"""One sentence per kind of event that belongs to a case. The others speak of the whole system and never reach a thread."""

_BY_ITSELF: dict[tuple[EventKind, str], str] = {
    (EventKind.ESCALATED, "acknowledge"): "⬆️ {owner}Nobody took it in time. The case is now at tier {now_at}.",
    (EventKind.ESCALATED, "decide"): "⬆️ {owner}Nobody decided in time. The case is now at tier {now_at}.",
    (EventKind.ESCALATED, "unseen"): (
        "⬆️ {owner}Slack did not show the card of tier {tier} (`{error}`), so nobody could see it there. The case is now at tier {now_at}."
    ),
    (EventKind.ESCALATED, "closed"): (
        "🌙 {owner}Tier {tier} is closed{until}, and a case of this risk does not wait for it to open. It is now at tier {now_at}, and does"
        " not come back."
    ),
    (EventKind.ESCALATED, "drill"): "⬆️ {owner}Somebody answered, and this is a drill: it goes on to tier {now_at} as if nobody had.",
    (EventKind.ESCALATED, ""): "⬆️ {owner}The case is now at tier {now_at}.",
    (EventKind.EXPIRED, "information"): "⌛ The service did not answer in time. Please decide with what there is.",
    (EventKind.EXPIRED, "total"): "⌛ The total time for a decision is over. Nothing is executed.",
    (EventKind.INFORMATION_REQUESTED, ""): "❓ The service was asked for what is missing.",
    (EventKind.PAGE_REASSIGNED, ""): "📟 PagerDuty {how} the incident{to}.",
    (EventKind.PAGE_UNACKNOWLEDGED, ""): "📟 The acknowledgement in PagerDuty has run out: the incident rings again there.",
    (EventKind.PAGE_RESOLVED, ""): "📟 The incident was resolved in PagerDuty. The case still waits for a decision here.",
    (EventKind.PAGE_NOTED, ""): "📟 Written in PagerDuty:",
    (EventKind.PAGE_REOPENED, ""): "📟 The incident was reopened in PagerDuty: it rings again there.",
    (EventKind.RESUMED, ""): "▶️ The workflow goes on. Please review this case afresh.",
    (EventKind.SEPARATED, ""): "✂️ Identical cases are no longer decided together; each is decided by itself from here.",
    (EventKind.ROLLBACK_PROPOSED, ""): "⏪ The check found it wrong, so undoing it is proposed. Somebody decides.",
    (EventKind.ROLLBACK_DECLINED, ""): "⏪ Nobody decided to undo this; it stays as it is.",
}
"""The same for events that no person caused, by the clock that ran out."""


_OF_AN_OPEN_CASE: dict[EventKind, str] = {
    EventKind.REMINDED: "🔔 This case was asked about again. It is decided by now.",
    EventKind.PAGE_RESOLVED: "📟 The incident was resolved in PagerDuty. The case is decided by now.",
    EventKind.PAGE_UNACKNOWLEDGED: "📟 The acknowledgement in PagerDuty was over. The case is decided by now.",
    EventKind.PAGE_REOPENED: "📟 The incident was reopened in PagerDuty. The case is decided by now.",
}
"""What is said in place of a sentence that speaks of a case which waits, where the note leaves only after it was decided."""


def _sentence(view: View, happening: Happening, *, ringing: bool = True) -> str:
    """One sentence of mrkdwn made of our words, codes and people. `ringing`: whom it is about is rung, as it is said for the first time."""
    kind = happening.kind
    if kind in _OF_AN_OPEN_CASE and not view.case.open:
        return _OF_AN_OPEN_CASE[kind]
    if kind is EventKind.HELD and view.case.state is not State.HELD:
        return "✋ The case was held; it has gone on since."
    alone = _BY_ITSELF.get((kind, _field(happening, "clock"))) if happening.actor.kind != "human" else None
    template = alone or _SENTENCE.get(kind) or code_label(kind.value) + "."
    return template.format(
        who=_who(view, happening),
        rung=_rung(view),
        owner=_owner(view),
        on_call=_on_call(view),
        in_digest=" in a digest that lists several cases" if happening.fields.get("digest") else "",
        reason=_reason(happening),
        clock=" ".join(clock_lines(view)),
        now_at=view.case.tier + 1,
        until=_closed_until(view, happening),
        revision=view.case.revision,
        tier=_field(happening, "tier") or str(view.tier + 1),
        round=_field(happening, "round") or "1",
        step=_field(happening, "step"),
        verdict=_code(happening, "verdict"),
        result=_code(happening, "result"),
        by_route=_by_route(happening),
        cause=escaped(str(happening.fields.get("cause") or ""), 200),
        how=_HANDED.get(_field(happening, "how"), "moved"),
        to=_handed_to(happening),
        then=_THEN_BY.get(str(happening.fields.get("next") or ""), ""),
        error=plain_code(str(happening.fields.get("error") or "")),
        failed=escaped(told_failed(happening), 400) or "see the card",
        held=held_words(view),
        releasing=releasing(view),
        passed_over=passed_over(happening.fields.get("passed_over")),
        outcome=_field(happening, "outcome"),
        whom=_whom(view, happening, ringing=ringing),
        ended="whoever had it is away"
        if _field(happening, "reason") == "away"
        else f"nothing was done for {span(view.case.route.claim_s)}",
    ).strip()


_BY_ROUTE = {
    PageRoute.PAGERDUTY: "by PagerDuty",
    PageRoute.SECOND_KEY: "by the second routing key",
    PageRoute.EMAIL: "by the mail server",
}
_THEN_BY = {
    PageRoute.SECOND_KEY.value: "It goes to the second routing key as well.",
    PageRoute.EMAIL.value: "It goes out by e-mail as well.",
    OPERATIONS: "No further way is left; operations are told here in Slack, and it is being tried on.",
}


_HANDED = {"reassigned": "reassigned", "delegated": "handed over", "escalated": "escalated"}
"""How somebody else came to be asked at PagerDuty, in a sentence."""


def _handed_to(happening: Happening) -> str:
    """Whom PagerDuty asks now, by name; "" where it named nobody."""
    names = happening.opened.get("to")
    return f" to {escaped(', '.join(map(str, names)), 200)}" if isinstance(names, list | tuple) and names else ""


def _by_route(happening: Happening) -> str:
    """By which routes, as one event of a page has them."""
    routes = happening.fields.get("routes") or [happening.fields.get("route")]
    named = [_BY_ROUTE[PageRoute(one)] for one in routes if one in list(PageRoute)] if isinstance(routes, list) else []
    return " and ".join(named)


def _own_words(happening: Happening, cuts: Cuts) -> list[Block]:
    """What the person wrote, quoted; nothing where they wrote nothing."""
    texts = [clean(part) for part in _written(happening)]
    shown = cuts.cut("\n".join(text for text in texts if text), 2_000)
    return [rich(quote(shown))] if shown else []


def _written(happening: Happening) -> list[str]:
    found = [happening.opened.get(name) for name in ("text", "answer", "reason", "detail")]
    flat = [part for value in found for part in (value if isinstance(value, list | tuple) else [value])]
    return [str(part) for part in flat if part]


def _so_far(view: View, until: Happening, cuts: Cuts) -> list[Block]:
    """What people have said up to an escalation, oldest first, so that the next tier starts where this one stopped."""
    earlier = tuple(one for one in view.history if one.index < until.index and one.kind in _TELLING and _written(one))
    if not earlier:
        return []
    blocks: list[Block] = [rich(lines(run("Said so far", "bold")))]
    last = earlier[-10:]
    if len(earlier) > len(last):
        blocks.append(rich(lines(run(f"… {len(earlier) - len(last):,} earlier ones: open Details"))))
    for one in last:
        said = cuts.cut(clean("\n".join(_written(one))), 600)
        blocks += [words(_sentence(view, one, ringing=False)), *([rich(quote(said))] if said else [])]
    return blocks


def _who(view: View, happening: Happening) -> str:
    match happening.actor.kind:
        case "human":
            return acted(happening.actor.id, view)
        case "service":
            return f"The service {escaped(happening.actor.id)}"
        case "model":
            return f"The model {escaped(happening.actor.id)}"
        case "system":
            return "Tierline"
        case unknown:
            assert_never(unknown)


def _rung(view: View) -> str:
    """Rings the supervisors where break-glass is reviewed; else whoever has taken the case, else the owner of the tier, else nobody."""
    if supervisors := ringing(view):
        return supervisors
    takers = (view.case.claimed_by, view.case.acknowledged_by, view.case.rung.answering(view.away) or "")
    return next((f"{mention(person)} " for person in takers if can_be_rung(person)), "")


def _whom(view: View, happening: Happening, *, ringing: bool) -> str:
    """Whoever had the case before, or has it now, by an event about its claim."""
    person = _field(happening, "to") or _field(happening, "of")
    return mention(person) if ringing else acted(person, view)


def _owner(view: View) -> str:
    owner = view.case.rung.answering(view.away)
    return f"{mention(owner)} " if owner is not None and can_be_rung(owner) else ""


def _on_call(view: View) -> str:
    name = view.on_call.get(view.case.tier, "")
    return f": {escaped(name)} is on call" if name else ""


def _closed_until(view: View, happening: Happening) -> str:
    """Until when the tier that an event names is closed; "" where it has no hours."""
    tier, tiers = happening.fields.get("tier"), view.case.route.tiers
    calendar = tiers[tier - 1].calendar if isinstance(tier, int) and 0 < tier <= len(tiers) else None
    return f" until {moment(opens(calendar, happening.at))} ({business_hours(calendar)})" if calendar is not None else ""


def _reason(happening: Happening) -> str:
    code = _code(happening, "reason_code")
    return f" (reason: {code})" if code else ""


def _code(happening: Happening, name: str) -> str:
    return escaped(code_label(str(happening.fields.get(name) or "")), 80)


def _field(happening: Happening, name: str) -> str:
    value = happening.fields.get(name)
    return "" if value is None else escaped(str(value), 80)
