"""The keys of the policy about drills: what they come to, what they refuse, and what a change of them counts as."""

from typing import Any

import pytest

from routing.authority import Role
from routing.policy.diff import diff
from routing.policy.effect import Effect
from routing.policy.form.parts import LAST
from routing.vocabulary import DrillKind
from tests.routing.policy.test_page_routes import policy, problems

OFFICE = {"office": {"timezone": "Europe/Berlin"}}
MONTHLY = {"name": "monthly", "workflow": "refunds", "calendar": "office"}


def with_drills(*schedule: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The parts of the file."""
    return {"drills": {"schedule": list(schedule), **more}, "calendars": OFFICE}


def test_without_the_key_nothing_comes_round() -> None:
    """And those in charge may start one."""
    part = policy().form.drills
    assert (part.schedule, part.cases, part.alarm) == ((), 10, 1_800)
    assert set(part.roles) == {Role.SUPERVISOR, Role.DUTY_OFFICER, Role.ADMIN}


def test_what_a_line_of_the_schedule_need_not_say() -> None:
    """Every 30 days, nobody available, to the top."""
    [one] = policy(**with_drills(MONTHLY)).form.drills.schedule
    assert (one.every, one.kinds, one.tier, one.any_time) == (2_592_000, (DrillKind.NOBODY_AVAILABLE,), LAST, False)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"workflow": "refund"}, "/drills/schedule/0/workflow: there is no \"refund\" among the workflows; did you mean 'refunds'?"),
        ({"calendar": "offices"}, '/drills/schedule/0/calendar: there is no "offices" among the calendars'),
        ({"calendar": None}, "/drills/schedule/0: expected either calendar, in whose hours it may begin, or any_time: true"),
        ({"any_time": True}, "/drills/schedule/0: expected either calendar, in whose hours it may begin, or any_time: true"),
        ({"tier": 3}, "/drills/schedule/0/tier: the ladder has 1 tier"),
        ({"kinds": ["downstream_failure"]}, "/drills/schedule/0/kinds: downstream_failure needs channels.operations"),
        ({"kinds": ["fire"]}, "/drills/schedule/0/kinds/0: "),
        ({"kinds": []}, "/drills/schedule/0/kinds: "),
        ({"every": "1h"}, "/drills/schedule/0/every: "),
        ({"evry": "30d"}, "/drills/schedule/0/evry: unknown key"),
    ],
)
def test_a_drill_that_could_never_begin_is_refused(line: dict[str, Any], said: str) -> None:
    """Each with its place and what was expected."""
    found = problems(**with_drills({name: value for name, value in {**MONTHLY, **line}.items() if value is not None}))
    assert any(one.startswith(said.partition(";")[0]) for one in found), found


@pytest.mark.parametrize(("start", "tier", "begins"), [(2, 1, 2), ("last", 2, 3), (2, 2, None), (None, 1, None)])
def test_a_drill_that_ends_below_where_cases_begin_is_refused(start: object, tier: int, begins: int | None) -> None:
    """It would never come round."""
    tiers = [{"channel": f"review-tier{number}", "group": "seniors"} for number in (1, 2, 3)]
    given = with_drills(MONTHLY | {"tier": tier}) | {"ladders": {"standard": {"tiers": tiers}}}
    workflow = {"ladder": "standard", **({} if start is None else {"start": {"review": start}})}
    if begins is None:
        policy(**given, workflows={"refunds": workflow})
    else:
        [said] = problems(**given, workflows={"refunds": workflow})
        assert said.startswith(f"/drills/schedule/0/tier: the drill would never begin: cases of the workflow begin at tier {begins};")


def test_two_of_one_name_are_refused() -> None:
    """Else nobody could tell which of them came round."""
    assert problems(**with_drills(MONTHLY, MONTHLY)) == ['/drills/schedule/1/name: another drill is called "monthly"']


def test_what_a_change_counts_as() -> None:
    """A drill that is new or comes round sooner tightens; one that is gone or seldomer loosens."""
    plain, monthly, weekly = policy(), policy(**with_drills(MONTHLY)), policy(**with_drills({**MONTHLY, "every": "7d"}))
    for before, after, effect in (
        (plain, monthly, Effect.TIGHTENS),
        (monthly, weekly, Effect.TIGHTENS),
        (weekly, monthly, Effect.LOOSENS),
        (monthly, plain, Effect.LOOSENS),
    ):
        found = {one.key: one for one in diff(before, after).items}
        assert found["drills.schedule.monthly.every"].effect is effect
        assert not any(one.raises for one in found.values())
    assert "30d → 7d" in diff(monthly, weekly).text()
    assert "last" in diff(plain, monthly).text()
