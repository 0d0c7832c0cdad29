"""Nobody outside the policy decides: an exhaustive matrix against an oracle that was written on its own."""

import hashlib
import itertools

import pytest

from routing.authority import Role
from routing.authorize import LETS_THROUGH, RULES, Allowed, authorize, reason_codes, refuse
from routing.case.case import Case, Step, Undo, Vote
from routing.case.people import Person, Press, Standing
from routing.case.playbook import LegalHold
from routing.vocabulary import ApprovalCode, CaseKind, State, Verb, Verdict
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
    "duty": frozenset({"duty"}),
    "audit": frozenset({"audit"}),
    "reveal": frozenset({"privacy"}),
}
DECIDING = {"approve", "reject", "modify", "break_glass"}
CLAIMING = {"claim", "take_over"}
NEEDS_STEP_GROUP = {"approve", "reject", "modify", "escalate", "ask", "unclaim", "hand_over", "resume", "separate"} | CLAIMING
LEGAL = {"legal_hold", "release_legal_hold"}
ALWAYS = {"comment", "open_evidence", "reveal"} | LEGAL
IN_STATE = {
    "pending": ALWAYS | (NEEDS_STEP_GROUP - {"resume"}) | {"quarantine", "break_glass"},
    "needs_info": ALWAYS | {"separate", "quarantine", "break_glass"},
    "held": ALWAYS | {"resume", "quarantine", "break_glass"},
    "quarantined": ALWAYS | {"resume", "break_glass"},
    "decided": ALWAYS | {"roll_back", "undo"},
    "closed": ALWAYS | {"roll_back"},
}
NEEDS_REASON = {"reject", "modify", "escalate", "roll_back", "quarantine"}
NEEDS_TEXT = {"take_over", "hand_over", "ask", "comment", "roll_back", "quarantine", "break_glass"} | LEGAL
ONLY_OF_CASES = {"undo", "modify", "ask", "roll_back", "separate", "break_glass"}
ON_A_TIED_ONE = ALWAYS | {"quarantine"}
NEVER_STALE = ALWAYS | {"quarantine", "undo"}
ROLES = {Role.DUTY_OFFICER: ("duty",), Role.AUDITOR: ("audit",)}
SEEN = ((True, True), (False, True), (True, False))
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
    about: str,
) -> bool:
    """Who may do what, said once more in other words: every condition must hold."""
    answers_now = {"own step"} if own_group else {"tier"}
    on_ladder = {"tier", "next tier", "own step"} if own_group else {"tier", "next tier"}
    lifts = verb == "resume" and state == "quarantined"
    overrides = check_failed and verb in {"approve", "modify"} and about != "check"
    return all(
        (
            kind == "member",
            card_known,
            verb in IN_STATE[state] or (verb == "quarantine" and state == "decided" and role == "voted"),  # not told yet
            verb not in ONLY_OF_CASES if about == "check" else True,
            verb in ON_A_TIED_ONE if about == "tied" and state not in {"decided", "closed"} else True,
            fresh or verb in NEVER_STALE,
            groups in answers_now if verb in NEEDS_STEP_GROUP and not lifts else True,
            groups in on_ladder if verb == "roll_back" else True,
            role == "voted" if verb == "undo" else True,
            groups in on_ladder | {"duty", "audit"} if verb == "open_evidence" else True,
            groups == "duty" if verb in {"quarantine", "break_glass"} | LEGAL or lifts else True,
            groups == "reveal" if verb == "reveal" else True,
            role == "nobody special" if verb in DECIDING | CLAIMING else True,
            words in {"reason", "both"} if verb in NEEDS_REASON or lifts else True,
            words in {"unknown reason", "text", "both"} if verb in NEEDS_TEXT or lifts else True,
            words == "both" if overrides else True,
        )
    )


def case_for(state: str, role: str, *, own_group: bool, check_failed: bool, about: str) -> Case:
    """A case in this state, in which the person has this part."""
    steps = (Step(name="verify", group="checkers"), Step(name="approve")) if own_group else (Step(name="verify"), Step(name="approve"))
    return a_case(
        state=State("held" if state == "quarantined" else state),
        held_by={"held": "ladder", "quarantined": "quarantine"}.get(state, ""),
        route=a_route(steps=steps, roles=ROLES, reveal=("privacy",)),
        kind=CaseKind.CHECK if about == "check" else CaseKind.CASE,
        claimed_by="U0ELSE",
        undo=Undo(by=FRONT, until=NOON, before={}) if (state, role) == ("decided", "voted") else None,
        tied_to="c_00" if about == "tied" else "",
        requester=FRONT if role == "requester" else "U0ELSE",
        requester_email_sha256="",
        barred=(FRONT,) if role == "barred" else (),
        votes=(Vote(step=0, by=FRONT, verb="approve", at=NOON),) if role == "voted" else (),
        modified_by=FRONT if role == "author" else "",
        failed_checks=1 if check_failed else 0,
        legal_holds=(LegalHold(by="tierline", at=NOON, released_by=("U0ELSE",)), LegalHold(by="U0ELSE", at=NOON)),
        verdict=Verdict.APPROVED if state in {"decided", "closed"} else None,
    )


@pytest.mark.parametrize("verb", [verb.value for verb in Verb])
def test_the_matrix_agrees_with_the_oracle(verb: str) -> None:
    """Every kind of person, group, part, state, kind of case, staleness, card, check and words: allowed exactly when the oracle says so."""
    both, roles = (True, False), ("nobody special", "requester", "barred", "voted", "author")
    people: dict[tuple[str, str], Person] = {
        (kind, groups): a_person(groups=GROUPS[groups], **KINDS[kind])
        for kind, groups in itertools.product(KINDS, GROUPS)
        if kind == "member" or groups == "tier"
    }
    parts = [*itertools.product(roles, ("itself",)), *itertools.product(roles[:2], ("check", "tied"))]
    wrong, allowed = [], 0
    for (role, about), state, own_group, check_failed in itertools.product(parts, IN_STATE, both, both):
        case = case_for(state, role, own_group=own_group, check_failed=check_failed, about=about)
        face = case.face
        for (kind, groups), words, (fresh, card_known) in itertools.product(people, WORDS, SEEN):
            reason, text = WORDS[words]
            if check_failed and reason == "unsure" and verb == "approve" and about != "check":
                reason = "risk_accepted"  # what is let through against a check has reasons of its own
            person, shown = people[kind, groups], face if fresh else "0" * 16
            standing = Standing("0" * 64, holder=groups == "duty")
            press = Press(verb, person, case.id, shown, TEAM, card_known=card_known, reason_code=reason, text=text, standing=standing)
            got = isinstance(authorize(press, case), Allowed)
            allowed += got
            given = {"fresh": fresh, "card_known": card_known, "own_group": own_group, "check_failed": check_failed}
            if got is not oracle(verb, kind, groups, role, state, words=words, about=about, **given):
                wrong.append((kind, groups, role, state, words, about, given, got))
    assert wrong == []
    assert allowed > 0


WORKING = {"escalate", "ask", "unclaim", "hand_over", "separate"} | CLAIMING
DECISION = {"approve", "reject", "modify"}
RELEASING = {"open_evidence", "legal_hold"}
BY_ROLE: dict[Role, tuple[set[str], set[str], set[str]]] = {
    Role.TRIAGER: (DECISION | WORKING | {"open_evidence"}, {"open_evidence"}, {"open_evidence", "roll_back"}),
    Role.VERIFIER: (DECISION | WORKING | {"open_evidence"}, {"open_evidence"}, {"open_evidence", "roll_back"}),
    Role.APPROVER: (DECISION | WORKING | {"open_evidence"}, {"open_evidence"}, {"open_evidence", "roll_back"}),
    Role.SPECIALIST: ({"open_evidence"}, {"open_evidence"}, {"open_evidence", "roll_back"}),
    Role.AUDITOR: ({"open_evidence"}, {"open_evidence"}, {"open_evidence"}),
    Role.SUPERVISOR: (RELEASING | {"quarantine"}, RELEASING | {"resume"}, RELEASING),
    Role.DUTY_OFFICER: (RELEASING | {"quarantine"}, RELEASING | {"resume"}, RELEASING),
    Role.POLICY_OWNER: (set(), set(), set()),
    Role.BREAK_GLASS_HOLDER: ({"open_evidence"}, {"open_evidence"}, {"open_evidence"}),
    Role.ADMIN: (RELEASING | {"quarantine"}, RELEASING | {"resume"}, RELEASING),
}
"""By role: the verbs of somebody who has no other, on a case that waits for them, in quarantine, and decided. Anybody may comment."""
STEP_OF = {Role.TRIAGER: "triage", Role.VERIFIER: "verify", Role.APPROVER: "approve"}


@pytest.mark.parametrize("role", list(Role))
def test_the_table_of_verbs_and_roles(role: Role) -> None:
    """V6, enumerated: whoever has one role and nothing else does exactly this, with every word that is asked for."""
    name, steps = STEP_OF.get(role, "approve"), tuple(Step.model_validate({"name": name, "group": name}) for name in STEP_OF.values())
    mine = {Role.SPECIALIST: "experts"}.get(role, name if role in STEP_OF else "mine")
    route = a_route(steps=steps, roles={role: ("mine",)}, reveal=("privacy",))
    person, at = a_person(groups=frozenset({mine})), list(STEP_OF.values()).index(name)
    waiting = a_case(route=route, step=at, tied=("c_02",), claimed_by="U0ELSE")
    quarantined = waiting.model_copy(update={"state": State.HELD, "held_by": "quarantine"})
    decided = a_case(route=route, state=State.DECIDED, verdict=Verdict.APPROVED, step=at)
    for case, expected in zip((waiting, quarantined, decided), BY_ROLE[role], strict=True):
        may = {verb.value for verb in Verb if isinstance(authorize(a_press(case, verb, person=person), case), Allowed)}
        assert may == expected | {"comment"}


@pytest.mark.parametrize(("holds", "refused"), [((), "no_legal_hold"), (("U0ELSE",), "not_named"), ((FRONT,), ""), ((FRONT, "U0ELSE"), "")])
def test_a_legal_hold_is_released_by_whom_it_names(holds: tuple[str, ...], refused: str) -> None:
    """By nobody else, whatever their role."""
    legal_holds = (LegalHold(by="tierline", at=NOON, released_by=holds),) if holds else ()
    case = a_case(route=a_route(roles={Role.SUPERVISOR: ("frontline",)}), legal_holds=legal_holds)
    assert authorize(a_press(case, "release_legal_hold"), case) == (refuse(refused) if refused else Allowed())


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
    route = a_route(roles={Role.ADMIN: ("frontline",)})
    case = a_case(state=state, verdict=Verdict.APPROVED if state is State.DECIDED else None, route=route)
    assert authorize(a_press(case, verb, reason_code="because"), case) == refuse("reason_required")


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.MODIFY])
def test_against_a_failed_check_a_reason_and_words_are_due(verb: Verb) -> None:
    """What a person lets through although a check failed takes a reason code first, then their own words; rejecting takes neither more."""
    case = a_case(failed_checks=1)
    assert authorize(a_press(case, verb, reason_code=""), case) == refuse("reason_required")
    assert authorize(a_press(case, verb, reason_code="check_is_wrong", text=" "), case) == refuse("text_required")
    assert isinstance(authorize(a_press(case, verb, reason_code="check_is_wrong"), case), Allowed)
    assert isinstance(authorize(a_press(case, "reject", text=""), case), Allowed)


@pytest.mark.parametrize(("failed", "warned"), [(1, 0), (0, 1), (2, 3), (0, 0)])
@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.MODIFY, Verb.REJECT, Verb.ESCALATE])
def test_reasons_are_made_for_what_they_are_given_for(verb: Verb, people: int, failed: int, warned: int) -> None:
    """Approving against a check is confirmed by each person of a pair, for a reason to approve; a reason to reject is none."""
    case = a_case(failed_checks=failed, warned_checks=warned, route=a_route(steps=(Step(name="approve", people=people),)))
    offered, against = set(reason_codes(verb, case)), bool(failed or warned)
    approving = {code.value for code in ApprovalCode}
    assert (offered == approving) == (against and verb is Verb.APPROVE)
    assert approving <= offered if against and verb in LETS_THROUGH else not (approving - {"other"}) & offered
    confirmed = authorize(a_press(case, verb, reason_code="risk_accepted"), case)
    bare = authorize(a_press(case, verb, reason_code=""), case)
    if verb is Verb.APPROVE:
        assert isinstance(confirmed, Allowed)
        assert isinstance(bare, Allowed) == (not against)
        assert isinstance(authorize(a_press(case, verb, reason_code="wrong_amount"), case), Allowed) == (not against)


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


def test_a_requester_named_before_by_address_keeps_people_without_one_out() -> None:
    """Nobody can tell whether they are the one who asked first; with an address one can."""
    case = a_case(requester="U0ELSE", barred=(hashlib.sha256(b"someone@example.com").hexdigest(),))
    assert authorize(a_press(case, person=a_person(email="")), case) == refuse("email_unknown")
    assert isinstance(authorize(a_press(case), case), Allowed)


ME = a_person(email="fran+work@example.com", aliases=frozenset({"W0FRAN"}))
"""Fran, whom the enterprise knows by another id."""

OTHERS = (
    a_person(id="U0FRAN2", email="fran@example.com"),
    a_person(id="W0FRAN", email=""),
    a_person(id="U0FRAN3", email="", aliases=frozenset({"W0FRAN"})),
    a_person(id="U0FRAN4", email="FRAN@example.com.", aliases=frozenset({"W0OTHER"})),
)
"""The same person under other ids and addresses."""


@pytest.mark.parametrize("again", OTHERS, ids=lambda person: person.id)
@pytest.mark.parametrize("did", ["voted", "modified"])
def test_whoever_took_part_does_not_come_again_as_somebody_else(again: Person, did: str) -> None:
    """By another id of the enterprise or another spelling of the address, for a vote as for a modification."""
    people = ME.known_with(())
    earlier = {"votes": (Vote(step=0, by=ME.id, verb="approve", at=NOON),)} if did == "voted" else {"modified_by": ME.id}
    case = a_case(people=people, **earlier)
    assert authorize(a_press(case, person=again), case) == refuse("already_voted")
    assert isinstance(authorize(a_press(case, person=a_person(id="U0ELSE")), case), Allowed)


@pytest.mark.parametrize("again", OTHERS, ids=lambda person: person.id)
def test_whoever_asked_for_it_under_another_id_does_not_decide(again: Person) -> None:
    """Who pressed *Roll back*, who was barred, who is named by the service: all their names count."""
    for case in (a_case(requester=ME.id, people=ME.known_with(())), a_case(barred=ME.known_with(()))):
        assert authorize(a_press(case, person=again), case) == refuse("requester")
