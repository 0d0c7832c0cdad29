"""People, groups and channels in the sandbox's Slack, asked for by Slack's own client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.sandbox.slack.seed import SLACK
from tests.bot.sandbox.slack.northwind import ANNA, ARCHIVED, GENERAL, PRIVATE, TIER1, Northwind, http_app, northwind, refused

FLAGS = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind as it begins."""
    async with northwind() as company:
        yield company


PUBLISHED = {
    "auth.test": {"ok", "url", "team", "user", "team_id", "user_id", "bot_id", "is_enterprise_install"},
    "conversations.info": {"id", "name", "is_channel", "is_group", "is_im", "is_archived", "is_member", "is_private", "num_members"},
    "conversations.list": {"id", "name", "is_channel", "is_group", "is_im", "is_archived", "is_member", "is_private", "num_members"},
    "usergroups.list": {
        "id",
        "team_id",
        "name",
        "handle",
        "is_external",
        "date_create",
        "date_update",
        "date_delete",
        "users",
        "user_count",
    },
    "users.info": {"id", "team_id", "name", "deleted", "profile", "is_restricted", "is_ultra_restricted", "is_bot"},
}
"""Fields of the answers' objects that others rely on. Source: slackapi/java-slack-sdk, json-logs/samples/api"""


@pytest.mark.parametrize("method", PUBLISHED)
async def test_answers_have_the_published_fields(company: Northwind, method: str) -> None:
    """What a checklist, a rota or a look-up reads is where Slack has it."""
    asked = {"conversations.info": {"channel": TIER1, "include_num_members": "true"}, "users.info": {"user": ANNA}}
    arguments = {"usergroups.list": {"include_users": "true"}} | asked
    answer = (await company.client().api_call(method, http_verb="GET", params=arguments.get(method, {}))).data
    assert isinstance(answer, dict)
    found = next(
        (answer[name] for name in ("channel", "channels", "usergroups", "user") if isinstance(answer.get(name), dict | list)), answer
    )
    assert PUBLISHED[method] <= set(found[0] if isinstance(found, list) else found)


@pytest.mark.parametrize(
    ("user", "flags", "team"),
    [
        (ANNA, set(), SLACK.team.id),
        ("U0GUEST0001", {"is_restricted"}, SLACK.team.id),
        ("U0GUEST0002", {"is_restricted", "is_ultra_restricted"}, SLACK.team.id),
        ("U0STRANGER1", {"is_stranger"}, "T0OTHERTEAM"),
        ("U0BOTHELP01", {"is_bot"}, SLACK.team.id),
        ("U0LEFT00001", {"deleted"}, SLACK.team.id),
    ],
)
async def test_who_somebody_is(company: Northwind, user: str, flags: set[str], team: str) -> None:
    """Guests, strangers, bots and those who left are told apart by the flags Slack gives."""
    person = (await company.client().users_info(user=user))["user"]
    assert ({flag for flag in FLAGS if person.get(flag)}, person["team_id"]) == (flags, team)


async def test_a_person_is_found_by_address_while_active(company: Northwind) -> None:
    """Deactivated people and unknown addresses are not found; zones are given with their offset."""
    anna = (await company.client().users_lookupByEmail(email="Anna@northwind.example"))["user"]
    assert (anna["id"], anna["tz"], anna["tz_offset"] in (3600, 7200)) == (ANNA, "Europe/Berlin", True)
    assert (await refused(company.client().users_lookupByEmail(email="lars@northwind.example")))["error"] == "users_not_found"
    assert (await refused(company.client().users_info(user="U0NOBODY")))["error"] == "user_not_found"
    company.slack.workspace.change_user("anna", deleted=True)
    assert (await company.client().users_info(user=ANNA))["user"]["deleted"] is True


async def test_groups_and_who_is_in_them(company: Northwind) -> None:
    """Disabled groups come only when asked for; members can change under the app."""
    client = company.client()
    handles = {group["handle"]: group for group in (await client.usergroups_list(include_users=True, include_count=True))["usergroups"]}
    assert "review-old" not in handles
    assert handles["review-frontline"]["user_count"] == 3
    assert handles["review-nobody"]["users"] == []
    everything = (await client.usergroups_list(include_disabled=True))["usergroups"]
    (old,) = [group for group in everything if group["handle"] == "review-old"]
    assert old["date_delete"] > 0
    assert "users" not in old
    company.slack.workspace.change_group("S0FRONTLINE", users=(ANNA,))
    assert (await client.usergroups_users_list(usergroup="S0FRONTLINE"))["users"] == [ANNA]
    assert (await refused(client.usergroups_users_list(usergroup="S0DISABLED1")))["error"] == "no_such_subteam"
    assert (await client.usergroups_users_list(usergroup="S0DISABLED1", include_disabled=True))["users"] == ["U0LEFT00001"]


async def test_channels_the_app_may_know_of(company: Northwind) -> None:
    """Private channels without the app do not exist for it; archives can be left out; lists come in pages."""
    client = company.client()
    names: list[str] = []
    cursor = ""
    while True:
        page = await client.conversations_list(limit=3, cursor=cursor, types="public_channel,private_channel", exclude_archived=True)
        names += [channel["name"] for channel in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert names == ["review-tier1", "review-tier2", "review-experts", "review-owners", "review-ops", "general"]
    assert (await refused(client.conversations_info(channel=PRIVATE)))["error"] == "channel_not_found"
    assert (await client.conversations_info(channel=ARCHIVED))["channel"]["is_archived"] is True
    info = (await client.conversations_info(channel=TIER1, include_num_members=True))["channel"]
    assert info["num_members"] == len((await client.conversations_members(channel=TIER1))["members"])


async def test_the_app_joins_a_public_channel(company: Northwind) -> None:
    """Before it, history is closed; after it, it can read and post; a private channel cannot be joined."""
    client = company.client()
    assert (await refused(client.conversations_history(channel=GENERAL)))["error"] == "not_in_channel"
    await client.conversations_join(channel=GENERAL)
    assert (await client.conversations_join(channel=GENERAL))["warning"] == "already_in_channel"
    await client.chat_postMessage(channel=GENERAL, text="hello")
    assert SLACK.app.bot_user_id in (await client.conversations_members(channel=GENERAL))["members"]
    assert (await refused(client.conversations_join(channel=PRIVATE)))["error"] == "channel_not_found"


async def test_the_language_of_a_person_is_told_when_asked_for(company: Northwind) -> None:
    """users.info holds the locale only with include_locale."""
    client = company.client()
    await company.slack.change_profile("anna", locale="de-DE")
    assert (await client.users_info(user=ANNA, include_locale=True))["user"]["locale"] == "de-DE"
    assert (await client.users_info(user="U0BEN000001", include_locale=True))["user"]["locale"] == "en-US"
    assert "locale" not in (await client.users_info(user=ANNA))["user"]


async def test_a_status_is_in_the_profile_until_it_ends(company: Northwind) -> None:
    """users.info and users.profile.get say the same; the latter wants a scope of its own."""
    client = company.client()
    until = int(company.clock.now) + 60
    await company.slack.change_profile("anna", status_text="On holiday", status_emoji=":palm_tree:", status_until=until)
    assert (await refused(client.users_profile_get(user=ANNA)))["needed"] == "users.profile:read"
    app = replace(SLACK.app, scopes=SLACK.app.scopes | {"users.profile:read"})
    async with northwind(app=app) as other:
        other.clock.now = company.clock.now
        await other.slack.change_profile("anna", status_text="On holiday", status_emoji=":palm_tree:", status_until=until)
        reader = other.client()
        profile = (await reader.users_profile_get(user=ANNA))["profile"]
        assert (profile["status_text"], profile["status_emoji"], profile["status_expiration"]) == ("On holiday", ":palm_tree:", until)
        assert (await reader.users_info(user=ANNA))["user"]["profile"] == profile
        other.clock.now += 60
        over = (await reader.users_profile_get(user=ANNA))["profile"]
        assert (over["status_text"], over["status_emoji"], over["status_expiration"]) == ("", "", 0)
        assert (await refused(reader.users_profile_get(user="U0NOBODY")))["error"] == "user_not_found"
        assert (await reader.users_profile_get())["profile"]["real_name"] == "Tierline"


async def test_an_app_that_asked_hears_of_a_changed_profile() -> None:
    """user_change carries the whole person; who did not ask hears nothing."""
    async with northwind(events=SLACK.events | {"user_change"}) as company, http_app(company) as app:
        heard: list[str] = []

        async def hear(event: dict[str, object]) -> None:
            assert isinstance(event["user"], dict)
            heard.append(event["user"]["locale"])

        app.bolt.event("user_change")(hear)
        await company.slack.change_profile("anna", locale="de-DE")
        (seen,) = company.slack.record.find("user_change")
        assert seen.data["status"] == 200
    async with northwind() as quiet, http_app(quiet):
        await quiet.slack.change_profile("anna", locale="de-DE")
        assert not quiet.slack.record.find("user_change")
