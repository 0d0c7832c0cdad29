"""Queues by specialty (R15): the desks of a ladder and the one that has the skills a case takes. Owns that choice; never raises a lane.

At each tier the desk whose group has every skill needed and the fewest beside gets the case; the tier's own desk goes first among equals.
"""

from routing.case.case import Tier
from routing.policy.policy import Policy


def desks(policy: Policy, ladder: str, needed: frozenset[str], start: int) -> tuple[int, tuple[Tier, ...]] | None:
    """The tier to begin at, 0-based, and the ladder with the desks that were chosen; None where nobody from `start` upwards has the skills.

    A tier above the first that has them, and has nobody with them itself, keeps its own desk: a case has to be able to climb there.
    """
    tiers = policy.tiers[ladder]
    if not needed:
        return start, tiers
    chosen = [_desk(policy, ladder, index, needed) if index >= start else None for index in range(len(tiers))]
    able = [index for index, desk in enumerate(chosen) if desk is not None]
    if not able:
        return None
    return able[0], tuple(desk or tier for desk, tier in zip(chosen, tiers, strict=True))


def _desk(policy: Policy, ladder: str, index: int, needed: frozenset[str]) -> Tier | None:
    own = policy.tiers[ladder][index]
    queues = policy.ladders[ladder].tiers[index].queues
    able = []
    for desk in (own, *(own.model_copy(update={"channel": queue.channel, "group": queue.group}) for queue in queues)):
        skills = policy.form.groups[desk.group].skills
        if needed <= set(skills):
            able.append((len(set(skills)), desk))
    return min(able, key=lambda found: found[0])[1] if able else None
