"""What a policy changes against another, in words, workflow by workflow. Owns the comparison; what a key does is `routing.policy.effect`.

Effective workflows are compared, with everything they take from `defaults`, so a changed default shows under each workflow that follows
it; so do the groups, calendars, ladders and clocks that a workflow uses. Never compares text and never shows a secret.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from routing.canonical import Json, digest
from routing.policy.clocks.row import ClockRow, written
from routing.policy.condition_change import change_of
from routing.policy.effect import Effect, Value, as_strict, judge, words_of
from routing.policy.form.form import Rule, Workflow
from routing.policy.form.guardrails import ModelVersion
from routing.policy.form.parts import LAST
from routing.policy.form.playbooks import PlaybookForm, TicketSystem
from routing.policy.policy import Policy
from routing.vocabulary import Lane, Template

MODEL_ACTS = frozenset({Template.AUTO, Template.VERIFY_AFTER})
"""Templates in which the model acts before anybody looks."""

LONGEST = 160
"""Characters of a value that are shown: a line of a card or a terminal."""

_LASTS = (
    "freshness.",
    "sampling.lasts",
    "duplicates.window",
    "break_glass.within",
    "break_glass.per",
    "break_glass.review_within",
    "postmortems.within",
    "drills.alarm",
    "pages.storm.within",
    "claims.idle",
    "undo",
)
_PARTS = frozenset({"break_glass", "postmortems"})
"""Parts of the file that are there as a whole or not."""

_APART = frozenset({"rules", "clocks", "models", "examples", "ladder", "action_schemas", "accountability"})
_EVERYWHERE = ("activation", "owners", "channels", "incidents", "pages", "claims", "risk", "priority", "dotless_domains", "reason_codes")


@dataclass(frozen=True, slots=True)
class Difference:
    """One changed key of one workflow (empty: of the whole policy). `words` says what the key is, `before` and `after` its values."""

    workflow: str
    key: str
    words: str
    before: str
    after: str
    effect: Effect
    raises: bool

    @property
    def text(self) -> str:
        """As one line."""
        named = f"{self.words} ({self.key})" if self.words else self.key
        return f"{named}: {self.before} → {self.after}"

    def json(self) -> dict[str, Json]:
        """As `policy diff --json` gives it."""
        told: dict[str, Json] = {"workflow": self.workflow, "key": self.key, "words": self.words}
        return {**told, "before": self.before, "after": self.after, "effect": self.effect.value, "raises_autonomy": self.raises}


@dataclass(frozen=True, slots=True)
class Differences:
    """Everything that a policy changes, by workflow, what loosens first."""

    before: str
    after: str
    items: tuple[Difference, ...]

    @property
    def raises_autonomy(self) -> bool:
        """Whether it lets the model do more by itself, or may do so."""
        return any(one.raises for one in self.items)

    @property
    def workflows(self) -> tuple[str, ...]:
        """Names of the workflows with a difference of their own."""
        return tuple(dict.fromkeys(one.workflow for one in self.items if one.workflow))

    def json(self) -> dict[str, Json]:
        """As `policy diff --json` gives it."""
        found: list[Json] = [one.json() for one in self.items]
        return {"before": self.before, "after": self.after, "raises_autonomy": self.raises_autonomy, "differences": found}

    def text(self) -> str:
        """For reading: a heading for each workflow, a line for each difference."""
        if not self.items:
            return f"Version {self.after} does the same as version {self.before}.\n"
        lines = [f"Version {self.before} → {self.after}"]
        heading = None
        for one in self.items:
            if one.workflow != heading:
                heading = one.workflow
                lines.append(f"\n{heading or 'Everywhere'}")
            more = ", lets the model do more" if one.raises else ""
            lines.append(f"  {_SIGNS[one.effect]} {one.text}  [{one.effect}{more}]")
        return "\n".join(lines) + "\n"


_SIGNS = {Effect.LOOSENS: "-", Effect.TIGHTENS: "+", Effect.NEUTRAL: "·"}
_FIRST = {Effect.LOOSENS: 0, Effect.TIGHTENS: 1, Effect.NEUTRAL: 2}


def diff(old: Policy, new: Policy) -> Differences:
    """What `new` changes against `old`."""
    found = [*_compared("", _whole(old), _whole(new))]
    for name in sorted(old.workflows.keys() | new.workflows.keys()):
        before, after = old.workflow(name), new.workflow(name)
        if before is None and after is not None:
            found.append(_added(name, after))
        elif after is None and before is not None:
            found.append(Difference(name, "workflow", "workflow", _summary(before), "not there", Effect.TIGHTENS, raises=False))
        elif before is not None and after is not None:
            found += [*_compared(name, _leaves(old, name, before), _leaves(new, name, after)), *_rules(name, before, after)]
    ranked = sorted(found, key=lambda one: (one.workflow, not one.raises, _FIRST[one.effect]))
    return Differences(old.version, new.version, tuple(ranked))


def _added(name: str, workflow: Workflow) -> Difference:
    acts = workflow.template in MODEL_ACTS
    effect = Effect.LOOSENS if acts else Effect.NEUTRAL
    return Difference(name, "workflow", "workflow", "not there", _summary(workflow), effect, raises=acts)


def _summary(workflow: Workflow) -> str:
    return f"{workflow.template} on {workflow.ladder}, {len(workflow.rules)} rules"


def _compared(workflow: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[Difference]:
    for key in sorted(before.keys() | after.keys()):
        left, right = before.get(key), after.get(key)
        if left == right or _said_elsewhere(key, before, after):
            continue
        effect, raises = judge(key, left, right)
        yield Difference(workflow, key, words_of(key), _said(key, left), _said(key, right), effect, raises)


def _said_elsewhere(key: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
    """Keys of a model's version, or a part of the file, that is new or gone: that it is says the list of versions, or the part's name."""
    part = key.partition(".")[0]
    if part in _PARTS and key != part:
        return before.get(part) != after.get(part)
    return key.startswith("models.") and not (key in before and key in after)


def _rules(workflow: str, before: Workflow, after: Workflow) -> Iterator[Difference]:
    """Rules by name. One that is new can only tighten; what another condition does, nobody can tell."""
    old, new = ({rule.name: rule for rule in one.rules} for one in (before, after))
    for name in sorted(old.keys() | new.keys()):
        was, is_now = old.get(name), new.get(name)
        if was == is_now:
            continue
        key = f"rules.{name}"
        if was is None or is_now is None:
            effect = Effect.TIGHTENS if was is None else Effect.LOOSENS
            yield Difference(workflow, key, "rule", _rule(was), _rule(is_now), effect, raises=is_now is None)
        else:
            yield from _changed_rule(workflow, key, was, is_now)
    kept = [[rule.name for rule in one.rules if rule.name in old.keys() & new.keys()] for one in (before, after)]
    if kept[0] != kept[1]:
        yield Difference(workflow, "rules", "order of the rules", ", ".join(kept[0]), ", ".join(kept[1]), Effect.NEUTRAL, raises=False)


def _changed_rule(workflow: str, key: str, was: Rule, is_now: Rule) -> Iterator[Difference]:
    if was.when != is_now.when:
        yield _condition(workflow, key, was, is_now)
    lanes = (was.lane or Lane.AUTO, is_now.lane or Lane.AUTO)
    asked = (
        ("lane", was.lane, is_now.lane, lanes[1].severity < lanes[0].severity),
        ("template", was.template, is_now.template, not as_strict(is_now.template, was.template)),
    )
    for name, left, right, lower in asked:
        if left is not right:
            effect = Effect.LOOSENS if lower else Effect.TIGHTENS
            yield Difference(workflow, f"{key}.{name}", f"{name} the rule asks for", left or "none", right or "none", effect, raises=lower)
    if was.skills != is_now.skills:
        effect = Effect.TIGHTENS if set(was.skills) < set(is_now.skills) else Effect.LOOSENS
        before, after = ", ".join(was.skills) or "none", ", ".join(is_now.skills) or "none"
        yield Difference(workflow, f"{key}.skills", "skills the rule asks for", before, after, effect, raises=False)
    if was.reason != is_now.reason:
        yield Difference(workflow, f"{key}.reason", "reason the rule gives", was.reason, is_now.reason, Effect.NEUTRAL, raises=False)


def _condition(workflow: str, key: str, was: Rule, is_now: Rule) -> Difference:
    """A limit that was moved either way; what any other change of a condition does, nobody can tell."""
    before, after = _cut(was.when), _cut(is_now.when)
    match change_of(was.when, is_now.when):
        case "more":
            return Difference(
                workflow, f"{key}.when", "limit in the rule, which fires more often", before, after, Effect.TIGHTENS, raises=False
            )
        case "fewer":
            return Difference(
                workflow, f"{key}.when", "limit in the rule, which fires less often", before, after, Effect.LOOSENS, raises=True
            )
        case "unknown":
            said = "condition of the rule changed, which counts as a raise"
            return Difference(workflow, f"{key}.when", said, before, after, Effect.LOOSENS, raises=True)


def _rule(rule: Rule | None) -> str:
    if rule is None:
        return "not there"
    asks = [str(demand) for demand in (rule.lane, rule.template) if demand] + [f"skill {skill}" for skill in rule.skills]
    return _cut(f"{' and '.join(asks)} when {rule.when}")


def _whole(policy: Policy) -> dict[str, Value]:
    """What holds for every workflow."""
    form = policy.form
    found = dict(chain.from_iterable(_flat(name, getattr(form, name)) for name in _EVERYWHERE))
    held = {f"roles.{role}": tuple(one for name in names for one in _members(policy, name)) for role, names in form.roles.items()}
    found |= (
        held | _break_glass(policy) | _postmortems(policy) | _drills(policy) | {f"breakers.{one.name}": _told(one) for one in form.breakers}
    )
    return found | dict(chain.from_iterable(map(_playbook, form.playbooks))) | dict(chain.from_iterable(_tickets(form.tickets)))


def _break_glass(policy: Policy) -> dict[str, Value]:
    """Who may decide by break-glass, by the people, and within which limits."""
    part = policy.form.break_glass
    if part is None:
        return {"break_glass": "nobody may"}
    people: dict[str, Value] = {f"break_glass.{key}": _members(policy, getattr(part, key)) for key in ("group", "supervisors")}
    return {"break_glass": "a group may", **dict(_flat("break_glass", part)), **people}


def _postmortems(policy: Policy) -> dict[str, Value]:
    """What calls for a postmortem, and who owns it."""
    part = policy.form.postmortems
    return {"postmortems": "none"} if part is None else {"postmortems": "called for", **dict(_flat("postmortems", part))}


def _drills(policy: Policy) -> dict[str, Value]:
    """Who may start one, and those that come round by themselves, key by key."""
    part = policy.form.drills
    found: dict[str, Value] = {"drills.roles": tuple(part.roles), "drills.cases": part.cases, "drills.alarm": part.alarm}
    for one in part.schedule:
        given = dict(_flat(f"drills.schedule.{one.name}", one))
        given.pop(f"drills.schedule.{one.name}.name")
        found |= given
    return found


def _playbook(one: PlaybookForm) -> Iterator[tuple[str, Value]]:
    """What it does, key by key; what it does not do is no key."""
    where = f" in {', '.join(one.workflows)}" if one.workflows else ""
    given: dict[str, Value] = {
        "when": f"{_told(one.when)}{where}",
        "interim": one.interim,
        "tell": tuple(map(_told, one.tell)),
        "page": one.page,
        "ticket": one.ticket,
        "legal_hold": _told(one.legal_hold) if one.legal_hold is not None else None,
        "re_enter": one.re_enter,
    }
    yield from ((f"playbooks.{one.name}.{key}", value) for key, value in given.items() if value)


def _tickets(systems: Mapping[str, TicketSystem]) -> Iterator[Iterator[tuple[str, Value]]]:
    """Where tickets go. Of an address only the host is told: the rest may hold a secret, and is compared."""
    for name, one in systems.items():
        secrets, host = digest([secret.get_secret_value() for secret in one.secret]), urlsplit(one.url).hostname
        told: dict[str, Value] = {
            "url": f"{host} ({digest(one.url)[:8]})",
            "secret": secrets,
            "networks": tuple(str(network) for network in one.networks),
        }
        yield ((f"tickets.{name}.{key}", value) for key, value in told.items() if value)


def _leaves(policy: Policy, name: str, workflow: Workflow) -> dict[str, Value]:
    """Every key of an effective workflow, and of what it uses."""
    found = dict(chain.from_iterable(_flat(key, getattr(workflow, key)) for key in type(workflow).model_fields if key not in _APART))
    found["ladder"] = workflow.ladder
    found["clocks"] = tuple(_clock(row) for rows in policy.clock_tables(name) for row in rows)
    found["examples"] = tuple(f"{one.name} → {one.lane}" for one in workflow.examples)
    found["models"] = tuple(_model(one) for one in workflow.models)
    for model in workflow.models:
        found |= {f"models.{_model(model)}.share": model.share, f"models.{_model(model)}.report": model.report}
        found[f"models.{_model(model)}.accepted_by"] = model.accepted_by
    found |= {f"action_schemas.{kind}": json.dumps(schema, sort_keys=True) for kind, schema in workflow.action_schemas.items()}
    if workflow.accountability is not None:
        found |= dict(_flat("accountability", workflow.accountability))
    return found | dict(_ladder(policy, workflow))


def _ladder(policy: Policy, workflow: Workflow) -> Iterator[tuple[str, Value]]:
    """The ladder with its groups and calendars, and the groups of the steps."""
    ladder = policy.ladders[workflow.ladder]
    yield "ladder.exhausted", ladder.exhausted
    yield "ladder.tiers", len(ladder.tiers)
    groups = {workflow.dual.verify, workflow.dual.approve, workflow.triage.group, workflow.expert.group, *workflow.sensitive.reveal}
    for number, rung in enumerate(ladder.tiers, 1):
        groups |= {rung.group, *(queue.group for queue in rung.queues)}
        yield from _flat(f"ladder.tiers.{number}", rung)
        if rung.calendar:
            yield f"calendars.{rung.calendar}", _told(policy.calendars[rung.calendar])
    for group in sorted(one for one in groups if one):
        members = policy.form.groups[group]
        yield f"groups.{group}", (*members.users, *([members.usergroup] if members.usergroup else ()))
        yield f"groups.{group}.skills", members.skills


def _flat(key: str, value: object) -> Iterator[tuple[str, Value]]:
    """A part as dotted keys; lists of parts count as one value."""
    match value:
        case BaseModel():
            for name, field in type(value).model_fields.items():
                yield from _flat(f"{key}.{field.alias or name}", getattr(value, name))
        case Mapping():
            for name, inner in value.items():
                yield from _flat(f"{key}.{name}", inner)
        case SecretStr():
            yield key, digest(value.get_secret_value())  # compared, never shown: see `_said`
        case tuple() if key.startswith("risk."):  # a row of the matrix, whose cells have their order
            yield from ((f"{key}.{place}", str(cell)) for place, cell in enumerate(value, 1))
        case tuple():
            yield key, tuple(_told(one) for one in value)
        case None | bool() | int() | float() | str():
            yield key, value
        case _:
            yield key, _told(value)


def _told(value: object) -> str:
    """A part in one line; none of those told this way holds a secret."""
    match value:
        case BaseModel():
            given = ((name, getattr(value, name)) for name in type(value).model_fields)
            return ", ".join(f"{name} {_told(one)}" for name, one in given if one not in (None, (), "") and one is not False)  # 0 is told
        case tuple():
            return " ".join(_told(one) for one in value)
        case _:
            return str(value)


def _clock(row: ClockRow) -> str:
    cases = [f"risk {row.risk}"] * bool(row.risk) + [f"mode {row.mode}"] * bool(row.mode) + [f"lane {row.lane}"] * bool(row.lane)
    return " ".join(part for part in (row.clock, written(row.lasts_s), row.time or "", f"({', '.join(cases)})" if cases else "") if part)


def _members(policy: Policy, name: str) -> tuple[str, ...]:
    """A group that has a role and who is in it: they decide about policies and brakes, so who they are is part of the role."""
    group = policy.form.groups[name]
    return tuple(f"{name} ({one})" for one in (*group.users, *([group.usergroup] if group.usergroup else []))) or (name,)


def _model(one: ModelVersion) -> str:
    """Name, version and prompt version; a part with a blank in it stands in quotes, so that no two versions read alike."""
    parts = [part for part in (one.name, one.version, one.prompt_version) if part is not None]
    return " ".join(part if part and " " not in part and '"' not in part else json.dumps(part) for part in parts)


def _said(key: str, value: Value) -> str:
    match value:
        case str() if key.endswith((".routing_key", ".second_key", ".secret")):
            return "a secret"
        case None:
            return "no limit" if key.startswith(("caps.", "claims.")) else "not set"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return _cut(", ".join(value)) or "none"
        case int() if value == LAST and key.endswith(".tier"):
            return "last"
        case int() if key.startswith(_LASTS) or key.endswith((".ack", ".decide", ".every")):
            return written(value)
        case str():
            return _cut(value)
        case _:
            return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
