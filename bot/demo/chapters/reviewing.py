"""Chapters about one case: people approve, reject, change and ask; nobody presses; two people; and what is looked at before and after.

Owns what is done and what has to be seen each time.
"""

from bot.demo.observer import face_of
from bot.demo.people import ANNA, BEN, CHIARA, DMITRI, ELENA, GRACE, ON_CALL, SLACK_IDS
from bot.demo.scene import Json, Scene


async def approved(scene: Scene) -> None:
    """One person says yes and the service carries it out."""
    look, see = scene.observer, scene.see
    scene.chapter("A small refund: one person approves")
    case = await scene.post("small-refund", "review")
    await see("its card is in #review-tier1, with buttons", lambda: look.card("review-tier1", case, verb="approve"))
    await scene.press(ANNA, "review-tier1", case, "approve")
    decided = await see(
        "the service has the decision; its receiver kit verified signature, action hash and audit receipt",
        lambda: look.verdict(case, "approved"),
    )
    await see("it carried the refund out, once", lambda: look.executed(case) == 1)
    await see("the card says that Anna approved, and its buttons are gone", lambda: look.closed_card("review-tier1", case, ANNA))
    reported = await scene.report(case, "executed", executed_action_sha256=decided.data["action_sha256"])
    await see("the service reported what it executed", lambda: reported)
    await see("the card shows the outcome", lambda: look.card("review-tier1", case, text="The service reports"))


async def climbed(scene: Scene) -> None:
    """Nobody presses: a reminder, the next tier, PagerDuty."""
    look, see = scene.observer, scene.see
    scene.chapter("An account to lock: nobody presses")
    case = await scene.post("lock", "review")
    await see("its card is in #review-tier1", lambda: look.card("review-tier1", case))
    scene.pass_time(minutes=2)
    await see("two minutes later a reminder comes into its thread", lambda: look.note("review-tier1", case, "still waits"))
    scene.pass_time(minutes=1)
    await see("the case climbs: a card in #review-experts", lambda: look.card("review-experts", case, verb="approve"))
    await see("the old card points to it, without buttons", lambda: look.closed_card("review-tier1", case, "Moved to tier 2"))
    incident = await see("PagerDuty rings", lambda: look.incident(case, "triggered"))
    await scene.pagerduty.acknowledge(incident.id, ON_CALL[ELENA])
    await see("Elena acknowledges there", lambda: look.incident(case, "acknowledged"))
    await see("the card shows it", lambda: look.card("review-experts", case, verb="approve", text=ELENA))
    await scene.pagerduty.note(incident.id, ON_CALL[ELENA], "At my desk in five minutes.")
    await see("what she writes there is in the thread", lambda: look.note("review-experts", case, "At my desk in five minutes."))
    words = "A device that was never seen before fits a takeover; the orders must not leave."
    await scene.fill_in(ELENA, "review-experts", case, "approve", "Approve", reason="other", text=words)
    await see("she decides in Slack, the service hears of it", lambda: look.verdict(case, "approved"))
    await see("the incident is resolved", lambda: look.incident(case, "resolved"))
    await see("nobody was rung twice", lambda: scene.pagerduty.opened(incident.key) == 1)


async def rejected(scene: Scene) -> None:
    """A no, with its reason."""
    look, see = scene.observer, scene.see
    scene.chapter("A large refund: an expert says no, with a reason")
    case = await scene.post("large-refund", "expert")
    await see("its card is in #review-tier2", lambda: look.card("review-tier2", case, verb="reject"))
    why = {"reason": "policy_violation", "text": "Third parcel this year. Ask the carrier first."}
    await scene.fill_in(DMITRI, "review-tier2", case, "reject", "Reject", **why)
    told = await see("the service knows that a person said no", lambda: look.verdict(case, "rejected"))
    await see("and why", lambda: told.data["reason_code"] == "policy_violation" and "carrier" in str(told.data["rationale"]))
    await see("nothing was executed", lambda: look.executed(case) == 0)


async def requester_refused(scene: Scene) -> None:
    """Nobody decides what they asked for."""
    look, see = scene.observer, scene.see
    scene.chapter("An access request: who asks does not decide")
    case = await scene.post("access", "review")
    await see("its card is in #review-tier1", lambda: look.card("review-tier1", case, verb="approve"))
    await scene.press(CHIARA, "review-tier1", case, "approve")
    await see("Chiara, who asked for it, was told why she cannot", scene.told(CHIARA, "You asked for this"))
    await scene.press(BEN, "review-tier1", case, "approve")
    decided = await see("Ben's yes reached the service", lambda: look.verdict(case, "approved"))
    await see("as his alone", lambda: _people(decided.data) == [BEN])


async def modified(scene: Scene) -> None:
    """The proposed action is corrected, and the correction is what counts."""
    look, see = scene.observer, scene.see
    scene.chapter("A price with a shifted decimal point: changed, then approved")
    case = await scene.post("price", "review")
    await see("its card shows the price before and after", lambda: look.card_with("review-tier1", case, "129.00", "11.90"))
    filled = {"param:/price": "119.00", "reason": "wrong_amount"}
    await scene.fill_in(ANNA, "review-tier1", case, "modify", "Modify", **filled)
    preview = await see(
        "the difference is shown before it counts", lambda: look.form(SLACK_IDS[ANNA], "Check your changes", "11.90", "119.00")
    )
    await scene.send(ANNA, preview, filled)
    decided = await see("the service has the changed action", lambda: look.verdict(case, "modified"))
    await see("with the new price and what was changed", lambda: _changed(decided.data))


async def corrected(scene: Scene) -> None:
    """Triage: what a model filled in is confirmed once and corrected once."""
    look, see = scene.observer, scene.see
    scene.chapter("Two tickets the model sorted: one confirmed, one corrected")
    right, wrong = await scene.post("ticket-charged", "review"), await scene.post("ticket-smell", "review")
    await see("the card shows what the model filled in", lambda: look.card_with("review-tier1", right, "billing", "Charged twice"))
    await scene.press(ANNA, "review-tier1", right, "approve")
    confirmed = await see("the first is confirmed as it is", lambda: look.verdict(right, "approved"))
    await see("and the service has its category", lambda: confirmed.data["prefill"]["category"] == "billing")
    await see("the second is there too", lambda: look.card("review-tier1", wrong, verb="modify"))
    filled = {"prefill:category": "safety", "prefill:priority": "urgent", "reason": "wrong_category"}
    await scene.fill_in(BEN, "review-tier1", wrong, "modify", "Correct", **filled)
    preview = await see("Ben sees old and new beside each other", lambda: look.form(SLACK_IDS[BEN], "Check your changes", "safety"))
    await scene.send(BEN, preview, {"reason": "wrong_category"})
    changed = await see("the service has the corrected fields", lambda: look.verdict(wrong, "modified"))
    await see("and their names", lambda: changed.data["modified_fields"] == ["prefill.category", "prefill.priority"])


async def by_two_people(scene: Scene) -> None:
    """A masked account, a checklist, two people."""
    look, see = scene.observer, scene.see
    scene.chapter("New bank details of a supplier: masked, a checklist, two different people")
    case = await scene.post("bank", "expert")
    iban = str(scene.cases["bank"]["action"]["params"]["iban"])
    card = await see("its card asks for the first of two steps", lambda: look.card_with("review-tier2", case, "Verified"))
    await see("nothing that Slack ever got holds the account number", lambda: iban not in str(list(scene.slack.record)))
    await scene.press(CHIARA, "review-tier2", case, "reveal")
    await see("Chiara may look at it, and that is recorded", lambda: look.form(SLACK_IDS[CHIARA], "What is masked", iban))
    await scene.slack.close_view(SLACK_IDS[CHIARA])
    await scene.fill_in(CHIARA, "review-tier2", case, "approve", "Verified", reason="checked_by_hand", **_checklist(scene))
    await see(
        "after Chiara's list it asks for a second person",
        lambda: look.card("review-tier2", case, verb="approve", text=CHIARA, not_face=face_of(card)),
    )
    await scene.press(CHIARA, "review-tier2", case, "approve")
    await see("Chiara cannot be both of them", scene.told(CHIARA, "already taken a step"))
    await see("nothing has reached the service", lambda: look.callback(case, "case.decided") is None)
    await scene.fill_in(DMITRI, "review-tier2", case, "approve", "Approve", reason="checked_by_hand")
    decided = await see("with Dmitri's it is decided", lambda: look.verdict(case, "approved"))
    await see("by both, in order", lambda: _people(decided.data) == [CHIARA, DMITRI])
    await see("and the service got the account it had sent", lambda: decided.data["action"]["params"]["iban"] == iban)


async def failed_item(scene: Scene) -> None:
    """One item of the checklist fails: nothing is approved, the next tier has the case."""
    look, see = scene.observer, scene.see
    scene.chapter("Another supplier: one item of the checklist fails")
    case = await scene.post("bank-uncalled", "review")
    await see("its card is in #review-tier2", lambda: look.card("review-tier2", case, verb="approve"))
    await scene.fill_in(DMITRI, "review-tier2", case, "approve", "Verified", **_checklist(scene, called_back="fail"))
    await see("the case went up, and its card says what failed", lambda: look.card_with("review-owners", case, "Called back"))
    await scene.fill_in(
        GRACE, "review-owners", case, "reject", "Reject", reason="insufficient_evidence", text="Nobody reached the supplier."
    )
    await see("Grace says no", lambda: look.verdict(case, "rejected"))


async def asked(scene: Scene) -> None:
    """A reviewer asks, the service answers, the case comes back."""
    look, see = scene.observer, scene.see
    scene.chapter("A mail to a customer: a question first")
    case = await scene.post("reply", "review")
    card = await see("its card is in #review-tier1", lambda: look.card("review-tier1", case, verb="ask"))
    question = "Has the warehouse confirmed Friday?"
    await scene.fill_in(BEN, "review-tier1", case, "ask", "Ask for information", question=question)
    told = await see("the service has Ben's question", lambda: look.callback(case, "case.information_requested"))
    await see("in his words", lambda: told.data["questions"] == [question])
    await see("the card waits for the answer", lambda: look.card("review-tier1", case, text="Waiting for information"))
    source = {"id": "warehouse", "kind": "record", "title": "Warehouse", "text": "Picked; leaves tomorrow 06:30 by express."}
    answer = "Yes: it is picked and leaves tomorrow at 06:30."
    status, _ = await scene.service.supply_information(case, answer=answer, case={"evidence": [source]})
    await see("the service answered with a new source", lambda: status == 200)
    await see("the card is back, as a new revision", lambda: look.card("review-tier1", case, verb="approve", not_face=face_of(card)))
    await scene.fill_in(BEN, "review-tier1", case, "approve", "Approve", reason="checked_by_hand")
    await see("the mail may go out", lambda: look.verdict(case, "approved"))


async def source_missing(scene: Scene) -> None:
    """The service says itself that a source is missing: it is asked before any person is."""
    look, see = scene.observer, scene.see
    scene.chapter("A refund without its source: the service is asked before people are")
    case = await scene.post("no-tracking", "review")
    answer = scene.service.posted[-1].answer
    await see("and was told what is missing", lambda: (answer["state"], answer["missing"]) == ("needs_info", ["context.missing"]))
    await see("no card was posted", lambda: look.cards(case) == 0)
    found = {"id": "tracking", "kind": "log", "title": "Carrier's tracking", "text": "Delivered on the 18th, two days late."}
    evidence = [*scene.cases["no-tracking"]["evidence"], found]
    status, _ = await scene.service.supply_information(case, case={"context": {"missing": []}, "evidence": evidence})
    await see("the service found the carrier's tracking", lambda: status == 200)
    await see("now its card comes", lambda: look.card("review-tier1", case, verb="approve"))
    await scene.press(ANNA, "review-tier1", case, "open_evidence")
    await see("its details have the tracking", lambda: look.form(SLACK_IDS[ANNA], "Details", "Carrier's tracking"))
    await scene.press(ANNA, "review-tier1", case, "approve")
    await see("and Anna approves", lambda: look.verdict(case, "approved"))


async def tied(scene: Scene) -> None:
    """The same action twice: shown once, separated by hand, and decided together."""
    look, see = scene.observer, scene.see
    scene.chapter("The same price three times: one card, one press")
    first = await scene.post("candle", "review")
    second = await scene.post("candle", "review", task_id="price-3022")
    await see("the first card stands for both", lambda: look.card_with("review-tier1", first, "1 identical", verb="separate"))
    await scene.press(BEN, "review-tier1", first, "separate")
    await see("Ben sees a difference: the second gets a card of its own", lambda: look.card("review-tier1", second, verb="reject"))
    await scene.fill_in(BEN, "review-tier1", second, "reject", "Reject", reason="duplicate", text="The run posted it twice.")
    await see("which he rejects", lambda: look.verdict(second, "rejected"))
    third = await scene.post("candle", "review", task_id="price-3023")
    await see("a third is tied to the first again", lambda: look.card_with("review-tier1", first, "1 identical"))
    await scene.press(ANNA, "review-tier1", first, "approve")
    decided = await see("one press decides the first", lambda: look.verdict(first, "approved"))
    along = await see("and the third", lambda: look.verdict(third, "approved"))
    await see("each with a receipt of its own", lambda: decided.data["receipt"]["index"] != along.data["receipt"]["index"])


async def automatic(scene: Scene) -> None:
    """Sure, harmless, undoable: nobody is asked."""
    look, see = scene.observer, scene.see
    scene.chapter("A summary the model is sure of: nobody is asked")
    case = await scene.post("summary", "auto")
    await see("the service may file it", lambda: look.verdict(case, "auto_approved"))
    await see("no card was posted", lambda: look.cards(case) == 0)


async def checked(scene: Scene) -> None:
    """An automatic approval is looked at afterwards and found wrong: it is undone, by somebody else than who found it."""
    look, see = scene.observer, scene.see
    scene.chapter("A summary it is only just sure of: approved, checked, undone")
    case = await scene.post("summary-close", "auto")
    await see("the service filed it", lambda: look.executed(case) == 1)
    check = await see("people check it afterwards", lambda: look.child("review-tier1", case, "Was this automatic approval right?"))
    reason = {"reason": "inaccurate", "text": "The notes say 1.9 %, not 9.1 %."}
    await scene.fill_in(BEN, "review-tier1", check, "reject", "It was wrong", **reason)
    undo = await see("Ben's no asks for a roll back", lambda: look.child("review-tier1", case, f"{BEN} asks to undo this"))
    await see("more of this workflow is checked from now on", lambda: look.workflow("document-summaries", "sampling_raised"))
    await scene.press(ANNA, "review-tier1", undo, "approve")
    await see("Anna approves it, and the service is told to undo it", lambda: look.callback(case, "case.rollback_requested"))
    reported = await scene.report(case, "rolled_back")
    await see("the service did", lambda: reported)
    await see("the card shows it", lambda: look.card("review-tier1", undo, text="olled back"))
    await see("it was told once", lambda: look.callbacks(case, "case.rollback_requested") == 1)


def _checklist(scene: Scene, **others: str) -> dict[str, str]:
    """The checklist of whoever verifies a supplier's change: everything passes but what is named."""
    items = scene.stage.policy.workflows["supplier-changes"].checklist.items
    return {f"check:{item}": others.get(item, "pass") for item in items}


def _people(decided: Json) -> list[str]:
    """Who decided, by name, in order."""
    names = {slack_id: name for name, slack_id in SLACK_IDS.items()}
    return [names[one["slack_id"]] for one in decided["decided_by"]]


def _changed(decided: Json) -> bool:
    return bool(decided["action"]["params"]["price"] == "119.00" and decided["modified_fields"])
