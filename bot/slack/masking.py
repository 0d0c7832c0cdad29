"""What people may see of a case's content: masked as the policy it lives by says. Owns remembering it, since a case is drawn many times.

What is masked away is never remembered, and what is left of a case is forgotten with it when it is found erased.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.slack.cards.view import Happening
from routing.case.case import Case
from routing.case.submission import Submission
from routing.evaluation.derived_risk import derived
from routing.policy.form.form import Workflow
from routing.policy.form.guardrails import Sensitive
from routing.policy.policy import Policy
from routing.privacy.masking import Hidden, mask, mask_values
from routing.vocabulary import EventKind

PolicyOf = Callable[[str], Policy | None]
"""The policy with this SHA-256, or what takes its place; None: everything that can be found is masked."""

KEPT = 200
"""Cases remembered, the last drawn ones."""

Paths = tuple[str, ...]


@dataclass(slots=True)
class _Drawn:
    """What was masked of one case, by the index of the leaf that holds it; a leaf never changes."""

    contents: dict[int, tuple[Submission, Paths]] = field(default_factory=dict)
    events: dict[tuple[int, Paths], tuple[Mapping[str, object], Paths]] = field(default_factory=dict)


class Masking:
    """Masks contents and histories. `policy_of` gives the policies whose settings hold."""

    def __init__(self, policy_of: PolicyOf) -> None:
        self._policy_of = policy_of
        self._drawn: OrderedDict[tuple[str, str], _Drawn] = OrderedDict()

    def content(self, case: Case, submission: Submission) -> tuple[Submission, Paths]:
        """The current content as people see it, and where it is masked. Facts that the policy reads from the action are those."""
        contents = self._of(case).contents
        if case.content_at not in contents:
            workflow = self.workflow(case)
            masked = mask(submission, workflow.sensitive if workflow is not None else None)
            # what the action says is read after masking, so that nothing comes back that way
            shown = masked.submission if workflow is None else derived(workflow, masked.submission)
            contents[case.content_at] = shown, masked.paths
        return contents[case.content_at]

    def history(self, case: Case, submission: Submission | None, history: Sequence[Happening]) -> tuple[tuple[Happening, ...], Paths]:
        """The events as people see them, and where what was said in them is masked."""
        seen, paths = [], list[str]()
        events = self._of(case).events
        for one in history:
            declared = submission.sensitive if submission is not None else ()
            if (one.index, declared) not in events:
                values, hidden = self._event(case, declared, one)
                events[one.index, declared] = values, tuple(found.path for found in hidden)
            values, masked = events[one.index, declared]
            seen.append(one if values is one.opened else replace(one, opened=values))
            paths += masked
        return tuple(seen), tuple(dict.fromkeys(paths))

    def hidden(self, case: Case, submission: Submission, history: Sequence[Happening]) -> tuple[Hidden, ...]:
        """What is masked, for whoever may see it: of the content, then of what was said."""
        said = [found for one in history for found in self._event(case, submission.sensitive, one)[1]]
        return (*mask(submission, self._sensitive(case)).hidden, *said)

    def forget(self, case_id: str) -> None:
        """Keep nothing of a case any longer."""
        for key in [key for key in self._drawn if key[0] == case_id]:
            del self._drawn[key]

    def _event(self, case: Case, declared: Paths, one: Happening) -> tuple[Mapping[str, object], tuple[Hidden, ...]]:
        """The values of an event, masked, and what is hidden of words: a whole submission among them is the content of its revision. Whom
        our own mail reached is no word about the case and shown to nobody, so it is none of what a card says to be masked.
        """
        values, hidden = mask_values(one.opened, self._sensitive(case), declared, at=f"history.{one.index}")
        if one.kind is EventKind.PAGE_ACCEPTED:
            return values, ()
        return values, tuple(found for found in hidden if Submission.model_fields.keys().isdisjoint(found.path.split(".")[2:3]))

    def _of(self, case: Case) -> _Drawn:
        key = (case.id, case.route.policy_sha256)
        drawn = self._drawn.setdefault(key, _Drawn())
        self._drawn.move_to_end(key)
        if len(self._drawn) > KEPT:
            self._drawn.popitem(last=False)
        return drawn

    def workflow(self, case: Case) -> Workflow | None:
        """The workflow of a case as the policy has it that the case lives by; None where that is not known."""
        policy = self._policy_of(case.route.policy_sha256)
        return policy.workflow(case.workflow) if policy is not None else None

    def _sensitive(self, case: Case) -> Sensitive | None:
        workflow = self.workflow(case)
        return workflow.sensitive if workflow is not None else None
