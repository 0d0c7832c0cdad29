"""People and user groups as Slack's Web API shows them (shapes: users.info, usergroups.list). Values only; who may do what is decided
elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.sandbox.slack.errors import Json


@dataclass(frozen=True, slots=True)
class User:
    """A person or bot. `is_restricted`: guest; `is_ultra_restricted`: single-channel guest; `is_stranger`: of another team, met in a
    shared channel; `enterprise_user`: their id in the enterprise, where there is one. `status_until`: unix seconds, 0 until it is changed.
    """

    id: str
    name: str
    real_name: str
    team_id: str
    title: str = ""
    email: str = ""
    tz: str = "Europe/Berlin"
    deleted: bool = False
    is_admin: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    enterprise_user: str = ""
    locale: str = "en-US"
    status_text: str = ""
    status_emoji: str = ""
    status_until: int = 0

    def profile(self, at: float, *, with_email: bool) -> Json:
        """The `profile` of users.profile.get at unix time `at`; the address only with the users:read.email scope."""
        first, _, last = self.real_name.partition(" ")
        over = 0 < self.status_until <= at
        profile: Json = {
            "title": self.title,
            "phone": "",
            "skype": "",
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.name,
            "display_name_normalized": self.name,
            "status_text": "" if over else self.status_text,
            "status_text_canonical": "",
            "status_emoji": "" if over else self.status_emoji,
            "status_emoji_display_info": [],
            "status_expiration": 0 if over else self.status_until,
            "avatar_hash": "",
            "team": self.team_id,
            "first_name": first,
            "last_name": last,
        }
        if with_email and self.email:
            profile["email"] = self.email
        return profile

    def json(self, at: float, *, with_email: bool, with_locale: bool = False) -> Json:
        """The `user` object of users.info at unix time `at`; the address only with scope users:read.email, the locale when asked for."""
        offset = ZoneInfo(self.tz).utcoffset(datetime.fromtimestamp(at, UTC))
        user: Json = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "profile": self.profile(at, with_email=with_email),
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": int(at),
        }
        if self.is_stranger:
            user["is_stranger"] = True
        if self.enterprise_user:
            enterprise = {"enterprise_id": "E0NORTHWIND", "enterprise_name": "Northwind", "is_admin": False, "is_owner": False}
            user["enterprise_user"] = {"id": self.enterprise_user, "teams": [self.team_id], **enterprise}
        if self.deleted:  # Slack leaves out what a deactivated account no longer has
            return user
        if with_locale:
            user["locale"] = self.locale
        return user | {
            "color": "9f69e7",
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": int(offset.total_seconds()) if offset is not None else 0,
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted or self.is_ultra_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_email_confirmed": bool(self.email),
            "who_can_share_contact_card": "EVERYONE",
        }


@dataclass(frozen=True, slots=True)
class Group:
    """A user group. `disabled_at`: unix seconds, 0 while it is in use."""

    id: str
    team_id: str
    name: str
    handle: str
    users: tuple[str, ...] = ()
    disabled_at: int = 0
    created_at: int = 1_700_000_000

    def json(self, *, with_users: bool, with_count: bool) -> Json:
        """One entry of usergroups.list."""
        group: Json = {
            "id": self.id,
            "team_id": self.team_id,
            "is_usergroup": True,
            "is_subteam": True,
            "name": self.name,
            "description": "",
            "handle": self.handle,
            "is_external": False,
            "date_create": self.created_at,
            "date_update": self.disabled_at or self.created_at,
            "date_delete": self.disabled_at,
            "auto_provision": False,
            "enterprise_subteam_id": "",
            "created_by": "U0ADMIN0001",
            "updated_by": "U0ADMIN0001",
            "deleted_by": "U0ADMIN0001" if self.disabled_at else None,
            "prefs": {"channels": [], "groups": []},
            "channel_count": 0,
        }
        if with_users:
            group["users"] = list(self.users)
        if with_users or with_count:
            group["user_count"] = len(self.users)
        return group
