"""The scopes that manifest.yml asks for, and what does not work without each. Owns this list; a test holds it to the manifest."""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "channels:history": "a card whose posting was not confirmed is not found again",
    "channels:read": "channels that the policy names are not found",
    "chat:write": "no card is posted",
    "commands": "/review is not there",
    "groups:history": "a card in a private channel whose posting was not confirmed is not found again",
    "groups:read": "private channels that the policy names are not found",
    "im:history": "a direct message whose sending was not confirmed is not found again",
    "im:write": "owners are not written to directly",
    "usergroups:read": "nobody is known to be in a user group, so nobody of it decides",
    "users:read": "nobody is known to be a member, so nobody decides",
    "users:read.email": "a reviewer who asked for the action is not recognised by the address",
}
