"""One case's row held against the case's own events. Owns what they have to say of each other; pure, reads nothing.

Each event says which row it found and which it left (`store.audit.leaf.RowTrace`). Events of before that are held against the row by what
they say of it: action, revision, verdict, votes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routing.case.case import Case
from routing.vocabulary import EventKind, State
from store.vault.head_seal import text_sha256

Leaf = Mapping[str, Any]

VOTES = frozenset({EventKind.APPROVED.value, EventKind.REJECTED.value, EventKind.MODIFIED.value})
VERDICTS = frozenset({EventKind.DECIDED.value, EventKind.VOIDED.value, EventKind.UNDONE.value})
CONTENT = frozenset({EventKind.RECEIVED.value, EventKind.MODIFIED.value, EventKind.INFORMATION_SUPPLIED.value})


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case with its row's text, as it is, and its events in order of the log."""

    case: Case
    row: str
    leaves: Sequence[Leaf]

    def doubts(self) -> Iterator[str]:
        """Sentences on what the row says and the log does not; none when the log proves the row."""
        if not self.leaves:
            yield "the log has no event of it"
            return
        broken, whole = self._chain()
        yield from broken
        yield from self._identity()
        if broken or not whole:
            yield from self._content()
            yield from self._votes()
        yield from self._verdict()

    def promised(self, callback: str, sequence: int, leaf_idx: int) -> bool | None:
        """Whether an event promised this callback about the event at `leaf_idx`; None where events do not say what they promise."""
        wanted = {"type": callback, "sequence": sequence, "leaf": leaf_idx}
        if any(wanted in _row(leaf).get("callbacks", ()) for leaf in self.leaves):
            return True
        about = self.at(leaf_idx)
        return None if about is not None and "row" not in about else False

    def at(self, index: int) -> Leaf | None:
        """The event of the case at this index of the log."""
        return next((leaf for leaf in self.leaves if leaf.get("index") == index), None)

    def _chain(self) -> tuple[list[str], bool]:
        """Where a row was found that no event left, and whether every row of the case is told of, from the first event to the last."""
        broken, whole, known, left = list[str](), True, True, None
        for leaf in self.leaves:
            if "row" not in leaf:
                whole = known = False
                continue
            row = _row(leaf)
            if known and row.get("found") != left:
                broken.append(f"event {leaf.get('index')} found a row that no event had left")
            known, left = True, row.get("left")
        if known and text_sha256(self.row) != left:
            broken.append(f"the row is not as event {self.leaves[-1].get('index')}, the last, left it")
        return broken, whole

    def _identity(self) -> Iterator[str]:
        case, newest = self.case, self.leaves[-1]
        for name, value in (("case", case.id), ("service", case.service), ("workflow", case.workflow), ("task_id", case.task_id)):
            if newest.get(name) != value:
                yield f"its {name} is {value!r}, in the log {newest.get(name)!r}"

    def _content(self) -> Iterator[str]:
        case, newest = self.case, self.leaves[-1]
        if newest.get("revision") != case.revision:
            yield f"its revision is {case.revision}, in the log {newest.get('revision')}"
        if newest.get("policy") != (follows := {"version": case.route.policy_version, "sha256": case.route.policy_sha256}):
            yield f"it follows policy {follows['version']}, in the log another"
        routed = next((leaf for leaf in reversed(self.leaves) if leaf.get("event") in CONTENT), None)
        said = None if routed is None else _fields(routed)
        if said is not None and said.get("action_sha256") not in (None, case.action_sha256):
            yield f"its action is {case.action_sha256[:12]}, in the log {str(said['action_sha256'])[:12]}"
        if routed is not None and routed.get("index") != case.content_at:
            yield f"its content is that of event {case.content_at}, in the log that of event {routed.get('index')}"

    def _votes(self) -> Iterator[str]:
        case = self.case
        pressed = [leaf for leaf in self.leaves if leaf.get("event") in VOTES and int(leaf.get("index", -1)) >= case.content_at]
        if any("with" in _fields(leaf) for leaf in pressed):
            return  # decided with another case, whose events show the votes
        told = {(_actor(leaf), _fields(leaf).get("step")) for leaf in pressed}
        for vote in case.votes:
            step = case.route.steps[vote.step].name if vote.step < len(case.route.steps) else ""
            if (vote.by, step) not in told:
                yield f"it has a vote of {vote.by} for the step {step!r} that the log does not have"
        if len({vote.by for vote in case.votes}) != len(case.votes):
            yield "one person votes twice"

    def _verdict(self) -> Iterator[str]:
        case = self.case
        ended = case.state in (State.DECIDED, State.CLOSED)
        if ended != (case.verdict is not None):
            yield f"it is {case.state.value} and its verdict is {case.verdict}"
        if case.verdict is None:
            verdicts = [leaf for leaf in self.leaves if leaf.get("event") in VERDICTS]
            if verdicts and verdicts[-1].get("event") == EventKind.DECIDED.value:
                yield f"it is not decided, and event {verdicts[-1].get('index')} decides it"
            return
        decided = None if case.decided_index is None else self.at(case.decided_index)
        if decided is None or decided.get("event") != EventKind.DECIDED.value:
            yield "the log has no event that decides it"
            return
        fields = _fields(decided)
        # those that a leaf of this kind has to hold are looked for; what it does not hold, nobody can compare
        expected = {"verdict": case.verdict.value, "action_sha256": case.action_sha256}
        for name, value in expected.items():
            if fields.get(name, value) != value:
                yield f"its {name} is {value!r}, in event {case.decided_index} {fields.get(name)!r}"
        if decided.get("revision") != case.revision:
            yield f"its revision is {case.revision}, in event {case.decided_index} {decided.get('revision')}"
        votes = fields.get("decided_by")
        if isinstance(votes, list) and [vote.get("by") for vote in votes if isinstance(vote, Mapping)] != [vote.by for vote in case.votes]:
            yield f"it was decided by others than event {case.decided_index} says"


def _row(leaf: Leaf) -> Mapping[str, Any]:
    row = leaf.get("row")
    return row if isinstance(row, Mapping) else {}


def _fields(leaf: Leaf) -> Mapping[str, Any]:
    fields = leaf.get("fields")
    return fields if isinstance(fields, Mapping) else {}


def _actor(leaf: Leaf) -> str:
    actor = leaf.get("actor")
    return str(actor.get("id")) if isinstance(actor, Mapping) else ""
