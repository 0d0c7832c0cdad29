"""The workspace to begin with: Northwind's review channels, groups and people, among them those who must never count. Values only; every
secret is made up.
"""

from __future__ import annotations

from dataclasses import replace

from bot.sandbox.slack.config import AppIdentity, ChannelSeed, Shortcut, SlackConfig, Team
from bot.sandbox.slack.people import Group, User

TEAM = "T0TIERLINE"
BOT = "U0TIERLINE1"


def _user(user_id: str, name: str, real_name: str, title: str) -> User:
    return User(id=user_id, name=name, real_name=real_name, team_id=TEAM, title=title, email=f"{name}@northwind.example")


USERS = (
    _user("U0ANNA00001", "anna", "Anna Lindqvist", "Support reviewer"),
    _user("U0BEN000001", "ben", "Ben Okafor", "Support reviewer"),
    _user("U0CHIARA001", "chiara", "Chiara Rossi", "Senior reviewer"),
    _user("U0DMITRI001", "dmitri", "Dmitri Volkov", "Senior reviewer"),
    _user("U0ELENA0001", "elena", "Elena Petrova", "Compliance expert"),
    _user("U0FARID0001", "farid", "Farid Haddad", "Payments expert"),
    _user("U0GRACE0001", "grace", "Grace Mwangi", "Head of operations, case owner"),
    _user("U0HUGO00001", "hugo", "Hugo Martins", "Duty manager"),
    _user("U0IDA000001", "ida", "Ida Sørensen", "Internal auditor"),
    replace(_user("U0ADMIN0001", "ada", "Ada Brandt", "Workspace administrator"), is_admin=True),
    replace(_user("U0GUEST0001", "gil", "Gil Moreau", "Contractor"), is_restricted=True),
    replace(_user("U0GUEST0002", "uma", "Uma Castell", "Visitor"), is_restricted=True, is_ultra_restricted=True),
    replace(_user("U0LEFT00001", "lars", "Lars Ekström", "Former reviewer"), deleted=True),
    User("U0STRANGER1", "sam", "Sam Otherly", "T0OTHERTEAM", title="Partner's engineer", is_stranger=True),
    User("U0BOTHELP01", "helperbot", "Helper Bot", TEAM, is_bot=True),
    User(BOT, "tierline", "Tierline", TEAM, is_bot=True),
)

_FRONTLINE = ("U0ANNA00001", "U0BEN000001", "U0CHIARA001")
_SENIOR = ("U0CHIARA001", "U0DMITRI001")
_EXPERTS = ("U0ELENA0001", "U0FARID0001")
_OWNERS = ("U0GRACE0001", "U0HUGO00001")
_LOOKERS = ("U0GUEST0001", "U0STRANGER1", "U0BOTHELP01")

GROUPS = (
    Group("S0FRONTLINE", TEAM, "Review frontline", "review-frontline", _FRONTLINE),
    Group("S0SENIOR001", TEAM, "Review seniors", "review-seniors", _SENIOR),
    Group("S0EXPERTS01", TEAM, "Review experts", "review-experts", _EXPERTS),
    Group("S0OWNERS001", TEAM, "Review owners", "review-owners", _OWNERS),
    Group("S0EMPTY0001", TEAM, "Nobody yet", "review-nobody", ()),
    Group("S0DISABLED1", TEAM, "Old reviewers", "review-old", ("U0LEFT00001",), disabled_at=1_710_000_000),
)

CHANNELS = (
    ChannelSeed("C0TIER10001", "review-tier1", (*_FRONTLINE, "U0DMITRI001", "U0GRACE0001", *_LOOKERS, BOT)),
    ChannelSeed("C0TIER20001", "review-tier2", (*_SENIOR, "U0GRACE0001", "U0HUGO00001", BOT)),
    ChannelSeed("C0EXPERTS01", "review-experts", (*_EXPERTS, "U0GRACE0001", BOT)),
    ChannelSeed("C0OWNERS001", "review-owners", (*_OWNERS, "U0IDA000001", BOT)),
    ChannelSeed("C0OPS000001", "review-ops", (*_OWNERS, "U0ADMIN0001", "U0IDA000001", BOT)),
    ChannelSeed("C0GENERAL01", "general", ("U0ANNA00001", "U0ADMIN0001")),
    ChannelSeed("C0SECRET001", "board-private", ("U0GRACE0001",), is_private=True),
    ChannelSeed("C0ARCHIVED1", "review-2019", ("U0ANNA00001", BOT), is_archived=True),
)

SLACK = SlackConfig(
    shortcuts=(Shortcut("Send to review", "send_to_review"),),
    team=Team(TEAM, "Northwind", "northwind"),
    app=AppIdentity(
        app_id="A0TIERLINE1",
        bot_id="B0TIERLINE1",
        bot_user_id=BOT,
        bot_token="xoxb-sandbox-bot",  # noqa: S106  # made up
        app_token="xapp-sandbox-app",  # noqa: S106  # made up
        signing_secret="sandbox-signing-secret",  # noqa: S106  # made up
        verification_token="sandbox-verification",  # noqa: S106  # made up
    ),
    users=USERS,
    groups=GROUPS,
    channels=CHANNELS,
)
