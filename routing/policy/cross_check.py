"""What no single key of a policy file shows: names that nothing answers to, names twice, limits in the wrong order. Owns these problems.

Reads the raw values, so that a mistake elsewhere hides nothing here; whatever stands where, it is no more than a problem. Loads no file.
"""

from collections.abc import Iterable, Iterator

from routing.case.paths import misspelt
from routing.errors import Problem
from routing.policy.clocks.presets import ROWS, Preset
from routing.policy.expressions import ExpressionError, compile_condition
from routing.policy.form.form import HARD_FLAGS, PROHIBITED_FLAGS, Start, Thresholds
from routing.policy.form.parts import LAST
from routing.policy.params_schema import malformed, problems_in
from routing.policy.router_presets import ROUTERS
from routing.problems import did_you_mean
from routing.signals import Trigger
from routing.strict_json import pointer
from routing.strict_yaml import Document
from routing.vocabulary import DrillKind

Place = tuple[str | int, ...]
Found = Iterator[tuple[Place, str]]


def cross_problems(document: Document) -> list[Problem]:
    """Every such problem of a file, each with its line."""
    root = document.value
    found = [
        *_ladder_problems(root),
        *_role_problems(root),
        *_breaker_problems(root),
        *_break_glass_problems(root),
        *_drill_problems(root),
        *_playbook_problems(root),
        *_clock_problems(root, root, ()),
    ]
    found += _twice_listed(_at(root, "pages"), "email", ("pages",))
    workflows = _mapping(_at(root, "workflows"))
    if _at(root, "pages", "storm") is not None and not any(_pages(root, name, "email") for name in workflows):
        found.append((("pages", "storm"), "no tier of the ladders in use has a pagerduty key or an email, so nothing is ever listed"))
    found += _part_problems(root, ("defaults",))
    for name, workflow in _mapping(_at(root, "workflows")).items():
        place = ("workflows", name)
        found += _part_problems(root, place)
        found += _workflow_problems(root, workflow, place)
        found += _action_problems(workflow, place)
        found += _rule_problems(root, workflow, place)
        found += _example_problems(workflow, place)
        found += _clock_problems(root, workflow, place)
    return [Problem(pointer(*place), message, document.line_of(place)) for place, message in found]


def _ladder_problems(root: object) -> Found:
    for name, ladder in _mapping(_at(root, "ladders")).items():
        for index, tier in enumerate(_listed(ladder, "tiers")):
            place = ("ladders", name, "tiers", index)
            yield from _reference(root, tier, "group", "groups", place)
            yield from _reference(root, tier, "calendar", "calendars", place)
            yield from _closed_problems(tier, index + 1, len(_listed(ladder, "tiers")), place)
            yield from _route_problems(root, tier, place)
            for number, queue in enumerate(_listed(tier, "queues")):
                yield from _reference(root, queue, "group", "groups", (*place, "queues", number))


def _closed_problems(tier: object, number: int, tiers: int, place: Place) -> Found:
    """A tier that hands over when it closes: it has hours, and somebody above it whom the case goes to. `number` counts from 1."""
    if not isinstance(_at(tier, "closed"), dict):
        return
    to = _at(tier, "closed", "to")
    to = tiers if to == "last" else to
    if _at(tier, "calendar") is None:
        yield (*place, "closed"), "this tier has no calendar, so it never closes"
    if not isinstance(to, int) or isinstance(to, bool) or to < 1:
        return  # the form says so
    if to > tiers:
        yield (*place, "closed", "to"), f"the ladder has {tiers} {'tier' if tiers == 1 else 'tiers'}"
    elif to <= number:
        yield (*place, "closed", "to"), f"expected a tier above this one, which is tier {number}: a case never goes down or round"


def _route_problems(root: object, tier: object, place: Place) -> Found:
    """Ways of paging that are none: a tier that repeats what it has no way to send, or a second key that is the first."""
    page = _at(tier, "pagerduty")
    if _at(tier, "repeat") is not None:
        if page is None and not _listed(tier, "email"):
            yield (*place, "repeat"), "there is nothing to repeat: the tier has neither pagerduty nor email"
        if _at(tier, "ack") is not None:
            yield (*place, "ack"), "expected either ack or repeat, which gives every x most to acknowledge"
    yield from _second_key_problems(root, page, (*place, "pagerduty"))
    yield from _twice_listed(tier, "email", place)


def _second_key_problems(root: object, page: object, place: Place) -> Found:
    own, shared = _at(page, "second_key"), _at(root, "pages", "second_key")
    if page is not None and _at(page, "routing_key") == (own or shared) is not None:
        yield (
            ((*place, "second_key") if own else ("pages", "second_key")),
            "the second key is the routing key itself: no other route",
        )


def _twice_listed(part: object, key: str, place: Place) -> Found:
    listed = [one.lower() for one in _listed(part, key) if isinstance(one, str)]
    for index, one in enumerate(listed):
        if one in listed[:index]:
            yield (*place, key, index), "this address stands here twice"


def _role_problems(root: object) -> Found:
    for role in _mapping(_at(root, "roles")):
        yield from _references(root, _at(root, "roles"), role, "groups", ("roles",))


def _breaker_problems(root: object) -> Found:
    breakers = _listed(root, "breakers")
    yield from _twice(breakers, "name", "breaker", ("breakers",))
    for index, breaker in enumerate(breakers):
        yield from _references(root, breaker, "workflows", "workflows", ("breakers", index))


def _break_glass_problems(root: object) -> Found:
    """Its groups exist and are two, and there is a place where the supervisors are told and asked."""
    part, place = _at(root, "break_glass"), ("break_glass",)
    for key in ("group", "supervisors"):
        yield from _reference(root, part, key, "groups", place)
    if not isinstance(part, dict):
        return
    if part.get("group") is not None and part.get("group") == part.get("supervisors"):
        yield (*place, "supervisors"), "whoever uses it would be reviewed by their own group: name another one"
    if _at(root, "channels", "operations") is None:
        yield place, "needs channels.operations, where its supervisors are told and review it"


def _drill_problems(root: object) -> Found:
    """Drills that could never begin: of no workflow, above its ladder or below where its cases begin, at no time, with an unheard alarm."""
    schedule = _listed(_at(root, "drills"), "schedule")
    yield from _twice(schedule, "name", "drill", ("drills", "schedule"))
    for index, drill in enumerate(schedule):
        place: Place = ("drills", "schedule", index)
        yield from _reference(root, drill, "workflow", "workflows", place)
        yield from _reference(root, drill, "calendar", "calendars", place)
        ladder = _at(root, "workflows", _at(drill, "workflow"), "ladder")
        tiers, number = len(_listed(_at(root, "ladders", ladder), "tiers")), _at(drill, "tier")
        if isinstance(number, int) and tiers and tiers < number < LAST:
            yield (*place, "tier"), f"the ladder has {tiers} {'tier' if tiers == 1 else 'tiers'}"
        first = _at(root, "workflows", _at(drill, "workflow"), "start", "review")
        begins = tiers if first == "last" else min(first, tiers) if isinstance(first, int) else 1
        if isinstance(number, int) and number < begins:
            yield (*place, "tier"), f"the drill would never begin: cases of the workflow begin at tier {begins}; name that or a higher one"
        if (_at(drill, "calendar") is None) == (_at(drill, "any_time") is not True):
            yield place, "expected either calendar, in whose hours it may begin, or any_time: true"
        kinds = _listed(drill, "kinds")
        if DrillKind.DOWNSTREAM_FAILURE.value in kinds and _at(root, "channels", "operations") is None:
            yield (*place, "kinds"), "downstream_failure needs channels.operations, where its alarm is said"


def _playbook_problems(root: object) -> Found:
    """Names that nothing answers to, groups that only a channel reaches, pages that no ladder has, ticket systems with the same secret."""
    playbooks = _listed(root, "playbooks")
    yield from _twice(playbooks, "name", "playbook", ("playbooks",))
    rules = {workflow: _names(_listed(one, "rules")) for workflow, one in _mapping(_at(root, "workflows")).items()}
    for index, playbook in enumerate(playbooks):
        place: Place = ("playbooks", index)
        when = _at(playbook, "when")
        yield from _references(root, playbook, "workflows", "workflows", place)
        yield from _reference(root, playbook, "ticket", "tickets", place)
        concerned = [name for name in rules if name in _listed(playbook, "workflows") or not _listed(playbook, "workflows")]
        yield from _among(when, "rules", sorted({rule for name in concerned for rule in rules[name]}), "rule", (*place, "when"))
        yield from _among(when, "reasons", [code.value for code in Trigger], "reason", (*place, "when"))
        for number, told in enumerate(_listed(playbook, "tell")):
            yield from _told(root, told, (*place, "tell", number))
        if _at(playbook, "page") is True and concerned and not any(_pages(root, name) for name in concerned):
            yield (*place, "page"), "no tier of the ladders concerned has a pagerduty key"
    secrets: dict[str, str] = {}
    for name, system in _mapping(_at(root, "tickets")).items():
        secret = _at(system, "secret")
        for one in secret if isinstance(secret, list) else [secret]:
            if isinstance(one, str) and secrets.setdefault(one.strip(), name) != name:
                yield ("tickets", name, "secret"), f'a secret is also that of "{secrets[one.strip()]}"; every secret has one use'


def _told(root: object, told: object, place: Place) -> Found:
    yield from _references(root, told, "groups", "groups", place)
    for index, name in enumerate(_listed(told, "groups")):
        if _at(told, "channel") is None and _at(root, "groups", name, "usergroup") is not None:
            yield (*place, "groups", index), "a user group of Slack is told in a channel: name one"


def _pages(root: object, workflow: str, *beside: str) -> bool:
    """Whether a tier of its ladder has a pager, or another of these ways `beside`."""
    tiers = _listed(_at(root, "ladders", _at(root, "workflows", workflow, "ladder")), "tiers")
    return any(_at(tier, way) is not None for tier in tiers for way in ("pagerduty", *beside))


def _among(part: object, key: str, known: list[str], what: str, place: Place) -> Found:
    """Names that stand for something which is no key of its own."""
    for index, name in enumerate(_listed(part, key)):
        if isinstance(name, str) and name not in known:
            said = did_you_mean(name, known)
            yield (*place, key, index), f'there is no {what} "{name}"{said if "did you mean" in said else ""}'


def _names(parts: Iterable[object]) -> list[str]:
    return [name for name in (_at(part, "name") for part in parts) if isinstance(name, str)]


def _part_problems(root: object, place: Place) -> Found:
    """Defaults and workflows: the groups and paths they name, flags that a policy may not soften, thresholds in their order."""
    part = _at(root, *place)
    for key in ("verify", "approve"):
        yield from _reference(root, _at(part, "dual"), key, "groups", (*place, "dual"))
    for key in ("expert", "triage"):
        yield from _reference(root, _at(part, key), "group", "groups", (*place, key))
    yield from _references(root, _at(part, "sensitive"), "reveal", "groups", (*place, "sensitive"))
    yield from _paths(_at(part, "sensitive"), "paths", (*place, "sensitive"))
    yield from _paths(_at(part, "checks"), "entity", (*place, "checks"))
    for index, flag in enumerate(_listed(_at(part, "flags"), "harmless")):
        if isinstance(flag, str) and flag in HARD_FLAGS | PROHIBITED_FLAGS:
            yield (*place, "flags", "harmless", index), f'"{flag}" is never harmless'
    router = _at(part, "router") or _at(root, "defaults", "router")
    preset = ROUTERS[router].thresholds if isinstance(router, str) and router in ROUTERS else {}
    limits = {
        **Thresholds().model_dump(),
        **preset,
        **_mapping(_at(root, "defaults", "thresholds")),
        **_mapping(_at(part, "thresholds")),
    }
    for lower, upper in (("review", "auto"), ("risk_score", "risk_score_stop"), ("blast_radius", "blast_radius_stop")):
        low, high = limits[lower], limits[upper]
        if isinstance(low, float | int) and isinstance(high, float | int) and low > high and _at(part, "thresholds") is not None:
            yield (*place, "thresholds"), f"{lower} ({low}) is above {upper} ({high})"


def _workflow_problems(root: object, workflow: object, place: Place) -> Found:
    yield from _reference(root, workflow, "ladder", "ladders", place)
    yield from _paths(workflow, "required", place)
    yield from _skills(root, workflow, place)
    tiers = _listed(_at(root, "ladders", _at(workflow, "ladder")), "tiers")
    for key in Start.model_fields:
        number = _at(workflow, "start", key)
        if isinstance(number, int) and tiers and len(tiers) < number < LAST:
            yield (*place, "start", key), f"the ladder has {len(tiers)} {'tier' if len(tiers) == 1 else 'tiers'}"
    seen: list[object] = []
    for index, model in enumerate(_listed(workflow, "models")):
        version = [_at(model, key) for key in ("name", "version", "prompt_version")]
        if version in seen:
            yield (*place, "models", index), "this version stands here twice"
        seen.append(version)


def _action_problems(workflow: object, place: Place) -> Found:
    """Schemas of parameters: for action types that are allowed, and schemas at all; what a message sent to review proposes."""
    allowed = [kind for kind in _listed(workflow, "action_types") if isinstance(kind, str)]
    for kind, schema in _mapping(_at(workflow, "action_schemas")).items():
        at = (*place, "action_schemas", kind)
        if allowed and kind not in allowed:
            yield at, f'"{kind}" is not among the action_types{did_you_mean(kind, allowed)}'
        wrong = malformed(schema) or _endless(schema) if isinstance(schema, dict) else ""
        if wrong:
            yield at, wrong
    asked = _at(workflow, "shortcut", "action_type")
    if allowed and isinstance(asked, str) and asked not in allowed:
        yield (*place, "shortcut", "action_type"), f'"{asked}" is not among the action_types{did_you_mean(asked, allowed)}'


def _endless(schema: dict[str, object]) -> str:
    """A schema may refer to itself further in, not on the spot: no value could ever be held against that."""
    try:
        problems_in(schema, {})
    except RecursionError:
        return "a $ref leads back to where it stands"
    return ""


def _rule_problems(root: object, workflow: object, place: Place) -> Found:
    rules = _listed(workflow, "rules")
    yield from _twice(rules, "name", "rule", (*place, "rules"))
    for index, rule in enumerate(rules):
        when = _at(rule, "when")
        yield from _skills(root, rule, (*place, "rules", index))
        if isinstance(when, str):
            try:
                compile_condition(when)
            except ExpressionError as error:
                yield (*place, "rules", index, "when"), str(error)


def _example_problems(workflow: object, place: Place) -> Found:
    examples = _listed(workflow, "examples")
    yield from _twice(examples, "name", "example", (*place, "examples"))
    known = [code.value for code in Trigger]
    for index, example in enumerate(examples):
        yield from _among(example, "reasons", known, "reason", (*place, "examples", index))


def _clock_problems(root: object, part: object, place: Place) -> Found:
    """Business time needs a calendar: one that no tier has would be counted day and night, and nobody would know."""
    name = _at(part, "ladder")
    ladders = [_at(root, "ladders", name)] if place else list(_mapping(_at(root, "ladders")).values())
    if None in ladders or any(_at(tier, "calendar") is not None for one in ladders for tier in _listed(one, "tiers")):
        return
    for index, clock in enumerate(_listed(part, "clocks")):
        preset = _at(clock, "preset")
        rows = ROWS[Preset(preset)] if isinstance(preset, str) and preset in list(Preset) else ()
        if _at(clock, "time") == "business" or any(row.time == "business" for row in rows):
            of = f'of the ladder "{name}" ' if place else ""
            yield (*place, "clocks", index), f"counts business time, and no tier {of}has a calendar"


def _skills(root: object, part: object, place: Place) -> Found:
    """Skills that somebody has to have: one that no group has is misspelt."""
    had = {skill for group in _mapping(_at(root, "groups")).values() for skill in _listed(group, "skills") if isinstance(skill, str)}
    known = sorted(had)
    for index, skill in enumerate(_listed(part, "skills")):
        if isinstance(skill, str) and skill not in known:
            yield (*place, "skills", index), f'no group has the skill "{skill}"{did_you_mean(skill, known)}'


def _paths(part: object, key: str, place: Place) -> Found:
    for index, path in enumerate(_listed(part, key)):
        wrong = misspelt(path) if isinstance(path, str) else ""
        if wrong:
            yield (*place, key, index), wrong


def _twice(parts: Iterable[object], key: str, what: str, place: Place) -> Found:
    names: set[str] = set()
    for index, part in enumerate(parts):
        name = _at(part, key)
        if isinstance(name, str):
            if name in names:
                yield (*place, index, key), f'another {what} is called "{name}"'
            names.add(name)


def _references(root: object, part: object, key: str, among: str, place: Place) -> Found:
    known = list(_mapping(_at(root, among)))
    for index, name in enumerate(_listed(part, key)):
        yield from _known(name, known, among, (*place, key, index))


def _reference(root: object, part: object, key: str, among: str, place: Place) -> Found:
    yield from _known(_at(part, key), list(_mapping(_at(root, among))), among, (*place, key))


def _known(name: object, known: list[str], among: str, place: Place) -> Found:
    if isinstance(name, str) and name not in known:
        yield place, f'there is no "{name}" among the {among}{did_you_mean(name, known)}'


def _at(value: object, *path: object) -> object:
    for part in path:
        value = value.get(part) if isinstance(value, dict) and isinstance(part, str) else None
    return value


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _listed(value: object, key: str) -> list[object]:
    found = _at(value, key)
    return found if isinstance(found, list) else []
