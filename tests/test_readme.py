"""What the documents say is what the code does: states, commands, settings, links, policies and the output they show."""

import ast
import json
import re
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.main import get_command

from bot.cli.main import app
from bot.settings import PREFIX, Settings
from routing.case import TRANSITIONS
from routing.errors import PolicyError
from routing.explain import explain
from routing.expressions import ROOTS
from routing.facts import Facts
from routing.policy import Policy
from routing.policy_file import load_policy, policy_schema
from routing.policy_form import HARD_FLAGS, PROHIBITED_FLAGS, Priority, Thresholds
from routing.strict import loads
from routing.submission import Submission, read_submission
from routing.vocabulary import Lane, State

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text()
POLICY = (ROOT / "docs" / "policy.md").read_text()
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def block_after(text: str, words: str) -> str:
    """The first indented block after these words."""
    lines = text[text.index(words) :].splitlines()[1:]
    start = next(number for number, line in enumerate(lines) if line.startswith("    "))
    end = next(number for number, line in enumerate(lines) if number > start and line and not line.startswith("    "))
    return textwrap.dedent("\n".join(lines[start:end])).strip() + "\n"


def states_in(text: str) -> dict[State, set[State]]:
    """The table of states as data."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE)
    return {State(state): {State(after) for after in re.findall(r"`(\w+)`", may)} for state, may in rows}


@pytest.mark.parametrize("name", ["README.md", "docs/architecture.md"])
def test_the_table_of_states_is_the_one_the_code_obeys(name: str) -> None:
    """A reader can trust the table: it is `TRANSITIONS`, state by state."""
    assert states_in((ROOT / name).read_text()) == {state: set(after) for state, after in TRANSITIONS.items()}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(path: Path) -> None:
    """Nobody types a command from a document and is told that it does not exist."""
    root = get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    for code in re.findall(r"`([^`\n]+)`|^ {4,}(.+)$", path.read_text(), re.MULTILINE):
        for name, below in re.findall(r"(?:^|[ (/\"])tierline ([a-z]+)(?: ([a-z]+)(?![\w./-]))?", "".join(code)):
            assert name in root.commands, name
            command = root.commands[name]
            if isinstance(command, typer.core.TyperGroup) and below:
                assert below in command.commands, f"{name} {below}"


def test_the_settings_are_all_there_and_no_others() -> None:
    """The table has a row for each setting, with its default; no document names one that does not exist."""
    known = {PREFIX + name.upper(): field.default for name, field in Settings.model_fields.items()}
    rows = dict(re.findall(r"^\| `(TIERLINE_\w+)` \|(?: ([^|]+))? \|", README, re.MULTILINE))
    assert set(rows) == set(known)
    for name, default in known.items():
        value = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        if value not in (None, ()):
            assert rows[name] == f"`{value}`", name
    for path in DOCUMENTS:
        assert set(re.findall(r"TIERLINE_[A-Z]\w*", path.read_text())) <= set(known), path.name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Files that are linked exist, and so do the headings behind a #."""
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_file(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, link


def test_six_lines_are_a_policy_and_explain_says_what_is_printed() -> None:
    """The first policy somebody copies works, is refused with the sentence shown when misspelt, and routes the case as shown."""
    text = block_after(README, "Six lines are a policy")
    assert len(text.splitlines()) == 6
    policy = load_policy(text.encode(), {})
    submission = read_submission(loads(block_after(README, "With this case in").encode()))
    told = explain(policy, submission, Facts(), NOW).text().splitlines()
    shown = block_after(README, "`check` finds what is wrong").partition("$ tierline policy explain")[2].splitlines()[1:]
    assert [line for line in shown if line.strip() != "…" and line not in told] == []
    with pytest.raises(PolicyError) as refused:
        load_policy(text.replace("double(risk.amount)", "double(risk.amout)").encode(), {})
    [problem] = refused.value.problems
    assert f"misspelt.yml:{problem.line}: {problem.pointer}: {problem.message}" in README


def test_the_case_that_is_posted_in_python_is_a_case() -> None:
    """The program compiles, and what it posts has the published form."""
    program = ast.parse(block_after(README, "In Python, with the"))
    [case] = [node.value for node in program.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "case"]
    assert read_submission(ast.literal_eval(case)).workflow == "document-summaries"


def test_the_example_grows_and_is_a_policy_at_every_step() -> None:
    """Each block of docs/policy.md, added to those before it, loads; at the end rules and templates work as told."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", POLICY, re.MULTILINE | re.DOTALL)
    grown: dict[str, Any] = {}
    policies: list[Policy] = []
    for block in blocks:
        grown = merged(grown, yaml.safe_load(block))
        policies.append(load_policy(json.dumps(grown).encode(), {"PD_TIER2": "key"}))
    *_, policy = policies
    assert len(policies) == 6
    assert {name: workflow.template.value for name, workflow in policy.workflows.items()} == {
        "refunds": "approval",
        "ticket-summaries": "auto",
        "payouts": "dual",
    }
    assert policy.routing_key("standard", 1) == "key"


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged, everything else takes the earlier one's place."""
    both = {name: merged(below[name], value) if isinstance(value, dict) and name in below else value for name, value in above.items()}
    return {**below, **both}


def test_every_key_of_the_policy_is_in_its_reference() -> None:
    """A key that was added without a word in docs/policy.md fails here, and so does a changed default."""
    schema = policy_schema()
    keys = {key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {})}
    assert {key for key in keys if f"`{key}`" not in POLICY} == set()
    assert {flag for flag in HARD_FLAGS | PROHIBITED_FLAGS if f"`{flag}`" not in POLICY} == set()
    defaults = {**Thresholds().model_dump(), **Priority().model_dump(exclude={"customer"}), **Priority().customer}
    assert [f"`{name}` {value}" for name, value in defaults.items() if f"`{name}` {value}" not in POLICY] == []


def test_the_variables_and_lanes_are_the_real_ones() -> None:
    """The table of CEL variables names each field of each part, the table of lanes each lane with its strictness."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", POLICY[POLICY.index("| variable |") : POLICY.index("Amounts are")], re.MULTILINE))
    assert set(rows) == {*ROOTS, "workflow", "signals", "now"}
    schema = Submission.model_json_schema(mode="serialization")
    parts = {"action": "Action", "model": "Model", "risk": "RiskFacts", "context": "Context", "evidence": "Evidence", "checks": "Check"}
    for root, form in {**parts, "subject": "Subject"}.items():
        assert set(re.findall(r"`(\w+)`", rows[root])) == set(schema["$defs"][form]["properties"]), root
    strictness = re.findall(r"^\| `(\w+)` \| ([0-9]) \|", POLICY, re.MULTILINE)
    assert dict(strictness) == {lane.value: str(lane.severity) for lane in Lane}
