"""What people may see of a case is masked once, as the policy it lives by says, and forgotten with the case."""

from bot.slack.cards.view import Happening
from bot.slack.masking import KEPT, Masking
from routing.case.case import Case
from routing.change import Actor
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.privacy.spans import HIDDEN
from routing.vocabulary import EventKind
from tests.routing.factory import NOON, POLICY_TEXT, a_case, a_route, a_submission

ANA = Actor("human", "U0ANA")
CONTENT = a_submission(request="anna@a.example", output="4242424242424242", sensitive=["action.params.note"])


def by(sensitive: bytes) -> Policy:
    """A policy with these settings for refunds."""
    return load_policy(POLICY_TEXT.replace(b"requester: optional", b"requester: optional, sensitive: {" + sensitive + b"}"), {})


def test_the_policy_a_case_lives_by_says_what_is_masked() -> None:
    """Two cases of the same content under two policies; where the policy is not known, whatever can be found is masked."""
    policies = {"a" * 64: by(b"detect: [email]"), "b" * 64: by(b"detect: [], paths: [output]")}
    masks = Masking(policies.get)
    seen = [
        masks.content(a_case(route=a_route(policy_sha256=sha256)), CONTENT)[0] for sha256 in (followup * 64 for followup in ("a", "b", "c"))
    ]
    shown = [(one.request, one.output) for one in seen]
    assert shown == [("•••@a.example", "4242424242424242"), ("anna@a.example", HIDDEN), ("•••@a.example", "•••• 4242")]


def test_what_was_masked_is_masked_once_until_the_content_changes() -> None:
    """A card is drawn many times; another revision is another leaf."""
    masks, case = Masking(lambda _sha256: None), a_case(content_at=4)
    first = masks.content(case, CONTENT)
    assert masks.content(case, CONTENT) is first
    assert masks.content(case.model_copy(update={"content_at": 9}), CONTENT) is not first


def test_words_are_masked_and_those_of_a_content_are_not_told_twice() -> None:
    """What is hidden in an event that holds a whole submission stands at that submission already; whom we wrote to is no word at all."""
    earlier = {"request": "ben@a.example", "action": {"type": "x", "params": {"note": "n"}}, "text": "ask cy@b.example"}
    history = (
        Happening(EventKind.MODIFIED, ANA, NOON, {}, earlier, 4),
        Happening(EventKind.COMMENTED, ANA, NOON, {}, {"text": "fine", "name": "Ana"}, 5),
        Happening(EventKind.PAGE_ACCEPTED, ANA, NOON, {}, {"to": ["hugo@a.example"]}, 6),
    )
    masks, case = Masking(lambda _sha256: None), a_case()
    seen, paths = masks.history(case, CONTENT, history)
    assert seen[0].opened == {
        "request": "•••@a.example",
        "action": {"type": "x", "params": {"note": HIDDEN}},
        "text": "ask •••@b.example",
    }
    assert seen[2].opened == {"to": ["•••@a.example"]}
    assert (seen[1], paths) == (history[1], ("history.4.text",))
    assert [(one.path, one.value) for one in masks.hidden(case, CONTENT, history)] == [
        ("action.params.note.text", "sorry"),
        ("request", "anna@a.example"),
        ("output", "4242424242424242"),
        ("history.4.text", "cy@b.example"),
    ]


def test_memory_ends() -> None:
    """Only the cases drawn last are remembered, and nothing of one that was erased."""
    masks, first = Masking(lambda _sha256: None), a_case(id="c_first")
    seen = masks.content(first, CONTENT)
    for number in range(KEPT - 1):
        masks.content(_other(number), CONTENT)
    assert masks.content(first, CONTENT) is seen
    masks.forget("c_first")
    assert masks.content(first, CONTENT) is not seen
    kept = masks.content(_other(0), CONTENT)
    for number in range(KEPT, 2 * KEPT):
        masks.content(_other(number), CONTENT)
    assert masks.content(_other(0), CONTENT) is not kept


def _other(number: int) -> Case:
    return a_case(id=f"c_{number}")
