"""What an owner writes takes effect, or a warning says why not, with its place; what we teach ourselves gives none."""

from pathlib import Path

import pytest

from routing.policy.file import load_policy
from routing.simulation.idle import idle
from routing.strict_yaml import read_yaml
from tests.checkout import EXAMPLES

REPOSITORY = EXAMPLES.parent
TAUGHT = [
    *sorted((REPOSITORY / "bot" / "cli" / "templates").glob("*.yml")),
    REPOSITORY / "bot" / "cli" / "first_policy.yml",
    REPOSITORY / "bot" / "demo" / "policy.yml",
    *(EXAMPLES / name for name in ("airline.yml", "airline-draft.yml", "northwind.yml", "policy.yml")),
]
NAMES = dict.fromkeys(("PAGERDUTY_ROUTING_KEY", "DEMO_PAGE_DUTY", "DEMO_PAGE_SENIORS", "DEMO_PAGE_EXPERTS"), "key")
NAMES |= {
    "DEMO_TICKETS_URL": "https://tickets.internal.example/",
    "DEMO_TICKETS_SECRET": "whsec_" + "A" * 32,
    "DEMO_PAGE_SECOND": "other",
    "DEMO_OPEN_DAY": "wed",
}


def warned(text: str) -> dict[str, str]:
    """The warnings of a policy by the place they name; each has a line."""
    found = idle(load_policy(text.encode(), NAMES), read_yaml(text.encode(), NAMES))
    assert all(one.line for one in found)
    return {one.pointer: one.message for one in found}


def a_policy(workflow: str, *more: str) -> str:
    """A policy with one workflow, `w`, of these lines, and further lines of the file."""
    lines = "\n".join(f"    {line}" for line in ("ladder: standard", *workflow.strip().splitlines()))
    head = 'version: "1"\nchanges: "x"\ngroups:\n  frontline: {usergroup: front}\n  seniors: {usergroup: seniors, skills: [tax]}\n'
    ladder = "ladders:\n  standard: {tiers: [{channel: one, group: frontline}, {channel: two, group: seniors}]}\n"
    return f"{head}{''.join(more)}{ladder}workflows:\n  w:\n{lines}\n    skills: [tax]\n"


def a_rule(when: str, asks: str = "lane: expert") -> str:
    """A workflow with one rule."""
    return f"rules: [{{name: r, when: '{when.replace(chr(39), chr(39) * 2)}', {asks}, reason: x}}]"


@pytest.mark.parametrize("path", TAUGHT, ids=lambda path: path.name)
def test_what_we_teach_takes_effect(path: Path) -> None:
    """Templates, examples and the demonstration's policy warn of nothing."""
    assert warned(path.read_text()) == {}


RULE = "/workflows/w/rules/0"
WHEN = f"{RULE}/when"
IDLE = {
    "checklist that no step shows": ("checklist: {items: {a: B.}}", "/workflows/w/checklist", "never shown"),
    "checklist with steps that never come": (
        "template: dual\nchecklist: {steps: [verify, triage]}",
        "/workflows/w/checklist/steps/1",
        "triage",
    ),
    "rule below what is always so": (
        a_rule("risk.likelihood > 0.5 && action.reversible", "lane: review") + "\nmodification: {fixed: [risk.likelihood]}",
        RULE,
        "anyway",
    ),
    "rule for a template that is so": ("template: dual\n" + a_rule("action.params.a > 1", "template: approval"), RULE, "anyway"),
    "rule for skills that are so": (a_rule("action.params.a > 1", "skills: [tax]"), RULE, "anyway"),
    "rule below autonomy": ("template: auto\nautonomy: human_executed\n" + a_rule("action.params.a > 1"), RULE, "anyway"),
    "rule below confidence ignored": (
        "template: auto\nconfidence: ignore\n" + a_rule("action.params.a > 1", "lane: review"),
        RULE,
        "anyway",
    ),
    "constant condition": (a_rule("1 < 2"), WHEN, "the same for every case"),
    "constant text": (a_rule('"a" == "b"'), WHEN, "the same for every case"),
    "other action type": ("action_types: [a.b]\n" + a_rule('action.type == "c.d"'), WHEN, "rejects every action"),
    "other workflow": (a_rule('workflow == "v" && action.params.a > 1'), WHEN, "never holds"),
    "signal that is none": (a_rule('"monney" in signals'), WHEN, "no signal"),
    "class that is none": (a_rule('risk.impact == "huge"') + "\nmodification: {up: [risk.impact]}", WHEN, "never"),
    "integer arithmetic": (a_rule("action.params.x / 100 > 5"), WHEN, "a number with decimals"),
    "float arithmetic": (a_rule("action.params.x / 100.0 > 5.0"), WHEN, "a whole number"),
    "integer remainder": (a_rule("action.params.x % 2 == 0"), WHEN, "a number with decimals"),
    "nothing that can be": (a_rule("action.params.x.a + action.params.x[0] == 1"), WHEN, "never be evaluated"),
    "dual that never comes": ("dual: {verify: frontline}", "/workflows/w/dual", "dual"),
    "triage that never comes": ("triage: {group: frontline}", "/workflows/w/triage", "triage"),
    "expert that never comes": ("expert: {people: 2}", "/workflows/w/expert", "expert"),
    "caps of what is never automatic": ("caps: {per_hour: 5}", "/workflows/w/caps", "automatic"),
    "sampling of what is never automatic": (
        "template: auto\nautonomy: human_approved\nsampling: {rate: 0.5}",
        "/workflows/w/sampling",
        "automatic",
    ),
    "clock of a step that never comes": ("clocks: [{clock: verify, lasts: 1h}]", "/workflows/w/clocks/0", "verify"),
    "flag in two lists": ("flags: {harmless: [x], never_auto: [x]}", "/workflows/w/flags/harmless/0", "never harmless"),
    "part that is always there": ("required: [risk]", "/workflows/w/required/0", "every case"),
}
CLOSED = "action_types: [a.b]\naction_schemas: {a.b: {additionalProperties: false, properties: {iban: {type: string}}}}\n"
for key, written, where in (
    ("required", "required: [action.params.ibann]", "required/0"),
    ("locked", "locked: [action.params.iban, action.params.ibann]", "locked/1"),
    ("sensitive", "sensitive: {paths: [action.params.ibann]}", "sensitive/paths/0"),
    ("entity", "checks: {entity: [action.params.ibann]}", "checks/entity/0"),
    ("risk_from", "risk_from: {amount: action.params.ibann.value}", "risk_from/amount"),
):
    IDLE[f"{key} that names nothing"] = (CLOSED + written, f"/workflows/w/{where}", "names nothing")
for name in ("amount", "currency", "impact", "likelihood", "recoverability", "blast_radius", "score", "novelty", "segment"):
    IDLE[f"rule over risk.{name}"] = (a_rule(f"has(risk.{name}) && action.params.a > 1"), WHEN, f"reads risk.{name}, which")
for name, when in {
    "risk.flags": '"x" in risk.flags',
    "labels": 'double(labels["amount"]) > 1000.0',
    "evidence": "size(evidence) > 3",
    "context": "size(context.stale) > 3",
    "checks": 'checks.exists(c, c.result == "fail")',
}.items():
    IDLE[f"rule over {name}"] = (a_rule(when), WHEN, f"reads {name}, which")


_HALF = "risk_from: {amount: {a.b: action.params.a}}\n" + a_rule("has(risk.amount) && double(risk.amount) > 5.0")
IDLE["fact tied to one of the actions"] = ("action_types: [a.b, c.d]\n" + _HALF, "/workflows/w/risk_from/amount", "for c.d it is what")
IDLE["fact tied to one of any actions"] = (_HALF, "/workflows/w/risk_from/amount", "for any other action it is")


@pytest.mark.parametrize("what", IDLE)
def test_what_can_never_take_effect_is_warned_of(what: str) -> None:
    """One place, one sentence."""
    workflow, place, said = IDLE[what]
    found = warned(a_policy(workflow))
    assert list(found) == [place]
    assert said in found[place]


@pytest.mark.parametrize(
    "workflow",
    [
        "template: auto\nchecklist: {items: {a: B.}}\ncaps: {per_hour: 5}\nsampling: {rate: 0.5}\n"
        + a_rule("action.params.a > 1", "lane: review"),
        "template: dual\ndual: {verify: frontline}\nchecklist: {items: {a: B.}}\nclocks: [{clock: verify, lasts: 1h}]",
        a_rule("action.params.a > 1", "template: dual") + "\ndual: {verify: frontline}\nchecklist: {items: {a: B.}}",
        "risk_from: {amount: action.params.amount}\n" + a_rule("has(risk.amount) && double(risk.amount) / 100.0 > 5.0"),
        "modification: {fixed: [labels], up: [checks]}\n" + a_rule('"a" in labels && checks.exists(c, c.result == "fail")'),
        a_rule("double(action.params.x) / 100.0 > 5.0"),
        a_rule('has(action.params.role) && action.params.role.matches("(?i)admin")'),
        a_rule("size(action.params.items.filter(i, i.id == 3)) > 2"),
        "action_types: [a.b, c.d]\n" + a_rule('action.type == "c.d" || action.params.a > 1'),
        a_rule('"money" in signals && subject.tier == "gold" && model.confidence < 0.99 && now > timestamp("2026-01-01T00:00:00Z")'),
        "action_types: [a.b]\n" + _HALF,
        "modification: {up: [risk.amount]}\n" + _HALF,
        "action_types: [a.b, c.d]\n" + _HALF.replace("when: '", 'when: \'action.type == "a.b" && '),
        "checklist: {steps: []}",
        "template: triage\nmodification: {}\n" + a_rule("risk.score > 0.5"),
        "action_types: [a.b]\naction_schemas: {a.b: {properties: {iban: {}}}}\nlocked: [action.params.other]",
    ],
)
def test_what_does_take_effect_is_not(workflow: str) -> None:
    """No warning where there is nothing to warn of."""
    assert warned(a_policy(workflow)) == {}


def test_names_that_nothing_uses_and_groups_that_nobody_is_in() -> None:
    """Groups, calendars, ladders and skills; an empty group only where somebody would be needed."""
    more = (
        "  empty: {users: []}\n  spare: {users: [U012AB3CD], skills: [law]}\n",
        "roles: {supervisor: [empty]}\ncalendars: {office: {timezone: Europe/Berlin}}\n",
    )
    text = a_policy("template: approval", *more).replace("ladders:\n", "ladders:\n  other: {tiers: [{channel: x, group: frontline}]}\n")
    assert set(warned(text)) == {"/groups/empty/users", "/groups/spare", "/groups/spare/skills/0", "/calendars/office", "/ladders/other"}


def test_a_rule_in_the_shadow_of_another_is_named_with_it() -> None:
    """The same condition, and the other asks for at least as much; of equals the later one."""
    one, other = (
        "{name: a, when: action.params.a > 1, lane: specialist, reason: x}",
        "{name: b, when: action.params.a  >  1, lane: expert, reason: x}",
    )
    rules = f"rules:\n  - {one}\n  - {other}"
    assert warned(a_policy(rules)) == {
        "/workflows/w/rules/0": 'never decides: the rule "b" has the same condition and asks for at least as much'
    }
    assert list(warned(a_policy(rules.replace("lane: specialist", "lane: expert")))) == ["/workflows/w/rules/1"]
