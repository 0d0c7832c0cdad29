"""Files through Slack's own client: uploaded, completed and shared in a channel or thread, or refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from bot.sandbox.slack.seed import SLACK
from tests.bot.sandbox.slack.northwind import ARCHIVED, GENERAL, PRIVATE, TIER1, TIER2, Northwind, northwind, refused

APP = replace(SLACK.app, scopes=SLACK.app.scopes | {"files:write", "files:read"})


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind, where the app may write files."""
    async with northwind(app=APP) as company:
        yield company


async def uploaded(company: Northwind, content: bytes = b"evidence", name: str = "case.txt") -> str:
    """Upload something without completing it; gives its id."""
    given = await company.client().files_getUploadURLExternal(filename=name, length=len(content))
    async with aiohttp.ClientSession() as session, session.post(str(given["upload_url"]), data=content) as answer:
        assert answer.status == 200
    return str(given["file_id"])


async def test_a_file_is_shared_in_a_thread(company: Northwind) -> None:
    """By the client's own three steps; the reply holds the file and the comment, and history shows no metadata."""
    client, ts = company.client(), await company.post()
    sent = await client.files_upload_v2(
        channel=TIER1, thread_ts=ts, filename="case.txt", title="All 7 pages", content="one\ntwo", initial_comment="Here."
    )
    (reply,) = company.slack.thread(TIER1, ts)
    assert (reply["text"], [file["title"] for file in reply["files"]]) == ("Here.", ["All 7 pages"])
    assert "metadata" not in reply
    file = company.slack.files.file(reply["files"][0]["id"])
    assert file is not None
    assert file.content == b"one\ntwo"
    assert sent["file"]["id"] == file.id
    assert (await client.files_info(file=file.id))["file"]["size"] == 7
    (told,) = (await client.conversations_replies(channel=TIER1, ts=ts))["messages"][1:]
    assert told["files"][0]["name"] == "case.txt"


async def test_several_files_in_several_channels(company: Northwind) -> None:
    """One message in each; without a channel nobody sees them."""
    client = company.client()
    ids = [await uploaded(company, name=name) for name in ("a.txt", "b.csv")]
    await client.files_completeUploadExternal(files=[{"id": one} for one in ids], channels=[TIER1, TIER2])
    for channel in (TIER1, TIER2):
        (message,) = company.slack.messages(channel)
        assert [file["name"] for file in message["files"]] == ["a.txt", "b.csv"]
    private = await uploaded(company)
    await client.files_completeUploadExternal(files=[{"id": private, "title": "Mine"}])
    assert len(company.slack.messages(TIER1)) == 1


@pytest.mark.parametrize(
    ("channel", "error"),
    [("C0NOWHERE", "channel_not_found"), (PRIVATE, "channel_not_found"), (GENERAL, "not_in_channel"), (ARCHIVED, "is_archived")],
)
async def test_where_it_cannot_be_shared_it_is_not(company: Northwind, channel: str, error: str) -> None:
    """Refused as a message would be; completed elsewhere afterwards."""
    client, file = company.client(), await uploaded(company)
    assert (await refused(client.files_completeUploadExternal(files=[{"id": file, "title": "x"}], channel_id=channel)))["error"] == error
    await client.files_completeUploadExternal(files=[{"id": file, "title": "x"}], channel_id=TIER1)
    assert len(company.slack.messages(TIER1)) == 1


async def test_what_was_not_uploaded_is_not_shared(company: Northwind) -> None:
    """Unknown, not uploaded, completed twice, of another length, in two threads, nothing at all: each is refused."""
    client = company.client()
    announced = await client.files_getUploadURLExternal(filename="x.txt", length=5)
    one = [{"id": announced["file_id"], "title": "x"}]
    assert (await refused(client.files_completeUploadExternal(files=one)))["error"] == "file_update_failed"
    async with aiohttp.ClientSession() as session:
        for content, status in ((b"1234", 400), (b"12345", 200), (b"12345", 404)):
            async with session.post(str(announced["upload_url"]), data=content) as answer:
                assert answer.status == status
    both = [TIER1, TIER2]
    assert (await refused(client.files_completeUploadExternal(files=one, channels=both, thread_ts="1.2")))["error"] == "invalid_arguments"
    await client.files_completeUploadExternal(files=one)
    assert (await refused(client.files_completeUploadExternal(files=one)))["error"] == "file_update_failed"
    assert (await refused(client.files_completeUploadExternal(files=[{"id": "F0NONE", "title": "x"}])))["error"] == "file_not_found"
    assert (await refused(client.files_completeUploadExternal(files=[])))["error"] == "invalid_arguments"
    assert (await refused(client.files_getUploadURLExternal(filename="x", length=0)))["error"] == "invalid_arguments"
    assert (await refused(client.files_info(file="F0NONE")))["error"] == "file_not_found"


async def test_it_takes_a_scope() -> None:
    """Without files:write nothing may be uploaded."""
    async with northwind() as company:
        assert (await refused(company.client().files_getUploadURLExternal(filename="x", length=1)))["needed"] == "files:write"
