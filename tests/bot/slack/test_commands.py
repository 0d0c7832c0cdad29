"""`/review`: answers for one person, at once, and only what that person may see."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.demo.pressing import place_of
from bot.slack.answering import ASKING, LATE
from bot.slack.cards.command_answers import COMMANDS
from bot.slack.cards.help import TOPICS, draw_topic, topic_of
from bot.slack.cards.text.limits import check_message
from bot.slack.commands import ASKED, PLANNED
from bot.slack.governance.command_grammar import USAGE
from tests.bot.slack.northwind import ANNA, BEN, DMITRI, TIER1, Northwind, a_company

SOMEBODY = "U0IDA000001"


async def test_the_answer_is_for_the_asker_only(sqlite_url: str) -> None:
    """Nothing is posted into the channel."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        ack = await company.sandbox.slack.command(ANNA, TIER1, "/review", "status")
        assert ack.ok
        assert isinstance(ack.body, dict)
        assert ack.body["response_type"] == "ephemeral"
        assert not company.sandbox.slack.messages(TIER1)


async def test_status_counts_what_waits(sqlite_url: str) -> None:
    """Two cases wait at the first tier, one of them claimed, and one is held up by a question."""
    async with a_company(sqlite_url) as company:
        for number in range(3):
            await company.submit(f"t-{number}")
        await company.drain()
        await company.click(ANNA, "claim")
        await company.answered(
            company.sandbox.slack.click(ANNA, TIER1, company.card(number=0)["ts"], *place_of(company.card(number=0), "ask"))
        )
        await company.fill_in(ANNA, question="Which charge?")
        said = await _said(company, ANNA, "status")
        assert "2 waiting" in said
        assert "1 waiting for a service" in said
        assert "(1 unclaimed)" in said
        assert "review-tier1" in said


SHARED = b"""
version: "1"
changes: "two ladders that share a channel, at different tiers"
groups: {frontline: {usergroup: review-frontline}}
ladders:
  standard: {tiers: [{channel: review-tier1, group: frontline, decide: 4h}, {channel: review-tier2, group: frontline, decide: 1h}]}
  finance: {tiers: [{channel: review-tier2, group: frontline, decide: 8h}]}
workflows:
  refunds: {ladder: standard, template: approval, requester: optional}
  pairs: {ladder: finance, template: approval, requester: optional}
"""


async def test_status_says_what_waits_in_a_channel(sqlite_url: str) -> None:
    """One line a channel, whichever ladders and tiers meet there."""
    async with a_company(sqlite_url, policy=SHARED) as company:
        await company.submit("t-climbs")
        await company.submit("t-other", workflow="pairs")
        await company.drain()
        await company.pass_time(4 * 3_600)
        await company.submit("t-new")
        said = await _said(company, ANNA, "status")
        assert said.count("*#review-tier2*") == 1
        assert "*#review-tier2*  2 waiting" in said
        assert "*#review-tier1*  1 waiting" in said


async def test_next_is_the_most_important_case_that_this_person_may_decide(sqlite_url: str) -> None:
    """Ben gets what Anna has not claimed; Dmitri, who answers at the second tier only, gets nothing."""
    async with a_company(sqlite_url) as company:
        await company.submit("t-claimed", title="The claimed one")
        await company.drain()
        await company.click(ANNA, "claim")
        await company.submit("t-free", title="The free one")
        assert "The free one" in await _said(company, BEN, "next")
        assert "Nothing waits for you" in await _said(company, DMITRI, "next")


async def test_mine_is_what_i_have_claimed(sqlite_url: str) -> None:
    """With a link to the card."""
    async with a_company(sqlite_url) as company:
        await company.submit(title="My own case")
        await company.drain()
        await company.click(ANNA, "claim")
        said = await _said(company, ANNA, "mine")
        assert "My own case" in said
        assert f"{company.sandbox.page_url}/archives/C0TIER10001/p" in said
        assert "You have claimed nothing" in await _said(company, BEN, "mine")


async def test_a_case_is_found_by_its_id_and_by_its_task(sqlite_url: str) -> None:
    """People paste either."""
    async with a_company(sqlite_url) as company:
        case = await company.submit("order-8841", title="Refund for order 8841")
        assert "Refund for order 8841" in await _said(company, ANNA, f"case {case.id}")
        assert "Refund for order 8841" in await _said(company, ANNA, "case order-8841")
        assert "There is no case and no task called “nothing”" in await _said(company, ANNA, "case nothing")
        await company.drain()
        link = f"https://northwind.slack.com/archives/C0TIER10001/p{str(company.card()['ts']).replace('.', '')}"
        for typed in (f"case `{case.id}`", f"case “{case.id}”", f"CASE <{case.id}>", f"Case {case.id.upper()}", f"/review case <{link}>"):
            assert "Refund for order 8841" in await _said(company, ANNA, typed), typed
        assert "Type it so: `/review case ID`" in await _said(company, ANNA, "Case")


async def test_a_case_is_shown_only_to_people_of_its_ladder(sqlite_url: str) -> None:
    """A member of the workspace who reviews nothing here sees no content."""
    async with a_company(sqlite_url) as company:
        case = await company.submit(title="Confidential refund")
        said = await _said(company, SOMEBODY, f"case {case.id}")
        assert "Confidential" not in said
        assert "not in the group" in said


@pytest.mark.parametrize(("who", "sentence"), [("U0GUEST0001", "Guests cannot"), ("U0STRANGER1", "Only members"), ("U0BOTHELP01", "A bot")])
async def test_outsiders_get_no_answer_but_why(sqlite_url: str, who: str, sentence: str) -> None:
    """Not even the figures."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        said = await _said(company, who, "status")
        assert sentence in said
        assert "waiting" not in said


async def test_an_unknown_word_gets_the_list(sqlite_url: str) -> None:
    """So does nothing at all."""
    async with a_company(sqlite_url) as company:
        assert "/review next" in await _said(company, ANNA, "frobnicate")
        assert "/review next" in await _said(company, ANNA, "")
        assert "Did you mean `/review status`?" in await _said(company, ANNA, "stauts")
        assert "Did you mean `/review quarantine t-1 Odd.`?" in await _said(company, ANNA, "quarantin t-1 Odd.")
        assert "not there yet" in await _said(company, ANNA, "KPI")
        assert "waiting" in await _said(company, ANNA, "`Status`")


async def test_every_answer_says_what_comes_next(sqlite_url: str) -> None:
    """Whatever was typed, by whomever: understood or not, allowed or not, done or not."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        typed = [*ASKED, *USAGE, *PLANNED, *(f"help {one}" for one in [*TOPICS, *ASKED, *USAGE, "stoping", "nonsense"])]
        typed += [
            "",
            "frobnicate",
            "case nothing",
            f"case {case.id}",
            "pause refunds It errs.",
            "pause nothing It errs.",
            "away 3d",
            "back",
        ]
        typed += [f"quarantine {case.id} Odd.", "quarantine workflow=refunds Odd.", "status #nowhere", "status #review-tier1"]
        for words in typed:
            for person in (ANNA, SOMEBODY):
                said = await _said(company, person, words)
                assert "Next: " in said or "/review " in said or "open its card" in said.lower(), (words, said)


async def test_help_begins_with_what_this_person_may_do(sqlite_url: str) -> None:
    """A reviewer hears of their channels, somebody of no group how to get into one; of a word whether they may."""
    async with a_company(sqlite_url) as company:
        assert "You review in *#review-tier1*" in await _said(company, ANNA, "help")
        assert "You are in no group" in await _said(company, SOMEBODY, "HELP")
        assert "This is not yours to decide" in await _said(company, SOMEBODY, "help pause")
        assert "/review pause WORKFLOW REASON" in await _said(company, ANNA, "`/review` help “Pause”")
        assert "Did you mean `/review help stopping`?" in await _said(company, ANNA, "help stoping")
        check_help = [draw_topic(name, "usage", "may") for name in TOPICS]
        for drawing in check_help:
            check_message(drawing.text, drawing.blocks)


def test_every_word_has_its_topic() -> None:
    """So that help about it is never refused."""
    assert [word for word in [*ASKED, *USAGE] if not topic_of(word) and word != "help"] == []


@pytest.mark.parametrize("word", PLANNED)
async def test_a_word_that_is_planned_is_none_of_those_that_are_there(sqlite_url: str, word: str) -> None:
    """So that nobody is told that something is not there which is."""
    assert word not in {*ASKED, *USAGE} | {name.split()[0] for name, _ in COMMANDS}
    async with a_company(sqlite_url) as company:
        assert f"`/review {word}` is not there yet" in await _said(company, ANNA, word)


@pytest.mark.parametrize(
    ("typed", "first", "then"),
    [
        ("status", ASKING.late, "waiting"),
        ("next", ASKING.late, "Refund"),
        ("mine", ASKING.late, "You have claimed nothing"),
        ("case t-17", ASKING.late, "Refund"),
        ("exception list", ASKING.late, "exception"),
        ("quarantine t-17 It errs.", LATE, "groups of each role"),
    ],
)
async def test_a_late_answer_comes_and_says_before_whether_anything_may_count(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, typed: str, first: str, then: str
) -> None:
    """Slack takes one acknowledgement: with it goes what is true of what was typed, and the answer follows to where it was typed."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        reached, goes_on, read = asyncio.Event(), asyncio.Event(), company.database.read

        async def slow(work: Callable[..., Any]) -> Any:  # noqa: ANN401 - as it is
            reached.set()
            await goes_on.wait()
            return await read(work)

        with monkeypatch.context() as patch:
            patch.setattr(company.database, "read", slow)
            typing = asyncio.create_task(company.sandbox.slack.command(ANNA, TIER1, "/review", typed))
            await reached.wait()
            company.timeouts.run_out()
            ack = await typing
            assert isinstance(ack.body, dict)
            assert ack.body["text"] == first
            goes_on.set()
            await company.answered(typing)
        *_, late, answer = company.sandbox.slack.ephemerals(ANNA)
        assert late["text"] == first
        assert then in str(answer)


async def _said(company: Northwind, who: str, text: str) -> str:
    drawing = await company.commands.answer(who, "T0TIERLINE", text)
    return drawing.text + str(drawing.blocks)
