"""The scheduled replay: a mix of lanes that moved is noticed, and one that did not is no alarm."""

from datetime import timedelta

from bot.policy.scheduled_replay import LEAST, LIMIT, drift
from routing.case.facts import Facts
from routing.simulation.replay import Replayed
from tests.routing.factory import POLICY, a_submission
from tests.world import NOON


def cases(risky_after: int, count: int = 100) -> list[Replayed]:
    """So many cases, one a minute; from a place on each is prohibited."""
    return [
        Replayed(
            task_id=f"t-{number}",
            submission=a_submission(task_id=f"t-{number}", risk={"flags": ["prohibited_content"]} if number >= risky_after else {}),
            facts=Facts(),
            at=NOON + timedelta(minutes=number),
        )
        for number in range(count)
    ]


def test_a_mix_that_moved_is_seen() -> None:
    """The newer half is stopped, the older half was not."""
    [(figure, counted)] = drift(POLICY, cases(risky_after=50)).values()
    assert figure > LIMIT
    assert counted == 100


def test_a_mix_that_stays_is_no_drift_and_few_cases_say_nothing() -> None:
    """The same cases all along give 0, whatever order they come in; too few are not judged."""
    [(figure, _)] = drift(POLICY, cases(risky_after=1_000)[::-1]).values()
    assert figure == 0
    assert drift(POLICY, cases(risky_after=5, count=LEAST - 1)) == {}
