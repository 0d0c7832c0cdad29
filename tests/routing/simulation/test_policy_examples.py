"""Every policy that ships holds examples that go where they say, and examples that would not are found."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.simulation.examples import run_examples
from routing.vocabulary import Lane, Template
from tests.checkout import ROOT

TEMPLATES = sorted((ROOT / "bot/cli/templates").glob("*.yml"))
SHIPPED = [*TEMPLATES, ROOT / "bot/cli/first_policy.yml", *sorted((ROOT / "examples").glob("*.yml"))]
NOWS = [datetime(2026, 11, 20, 12, tzinfo=UTC), datetime(2031, 2, 28, 3, tzinfo=UTC)]


def read(text: str) -> Policy:
    """A policy with a made-up routing key."""
    return load_policy(text.encode(), {"PAGERDUTY_ROUTING_KEY": "key"})


def is_policy(path: Path) -> bool:
    """Whether this is a policy, no services file."""
    return "\nworkflows:" in path.read_text()


@pytest.mark.parametrize("path", [path for path in SHIPPED if is_policy(path)], ids=lambda path: path.stem)
@pytest.mark.parametrize("now", NOWS, ids=lambda now: str(now.year))
def test_what_ships_goes_where_it_says(path: Path, now: datetime) -> None:
    """No example depends on the day on which it is run."""
    assert [(one.name, one.wrong) for one in run_examples(read(path.read_text()), now) if one.wrong] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_shows_what_it_is_about(path: Path) -> None:
    """Five examples or more that reach several lanes, one that lacks something, one that looks easy and is not; who answers for it."""
    policy = read(path.read_text())
    examples = [example for workflow in policy.workflows.values() for example in workflow.examples]
    assert len(examples) >= 5
    assert len({example.lane for example in examples}) >= 3
    assert any(example.missing for example in examples)
    assert any(example.name.startswith("hard-") for example in examples)
    assert policy.form.owners
    for workflow in policy.workflows.values():
        assert workflow.accountability is not None
        assert workflow.instructions
        assert workflow.action_types


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_lane_of_a_template_is_held_to(path: Path) -> None:
    """Any one expected lane changed to another is found, and only that one."""
    policy = read(path.read_text())
    for name, workflow in policy.workflows.items():
        for example in workflow.examples:
            other = Lane.STOP if example.lane is not Lane.STOP else Lane.AUTO
            changed = tuple(each.model_copy(update={"lane": other}) if each is example else each for each in workflow.examples)
            mistaken = replace(policy, workflows={**policy.workflows, name: workflow.model_copy(update={"examples": changed})})
            wrong = [one for one in run_examples(mistaken, NOWS[0]) if one.wrong]
            assert [(one.name, one.expected, one.lane) for one in wrong] == [(example.name, other, example.lane)]


@pytest.mark.parametrize("name", ["access-requests", "compliance-classification", "customer-replies", "invoice-exceptions"])
def test_what_is_never_automatic_has_no_way_to_be(name: str) -> None:
    """Access, compliance, messages and money: neither a template nor an example lets the model act."""
    policy = read((ROOT / f"bot/cli/templates/{name}.yml").read_text())
    for workflow in policy.workflows.values():
        assert workflow.template in (Template.APPROVAL, Template.DUAL, Template.EXPERT)
        assert all(example.lane is not Lane.AUTO for example in workflow.examples)
