"""The policy that names nobody, no channel and no pager. Owns this one value: what is ruled where no policy can be read is ruled by it, so
that it is recorded, and told to nobody.
"""

from functools import cache

from routing.policy.file import load_policy
from routing.policy.policy import Policy

_TEXT = b"""
version: none
changes: no policy can be read
groups: {nobody: {users: [U0NOBODY]}}
ladders: {nowhere: {tiers: [{channel: nowhere, group: nobody, decide: 1h}]}}
workflows: {nothing: {ladder: nowhere, template: approval}}
"""


@cache
def nowhere() -> Policy:
    """That policy. No case follows it."""
    return load_policy(_TEXT, {})
