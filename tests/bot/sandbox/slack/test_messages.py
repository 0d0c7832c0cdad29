"""Messages in the sandbox's Slack, written and read by Slack's own client over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack.seed import SLACK
from tests.bot.sandbox.slack.northwind import ANNA, ARCHIVED, BEN, GENERAL, PRIVATE, TIER1, TIER2, Northwind, buttons, northwind, refused

CARD = {"event_type": "review_card", "event_payload": {"case": "case-1", "revision": 1}}


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind as it begins."""
    async with northwind() as company:
        yield company


async def test_a_card_is_found_again_by_its_metadata(company: Northwind) -> None:
    """What was posted is in the history with its metadata, and with the ids and defaults Slack adds to blocks."""
    ts = await company.post(text="case", blocks=buttons("approve"), metadata=CARD)
    history = await company.client().conversations_history(channel=TIER1, include_all_metadata=True)
    (message,) = history["messages"]
    assert (message["ts"], message["metadata"], message["user"], message["app_id"]) == (ts, CARD, SLACK.app.bot_user_id, SLACK.app.app_id)
    assert message["blocks"][0]["block_id"]
    assert message["blocks"][0]["text"]["verbatim"] is False
    assert message["blocks"][1]["elements"][0]["text"]["emoji"] is True
    plain = await company.client().conversations_history(channel=TIER1)
    assert "metadata" not in plain["messages"][0]
    assert company.slack.record.count("chat.postMessage", channel=TIER1, metadata=CARD, ok=True) == 1


async def test_pages_of_history_hold_every_message_once_newest_first(company: Northwind) -> None:
    """Walking the cursor gives each message once; bounds are exclusive unless inclusive is set."""
    posted = [await company.post() for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await company.client().conversations_history(channel=TIER1, limit=3, cursor=cursor)
        seen += [message["ts"] for message in page["messages"]]
        cursor = page["response_metadata"]["next_cursor"]
        assert page["has_more"] is bool(cursor)
        if not cursor:
            break
    assert seen == posted[::-1]
    between = await company.client().conversations_history(channel=TIER1, oldest=posted[1], latest=posted[4])
    assert [message["ts"] for message in between["messages"]] == [posted[3], posted[2]]
    inclusive = await company.client().conversations_history(channel=TIER1, oldest=posted[1], latest=posted[4], inclusive=True)
    assert len(inclusive["messages"]) == 4
    assert (await refused(company.client().conversations_history(channel=TIER1, cursor="nonsense")))["error"] == "invalid_cursor"
    assert (await refused(company.client().conversations_history(channel=TIER1, oldest="yesterday")))["error"] == "invalid_ts_oldest"


async def test_replies_stay_in_their_thread(company: Northwind) -> None:
    """A reply is in the thread, counted on its parent, and in the channel only when it was broadcast."""
    parent = await company.post()
    reply = await company.post(thread_ts=parent, text="reminder", metadata=CARD)
    shouted = await company.post(thread_ts=parent, text="look here", reply_broadcast=True)
    thread = await company.client().conversations_replies(channel=TIER1, ts=parent, include_all_metadata=True)
    assert [message["ts"] for message in thread["messages"]] == [parent, reply, shouted]
    assert thread["messages"][0]["reply_count"] == 2
    assert thread["messages"][1]["metadata"] == CARD
    assert [message["ts"] for message in company.slack.messages("review-tier1")] == [parent, shouted]
    assert (await refused(company.client().conversations_replies(channel=TIER1, ts="1.000001")))["error"] == "thread_not_found"


async def test_an_update_changes_what_it_names(company: Northwind) -> None:
    """Metadata left out stays; blocks left out go when text is given; the empty object removes metadata."""
    ts = await company.post(text="open", blocks=buttons("approve"), metadata=CARD)
    client = company.client()
    await client.chat_update(channel=TIER1, ts=ts, text="decided", blocks=buttons())
    assert (company.slack.message(TIER1, ts)["text"], company.slack.message(TIER1, ts)["metadata"]) == ("decided", CARD)


async def test_text_alone_takes_the_blocks_away(company: Northwind) -> None:
    """Text without blocks removes the blocks and marks the message as edited."""
    ts = await company.post(text="open", blocks=buttons("approve"), metadata=CARD)
    await company.client().chat_update(channel=TIER1, ts=ts, text="gone", metadata={})
    message = company.slack.message(TIER1, ts)
    assert "blocks" not in message
    assert "metadata" not in message
    assert message["edited"]["user"] == SLACK.app.bot_user_id


async def test_only_own_messages_are_edited_or_deleted(company: Northwind) -> None:
    """Another's message, a missing one, a channel by name: each is refused in Slack's words."""
    slack, client = company.slack, company.client()
    theirs = slack.workspace.say(slack.workspace.user("anna"), slack.workspace.any_channel(TIER1), "I wrote this")["ts"]
    mine = await company.post()
    assert (await refused(client.chat_update(channel=TIER1, ts=theirs, text="x")))["error"] == "cant_update_message"
    assert (await refused(client.chat_delete(channel=TIER1, ts=theirs)))["error"] == "cant_delete_message"
    assert (await refused(client.chat_update(channel=TIER1, ts="1.000000", text="x")))["error"] == "message_not_found"
    assert (await refused(client.chat_update(channel="review-tier1", ts=mine, text="x")))["error"] == "channel_not_found"
    await client.chat_delete(channel=TIER1, ts=mine)
    assert (await refused(client.chat_update(channel=TIER1, ts=mine, text="x")))["error"] == "message_not_found"
    assert (await refused(client.chat_getPermalink(channel=TIER1, message_ts=mine)))["error"] == "message_not_found"


async def test_a_deleted_parent_leaves_a_tombstone(company: Northwind) -> None:
    """Its replies stay readable."""
    parent = await company.post()
    reply = await company.post(thread_ts=parent)
    await company.client().chat_delete(channel=TIER1, ts=parent)
    thread = await company.client().conversations_replies(channel=TIER1, ts=parent)
    assert [(message["ts"], message.get("subtype")) for message in thread["messages"]] == [(parent, "tombstone"), (reply, None)]


async def test_an_ephemeral_reaches_one_person_and_no_history(company: Northwind) -> None:
    """Only the named member sees it; nobody can update it."""
    client = company.client()
    answer = await client.chat_postEphemeral(channel=TIER1, user=ANNA, text="you may not")
    assert [message["text"] for message in company.slack.ephemerals("anna")] == ["you may not"]
    assert company.slack.ephemerals("ben") == []
    assert (await client.conversations_history(channel=TIER1))["messages"] == []
    assert (await refused(client.chat_update(channel=TIER1, ts=answer["message_ts"], text="x")))["error"] == "message_not_found"
    assert (await refused(client.chat_postEphemeral(channel=TIER2, user=BEN, text="x")))["error"] == "user_not_in_channel"


@pytest.mark.parametrize(
    ("channel", "error"),
    [(GENERAL, "not_in_channel"), (PRIVATE, "channel_not_found"), ("C0NOWHERE01", "channel_not_found"), (ARCHIVED, "is_archived")],
)
async def test_the_app_writes_only_where_it_is(company: Northwind, channel: str, error: str) -> None:
    """Not in a public channel, no sight of a private one, nothing into an archive."""
    assert (await refused(company.client().chat_postMessage(channel=channel, text="x")))["error"] == error


async def test_a_channel_may_be_named_and_a_person_written_to(company: Northwind) -> None:
    """Posting takes a name, with or without #, and a person's id; the answer has the id of where it went."""
    answer = await company.client().chat_postMessage(channel="#review-tier2", text="x")
    assert answer["channel"] == TIER2
    assert (await company.client().chat_postMessage(channel=ANNA, text="your case"))["channel"].startswith("D0")
    assert [message["text"] for message in company.slack.direct_messages("anna")] == ["your case"]


async def test_a_channel_takes_one_message_a_second(company: Northwind) -> None:
    """The second within a second is refused with 429 and Retry-After, and is not posted; other channels are free."""
    client = company.client()
    await client.chat_postMessage(channel=TIER1, text="first")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=TIER1, text="second")
    assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")
    assert int(caught.value.response.headers["Retry-After"]) == 1
    await client.chat_postMessage(channel=TIER2, text="elsewhere")
    company.clock.now += 1
    await client.chat_postMessage(channel=TIER1, text="third")
    assert [message["text"] for message in company.slack.messages(TIER1)] == ["first", "third"]
    assert company.slack.record.count("chat.postMessage", error="ratelimited") == 1


async def test_a_short_burst_can_be_allowed() -> None:
    """With a burst of three, three go at once and the fourth waits."""
    async with northwind(burst=3) as company:
        for _ in range(3):
            await company.client().chat_postMessage(channel=TIER1, text="x")
        assert (await refused(company.client().chat_postMessage(channel=TIER1, text="x")))["error"] == "ratelimited"


async def test_a_method_has_its_calls_a_minute() -> None:
    """Past its tier a method answers 429; the next minute it works again."""
    async with northwind(per_minute={"users.info": 2}) as company:
        for _ in range(2):
            await company.client().users_info(user=ANNA)
        assert (await refused(company.client().users_info(user=ANNA)))["error"] == "ratelimited"
        company.clock.now += 60
        await company.client().users_info(user=ANNA)


async def test_tokens_and_scopes_are_checked(company: Northwind) -> None:
    """No token, a wrong one, the wrong kind, a missing scope, an unknown method."""
    assert (await refused(company.client("").auth_test()))["error"] == "not_authed"
    assert (await refused(company.client("xoxb-stolen").auth_test()))["error"] == "invalid_auth"
    assert (await refused(company.client(SLACK.app.app_token).auth_test()))["error"] == "not_allowed_token_type"
    assert (await refused(company.client().apps_connections_open(app_token=SLACK.app.bot_token)))["error"] == "not_allowed_token_type"
    assert (await refused(company.client().api_call("chat.shout")))["error"] == "unknown_method"
    who = await company.client().auth_test()
    assert (who["user_id"], who["team_id"], who["bot_id"]) == (SLACK.app.bot_user_id, SLACK.team.id, SLACK.app.bot_id)
    assert "chat:write" in who.headers["X-OAuth-Scopes"]
    opened = await company.client().apps_connections_open(app_token=SLACK.app.app_token)
    assert opened.headers["X-OAuth-Scopes"] == "connections:write"
    async with northwind(app=replace(SLACK.app, scopes=frozenset({"users:read"}))) as poor:
        assert (await refused(poor.client().chat_postMessage(channel=TIER1, text="x"))) | {"provided": ""} == {
            "ok": False,
            "error": "missing_scope",
            "needed": "chat:write",
            "provided": "",
        }
        assert "email" not in (await poor.client().users_info(user=ANNA))["user"]["profile"]


async def test_answers_say_what_time_it_is_and_nothing_of_a_token_nobody_has(company: Northwind) -> None:
    """The header Date is by Slack's own clock, on a refusal too."""
    company.clock.now += 600
    with pytest.raises(SlackApiError) as refused:
        await company.client("xoxb-stolen").auth_test()
    headers = {str(name).lower(): str(value) for name, value in refused.value.response.headers.items()}
    assert parsedate_to_datetime(headers["date"]).timestamp() == company.clock.now
    assert "x-oauth-scopes" not in headers


async def test_a_form_is_as_good_as_json(company: Northwind) -> None:
    """Blocks and metadata may come as JSON inside a form; broken JSON is refused by name."""
    headers = {"Authorization": f"Bearer {SLACK.app.bot_token}"}
    async with aiohttp.ClientSession() as session:
        form = {"channel": TIER1, "text": "x", "blocks": '[{"type":"divider"}]', "metadata": '{"event_type":"a","event_payload":{}}'}
        async with session.post(f"{company.url}/api/chat.postMessage", data=form, headers=headers) as response:
            assert (await response.json())["message"]["blocks"][0]["type"] == "divider"
        async with session.post(f"{company.url}/api/chat.postMessage", data={**form, "blocks": "[{"}, headers=headers) as response:
            assert (await response.json())["error"] == "invalid_blocks_format"
        async with session.post(
            f"{company.url}/api/chat.postMessage", json={**form, "token": SLACK.app.bot_token, "blocks": []}
        ) as response:
            assert (await response.json())["error"] == "ratelimited"
