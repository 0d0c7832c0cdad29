"""When a message is tried again: a schedule is a value, and a try's place in it is arithmetic. Never sleeps and never sends."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Retry:
    """Waits that double from `first_s` to `most_s`, spread by up to `jitter` of themselves, until `give_up` after the message was made.

    The spread comes from the row and the attempt, so that it is the same in every replica and after every restart.
    """

    first_s: float
    most_s: float
    give_up: timedelta
    jitter: float = 0.2
    longest_pause_s: float = 3_600.0
    """What a peer may ask for with Retry-After; somebody waits behind it."""

    def wait_s(self, row_id: int, attempts: int) -> float:
        """Seconds from the failure of attempt number `attempts` (1, 2, …) to the next one."""
        wait = min(self.first_s * 2.0 ** min(attempts - 1, 30), self.most_s)
        return wait * (1.0 + self.jitter * _spread(row_id, attempts))

    def next_at(self, row_id: int, attempts: int, now: datetime, created_at: datetime) -> datetime | None:
        """When to try again, None when it is given up. The last try comes at the very end of the time allowed."""
        end = created_at + self.give_up
        if now >= end:
            return None
        return min(now + timedelta(seconds=self.wait_s(row_id, attempts)), end)


SLACK = Retry(first_s=1.0, most_s=60.0, give_up=timedelta(hours=24), longest_pause_s=300.0)
PAGERDUTY = Retry(first_s=1.0, most_s=20.0, give_up=timedelta(days=30), longest_pause_s=60.0)
"""Pages are tried often, and until nobody needs them: one has to be accepted within a minute of PagerDuty's return (promise P3)."""

REFUSED_PAGE = Retry(first_s=5.0, most_s=30.0, give_up=timedelta(days=30))
"""A page that was refused: once somebody has mended what it was refused for it has to be accepted within a minute."""

EMAIL = Retry(first_s=5.0, most_s=60.0, give_up=timedelta(hours=24))
REFUSED_EMAIL = Retry(first_s=60.0, most_s=900.0, give_up=timedelta(hours=24))

CALLBACK = Retry(first_s=5.0, most_s=4 * 3600.0, give_up=timedelta(hours=75))
"""75 hours outlast a weekend (promise P10)."""

MENDING = Retry(first_s=1.0, most_s=300.0, give_up=timedelta(days=30))
"""What Slack refuses until a person has mended something: a channel, an invitation, the app's scopes. It is tried at once when Slack says
that something of this kind changed."""

SCHEDULES = {"slack": SLACK, "pagerduty": PAGERDUTY, "email": EMAIL, "callback": CALLBACK, "ticket": CALLBACK}


def _spread(row_id: int, attempts: int) -> float:
    """A number in [0, 1) that looks random and is not."""
    drawn = hashlib.sha256(f"{row_id}/{attempts}".encode()).digest()
    return int.from_bytes(drawn[:6], "big") / 2**48
