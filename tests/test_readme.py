"""What the documents say is what the code does: states, commands, settings, links, policies and the output they show."""

import ast
import json
import re
import shlex
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from bot.cli.main import app
from bot.http.openapi import openapi
from bot.services import services_schema
from bot.settings import PREFIX, Settings
from bot.slack.cards.command_answers import COMMANDS
from bot.slack.governance.command_grammar import Unclear, read_command
from routing.authority import Role
from routing.authorize import RULES
from routing.case.case import TRANSITIONS
from routing.case.facts import Facts
from routing.case.submission import Submission, read_submission
from routing.evaluation.route import route
from routing.governance.breakers import BUILT_IN
from routing.governance.permissions import MAY
from routing.policy.clocks.row import written
from routing.policy.expressions import ROOTS
from routing.policy.file import load_policy, policy_schema
from routing.policy.form.form import HARD_FLAGS, PROHIBITED_FLAGS, Priority, Thresholds
from routing.policy.form.guardrails import Measured
from routing.policy.policy import Policy
from routing.signals import RISK_SIGNALS, WAIVABLE, Trigger
from routing.simulation.precheck import prospect, read_inquiry
from routing.vocabulary import Lane, State
from tests.checkout import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text()
POLICY = (ROOT / "docs" / "policy.md").read_text()
CHAPTER = README[README.index("## For owners: writing a policy") : README.index("## For developers: posting a case")]
FENCED = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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
def test_every_place_in_the_code_that_is_named_exists(path: Path) -> None:
    """Whoever opens a file that a document names finds it, and so whoever looks for a module or what it defines."""
    named = re.findall(r"`((?:bot|routing|store|escalation|tests|examples)/[\w./-]*)`", path.read_text())
    assert [place for place in named if not (ROOT / place).exists()] == []
    for dotted in re.findall(r"`((?:bot|routing|store|escalation)(?:\.\w+)+)`", path.read_text()):
        parts = dotted.split(".")
        files = [ROOT.joinpath(*parts[:size]).with_suffix(".py") for size in range(2, len(parts) + 1)]
        module = next((file for file in files if file.exists()), None)
        assert module is not None or ROOT.joinpath(*parts).is_dir(), dotted
        if module is not None and parts[-1] != module.stem:
            assert re.search(rf"\b{parts[-1]}\b", module.read_text()), dotted


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(path: Path) -> None:
    """Nobody types a command from a document and is told that it does not exist."""
    root = get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    for code in re.findall(r"`([^`\n]+)`|^ {4,}(.+)$", path.read_text(), re.MULTILINE):
        for name, below in re.findall(r"(?:^|[ (/\"])tierline ([a-z]+)(?![a-z/])(?: ([a-z]+)(?![\w./-]))?", "".join(code)):
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


def test_the_demo_says_what_is_printed_of_it() -> None:
    """Chapter and steps of the demo that the README shows are the demo's words."""
    shown = block_after(README, "The same story and more plays without hands").splitlines()[2:-1]
    told = "".join(path.read_text() for path in sorted((ROOT / "bot" / "demo").rglob("*.py")))
    steps = [line.strip().removeprefix("✓ ") for line in shown if "…" not in line and "posted" not in line]
    assert len(steps) > 6
    assert [step for step in steps if step not in told] == []


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


def test_the_policy_chapter_can_be_followed_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block of the README's policy chapter, added to those before it, is a policy; each command prints what is shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    walked = Walk(tmp_path)
    for language, name, body in FENCED.findall(CHAPTER):
        walked.take(language, name, body)
    assert walked.commands == len(re.findall(r"^\$ tierline", CHAPTER, re.MULTILINE))
    assert walked.grown == yaml.safe_load((ROOT / "examples" / "northwind.yml").read_text())


class Walk:
    """Somebody who follows the chapter in an empty directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.grown: dict[str, Any] = {}
        self.commands = 0

    def take(self, language: str, name: str, body: str) -> None:
        """Do what a block says: `yaml` grows the policy, `yaml NAME` is another policy, `json NAME` a file, `console` is typed."""
        match language, name:
            case "yaml", "":
                self.grown = merged(self.grown, yaml.safe_load(body))
                self.write("policy.yml", yaml.safe_dump(self.grown, sort_keys=False))
                assert self.policy().form.version == "1"
            case "yaml", _:
                self.write(name, yaml.safe_dump(merged(self.grown, yaml.safe_load(body)), sort_keys=False))
            case "json", "precheck":
                [asked] = re.findall(r"`({\"workflow\".*?})`", CHAPTER, re.DOTALL)
                found = prospect(self.policy(), read_inquiry(json.loads(asked)), Facts(), NOW)
                reasons = [{"code": code, "text": text} for code, text in found.reasons]
                assert json.loads(body) == {"allowed": found.allowed, "missing": list(found.missing), "reasons": reasons}
            case "json", _:
                self.write(name, body)
            case "console", _:
                command, _, shown = body.partition("\n")
                self.commands += 1
                ran = CliRunner().invoke(app, shlex.split(command.removeprefix("$ tierline ")))
                assert_shown(shown, ran.stdout + ran.stderr)
            case _:
                pytest.fail(f"a block of {language} is not understood")

    def policy(self) -> Policy:
        """The policy as it is grown."""
        return load_policy((self.directory / "policy.yml").read_bytes(), {})

    def write(self, name: str, text: str) -> None:
        """A file of the reader's."""
        (self.directory / name).write_text(text)


def assert_shown(shown: str, printed: str) -> None:
    """Each line that is shown was printed, in this order; `…` stands for anything, also for lines left out."""
    lines = [line.split() for line in printed.splitlines() if line.split()]
    at = 0
    for line in filter(str.strip, shown.splitlines()):
        pattern = ".*".join(map(re.escape, " ".join(line.split()).split("…")))
        if pattern == ".*":
            continue
        at = next((place for place in range(at, len(lines)) if re.fullmatch(pattern, " ".join(lines[place]))), -1) + 1
        assert at, f"not printed: {line!r}, but: {printed}"


def test_the_case_that_is_posted_in_python_is_a_case() -> None:
    """The program compiles, and what it posts has the published form."""
    program = ast.parse(block_after(README, "In Python, with the"))
    [case] = [node.value for node in program.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "case"]
    assert read_submission(ast.literal_eval(case)).workflow == "document-summaries"


def test_the_clock_table_of_the_reference_fits_the_example() -> None:
    """The block of docs/policy.md, added to the README's example, is a policy."""
    [block] = re.findall(r"^```yaml\n(.*?)^```$", POLICY, re.MULTILINE | re.DOTALL)
    grown = merged(yaml.safe_load((ROOT / "examples" / "northwind.yml").read_text()), yaml.safe_load(block))
    assert load_policy(json.dumps(grown).encode(), {}).form.clocks


def test_the_playbooks_of_their_page_are_a_policy_and_fit_a_case() -> None:
    """The block of docs/playbooks.md, added to the demonstration's policy: its first playbook fits a case that it is written for."""
    [block] = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs" / "playbooks.md").read_text(), re.MULTILINE | re.DOTALL)
    demo = (ROOT / "bot" / "demo" / "policy.yml").read_text()
    environment = {
        name: f"whsec_{'A' * 44}" if "SECRET" in name else "https://tickets.example/" for name in re.findall(r"\$\{(\w+)\}", block + demo)
    }
    environment |= {"DEMO_PAGE_SECOND": "another key", "DEMO_OPEN_DAY": "wed"}
    policy = load_policy(json.dumps(merged(yaml.safe_load(demo), yaml.safe_load(block))).encode(), environment)
    risk = {"impact": "high", "likelihood": 0.3, "flags": ["money_movement"]}
    case = read_submission({"workflow": "supplier-changes", "task_id": "t", "title": "T", "action": {"type": "x"}, "risk": risk})
    fitting = route(policy, case, Facts(), NOW).playbooks
    assert [(one.name, [step.kind for step in one.steps]) for one in fitting] == [
        ("money-to-the-wrong-place", ["interim", "legal_hold", "page", "tell", "tell", "ticket"]),
        ("nobody-answered", ["tell", "tell"]),
    ]


def test_the_replay_in_the_reference_is_what_is_printed() -> None:
    """The figures of the airline's two policies are those of the command."""
    shown = block_after(POLICY, "are a first and a second policy for an airline")
    command, _, output = shown.partition("\n")
    arguments = [str(ROOT / one) if one.startswith("examples/") else one for one in shlex.split(command.removeprefix("$ tierline "))]
    assert_shown(output, CliRunner().invoke(app, arguments).output)


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


def test_the_trigger_codes_are_the_real_ones() -> None:
    """The table has every code, what it looks at, whether an exception may waive it, and the lane that the code asks for."""
    rows = re.findall(r"^\| `(\w+)` \|(?: `(\w+)`)? \| [^|]+ \| ?([^|]*?) ?\| ?([^|]*?) ?\|$", POLICY, re.MULTILINE)
    found = {code: (lane, about, waived) for code, lane, about, waived in rows if code in {trigger.value for trigger in Trigger}}
    assert {code: told[1:] for code, told in found.items()} == {
        trigger.value: (RISK_SIGNALS.get(trigger, ""), "yes" if trigger in WAIVABLE else "") for trigger in Trigger
    }
    said = r"fired\([^)]*Trigger\.(\w+), *Lane\.(\w+)"
    fixed = [pair for path in (ROOT / "routing").rglob("*.py") for pair in re.findall(said, path.read_text())]
    assert len(fixed) > 30
    assert [code for code, lane in fixed if found[code.lower()][0] != ("" if lane == "AUTO" else lane.lower())] == []


def test_who_may_do_what_is_as_the_tables_say() -> None:
    """Verbs about more than one case with their roles, verbs on one case with states, roles and duties: both tables are the code's."""
    part = POLICY[POLICY.index("## Who may do what") : POLICY.index("## Every key")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("| `")]
    roles = {role.value for role in Role}
    assert {cells[0].strip("`"): quoted(cells[1]) for cells in rows if len(cells) == 2} == {
        verb.value: {role.value for role in allowed} for verb, allowed in MAY.items()
    }
    assert {cells[0].strip("`"): (quoted(cells[1]), quoted(cells[2]) & roles, cells[3:]) for cells in rows if len(cells) > 2} == {
        verb.value: (
            set() if rule.states == frozenset(State) else {state.value for state in rule.states},
            {role.value for role in rule.roles},
            ["yes" if duty else "" for duty in (rule.impartial, rule.reason, rule.text)],
        )
        for verb, rule in RULES.items()
    }


def quoted(text: str) -> set[str]:
    """What stands in backticks."""
    return set(re.findall(r"`(\w+)`", text))


def test_the_breakers_are_the_built_in_ones() -> None:
    """Name, measure, limit, window, minimum, level and action of each; every measure is explained."""
    rows = re.findall(r"^\| `([\w-]+)` \| `(\w+)` \| (\w+) ([0-9.]+) \| (\w+) \| ([0-9]+) \| `(\w+)` \| (.+) \|$", POLICY, re.MULTILINE)
    assert rows == [
        (
            one.name,
            one.measure,
            "below" if one.above is None else "above",
            f"{one.below if one.above is None else one.above:g}",
            written(one.window),
            str(one.minimum),
            one.level.value,
            "next safer" if one.action is None else f"`{one.action}`",
        )
        for one in BUILT_IN
    ]
    assert set(get_args(Measured)) <= set(re.findall(r"^\| `(\w+)` \| [^|]+ \|$", POLICY, re.MULTILINE))


@pytest.mark.parametrize("name", ["README.md", "docs/playbooks.md", "docs/policy.md"])
def test_what_is_typed_in_slack_is_understood(name: str) -> None:
    """Each order that a document shows is one; what only asks is in the help."""
    asking = {words.split()[0] for words, _ in COMMANDS}
    for line in re.findall(r"`/review ([^`]+)`|^ {4}/review (.+)$", (ROOT / name).read_text(), re.MULTILINE):
        text = re.sub(r"\[([^]]+)\]", r"\1", "".join(line)).replace("PERCENT", "25").replace("CODE,CODE", "money")
        command = read_command(text, NOW)
        assert not isinstance(command, Unclear), text
        assert command is not None or text.split()[0] in asking, text


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


def test_what_is_published_names_no_place_in_the_code() -> None:
    """Schemas are for people who have no checkout, and stay as they are when a file moves."""
    published = json.dumps([policy_schema(), services_schema(), openapi("1")])
    assert re.findall(r"\b(?:bot|routing|store|escalation)\.\w+\.\w+", published) == []
