"""Cases of the past that are like one that is drawn: which, how they ended, and whether that was right. Owns looking for them at a bounded
cost, and who may be shown which; the distance is `routing.evaluation.similarity`.

What is compared of a case is remembered by its id, since it is decided and does not change: a few numbers and words, never what is masked.
It is asked each time which cases there are, so one whose content was erased meanwhile counts no longer.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.slack.cards.view import PastCase, Similar, View
from routing.case.case import Case
from routing.case.submission import Submission
from routing.evaluation.derived_risk import derived
from routing.evaluation.similarity import Traits, alike, traits_of
from routing.policy.form.form import Workflow
from store.reads.similar_cases import Ended

COMPARED_MOST, EARLIER_MOST = 500, 100
"""Decided cases of a workflow that are looked at, the last ones, for the details and for a card; those of the same action are compared. A
card is drawn again and again: it has about a millisecond and a half for it.
"""

NEAREST_MOST = 8
"""Of those that are alike, so many are told one by one."""

_REMEMBERED_MOST = 5_000
_READ_AT_ONCE = 25
"""Contents opened in one read: some milliseconds, after which whatever else waits has its turn."""


class Reads(Protocol):
    """What is read of decided cases."""

    async def ended_cases(self, workflow: str, until: datetime, limit: int) -> Sequence[Ended]:
        """The last decided ones of a workflow."""
        ...

    async def contents(self, ids: Sequence[str]) -> Sequence[tuple[Case, Submission]]:
        """Cases with their content."""
        ...

    async def found_by_checks(self, ids: Sequence[str]) -> Mapping[str, bool]:
        """Whether checks found them right."""
        ...

    async def cases_of(self, ids: Sequence[str]) -> tuple[Case, ...]:
        """Cases by id."""
        ...


class SimilarCases:
    """Looks for them."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._known: OrderedDict[tuple[str, int], tuple[str, Traits]] = OrderedDict()
        self._learning = asyncio.Lock()

    async def of(self, view: View, until: datetime, most: int, *, told: bool = False) -> Similar:
        """What the last `most` cases of its workflow decided by `until` say about a case. `told`: with the nearest of them."""
        case, workflow, submission = view.case, view.workflow, view.submission
        ended = [one for one in await self._reads.ended_cases(case.workflow, until, most) if one.case_id != case.id]
        hidden = (*(workflow.sensitive.paths if workflow is not None else ()), *submission.sensitive, *view.masked)
        async with self._learning:  # of many cards that are drawn at once, one reads
            await self._learn(ended, workflow)
        others = {
            one.case_id: known[1]
            for one in ended
            if (known := self._known.get((one.case_id, one.decided_at))) and known[0] == case.action_type
        }
        found = alike(traits_of(submission, hidden), others)
        ends = {one.case_id: one for one in ended if one.case_id in found}
        right = await self._found_right(ends) if ends else {}
        verdicts = Counter(one.verdict for one in ends.values())
        judged = Counter(right.values())
        nearest = await self._nearest(found, right) if told else ()
        return Similar(len(others), dict(verdicts), judged[False], judged[True], nearest)

    async def _learn(self, ended: Sequence[Ended], workflow: Workflow | None) -> None:
        """Read what is compared of those that are not known yet; one that cannot be read is compared with nothing, and not read again."""
        at = {one.case_id: one.decided_at for one in ended}
        unknown = [one.case_id for one in ended if (one.case_id, one.decided_at) not in self._known]
        for start in range(0, len(unknown), _READ_AT_ONCE):
            some = unknown[start : start + _READ_AT_ONCE]
            found = await self._reads.contents(some)
            self._known.update({(case_id, at[case_id]): ("", Traits()) for case_id in some})
            for past, content in found:
                hidden = (*(workflow.sensitive.paths if workflow is not None else ()), *content.sensitive)
                shown = content if workflow is None else derived(workflow, content)
                action = past.action_type if past.drill is None else ""
                self._known[past.id, at[past.id]] = action, traits_of(shown, hidden)
        for one in ended:
            if (key := (one.case_id, one.decided_at)) in self._known:
                self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED_MOST:
            self._known.popitem(last=False)

    async def _found_right(self, ends: Mapping[str, Ended]) -> dict[str, bool]:
        """Whether what was done turned out right, of those of which anybody said so: the service's last word, else a check's."""
        checked = await self._reads.found_by_checks(list(ends))
        said = {"found_right": True, "found_wrong": False, "rolled_back": False}
        reported = {case_id: said[one.outcome] for case_id, one in ends.items() if one.outcome in said}
        return {**checked, **reported}

    async def _nearest(self, found: Mapping[str, float], right: Mapping[str, bool]) -> tuple[PastCase, ...]:
        some = list(found)[:NEAREST_MOST]
        return tuple(PastCase(past, found[past.id], right.get(past.id)) for past in await self._reads.cases_of(some))
