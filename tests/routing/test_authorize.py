"""Nobody outside the policy decides: an exhaustive matrix against an oracle that was written on its own."""

import hashlib
import itertools

import pytest

from routing.authorize import RULES, Allowed, authorize, refuse
from routing.case import Case, Step, Vote
from routing.people import Person, Press
from routing.vocabulary import State, Verb, Verdict
from tests.routing.factory import FRONT, NOON, TEAM, a_case, a_person, a_press, a_route

KINDS: dict[str, dict[str, object]] = {
    "member": {},
    "unknown": {"known": False},
    "deactivated": {"deleted": True},
    "bot": {"bot": True},
    "guest": {"guest": True},
    "stranger": {"stranger": True},
    "other workspace": {"team": "T0OTHER"},
}
GROUPS = {
    "none": frozenset[str](),
    "tier": frozenset({"frontline"}),
    "next tier": frozenset({"experts"}),
    "own step": frozenset({"checkers"}),
}
DECIDING = {"approve", "reject", "modify"}
NEEDS_STEP_GROUP = {"approve", "reject", "modify", "escalate", "ask", "claim", "unclaim", "resume"}
IN_STATE = {
    "pending": {"approve", "reject", "modify", "escalate", "ask", "claim", "unclaim", "comment", "open_evidence"},
    "needs_info": {"comment", "open_evidence"},
    "held": {"resume", "comment", "open_evidence"},
    "decided": {"comment", "open_evidence", "roll_back"},
    "closed": {"comment", "open_evidence", "roll_back"},
}
NEEDS_REASON = {"reject", "modify", "escalate", "roll_back"}
NEEDS_TEXT = {"ask", "comment", "roll_back"}
WORDS = {"none": ("", " "), "reason": ("unsure", ""), "unknown reason": ("because", "why"), "text": ("", "why"), "both": ("unsure", "why")}


def oracle(
    verb: str,
    kind: str,
    groups: str,
    role: str,
    state: str,
    *,
    words: str,
    fresh: bool,
    card_known: bool,
    own_group: bool,
    check_failed: bool,
) -> bool:
    """Who may do what, said once more in other words: every condition must hold."""
    answers_now = {"own step"} if own_group else {"tier"}
    on_ladder = {"tier", "next tier", "own step"} if own_group else {"tier", "next tier"}
    return all(
        (
            kind == "member",
            card_known,
            verb in IN_STATE[state],
            fresh or verb in {"comment", "open_evidence"},
            groups in answers_now if verb in NEEDS_STEP_GROUP else True,
            groups in on_ladder if verb in {"open_evidence", "roll_back"} else True,
            role == "nobody special" if verb in DECIDING else True,
            words in {"reason", "both"} if verb in NEEDS_REASON else True,
            words in {"unknown reason", "text", "both"} if verb in NEEDS_TEXT else True,
            words == "both" if check_failed and verb in {"approve", "modify"} else True,
        )
    )


def case_for(state: str, role: str, *, own_group: bool, check_failed: bool) -> Case:
    """A case in this state, in which the person has this part."""
    steps = (Step(name="verify", group="checkers"), Step(name="approve")) if own_group else (Step(name="verify"), Step(name="approve"))
    return a_case(
        state=State(state),
        route=a_route(steps=steps),
        requester=FRONT if role == "requester" else "U0ELSE",
        requester_email_sha256="",
        votes=(Vote(step=0, by=FRONT, verb="approve", at=NOON),) if role == "voted" else (),
        modified_by=FRONT if role == "author" else "",
        failed_checks=1 if check_failed else 0,
        verdict=Verdict.APPROVED if state in {"decided", "closed"} else None,
    )


@pytest.mark.parametrize("verb", [verb.value for verb in Verb])
def test_the_matrix_agrees_with_the_oracle(verb: str) -> None:
    """Every kind of person, group, part, state, staleness, card, check and words: allowed exactly when the oracle says so."""
    both, roles = (True, False), ("nobody special", "requester", "voted", "author")
    people: dict[tuple[str, str], Person] = {
        (kind, groups): a_person(groups=GROUPS[groups], **KINDS[kind]) for kind, groups in itertools.product(KINDS, GROUPS)
    }
    wrong, allowed = [], 0
    for role, state, own_group, check_failed in itertools.product(roles, IN_STATE, both, both):
        case = case_for(state, role, own_group=own_group, check_failed=check_failed)
        face = case.face
        for (kind, groups), words, fresh, card_known in itertools.product(people, WORDS, both, both):
            reason, text = WORDS[words]
            person, shown = people[kind, groups], face if fresh else "0" * 16
            press = Press(verb, person, case.id, shown, TEAM, card_known=card_known, reason_code=reason, text=text)
            got = isinstance(authorize(press, case), Allowed)
            allowed += got
            given = {"fresh": fresh, "card_known": card_known, "own_group": own_group, "check_failed": check_failed}
            if got is not oracle(verb, kind, groups, role, state, words=words, **given):
                wrong.append((kind, groups, role, state, words, given, got))
    assert wrong == []
    assert allowed > 0


def test_an_empty_group_means_nobody() -> None:
    """A person without any group cannot decide, whatever the group's definition says."""
    case = a_case()
    answer = authorize(a_press(case, person=a_person(groups=frozenset())), case)
    assert answer == refuse("not_in_group")


def test_the_requester_is_known_by_email_too() -> None:
    """A requester named only by an e-mail address cannot approve through the Slack account of that address."""
    somebody_else = a_case(requester_email_sha256=hashlib.sha256(b"gus@example.com").hexdigest())
    assert isinstance(authorize(a_press(somebody_else), somebody_else), Allowed)
    own = a_case(requester_email_sha256=hashlib.sha256(b"fran@example.com").hexdigest())
    person = a_person(email="Fran@Example.com ")
    assert authorize(a_press(own, person=person), own) == refuse("requester")


@pytest.mark.parametrize("verb", [verb for verb, rule in RULES.items() if rule.reason])
def test_a_reason_comes_from_the_list(verb: Verb) -> None:
    """Rejecting, modifying, escalating and rolling back without a known reason code is refused."""
    state = State.DECIDED if verb is Verb.ROLL_BACK else State.PENDING
    case = a_case(state=state, verdict=Verdict.APPROVED if state is State.DECIDED else None)
    assert authorize(a_press(case, verb, reason_code="because"), case) == refuse("reason_required")


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.MODIFY])
def test_against_a_failed_check_a_reason_and_words_are_due(verb: Verb) -> None:
    """What a person lets through although a check failed takes a reason code first, then their own words; rejecting takes neither more."""
    case = a_case(failed_checks=1)
    assert authorize(a_press(case, verb, reason_code=""), case) == refuse("reason_required")
    assert authorize(a_press(case, verb, text=" "), case) == refuse("text_required")
    assert isinstance(authorize(a_press(case, verb), case), Allowed)
    assert isinstance(authorize(a_press(case, "reject", text=""), case), Allowed)


def test_a_roll_back_needs_words() -> None:
    """White space is no explanation."""
    case = a_case(state=State.DECIDED, verdict=Verdict.APPROVED)
    assert authorize(a_press(case, "roll_back", text="  "), case) == refuse("text_required")


def test_each_verb_has_a_rule() -> None:
    """A verb without a rule would have no gate."""
    assert set(RULES) == set(Verb)


def test_people_of_the_tier_below_no_longer_decide_after_it_climbed() -> None:
    """At the next tier the group of that tier answers, also where the step had named a group of its own."""
    case = a_case(route=a_route(steps=(Step(name="approve", group="frontline"),)), tier=1)
    assert authorize(a_press(case), case) == refuse("not_in_group")
    assert isinstance(authorize(a_press(case, person=a_person(groups=frozenset({"experts"}), team=TEAM)), case), Allowed)


def test_where_only_an_address_is_known_a_person_without_one_does_not_decide() -> None:
    """The requester is known by e-mail alone and Slack tells no address of the person: it cannot be ruled out that they are one."""
    case = a_case(requester_email_sha256=hashlib.sha256(b"someone@example.com").hexdigest())
    assert authorize(a_press(case, person=a_person(email="")), case) == refuse("email_unknown")
    assert isinstance(authorize(a_press(case), case), Allowed)
