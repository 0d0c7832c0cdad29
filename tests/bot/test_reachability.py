"""Slack and PagerDuty are asked alike; what counts at once, and what their silence means, is what tells them apart."""

from dataclasses import dataclass, field

import pytest

from bot.reachability import PAGERDUTY, SLACK, NoAnswerError, Peer, Reachability, asking_pagerduty
from bot.timeouts import RHYTHM
from store.outbox.delivery import SendError

GONE = NoAnswerError("connection refused")
REFUSED = NoAnswerError("invalid_auth", "Slack refuses the token.", refused=True)


@dataclass
class Asked:
    """A peer that answers as the test says, on a clock that the test moves."""

    peer: Peer
    at_s: float = 100.0
    silence: NoAnswerError | None = None
    reachability: Reachability = field(init=False)

    def __post_init__(self) -> None:
        """It is looked after from now on."""
        self.reachability = Reachability(self.peer, self._answer, lambda: self.at_s)

    async def _answer(self) -> None:
        if self.silence is not None:
            raise self.silence

    async def after(self, seconds: float, silence: NoAnswerError | None) -> list[str]:
        """What is in the way, so much later, after it was asked once more."""
        self.at_s += seconds
        self.silence = silence
        await self.reachability.ask()
        return [one.sentence for one in await self.reachability.check()]


@pytest.mark.parametrize("peer", [SLACK, PAGERDUTY], ids=lambda one: one.name)
async def test_silence_counts_once_it_has_lasted(peer: Peer) -> None:
    """Since the last answer, with its cause, until it answers again; one stops the work, the other means that nobody is paged."""
    asked = Asked(peer)
    assert await asked.after(0, None) == []
    assert await asked.after(RHYTHM.lately_s, GONE) == []
    [said] = await asked.after(5, GONE)
    assert said == f"{peer.called} has not answered for {RHYTHM.lately_s + 5:.0f} s (connection refused): {peer.silence}."
    [obstacle] = await asked.reachability.check()
    assert (obstacle.name, obstacle.stops, obstacle.escalation) == (peer.name, peer is SLACK, peer is PAGERDUTY)
    assert obstacle.for_s == RHYTHM.lately_s + 5
    [now] = await asked.reachability.answers()
    assert now.sentence == f"{peer.called} does not answer now (connection refused)."
    assert await asked.after(1, None) == []
    assert await asked.reachability.answers() == ()
    asked.at_s += RHYTHM.lately_s + 1
    [unasked] = await asked.reachability.check()
    assert "it was not asked" in unasked.sentence


async def test_who_has_never_answered() -> None:
    """Without Slack nobody sees a card from the start; a PagerDuty that is gone while we start has as long as ever."""
    assert await Asked(SLACK).after(0, GONE) == ["Slack cannot be reached (connection refused): nobody sees a card."]
    means = NoAnswerError("invalid_json", "TIERLINE_SLACK_BOT_TOKEN does not look right.")
    assert await Asked(SLACK).after(0, means) == [means.means]
    assert await Asked(PAGERDUTY).after(RHYTHM.lately_s, GONE) == []
    assert await Asked(PAGERDUTY).after(RHYTHM.lately_s + 1, GONE) != []


async def test_a_refusal_counts_at_once() -> None:
    """Also after many answers: a token that was taken back is no passing trouble."""
    asked = Asked(SLACK)
    assert await asked.after(0, None) == []
    assert await asked.after(1, REFUSED) == ["Slack refuses the token."]
    assert await asked.after(1, GONE) == []


async def test_pagerduty_is_asked_while_somebody_is_paged() -> None:
    """A policy that pages nobody has nothing to fear from its silence."""
    pages, reached = False, 0

    async def reach() -> None:
        nonlocal reached
        reached += 1
        raise SendError("HTTP 503")

    ask = asking_pagerduty(reach, lambda: pages)
    await ask()
    assert reached == 0
    pages = True
    with pytest.raises(NoAnswerError, match="HTTP 503"):
        await ask()
