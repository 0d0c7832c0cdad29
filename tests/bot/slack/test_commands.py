"""`/review`: answers for one person, at once, and only what that person may see."""

import pytest

from tests.bot.slack.northwind import ANNA, BEN, DMITRI, TIER1, Northwind, a_town

SOMEBODY = "U0IDA000001"


async def test_the_answer_is_for_the_asker_only(sqlite_url: str) -> None:
    """Nothing is posted into the channel."""
    async with a_town(sqlite_url) as town:
        await town.submit()
        ack = await town.sandbox.slack.command(ANNA, TIER1, "/review", "status")
        assert ack.ok
        assert isinstance(ack.body, dict)
        assert ack.body["response_type"] == "ephemeral"
        assert not town.sandbox.slack.messages(TIER1)


async def test_status_counts_what_waits(sqlite_url: str) -> None:
    """Two cases wait at the first tier, one of them claimed, and one is held up by a question."""
    async with a_town(sqlite_url) as town:
        for number in range(3):
            await town.submit(f"t-{number}")
        await town.drain()
        await town.click(ANNA, "claim")
        await town.answered(town.sandbox.slack.click(ANNA, TIER1, town.card(number=0)["ts"], "tierline:ask"))
        await town.fill_in(ANNA, question="Which charge?")
        said = await _said(town, ANNA, "status")
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
    async with a_town(sqlite_url, policy=SHARED) as town:
        await town.submit("t-climbs")
        await town.submit("t-other", workflow="pairs")
        await town.drain()
        await town.pass_time(4 * 3_600)
        await town.submit("t-new")
        said = await _said(town, ANNA, "status")
        assert said.count("*#review-tier2*") == 1
        assert "*#review-tier2*  2 waiting" in said
        assert "*#review-tier1*  1 waiting" in said


async def test_next_is_the_most_important_case_that_this_person_may_decide(sqlite_url: str) -> None:
    """Ben gets what Anna has not claimed; Dmitri, who answers at the second tier only, gets nothing."""
    async with a_town(sqlite_url) as town:
        await town.submit("t-claimed", title="The claimed one")
        await town.drain()
        await town.click(ANNA, "claim")
        await town.submit("t-free", title="The free one")
        assert "The free one" in await _said(town, BEN, "next")
        assert "Nothing waits for you" in await _said(town, DMITRI, "next")


async def test_mine_is_what_i_have_claimed(sqlite_url: str) -> None:
    """With a link to the card."""
    async with a_town(sqlite_url) as town:
        await town.submit(title="My own case")
        await town.drain()
        await town.click(ANNA, "claim")
        said = await _said(town, ANNA, "mine")
        assert "My own case" in said
        assert "slack.com/archives/C0TIER10001/p" in said
        assert "You have claimed nothing" in await _said(town, BEN, "mine")


async def test_a_case_is_found_by_its_id_and_by_its_task(sqlite_url: str) -> None:
    """People paste either."""
    async with a_town(sqlite_url) as town:
        case = await town.submit("order-8841", title="Refund for order 8841")
        assert "Refund for order 8841" in await _said(town, ANNA, f"case {case.id}")
        assert "Refund for order 8841" in await _said(town, ANNA, "case order-8841")
        assert "There is no case" in await _said(town, ANNA, "case nothing")


async def test_a_case_is_shown_only_to_people_of_its_ladder(sqlite_url: str) -> None:
    """A member of the workspace who reviews nothing here sees no content."""
    async with a_town(sqlite_url) as town:
        case = await town.submit(title="Confidential refund")
        said = await _said(town, SOMEBODY, f"case {case.id}")
        assert "Confidential" not in said
        assert "not in the group" in said


@pytest.mark.parametrize(("who", "sentence"), [("U0GUEST0001", "Guests cannot"), ("U0STRANGER1", "Only members"), ("U0BOTHELP01", "A bot")])
async def test_outsiders_get_no_answer_but_why(sqlite_url: str, who: str, sentence: str) -> None:
    """Not even the figures."""
    async with a_town(sqlite_url) as town:
        await town.submit()
        said = await _said(town, who, "status")
        assert sentence in said
        assert "waiting" not in said


async def test_an_unknown_word_gets_the_list(sqlite_url: str) -> None:
    """So does nothing at all."""
    async with a_town(sqlite_url) as town:
        assert "/review next" in await _said(town, ANNA, "frobnicate")
        assert "/review next" in await _said(town, ANNA, "")


async def _said(town: Northwind, who: str, text: str) -> str:
    drawing = await town.commands.answer(who, "T0TIERLINE", text)
    return drawing.text + str(drawing.blocks)
