"""What the audit log has to say of each kind of event, declared once; whether an event says it is computed from this.

Owns the declaration and the comparison. It reads leaves (format v1) as plain mappings, so it judges an export as well as our own log, and
never judges whether what a leaf says is true: tampering is for `store.audit.verify`. A name must be there; null says "not known" where the
service need not tell. Names under `sealed` stand for content in the vault and hold also once that was erased.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.vocabulary import EventKind

ACTORS = frozenset({"human", "model", "service", "system"})
EVERY = ("id", "index", "time", "event")
OF_A_CASE = ("case", "service", "workflow", "task_id", "revision")
POLICY = ("version", "sha256")
MODEL = ("name", "version", "hash", "prompt_version")


@dataclass(frozen=True, slots=True)
class Form:
    """What events of one kind hold: names in `fields`, more of them if a person did it, names in `sealed`, and whether it has a case."""

    fields: frozenset[str]
    by_people: frozenset[str] = frozenset()
    sealed: frozenset[str] = frozenset()
    of_a_case: bool = True


def _form(fields: str, *, by_people: str = "", sealed: str = "", of_a_case: bool = True) -> Form:
    return Form(frozenset(fields.split()), frozenset(by_people.split()), frozenset(sealed.split()), of_a_case)


_INPUT = "action_type action_sha256 input_sha256 content_leaf output_sha256 confidence source_ids flags"
_ROUTED = f"lane mode risk priority template ladder start_tier reasons rule lost gates missing facts {_INPUT}"
_PRESSED = "step tier face saw action_sha256 reason_code"
_DECIDED = (
    "verdict action_type action_sha256 input_sha256 content_leaf output_sha256 confidence lane decided_by modified_fields override"
    " reason_code requester_known turnaround_s sla_s sla_used_s"
)
_EXCEPTION = "subject workflow waives action_types until most"
_STEP = "playbook number step to why"
_MESSAGE = "peer kind destination tier leaf"

FORMS: dict[EventKind, Form] = {
    EventKind.STARTED: _form("version", of_a_case=False),
    EventKind.CLOCK_JUMPED: _form("seconds wall ledger", of_a_case=False),
    EventKind.RECOVERED: _form("superseded", of_a_case=False),
    EventKind.KEY_ROTATED: _form("new_vkey announcement", of_a_case=False),
    EventKind.POLICY_ACTIVATED: _form("version sha256 reason", of_a_case=False),
    EventKind.POLICY_PROPOSED: _form("version sha256", of_a_case=False),
    EventKind.POLICY_ACCEPTED: _form("subject version sha256 reason workflows", of_a_case=False),
    EventKind.POLICY_DECLINED: _form("subject version sha256 reason workflows", of_a_case=False),
    EventKind.POLICY_STAGED: _form("subject version sha256 reason workflows percent", of_a_case=False),
    EventKind.AUTOMATION_CHANGED: _form("subject workflow before after cause by reason", of_a_case=False),
    EventKind.BREAKER_TRIPPED: _form("subject workflow rule scope level why figures before after", of_a_case=False),
    EventKind.BREAKER_CLEARED: _form("subject workflow rule scope figures", of_a_case=False),
    EventKind.ALERT_ACKNOWLEDGED: _form("subject workflow rule", of_a_case=False),
    EventKind.ALERT_UNACKNOWLEDGED: _form("subject workflow rule round", of_a_case=False),
    EventKind.ALERT_PAGE_RESOLVED: _form("subject workflow rule round", of_a_case=False),
    EventKind.ALERT_PAGE_REOPENED: _form("subject workflow rule round", of_a_case=False),
    EventKind.EXCEPTION_REQUESTED: _form(f"{_EXCEPTION} reason", of_a_case=False),
    EventKind.EXCEPTION_APPROVED: _form(f"{_EXCEPTION} requested_by", of_a_case=False),
    EventKind.EXCEPTION_ENDED: _form(f"{_EXCEPTION} ended uses reason", of_a_case=False),
    EventKind.EXCEPTION_LISTED: _form("subject exceptions", of_a_case=False),
    EventKind.INCIDENT_OPENED: _form("subject workflow kind about why owner due version sha256 models", of_a_case=False),
    EventKind.INCIDENT_REMINDED: _form("subject workflow owner due", of_a_case=False),
    EventKind.INCIDENT_CLOSED: _form("subject workflow cause remediation example sha256", of_a_case=False),
    EventKind.DRILL_STARTED: _form("subject workflow kind to_tier cases schedule", of_a_case=False),
    EventKind.DRILL_STOPPED: _form("subject workflow kind", of_a_case=False),
    EventKind.DRILL_ENDED: _form("subject workflow kind outcome unanswered", of_a_case=False),
    EventKind.NAME_BOUND: _form("subject name id", of_a_case=False),
    EventKind.NAME_PARTED: _form("subject name id called claimant", of_a_case=False),
    EventKind.NAME_CONFIRMED: _form("subject name before after", of_a_case=False),
    EventKind.WENT_AWAY: _form("subject until", of_a_case=False),
    EventKind.CAME_BACK: _form("subject", of_a_case=False),
    EventKind.OWED_TOLD: _form("subject owed", of_a_case=False),
    EventKind.OWED_WANTED: _form("subject", of_a_case=False),
    EventKind.OWED_UNWANTED: _form("subject", of_a_case=False),
    EventKind.CHANNEL_UNREACHABLE: _form("subject name id error", of_a_case=False),
    EventKind.CHANNEL_REACHABLE: _form("subject name id error reason", of_a_case=False),
    EventKind.PAGING_FAILED: _form("subject number waiting unreached", of_a_case=False),
    EventKind.PAGING_RESTORED: _form("subject number waiting unreached", of_a_case=False),
    EventKind.GOVERNANCE_REFUSED: _form("subject verb reason", of_a_case=False),
    EventKind.RECEIVED: _form(f"{_ROUTED} deadline", sealed="title action"),
    EventKind.DECIDED: _form(_DECIDED),
    EventKind.APPROVED: _form(_PRESSED),
    EventKind.REJECTED: _form(_PRESSED),
    EventKind.MODIFIED: _form(f"{_PRESSED} {_ROUTED} before_sha256 modified_fields", sealed="title action"),
    EventKind.ESCALATED: _form("tier", by_people=f"{_PRESSED} to_tier"),
    EventKind.INFORMATION_REQUESTED: _form(_PRESSED, sealed="text"),
    EventKind.INFORMATION_SUPPLIED: _form(_ROUTED, sealed="title action"),
    EventKind.COMMENTED: _form("tier", sealed="text"),
    EventKind.CLAIMED: _form("tier"),
    EventKind.UNCLAIMED: _form("tier"),
    EventKind.TAKEN_OVER: _form("tier of", sealed="text"),
    EventKind.HANDED_OVER: _form("tier to", sealed="text"),
    EventKind.CLAIM_RETURNED: _form("tier of reason"),
    EventKind.ACKNOWLEDGED: _form("tier"),
    EventKind.EVIDENCE_OPENED: _form("face saw"),
    EventKind.REMINDED: _form("clock tier"),
    EventKind.PAGED: _form("tier round severity"),
    EventKind.PAGE_ACCEPTED: _form("tier round route", of_a_case=False),  # of an alert too
    EventKind.PAGE_NOT_ACCEPTED: _form("tier round routes cause tries next", of_a_case=False),
    EventKind.PAGE_ACKNOWLEDGED: _form("tier round"),
    EventKind.PAGE_RESOLVED: _form("tier round"),
    EventKind.PAGE_NOTED: _form("tier round"),
    EventKind.PAGE_REASSIGNED: _form("tier round how"),
    EventKind.PAGE_UNACKNOWLEDGED: _form("tier round"),
    EventKind.PAGE_REOPENED: _form("tier round wanted"),
    EventKind.DIGEST_OPENED: _form("subject ladder tier risk routes", of_a_case=False),
    EventKind.DIGEST_ACKNOWLEDGED: _form("subject listed", of_a_case=False),
    EventKind.DIGEST_UNACKNOWLEDGED: _form("subject listed", of_a_case=False),
    EventKind.DIGEST_REOPENED: _form("subject listed", of_a_case=False),
    EventKind.DIGEST_CLOSED: _form("subject listed count", of_a_case=False),
    EventKind.NOBODY_ON_CALL: _form("subject ladder tier escalation_policy", of_a_case=False),
    EventKind.EXPIRED: _form("clock"),
    EventKind.HELD: _form("reason tier"),
    EventKind.RESUMED: _form("tier"),
    EventKind.VERIFICATION_FAILED: _form(f"{_PRESSED} items"),
    EventKind.CHECK_OPENED: _form("sampled rate"),
    EventKind.CHECK_AGREED: _form("child face saw"),
    EventKind.CHECK_DISAGREED: _form("child face saw reason_code"),
    EventKind.BREAK_GLASS_USED: _form(f"{_PRESSED} verdict passed_over told review_by number policy", sealed="text"),
    EventKind.BREAK_GLASS_REVIEWED: _form("child outcome face saw reason_code"),
    EventKind.BREAK_GLASS_LISTED: _form("subject uses not_reviewed", of_a_case=False),
    EventKind.TIED: _form("other"),
    EventKind.LINKED: _form("other"),
    EventKind.SEPARATED: _form("others reason"),
    EventKind.REVEALED: _form("paths face"),
    EventKind.QUARANTINED: _form(_PRESSED),
    EventKind.WITHHELD: _form("verdict reason"),
    EventKind.RELEASED: _form("verdict action_sha256"),
    EventKind.UNDONE: _form("verdict action_sha256 votes"),
    EventKind.VOIDED: _form("verdict action_sha256 reason"),
    EventKind.ROLLBACK_PROPOSED: _form("reason_code action_sha256 face saw"),
    EventKind.ROLLBACK_DECLINED: _form("child verdict reason_code"),
    EventKind.WITHDRAWN: _form("", sealed="reason"),
    EventKind.OUTCOME_REPORTED: _form("result executed_action_sha256 cost complaint"),
    EventKind.ROLLBACK_REQUESTED: _form("reason_code action_sha256 face saw"),
    EventKind.EXECUTION_ALARM: _form("alarm action_sha256"),
    EventKind.PRESS_REFUSED: _form("verb reason face"),
    EventKind.PRESSES_REFUSED: _form("count", of_a_case=False),
    EventKind.NOT_DELIVERED: _form(f"{_MESSAGE} attempts error"),
    EventKind.NOT_SEEN: _form("tier channel error told"),
    EventKind.CARD_LOST: _form(f"{_MESSAGE} channel ts error posted_again", of_a_case=False),  # of a bulletin too
    EventKind.DELIVERY_RETRIED: _form(_MESSAGE),
    EventKind.UNPROVEN: _form("callback leaf reason verdict action_sha256"),
    EventKind.DATABASE_ALTERED: _form("findings first", of_a_case=False),
    EventKind.CHANGED: _form(""),
    EventKind.PLAYBOOK_BEGUN: _form("playbook because steps"),
    EventKind.PLAYBOOK_STEP_BEGUN: _form(_STEP),
    EventKind.PLAYBOOK_STEP_DONE: _form(_STEP),
    EventKind.PLAYBOOK_STEP_FAILED: _form(_STEP),
    EventKind.PLAYBOOK_STEP_SKIPPED: _form(_STEP),
    EventKind.INTERIM_SET: _form("action playbook reason"),
    EventKind.INTERIM_ENDED: _form("action playbook ended verdict reason"),
    EventKind.LEGAL_HOLD_SET: _form("playbook reason"),
    EventKind.LEGAL_HOLD_RELEASED: _form("released left"),
    EventKind.CONTENT_ERASED: _form("reason verdict action_sha256"),
}
"""By kind of event. `tests/routing/case/test_completeness.py` holds the list of what all of them together have to cover."""


def missing(kind: EventKind, leaf: Mapping[str, object]) -> tuple[str, ...]:
    """Dotted names of what a leaf of this kind lacks, in order; empty when it is complete."""
    form, actor = FORMS[kind], _part(leaf, "actor")
    by = actor.get("kind")
    wanted = form.fields | (form.by_people if by == "human" else frozenset())
    lacking = [name for name in EVERY if leaf.get(name) in (None, "")]
    lacking += [] if isinstance(by, str) and by in ACTORS else ["actor.kind"]
    lacking += [] if actor.get("id") else ["actor.id"]
    lacking += _absent("fields", wanted, _part(leaf, "fields")) + _absent("sealed", form.sealed, _part(leaf, "sealed"))
    if form.of_a_case:
        policy = _part(leaf, "policy")
        lacking += [name for name in OF_A_CASE if leaf.get(name) in (None, "")]
        lacking += [f"policy.{name}" for name in POLICY if not policy.get(name)]
        lacking += _absent("model", MODEL, _part(leaf, "model"))
    return tuple(lacking)


def judged(leaf: Mapping[str, object]) -> tuple[str, ...]:
    """`missing` of a leaf by the kind it says it is; a kind that nobody has declared lacks its declaration."""
    kind = next((kind for kind in EventKind if kind.value == leaf.get("event")), None)
    return ("event",) if kind is None else missing(kind, leaf)


def _part(leaf: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = leaf.get(name)
    return part if isinstance(part, Mapping) else {}


def _absent(where: str, wanted: Iterable[str], there: Mapping[str, object]) -> list[str]:
    return [f"{where}.{name}" for name in sorted(wanted) if name not in there]
