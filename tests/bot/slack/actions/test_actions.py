"""What people press and what they get back: it counts once, is committed before it is acknowledged, and is answered with a reason."""

import pytest

from bot.demo.pressing import offered_by
from bot.sandbox.faults import Fault, Mode
from bot.slack.people import Identity
from routing.vocabulary import State, Verdict
from tests.bot.slack.northwind import ANNA, BEN, CHIARA, DMITRI, TIER1, TIER2, a_company


async def test_one_press_approves(database_url: str) -> None:
    """Anna is of the group: the case is approved, she is told what, the card loses its buttons."""
    async with a_company(database_url) as company:
        case = await company.submit()
        await company.drain()
        assert (await company.click(ANNA, "approve")).ok
        await company.drain()
        decided = await company.case(case)
        assert (decided.state, decided.verdict) == (State.DECIDED, Verdict.APPROVED)
        assert decided.votes[0].by == ANNA
        assert "tierline:approve" not in str(company.card()["blocks"])
        assert any("you approved revision 1 of “" in text for text in company.told(ANNA))
        assert company.received.got == [("case.decided", 1)]


async def test_a_payload_that_comes_twice_counts_once(sqlite_url: str) -> None:
    """The same press delivered twice is one decision, and the second delivery is answered like the first."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        ack = await company.click(ANNA, "approve", deliver_twice=True)
        assert ack.ok
        assert ack.again is not None
        assert ack.again.ok
        assert len((await company.case(case)).votes) == 1
        assert "press_refused" not in await company.events(case)


@pytest.mark.parametrize(
    ("who", "reason", "sentence"),
    [
        ("U0GUEST0001", "guest", "Guests cannot review"),
        ("U0STRANGER1", "stranger", "Only members of this workspace"),
        ("U0BOTHELP01", "bot", "A bot cannot review"),
        (DMITRI, "not_in_group", "not in the group"),
    ],
)
async def test_whoever_may_not_decide_is_told_why_and_it_is_recorded(sqlite_url: str, who: str, reason: str, sentence: str) -> None:
    """A guest, a stranger, a bot, somebody of another group: nothing happens to the case but an event with the reason."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await company.click(who, "approve")
        assert (await company.case(case)).state is State.PENDING
        assert any(sentence in text for text in company.told(who))
        [refused] = [one for one in await company.reads.history(case.id) if one.kind.value == "press_refused"]
        assert (refused.fields["reason"], refused.actor.id) == (reason, who)


async def test_nobody_decides_while_slack_cannot_say_who_they_are(sqlite_url: str) -> None:
    """Slack does not answer for people: closed, not open; afterwards the same person may."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        fault = company.sandbox.faults.add(Fault("slack", "users.info", Mode.SERVER_ERROR, times=None))
        await company.click(ANNA, "approve")
        assert (await company.case(case)).state is State.PENDING
        assert any("could not confirm who you are" in text for text in company.told(ANNA))
        company.sandbox.faults.remove(fault)
        await company.click(ANNA, "approve")
        assert (await company.case(case)).state is State.DECIDED


async def test_a_group_that_is_disabled_has_no_members(sqlite_url: str) -> None:
    """An empty or disabled group means nobody, not everybody."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        company.sandbox.slack.workspace.change_group("S0FRONTLINE", disabled_at=1)
        await company.click(ANNA, "approve")
        assert (await company.case(case)).state is State.PENDING
        assert any("not in the group" in text for text in company.told(ANNA))


async def test_the_button_of_an_old_copy_is_refused(sqlite_url: str) -> None:
    """Anna's client still shows the card as it was before the case climbed."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        old = company.card()
        await company.click(BEN, "escalate")
        await company.fill_in(BEN, reason="unsure")
        await company.drain()
        await company.click(ANNA, "approve", as_seen=old)
        assert (await company.case(case)).state is State.PENDING
        assert any("has changed since" in text for text in company.told(ANNA))


async def test_a_press_is_accepted_before_we_know_where_the_card_stands(sqlite_url: str) -> None:
    """The reply to posting the card was lost, but people see it: our own mark on the message is enough."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.DROP_REPLY))
        await company.courier.drain_once()
        assert not await company.reads.cards(case.id)
        await company.click(ANNA, "approve")
        assert (await company.case(case)).verdict is Verdict.APPROVED


async def test_a_form_is_accepted_before_we_know_where_its_card_stands(sqlite_url: str) -> None:
    """As the press that opened it: nobody but us opens our forms."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.DROP_REPLY))
        await company.courier.drain_once()
        assert not await company.reads.cards(case.id)
        await company.click(ANNA, "reject")
        await company.fill_in(ANNA, reason="policy_violation", text="Not covered.")
        assert (await company.case(case)).verdict is Verdict.REJECTED


async def test_a_message_without_our_mark_is_no_card(sqlite_url: str) -> None:
    """The same button on a message that we did not post as this card does nothing."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        copied = company.card() | {"ts": "1700000000.000001", "metadata": {"event_type": "other", "event_payload": {}}}
        await company.click(ANNA, "approve", as_seen=copied)
        assert (await company.case(case)).state is State.PENDING
        assert any("not a card of this case" in text for text in company.told(ANNA))


async def test_rejecting_asks_for_a_reason_and_counts_on_submit(sqlite_url: str) -> None:
    """Opening the form changes nothing; submitting it decides."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await company.click(ANNA, "reject")
        assert (await company.case(case)).state is State.PENDING
        await company.fill_in(ANNA, reason="policy_violation", text="Not covered.")
        assert company.sandbox.slack.open_view(ANNA) is None
        decided = await company.case(case)
        assert (decided.verdict, decided.reason_code) == (Verdict.REJECTED, "policy_violation")


async def test_a_form_is_not_offered_to_whoever_may_not_submit_it(sqlite_url: str) -> None:
    """A guest gets the reason instead of a form to fill in for nothing, and the refusal is recorded."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await company.click("U0GUEST0001", "reject")
        assert company.sandbox.slack.open_view("U0GUEST0001") is None
        assert any("Guests cannot review" in text for text in company.told("U0GUEST0001"))
        assert "press_refused" in await company.events(case)


async def test_what_was_typed_is_never_lost(sqlite_url: str) -> None:
    """Somebody else was faster: the form stays open with its text and says so; a second submit is another press."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        await company.click(ANNA, "reject")
        await company.click(BEN, "approve")
        for _ in range(2):
            await company.fill_in(ANNA, reason="unsure", text="A long explanation.")
            assert company.sandbox.slack.open_view(ANNA) is not None
            assert "already decided" in company.sandbox.slack.shown_errors(ANNA)["text"]


async def test_a_modification_is_previewed_before_it_counts(sqlite_url: str) -> None:
    """The difference comes first; only what was shown can be sent, and it is what will be executed."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await company.click(ANNA, "modify")
        values = {"param:/amount": "40.00", "reason": "wrong_amount"}
        await company.fill_in(ANNA, **values)
        assert (await company.case(case)).revision == 1
        preview = company.sandbox.slack.open_view(ANNA)
        assert preview is not None
        assert "40.00" in str(preview["blocks"])
        await company.fill_in(ANNA, **(values | {"param:/amount": "45.00"}))
        assert (await company.case(case)).revision == 1
        await company.fill_in(ANNA, **(values | {"param:/amount": "45.00"}))
        decided = await company.case(case)
        content = await company.reads.content(case.id)
        assert content is not None
        assert (decided.verdict, decided.modified_fields) == (Verdict.MODIFIED, ("params.amount",))
        assert content.action.params == {"customer": "8841", "amount": "45.00"}
        assert decided.action_sha256 == content.action.sha256


async def test_a_corrected_category_is_previewed_before_it_counts(sqlite_url: str) -> None:
    """Only a pre-filled field is changed: another one than the preview showed is previewed again, and what was shown is recorded."""
    async with a_company(sqlite_url) as company:
        case = await company.submit(prefill={"category": "billing", "summary": "Charged twice"})
        await company.drain()
        await company.click(ANNA, "modify")
        for category in ("delivery", "fraud", "fraud"):
            assert (await company.case(case)).revision == 1
            await company.fill_in(ANNA, **{"prefill:category": category, "reason": "wrong_category"})
        decided = await company.case(case)
        content = await company.reads.content(case.id)
        assert content is not None
        assert (decided.verdict, decided.modified_fields) == (Verdict.MODIFIED, ("prefill.category",))
        assert content.prefilled == {"category": "fraud", "summary": "Charged twice"}
        assert decided.action_sha256 == case.action_sha256


async def test_a_failed_check_makes_approving_ask_for_words(sqlite_url: str) -> None:
    """The button opens a form instead of counting; with reason and words it counts, and the person is told what was approved."""
    async with a_company(sqlite_url) as company:
        case = await company.submit(checks=[{"name": "rules", "result": "fail", "detail": "Above the limit."}])
        await company.drain()
        await company.click(ANNA, "approve")
        assert (await company.case(case)).open
        form = company.sandbox.slack.open_view(ANNA)
        assert form is not None
        assert "Above the limit." in str(form["blocks"])
        await company.fill_in(ANNA, reason="other", text="The limit was raised this morning.")
        assert (await company.case(case)).verdict is Verdict.APPROVED
        assert company.sandbox.slack.open_view(ANNA) is None
        assert any("Recorded: you approved revision 1" in text for text in company.told(ANNA))
        assert "press_refused" not in await company.events(case)


async def test_a_modification_that_changes_nothing_says_so(sqlite_url: str) -> None:
    """The form stays open."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await company.click(ANNA, "modify")
        await company.fill_in(ANNA, reason="wording")
        assert "does not change anything" in company.sandbox.slack.shown_errors(ANNA)["text"]
        assert (await company.case(case)).revision == 1


async def test_opening_the_evidence_is_recorded_and_shown(sqlite_url: str) -> None:
    """The full evidence opens at once; the log says who has seen it."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await company.click(ANNA, "open_evidence")
        shown = company.sandbox.slack.open_view(ANNA)
        assert shown is not None
        assert "Two charges." in str(shown["blocks"])
        assert (await company.case(case)).opened_by == (ANNA,)


async def test_long_evidence_is_turned_page_by_page(sqlite_url: str) -> None:
    """The next page comes in the same modal."""
    async with a_company(sqlite_url) as company:
        await company.submit(request="word " * 8_000)
        await company.drain()
        await company.click(ANNA, "open_evidence")
        shown = company.sandbox.slack.open_view(ANNA)
        assert shown is not None
        assert "Page 1 of" in str(shown["blocks"])
        await company.answered(company.sandbox.slack.click_in_view(ANNA, shown["id"], "tierline:open_evidence", block_id="tierline:page:1"))
        turned = company.sandbox.slack.open_view(ANNA)
        assert turned is not None
        assert "Page 2 of" in str(turned["blocks"])
        why = "tierline:open_evidence:why"
        await company.answered(company.sandbox.slack.click_in_view(ANNA, turned["id"], why, block_id="tierline:tabs"))
        there = company.sandbox.slack.open_view(ANNA)
        assert there is not None
        assert "Tier 1 of 2" in str(there["blocks"])
        await company.answered(company.sandbox.slack.click_in_view(ANNA, there["id"], f"{why[:-3]}history", block_id="tierline:tabs"))
        there = company.sandbox.slack.open_view(ANNA)
        assert there is not None
        assert "Evidence opened" in str(there["blocks"])
        assert "  by Anna" in str(there["blocks"])


async def test_what_did_not_fit_on_the_card_is_opened_before_approving(sqlite_url: str) -> None:
    """An approval of something cut off is refused until the person has opened all of it."""
    async with a_company(sqlite_url) as company:
        case = await company.submit(request="word " * 8_000)
        await company.drain()
        await company.click(ANNA, "approve")
        assert any("open its details" in text for text in company.told(ANNA))
        await company.click(ANNA, "open_evidence")
        await company.click(ANNA, "approve")
        assert (await company.case(case)).verdict is Verdict.APPROVED


async def test_asking_pauses_the_case_and_tells_the_service(sqlite_url: str) -> None:
    """The question goes to the service by callback and stands in the thread."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await company.click(ANNA, "ask")
        await company.fill_in(ANNA, question="Which of the two charges?")
        await company.drain()
        assert (await company.case(case)).state is State.NEEDS_INFO
        assert company.received.got == [("case.information_requested", 1)]
        assert "Which of the two charges?" in str(company.sandbox.slack.thread(TIER1, company.card()["ts"]))


async def test_claiming_names_the_person_on_the_card(sqlite_url: str) -> None:
    """Others see at once that somebody is on it, and cannot take it too."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await company.click(ANNA, "claim")
        await company.drain()
        assert (await company.case(case)).claimed_by == ANNA
        assert "Anna Lindqvist" in str(company.card()["blocks"])
        assert "tierline:unclaim" in offered_by(company.card())


async def test_a_decided_action_is_asked_back_once(sqlite_url: str) -> None:
    """Roll back needs a reason and words; while it is asked, nobody asks again."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        before = company.card()
        await company.click(ANNA, "approve")
        await company.drain()
        decided = company.card()
        await company.click(CHIARA, "roll_back")
        await company.fill_in(CHIARA, reason="inaccurate", text="The second charge was somebody else's.")
        await company.drain()
        assert (await company.case(case)).rollback
        assert "tierline:roll_back" not in str(company.card(number=0)["blocks"])
        await company.click(ANNA, "roll_back", as_seen=decided | {"ts": before["ts"]})
        await company.fill_in(ANNA, reason="inaccurate", text="Once more.")
        assert "has already been requested" in company.sandbox.slack.shown_errors(ANNA)["text"]


async def test_a_form_that_slack_no_longer_opens_is_said(sqlite_url: str) -> None:
    """The trigger died: the person is asked to press again instead of seeing nothing."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        company.sandbox.faults.add(Fault("slack", "views.open", Mode.SERVER_ERROR))
        await company.click(ANNA, "reject")
        assert any("press again" in text for text in company.told(ANNA))


async def test_when_nothing_can_be_recorded_nothing_counts(sqlite_url: str) -> None:
    """The ledger has stopped: the person is told that it did not count."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        company.ledger.stop_recording("the log and its checkpoints disagree")
        await company.click(ANNA, "approve")
        assert (await company.case(case)).state is State.PENDING
        assert any("did not count" in text for text in company.told(ANNA))


async def test_the_next_tier_decides_after_an_escalation(sqlite_url: str) -> None:
    """The senior group answers at the second tier, with the words of the first before them."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await company.click(ANNA, "escalate")
        await company.fill_in(ANNA, reason="needs_specialist", text="The statement is unclear to me.")
        await company.drain(20)
        await company.click(DMITRI, "approve", TIER2)
        assert (await company.case(case)).verdict is Verdict.APPROVED
        assert "The statement is unclear to me." in str(company.card(TIER2)["blocks"]) + str(
            company.sandbox.slack.thread(TIER2, company.card(TIER2)["ts"])
        )


async def test_a_press_counts_while_its_card_is_being_noted(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack shows the card at once; where it stands is noted in the middle of the press."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.DROP_REPLY))
        await company.courier.drain_once()
        identity = company.people.identity

        async def while_it_is_noted() -> Identity:
            monkeypatch.undo()
            company.clock.forward(60)
            await company.courier.drain_once()
            assert await company.reads.cards(case.id)
            return await identity()

        assert not await company.reads.cards(case.id)
        monkeypatch.setattr(company.people, "identity", while_it_is_noted)
        await company.click(ANNA, "approve")
        assert (await company.case(case)).verdict is Verdict.APPROVED
