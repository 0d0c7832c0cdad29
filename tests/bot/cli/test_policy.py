"""A policy at the command line: begun, checked, asked."""

import json
from pathlib import Path

import jsonschema
import yaml

from tests.bot.cli.shell import POLICY, a_refund, tierline
from tests.checkout import EXAMPLES

TEMPLATES = {
    "access-requests",
    "compliance-classification",
    "customer-replies",
    "fraud-holds",
    "invoice-exceptions",
    "ticket-summaries",
}


async def test_a_first_policy_is_written_is_right_and_is_never_overwritten(tmp_path: Path) -> None:
    """`policy init` writes a file that `policy check` and the published schema accept; a second time it refuses."""
    assert (await tierline("policy", "init", cwd=tmp_path)).code == 0
    assert (await tierline("policy", "check", cwd=tmp_path)).code == 0
    schema = (await tierline("policy", "schema")).json
    jsonschema.validate(yaml.safe_load((tmp_path / "policy.yml").read_text()), schema)
    again = await tierline("policy", "init", cwd=tmp_path)
    assert again.code == 2
    assert "there already" in again.err


async def test_a_policy_for_a_use_case_is_named_written_and_right(tmp_path: Path) -> None:
    """`--list` names the templates; each of them is written by `--template`, checked, and a name that is none is a usage error."""
    listed = (await tierline("policy", "init", "--list", "--json")).json
    assert [one["template"] for one in listed] == sorted(TEMPLATES)
    assert all(one["about"].endswith(".") for one in listed)
    written = await tierline("policy", "init", "fraud.yml", "--template", "fraud-holds", "--json", cwd=tmp_path)
    assert written.json == {"file": "fraud.yml", "template": "fraud-holds"}
    checked = await tierline("policy", "check", "fraud.yml", cwd=tmp_path)
    assert checked.code == 0
    assert "fraud-holds: verify_after on fraud, 3 rules, 9 examples" in checked.err
    mistaken = await tierline("policy", "init", "p.yml", "--template", "fraud-hold", cwd=tmp_path)
    assert mistaken.code == 2
    assert '"fraud-holds"' in mistaken.err
    assert not (tmp_path / "p.yml").exists()


async def test_an_example_that_goes_elsewhere_is_found_with_its_line(tmp_path: Path) -> None:
    """`policy check` runs the examples a policy holds: what is not as expected is told for each, also for one that is no case."""
    examples = """    examples:
      - {name: small, case: &small {action: {type: refund.create}, risk: {amount: "9.00"}}, lane: expert}
      - {name: large, case: {<<: *small, risk: {amount: "1240.00"}}, lane: expert, missing: [request], reasons: [money, check_failed]}
      - {name: nothing, case: {titel: x}, lane: review}
"""
    (tmp_path / "policy.yml").write_text(POLICY + examples)
    ran = await tierline("policy", "check", "--json", cwd=tmp_path)
    assert ran.code == 1
    found = [(problem["line"], problem["key"].rsplit("/", 1)[-1], problem["expected"]) for problem in ran.json["problems"]]
    assert [place[:2] for place in found] == [(16, "1"), (16, "1"), (17, "2"), (17, "2")]
    assert "expected request to be missing, nothing is" in found[0][2]
    assert "expected the reason check_failed" in found[1][2]
    assert "no case: /action: is required" in " ".join(place[2] for place in found)
    told = await tierline("policy", "check", cwd=tmp_path)
    assert told.code == 1
    assert told.out.startswith("policy.yml:16: /workflows/refunds/examples/1: large: ")


async def test_what_can_never_take_effect_is_warned_of_with_its_line(tmp_path: Path) -> None:
    """Warnings name file, line and key; the policy is ok all the same."""
    (tmp_path / "policy.yml").write_text(POLICY + "    caps: {per_hour: 5}\n")
    ran = await tierline("policy", "check", cwd=tmp_path)
    assert ran.code == 0
    warned = [line for line in ran.out.splitlines() if ": warning: " in line]
    assert any(line.startswith("policy.yml:14: /workflows/refunds/caps: warning: ") for line in warned)
    assert any("reads risk.amount, which a reviewer's change to the action does not move" in line for line in warned)
    found = (await tierline("policy", "check", "--json", cwd=tmp_path)).json
    assert found["ok"]
    assert [one["line"] for one in found["warnings"]] == sorted(int(line.split(":")[1]) for line in warned)


async def test_every_problem_is_found_at_once_with_its_line(tmp_path: Path) -> None:
    """`policy check` names file, line, key and what was expected for each of several mistakes, and ends with 1."""
    broken = POLICY.replace("ladder: standard, template", "ladder: standrd, template").replace("decide: 4h", "decide: 4x")
    (tmp_path / "policy.yml").write_text(broken)
    ran = await tierline("policy", "check", cwd=tmp_path)
    assert ran.code == 1
    assert [line.split(": ")[:2] for line in ran.out.splitlines()] == [
        ["policy.yml:6", "/ladders/standard/tiers/0/decide"],
        ["policy.yml:8", "/workflows/notes/ladder"],
    ]
    assert 'did you mean "standard"?' in ran.out
    found = (await tierline("policy", "check", "--json", cwd=tmp_path)).json
    assert [problem["line"] for problem in found["problems"]] == [6, 8]


async def test_a_secret_that_is_not_set_here_is_named_without_failing(tmp_path: Path) -> None:
    """A policy can be checked where its secrets are not; `check` says which ones `serve` will need."""
    paged = POLICY.replace("decide: 4h", 'decide: 4h, pagerduty: {routing_key: "${PAGER_KEY}"}')
    (tmp_path / "policy.yml").write_text(paged)
    ran = await tierline("policy", "check", cwd=tmp_path)
    assert ran.code == 0
    assert "PAGER_KEY" in ran.err
    assert "PAGER_KEY" not in (await tierline("policy", "check", cwd=tmp_path, env={"PAGER_KEY": "k"})).err


async def test_explain_shows_why_as_a_tree_and_as_the_answer_of_the_api(tmp_path: Path) -> None:
    """The tree names the rule that won; --json gives the API's answer, without a case, and the same tree."""
    (tmp_path / "policy.yml").write_text(POLICY)
    (tmp_path / "case.json").write_text(json.dumps(a_refund(amount="1240.00")))
    env = {"TIERLINE_POLICY": str(tmp_path / "policy.yml")}
    told = await tierline("policy", "explain", "case.json", cwd=tmp_path, env=env)
    assert told.code == 0
    assert "lane: expert" in told.out
    assert "large: has(risk.amount) && double(risk.amount) > 1000.0 <won>" in told.out
    answer = (await tierline("policy", "explain", "-", "--json", env=env, stdin=json.dumps(a_refund(amount="1240.00")))).json
    assert (answer["id"], answer["state"], answer["lane"], answer["tier"]) == (None, "pending", "expert", 1)
    assert answer["reasons"][0] == {"code": "policy_rule", "text": "The amount is over 1,000."}
    assert answer["explanation"]["name"] == "lane"


async def test_a_case_that_would_be_refused_ends_with_1(tmp_path: Path) -> None:
    """Every wrong field is named, as the API would; so is a workflow that the policy does not have."""
    (tmp_path / "policy.yml").write_text(POLICY)
    wrong = a_refund() | {"titel": "x", "urgency_reason": 3}
    ran = await tierline("policy", "explain", "-", "--json", cwd=tmp_path, stdin=json.dumps(wrong))
    assert ran.code == 1
    assert {error["pointer"] for error in ran.json["errors"]} == {"/titel", "/urgency_reason"}
    unknown = await tierline("policy", "explain", "-", cwd=tmp_path, stdin=json.dumps(a_refund() | {"workflow": "refnds"}))
    assert unknown.code == 1
    assert 'did you mean "refunds"?' in unknown.out


async def test_services_are_checked_the_same_way(tmp_path: Path) -> None:
    """`services check` finds every problem with its line, quotes no secret, and accepts the example's form by the schema."""
    text = "services:\n  - {name: agent, secrets: ['${A}'], callback_secret: ['${A}'], callback_url: 'http://x.example/', workflows: [a]}\n"
    (tmp_path / "services.yml").write_text(text)
    ran = await tierline("services", "check", cwd=tmp_path, env={"A": "whsec_c2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2ggZm9yIHVz"})
    assert ran.code == 1
    assert "services.yml:2: /services/0/callback_secret" in ran.out
    assert "services.yml:2: /services/0/callback_url" in ran.out
    assert "c2VjcmV0" not in ran.out + ran.err
    jsonschema.validate(yaml.safe_load(text), (await tierline("services", "schema")).json)


async def test_a_policy_that_nobody_could_change_is_said(tmp_path: Path) -> None:
    """It is no mistake, so the check passes, and says that the next policy would wait for ever."""
    own = EXAMPLES / "policy.yml"
    text = own.read_text()
    (tmp_path / "alone.yml").write_text("\n".join(line for line in text.split("\n") if not line.startswith(("owners:", "  policy_owner:"))))
    alone, owned = await tierline("policy", "check", tmp_path / "alone.yml"), await tierline("policy", "check", own)
    assert (alone.code, "Nobody may accept the next policy" in alone.err) == (0, True)
    assert (owned.code, "Nobody may accept the next policy" in owned.err) == (0, False)
