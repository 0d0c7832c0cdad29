"""What a changed key of a policy does: loosen it, tighten it or neither, and whether the model may then do more by itself.

Owns the closed list of keys. A key that the list does not know, or a change it cannot judge, counts as loosening and as a raise of
autonomy: nobody gains authority because a list was not kept up. It compares values only; `routing.policy.diff` finds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from fnmatch import fnmatchcase

from routing.authority import Autonomy
from routing.vocabulary import Risk, Template


@unique
class Effect(StrEnum):
    """What a change does to the control that people have."""

    LOOSENS = "loosens"
    TIGHTENS = "tightens"
    NEUTRAL = "neutral"


@unique
class Stricter(StrEnum):
    """Which way is stricter."""

    HIGHER = "higher"
    LOWER = "lower"
    """Of numbers; none given is no limit."""
    MORE = "more"
    FEWER = "fewer"
    """Of a list."""
    FEWER_BUT_ANY = "fewer_but_any"
    """Of a list that allows; an empty one allows everything."""
    LATER = "later"
    """In the order given."""
    THERE = "there"
    """Having it is stricter; what another one does is unknown."""
    THIS = "this"
    """Having it is stricter; another one may not be."""
    NEITHER = "neither"


Value = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Row:
    """Keys that fit `pattern`, in words, which way is stricter, and whether loosening them lets the model do more by itself."""

    pattern: str
    words: str
    stricter: Stricter
    autonomy: bool = False
    order: Sequence[Value] = ()
    only: frozenset[str] = frozenset()
    """Loosening raises autonomy only when it ends at one of these."""


_HIGHER, _LOWER, _MORE, _FEWER = Stricter.HIGHER, Stricter.LOWER, Stricter.MORE, Stricter.FEWER
_LATER, _THERE, _NEITHER = Stricter.LATER, Stricter.THERE, Stricter.NEITHER

TEMPLATES = (Template.AUTO, Template.VERIFY_AFTER, Template.TRIAGE, Template.APPROVAL, Template.DUAL, Template.EXPERT)
"""Freest first."""

_FROM = (None, *(risk.value for risk in reversed(Risk)))

_SEVERITY = (None, "info", "warning", "error", "critical")


def _paging(key: str, words: str) -> tuple[Row, ...]:
    return (
        Row(key, words, _THERE),
        Row(f"{key}.routing_key", words, _THERE),
        Row(f"{key}.severity", f"how loud it is: {words}", _LATER, order=_SEVERITY),
        Row(f"{key}.escalation_policy", "whose person on call is named", _THERE),
    )


ROWS = (
    Row("thresholds.auto", "confidence from which automation is possible", _HIGHER, autonomy=True),
    Row("thresholds.review", "confidence below which only an expert decides", _HIGHER),
    Row("thresholds.retrieval_quality", "retrieval quality below which people look", _HIGHER, autonomy=True),
    Row("thresholds.risk_score", "risk score from which people look", _LOWER, autonomy=True),
    Row("thresholds.risk_score_stop", "risk score from which only an expert decides", _LOWER),
    Row("thresholds.blast_radius", "blast radius above which people look", _LOWER, autonomy=True),
    Row("thresholds.blast_radius_stop", "blast radius above which only an expert decides", _LOWER),
    *(Row(f"start.{lane}", "tier a case opens at", _HIGHER) for lane in ("review", "specialist", "expert", "stop")),
    Row("flags.never_auto", "risk flags that are never automatic", _MORE, autonomy=True),
    Row("flags.specialist", "risk flags that ask for a specialist", _MORE, autonomy=True),
    Row("flags.prohibited", "risk flags that stop the line", _MORE, autonomy=True),
    Row("flags.harmless", "risk flags of no consequence", _FEWER, autonomy=True),
    Row("dual.verify", "group of a step", _NEITHER),
    Row("dual.approve", "group of a step", _NEITHER),
    Row("triage.group", "group of a step", _NEITHER),
    Row("expert.group", "group of a step", _NEITHER),
    Row("expert.people", "experts who have to agree", _HIGHER),
    Row("sampling.rate", "share of automatic approvals that people check", _HIGHER, autonomy=True),
    Row("sampling.uncertain", "margin of confidence that is always checked", _HIGHER, autonomy=True),
    Row("sampling.novelty", "novelty from which a case is always checked", _LOWER, autonomy=True),
    Row("sampling.lasts", "time to check", _NEITHER),
    Row("caps.per_hour", "automatic approvals an hour", _LOWER, autonomy=True),
    Row("caps.amount_per_day", "amount approved automatically a day", _LOWER, autonomy=True),
    Row("undo", "time in which an approval may be taken back", _NEITHER),
    Row("duplicates.tie", "near-duplicates decided together", _LOWER),
    Row("duplicates.window", "time in which near-duplicates are decided together", _LOWER),
    Row("sensitive.paths", "values that are masked", _MORE),
    Row("sensitive.detect", "kinds of values that are masked", _MORE),
    Row("sensitive.reveal", "groups that may see what is masked", _FEWER),
    Row("checks.forbidden", "forbidden terms", _MORE, autonomy=True),
    Row("checks.required", "required terms", _MORE, autonomy=True),
    Row("checks.citations", "sources to be cited", _HIGHER, autonomy=True),
    Row("checks.entity", "values that must belong to the subject", _MORE, autonomy=True),
    Row("checks.change_percent.*", "change of a parameter that is looked at, in per cent", _LOWER, autonomy=True),
    Row("checks.change_amount.*", "change of a parameter that is looked at", _LOWER, autonomy=True),
    Row("checks.heuristics", "heuristics of the post-check", _HIGHER, autonomy=True),
    Row("checklist.items.*", "item of the checklist", _THERE),
    Row("checklist.steps", "steps that have the checklist", _MORE),
    Row("freshness.*", "age a source may have", _LOWER, autonomy=True),
    Row("context_missing", "what follows from missing facts", _NEITHER),
    Row("sync_from", "risk from which the service waits", _LATER, order=("never", "critical", "high", "medium")),
    Row("ladder", "ladder", _NEITHER),
    Row("ladder.exhausted", "what happens when no tier is left", _NEITHER),
    Row("ladder.tiers", "tiers of the ladder", _HIGHER),
    Row("ladder.tiers.*.closed", "whether urgent cases wait for the tier to open", _THERE),
    Row("ladder.tiers.*.closed.to", "tier that has urgent cases while this one is closed", _HIGHER),
    Row("ladder.tiers.*.closed.from", "risk from which a case does not wait for the tier to open", _LATER, order=_FROM),
    Row("ladder.tiers.*.pagerduty.second_key", "second routing key of a tier", _THERE),
    Row("ladder.tiers.*.email", "who of a tier is written to when PagerDuty does not take a page", _MORE),
    Row("ladder.tiers.*.channel", "channel of a tier", _NEITHER),
    Row("ladder.tiers.*.group", "group that answers at a tier", _NEITHER),
    Row("ladder.tiers.*.owner", "owner of a tier", _THERE),
    Row("ladder.tiers.*.backup", "who stands in for the owner of a tier", _THERE),
    Row("ladder.tiers.*.ack", "time to take a case before the tier is paged or the next one is asked", _LOWER),
    Row("ladder.tiers.*.decide", "time to decide before the next tier is asked", _LOWER),
    Row("ladder.tiers.*.calendar", "business time of a tier", _NEITHER),
    *_paging("ladder.tiers.*.pagerduty", "whom a tier pages"),
    Row("ladder.tiers.*.repeat", "whether a tier is paged again and again", _THERE),
    Row("ladder.tiers.*.repeat.every", "time between the pages of a tier", _LOWER),
    Row("ladder.tiers.*.repeat.most", "pages of a tier in all", _HIGHER),
    Row("ladder.tiers.*.queues", "further desks of a tier", _NEITHER),
    Row("groups.*.skills", "what the members of the group know", _FEWER),
    Row("groups.*", "who is in the group", _FEWER),
    Row("calendars.*", "business time", _NEITHER),
    Row("clocks", "clock table", _NEITHER),
    Row("template", "how people work on it", _LATER, True, TEMPLATES, frozenset({Template.AUTO, Template.VERIFY_AFTER})),
    Row("requester", "whether the requester must be known", _LATER, order=("optional", None, "required")),
    Row("required", "what a case must bring", _MORE, autonomy=True),
    Row("required_evidence.*", "evidence a case must bring", _HIGHER, autonomy=True),
    Row("autonomy", "what the model may do at most", _LATER, autonomy=True, order=tuple(Autonomy)),
    Row("models", "model versions that are known", Stricter.FEWER_BUT_ANY, autonomy=True),
    Row("models.*.share", "share of its cases that may be automatic", _LOWER, autonomy=True),
    Row("models.*.report", "what a model version was admitted by", _NEITHER),
    Row("models.*.accepted_by", "who admitted a model version", _NEITHER),
    Row("skills", "skills the answering group must have", _MORE),
    Row("action_schemas.*", "schema of the action", _THERE, autonomy=True),
    Row("modification.fixed", "what holds for a changed action", Stricter.FEWER),
    Row("modification.up", "what does not hold for a changed action", _NEITHER),
    Row("locked", "parameters that no reviewer may change", _MORE),
    Row("action_types", "actions that are allowed", Stricter.FEWER_BUT_ANY, autonomy=True),
    *(Row(f"accountability.{key}", "who answers for it", _THERE) for key in ("product", "operations", "governance")),
    *(Row(f"accountability.{key}", "what it may do harm to", _THERE) for key in ("harms", "worst_case", "service_tier")),
    Row("examples", "example cases", _MORE),
    Row("mode", "whether the service waits", _NEITHER),
    Row("instructions", "what reviewers are told", _NEITHER),
    Row("shortcut", "how members send a message to review", _NEITHER),
    Row("shortcut.service", "which service carries out what members send to review", _NEITHER),
    Row("shortcut.action_type", "which action a message sent to review proposes", _NEITHER),
    Row("owner", "owner of the workflow", _NEITHER),
    Row("activation", "how a changed file takes effect", _LATER, autonomy=True, order=("file", "accept")),
    Row("roles.policy_owner", "groups that own the policy", _LATER),  # in no order: who accepts policies is never judged
    Row("roles.*", "groups that have the role", _FEWER, autonomy=True),
    Row("playbooks.*.when", "what begins the playbook", Stricter.THIS),
    Row("playbooks.*.interim", "interim safe action", _LATER, order=(None, "hold", "quarantine")),
    Row("playbooks.*.tell", "who is told", _MORE),
    Row("playbooks.*.page", "whether it pages", _HIGHER),
    Row("playbooks.*.ticket", "ticket system that is told", _THERE),
    Row("playbooks.*.legal_hold", "legal hold", Stricter.THIS),
    Row("playbooks.*.re_enter", "what has to be true before automation goes on", _NEITHER),
    Row("tickets.*.secret", "secret of the ticket system", _NEITHER),
    Row("tickets.*.url", "address of the ticket system", _NEITHER),
    Row("tickets.*.networks", "private networks the ticket system may be in", _FEWER),
    Row("channels.operations", "where alerts are said", _THERE),
    Row("channels.owners", "where proposed policies are said", _THERE),
    Row("channels.window", "open cards that a channel shows at a time", _NEITHER),
    Row("pages.second_key", "second routing key of all that page", _THERE),
    Row("pages.email", "who is written to when PagerDuty does not take a page", _MORE),
    Row("pages.storm.most", "pages of a routing key that ring by themselves before more are listed in a digest", _NEITHER),
    Row("pages.storm.within", "time in which pages that ring by themselves are counted", _NEITHER),
    Row("pages.storm", "whether pages are listed in a digest when there are too many", _NEITHER),
    Row("claims.idle", "how long a claim lasts that nobody works on", _NEITHER),
    Row("claims.open", "cases one person may have claimed at once", _LOWER),
    Row("claims.hourly", "cases one person may take within an hour", _LOWER),
    *_paging("incidents", "whom an incident pages"),
    Row("postmortems.of", "what calls for a postmortem", _MORE),
    Row("postmortems.within", "time to close a postmortem", _LOWER),
    Row(
        "postmortems.risk",
        "risk from which something found wrong calls for a postmortem",
        _LATER,
        order=("critical", "high", "medium", "low"),
    ),
    Row("postmortems.owner", "who owns postmortems", _NEITHER),
    Row("postmortems", "whether anything calls for a postmortem", _LATER, order=("none", "called for")),
    Row("drills.roles", "who may start a drill", _NEITHER),
    Row("drills.cases", "cases of a volume spike that is a drill", _HIGHER),
    Row("drills.alarm", "how long the alarm of a drill waits", _NEITHER),
    Row("drills.schedule.*.every", "how often a drill comes round", _LOWER),
    Row("drills.schedule.*.kinds", "what the drill plays", _MORE),
    Row("drills.schedule.*.tier", "tier that the drill reaches", _HIGHER),
    Row("drills.schedule.*.workflow", "workflow whose ladder the drill goes", _NEITHER),
    Row("drills.schedule.*.calendar", "hours in which the drill begins", _NEITHER),
    Row("drills.schedule.*.any_time", "whether the drill begins at any time", _NEITHER),
    Row("break_glass", "who may decide by break-glass", _LATER, order=("a group may", "nobody may")),
    Row("break_glass.group", "group that may decide by break-glass", _FEWER),
    Row("break_glass.supervisors", "group that is told of break-glass and reviews it", Stricter.THIS),
    Row("break_glass.within", "how long one emergency lasts", _LOWER),
    Row("break_glass.most", "uses of break-glass by everybody together", _LOWER),
    Row("break_glass.per", "time in which uses of break-glass are counted", _HIGHER),
    Row("break_glass.review_within", "time to review a use of break-glass", _LOWER),
    *_paging("break_glass.pagerduty", "whom break-glass pages"),
    Row("risk.possible_from", "likelihood from which a mistake is possible", _LOWER, autonomy=True),
    Row("risk.likely_from", "likelihood from which a mistake is likely", _LOWER, autonomy=True),
    *(Row(f"risk.{one.value}.*", "risk class", _LATER, autonomy=True, order=tuple(Risk)) for one in Risk),
    *(Row(f"priority.{one.value}", "weight in the priority", _NEITHER) for one in Risk),
    *(Row(f"priority.{key}", "weight in the priority", _NEITHER) for key in ("stop", "deadline", "expected", "amount", "customer.*")),
    Row("dotless_domains", "mail domains where dots are ignored", _MORE),
    Row("reason_codes", "reasons people may give", _NEITHER),
)
"""Every key whose change can be judged; the first pattern that fits counts. Not here, and so always a raise: `confidence`, `router`,
`owners`, `breakers` and `risk_from`, of which a change may free or bind the model depending on everything else.
"""

_NEVER_JUDGED = {
    "confidence": "whether the model's confidence is used",
    "router": "the router that thresholds follow",
    "owners": "who may accept a policy",
    "breakers": "circuit breaker",
    "risk_from": "where a fact of the risk is read in the action",
}


def as_strict(template: Template | None, than: Template | None) -> bool:
    """Whether no case gets less review by a template than by another. Of dual and expert neither does: two people, or a stricter lane."""
    if template is than or than is None:
        return True
    return (
        template is not None and {template, than} != {Template.DUAL, Template.EXPERT} and TEMPLATES.index(template) > TEMPLATES.index(than)
    )


def row_of(key: str) -> Row | None:
    """The row that judges a key, None for one that is always a raise."""
    return next((row for row in ROWS if fnmatchcase(key, row.pattern)), None)


def words_of(key: str) -> str:
    """A key in words; empty for one that nobody knows."""
    row = row_of(key)
    return row.words if row is not None else _NEVER_JUDGED.get(key.partition(".")[0], "")


def judge(key: str, before: Value, after: Value) -> tuple[Effect, bool]:
    """What a change of one key does, and whether it raises the model's autonomy."""
    row = row_of(key)
    if row is None:
        return Effect.LOOSENS, True
    effect = _effect(row, before, after)
    reached = not row.only or str(after) in row.only
    return effect or Effect.LOOSENS, effect is None or (effect is Effect.LOOSENS and row.autonomy and reached)


def _effect(row: Row, before: Value, after: Value) -> Effect | None:
    """None where it cannot be told."""
    match row.stricter:
        case Stricter.NEITHER:
            return Effect.NEUTRAL
        case Stricter.HIGHER:
            return _tightens(_number(after, none=0) > _number(before, none=0))
        case Stricter.LOWER:
            return _tightens(_number(after, none="Infinity") < _number(before, none="Infinity"))
        case Stricter.MORE:
            return _tightens(set(_listed(after)) > set(_listed(before)))
        case Stricter.FEWER:
            return _tightens(set(_listed(after)) < set(_listed(before)))
        case Stricter.FEWER_BUT_ANY:
            return _tightens(bool(after) and (not before or set(_listed(after)) < set(_listed(before))))
        case Stricter.THERE | Stricter.THIS:
            changed = Effect.LOOSENS if row.autonomy or row.stricter is Stricter.THIS else Effect.NEUTRAL
            return Effect.TIGHTENS if before is None else Effect.LOOSENS if after is None else changed
        case Stricter.LATER if row.order is TEMPLATES:
            return _tightens(as_strict(Template(str(after)), Template(str(before))))
        case Stricter.LATER:
            known = before in row.order and after in row.order
            return _tightens(row.order.index(after) > row.order.index(before)) if known else None


def _tightens(does: bool) -> Effect:  # noqa: FBT001  # it is the question itself
    return Effect.TIGHTENS if does else Effect.LOOSENS


def _number(value: Value, *, none: int | str) -> Decimal:
    return Decimal(none) if value is None else Decimal(str(int(value) if isinstance(value, bool) else value))


def _listed(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
