"""The policy file, read, checked and compiled. Owns what becomes of its bytes; finds every problem of a file at once; never routes."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from routing.case.case import ClosedHours, Group, Page, Repeat, Tier
from routing.errors import PolicyError, Problem
from routing.policy.clocks.row import ClockRow
from routing.policy.cross_check import cross_problems
from routing.policy.expressions import compile_condition
from routing.policy.form.form import Clock, PolicyForm
from routing.policy.form.ladders import Pages, Rung, TierPaging
from routing.policy.policy import Policy
from routing.policy.router_presets import with_thresholds
from routing.problems import problems_of
from routing.strict_json import pointer
from routing.strict_yaml import read_yaml


def load_policy(text: bytes, environment: Mapping[str, str], source: str = "policy.yml") -> Policy:
    """Read a policy. `environment` gives the values of `${NAME}`; the hash is that of `text`, so no secret is in it.

    Raises `PolicyError` with every problem, each with its line, its key and what was expected.
    """
    document = read_yaml(text, environment)
    problems = list(document.problems)
    form: PolicyForm | None = None
    if isinstance(document.value, dict):
        try:
            form = PolicyForm.model_validate_json(json.dumps(document.value))
        except ValidationError as error:
            problems += problems_of(error, _schema(), document.line_of)
        problems += cross_problems(document)
    elif not problems:
        problems.append(Problem("", "expected a mapping with version, changes, groups, ladders and workflows", 1))
    if form is None or problems:
        raise PolicyError(sorted(set(problems), key=lambda problem: (problem.line or 0, problem.pointer, problem.message)), source)
    workflows = {name: with_thresholds(form.defaults.under(own), own, form.defaults) for name, own in form.workflows.items()}
    return Policy(
        text=text,
        sha256=hashlib.sha256(text).hexdigest(),
        form=form,
        workflows=workflows,
        expressions={name: tuple((rule, compile_condition(rule.when)) for rule in flow.rules) for name, flow in workflows.items()},
        groups={name: Group(usergroup=members.usergroup, users=members.users) for name, members in form.groups.items()},
        tiers={name: _tiers(form, name) for name in form.ladders},
        own_clocks={name: _rows(flow.clocks, "workflows", name) for name, flow in workflows.items()},
        clocks=_rows(form.clocks),
    )


def read_form(text: bytes) -> PolicyForm | None:
    """What a policy says, without its environment: a variable is left as it stands. None for what is no policy."""
    try:
        return PolicyForm.model_validate_json(json.dumps(read_yaml(text, {}).value))
    except ValueError:
        return None


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the policy file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **PolicyForm.model_json_schema(), "title": "Tierline policy"}


@cache
def _schema() -> dict[str, Any]:
    return policy_schema()


def _tiers(form: PolicyForm, ladder: str) -> tuple[Tier, ...]:
    pages = form.pages
    return tuple(
        Tier(
            channel=rung.channel,
            group=rung.group,
            owner=rung.owner,
            backup=rung.backup,
            ack_s=rung.ack if rung.repeat is None else rung.repeat.every * rung.repeat.most,
            decide_s=rung.decide,
            calendar=form.calendars[rung.calendar] if rung.calendar else None,
            page=_page(rung.pagerduty, pages) if rung.pagerduty else None,
            email=bool(rung.email or (rung.pagerduty and pages.email)),
            repeat=Repeat(every_s=rung.repeat.every, most=rung.repeat.most) if rung.repeat else None,
            closed=_closed(rung, len(form.ladders[ladder].tiers)),
        )
        for rung in form.ladders[ladder].tiers
    )


def _closed(rung: Rung, tiers: int) -> ClosedHours | None:
    return ClosedHours(to=min(rung.closed.to, tiers) - 1, risk=rung.closed.from_) if rung.closed is not None else None


def _page(paging: TierPaging, pages: Pages) -> Page:
    return Page(severity=paging.severity, second_key=(paging.second_key or pages.second_key) is not None)


def _rows(clocks: Iterable[Clock], *around: str) -> tuple[ClockRow, ...]:
    return tuple(row for index, clock in enumerate(clocks) for row in clock.rows(pointer(*around, "clocks", index)))
