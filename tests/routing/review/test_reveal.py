"""Who looks at masked values is recorded, with the places and never the values; only the policy's groups may look."""

import pytest

from routing.authorize import REFUSALS
from routing.case.case import Case
from routing.case.people import Press
from routing.case.submission import Submission
from routing.change import Change, Refused, Subject
from routing.policy.file import load_policy
from routing.review.reveal import PATHS_MOST
from routing.review.verbs import NEEDS_CONTENT, step_of
from routing.vocabulary import EventKind, State, Verb
from tests.routing.factory import NOON, POLICY_TEXT, a_case, a_person, a_press, a_route, a_submission

POLICY = load_policy(
    POLICY_TEXT.replace(b"requester: optional", b"requester: optional, sensitive: {paths: [title], reveal: [experts]}"), {}
)
OPEN = a_case(route=a_route(reveal=("experts",)))
EXPERT = a_person(id="U0SENIOR", groups=frozenset({"experts"}))


def look(case: Case, press: Press, content: Submission | None = None) -> Change | Refused:
    """The press carried out on the case with this content."""
    return step_of(press)(Subject(case, POLICY, content or a_submission(request="anna@a.example")), NOON)


@pytest.mark.parametrize("state", list(State))
def test_looking_is_recorded_and_changes_nothing(state: State) -> None:
    """Whatever became of the case: one event with the places, no message, the same case."""
    case = OPEN.model_copy(update={"state": state})
    change = look(case, a_press(case, "reveal", person=EXPERT))
    assert isinstance(change, Change)
    [event] = change.events
    assert (event.kind, event.actor.id, event.sealed) == (EventKind.REVEALED, "U0SENIOR", {})
    assert event.fields == {"paths": ["title", "request", "history"], "masked": 2, "face": case.face}
    assert (change.case, change.messages) == (case, ())


def test_only_the_groups_that_the_policy_names_may_look() -> None:
    """Answering for the case is not enough; where the policy names nobody, nobody may."""
    assert look(OPEN, a_press(OPEN, "reveal")) == Refused("not_in_role", REFUSALS["not_in_role"])
    closed = a_case(route=a_route(reveal=()))
    assert isinstance(look(closed, a_press(closed, "reveal", person=EXPERT)), Refused)


def test_erased_is_erased() -> None:
    """What was erased cannot be looked at any more."""
    gone = OPEN.model_copy(update={"state": State.DECIDED, "erased_at": NOON})
    assert look(gone, a_press(gone, "reveal", person=EXPERT)) == Refused("erased", REFUSALS["erased"])


def test_of_many_places_the_event_names_some_and_counts_all() -> None:
    """A leaf has 64 KiB; a key of the parameters may be long."""
    params = {f"{number}{'k' * 500}": f"u{number}@a.example" for number in range(300)}
    change = look(OPEN, a_press(OPEN, "reveal", person=EXPERT), a_submission(action={"type": "x", "params": params}))
    assert isinstance(change, Change)
    [event] = change.events
    paths = event.fields["paths"]
    assert isinstance(paths, list)
    assert (len(paths), event.fields["masked"]) == (PATHS_MOST + 1, 301)
    assert all(len(str(path)) <= 200 for path in paths)


def test_the_ledger_gives_the_step_what_it_reads() -> None:
    """The step finds out what is masked in the content itself."""
    assert Verb.REVEAL in NEEDS_CONTENT
