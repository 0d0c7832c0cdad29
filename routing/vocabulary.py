"""The closed lists of words that code, cards, callbacks, audit leaves and the command line share.

Owns every enumeration of the case's life. It never holds behaviour: what may follow what is in
`routing.case.case`, who may say what is in `routing.authorize`.
"""

from enum import StrEnum, unique
from typing import Literal, Self


@unique
class State(StrEnum):
    """Where a case stands, and so who owes an answer."""

    PENDING = "pending"
    NEEDS_INFO = "needs_info"
    HELD = "held"
    DECIDED = "decided"
    CLOSED = "closed"


@unique
class Verdict(StrEnum):
    """How a case was decided. A service can always tell "a person said no" from "nobody answered"."""

    APPROVED = "approved"
    MODIFIED = "modified"
    REJECTED = "rejected"
    AUTO_APPROVED = "auto_approved"
    AUTO_REJECTED = "auto_rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@unique
class Lane(StrEnum):
    """The six lanes, safest first in `SEVERITY`."""

    AUTO = "auto"
    REVIEW = "review"
    SPECIALIST = "specialist"
    EXPERT = "expert"
    REJECT = "reject"
    STOP = "stop"

    severity: int
    """Position in the fixed order; a higher number wins over a lower one and a re-route never lowers it."""


for _severity, _lane in enumerate((Lane.AUTO, Lane.REVIEW, Lane.SPECIALIST, Lane.EXPERT, Lane.REJECT, Lane.STOP)):
    _lane.severity = _severity


@unique
class Mode(StrEnum):
    """Whether the service waits for the decision (sync) or goes on (async)."""

    ASYNC = "async"
    SYNC = "sync"


@unique
class Risk(StrEnum):
    """Risk classes of the risk matrix."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def level(self) -> int:
        """0 for low to 3 for critical."""
        return _RISK_ORDER[self]


_RISK_ORDER = {Risk.LOW: 0, Risk.MEDIUM: 1, Risk.HIGH: 2, Risk.CRITICAL: 3}


@unique
class Template(StrEnum):
    """How people work on a case: which steps it takes to decide it."""

    AUTO = "auto"
    TRIAGE = "triage"
    APPROVAL = "approval"
    DUAL = "dual"
    EXPERT = "expert"
    VERIFY_AFTER = "verify_after"


@unique
class Exhausted(StrEnum):
    """The safe state when a ladder has no tier left. Approval is not among them."""

    HOLD = "hold"
    REJECT = "reject"
    QUARANTINE = "quarantine"


@unique
class CaseKind(StrEnum):
    """What a case is for. All but the first have a parent, which stays decided: a decided case is never judged again in its own row."""

    CASE = "case"
    """What a service posted."""
    CHECK = "check"
    """Was an automatic approval right? Drawn by lot, or because it looked uncertain or unusual."""
    ROLLBACK = "rollback"
    """Shall the service undo what was decided?"""
    REVIEW = "review"
    """Was it right to decide by break-glass?"""
    DRILL = "drill"
    """Nothing of a service's: whether people can be reached. Its parent is the drill that it belongs to, which is no case."""


NEVER_FROZEN = (CaseKind.ROLLBACK, CaseKind.REVIEW, CaseKind.DRILL)
"""What goes on in a frozen workflow."""


@unique
class DrillKind(StrEnum):
    """What a drill plays (E10)."""

    NOBODY_AVAILABLE = "nobody_available"
    """It climbs the ladder tier by tier, whoever answers below."""
    VOLUME_SPIKE = "volume_spike"
    """Many cases at once."""
    DOWNSTREAM_FAILURE = "downstream_failure"
    """The alarm of a service that does not take what was decided; no case."""
    LOW_CONFIDENCE = "low_confidence"
    """A case of which the model is not sure, routed as the policy routes it."""
    VIOLATION = "violation"
    """A case that would stop the line, which goes on."""

    @property
    def typed(self) -> str:
        """As it is typed: `nobody-available`."""
        return self.value.replace("_", "-")


@unique
class DrillEnd(StrEnum):
    """Why a drill's case ended by itself: its reason code."""

    ANSWERED = "drill_answered"
    STOPPED = "drill_stopped"
    NOT_ASKED = "drill_not_asked"
    """The policy would have decided it without people."""


@unique
class ClockName(StrEnum):
    """The clocks of a case, as the policy's table and the log name them."""

    ACKNOWLEDGE = "acknowledge"
    """Until somebody of the tier takes the case."""
    DECIDE = "decide"
    """Until the tier decides it."""
    ESCALATE = "escalate"
    """In place of `decide`, at the tiers above the one the case opened at."""
    VERIFY = "verify"
    """In place of the tier's, for the first step of a dual review."""
    APPROVE = "approve"
    """In place of the tier's, for the second step of a dual review."""
    INFORMATION = "information"
    """Until the service answers; `decide` pauses meanwhile."""
    CHECK = "check"
    """In place of the tier's, for the sampled check of an automatic approval."""
    HOLD = "hold"
    """Until people are asked again about a held case."""
    TOTAL = "total"
    """Until the case is decided or safe, from its opening. It never pauses."""


@unique
class Consequence(StrEnum):
    """What comes of it when a clock of a case runs out. None of them approves anything."""

    PAGED = "paged"
    """Whoever is on call for the tier is paged; the case stays where it is."""
    ESCALATED = "escalated"
    """The next tier is asked."""
    HELD = "held"
    QUARANTINED = "quarantined"
    EXPIRED = "expired"
    REVIEWED = "reviewed"
    """The service did not answer: people decide with what there is."""
    DECIDED = "decided"
    """The policy decides by itself, without people."""
    ASKED_AGAIN = "asked_again"
    """People are asked about a held case again."""
    REMINDED = "reminded"
    NOTED = "noted"
    """It is recorded, and nothing changes."""
    REROUTED = "rerouted"
    """A page that nobody took goes out another way; the case stays where it is."""
    RELEASED = "released"
    """The service is told what was decided."""
    RETURNED = "returned"
    """A claim that nobody works on ends; the case stays where it is."""


@unique
class PageRoute(StrEnum):
    """The ways a page goes out, in the order in which they are taken."""

    PAGERDUTY = "pagerduty"
    """By the routing key of its tier."""
    SECOND_KEY = "second_key"
    """By another routing key, of another service at PagerDuty."""
    EMAIL = "email"


@unique
class Verb(StrEnum):
    """What a person can do to a case."""

    APPROVE = "approve"
    REJECT = "reject"
    MODIFY = "modify"
    ESCALATE = "escalate"
    ASK = "ask"
    COMMENT = "comment"
    CLAIM = "claim"
    UNCLAIM = "unclaim"
    TAKE_OVER = "take_over"
    """Claim what somebody else has claimed, and say why."""
    HAND_OVER = "hand_over"
    """Have a named person claim it, with a note."""
    OPEN_EVIDENCE = "open_evidence"
    RESUME = "resume"
    ROLL_BACK = "roll_back"
    UNDO = "undo"
    """Take one's own approval back, as long as the service has not been told."""
    SEPARATE = "separate"
    """These near-duplicates are not the same: each is decided by itself."""
    REVEAL = "reveal"
    """See what is masked."""
    QUARANTINE = "quarantine"
    """Hold the case until somebody with authority releases it."""
    BREAK_GLASS = "break_glass"
    """Decide alone, outside the normal path."""
    LEGAL_HOLD = "legal_hold"
    """Keep its content from being erased."""
    RELEASE_LEGAL_HOLD = "release_legal_hold"


@unique
class ReasonCode(StrEnum):
    """Why a person rejected, modified, escalated or rolled back; a policy may add its own codes."""

    WRONG_CATEGORY = "wrong_category"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    POLICY_VIOLATION = "policy_violation"
    NEEDS_SPECIALIST = "needs_specialist"
    INACCURATE = "inaccurate"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_ENTITY = "wrong_entity"
    WORDING = "wording"
    DUPLICATE = "duplicate"
    CUSTOMER_REQUEST = "customer_request"
    UNSURE = "unsure"
    OTHER = "other"


@unique
class ApprovalCode(StrEnum):
    """Why a person lets an action through although a check failed or warned."""

    CHECK_IS_WRONG = "check_is_wrong"
    CHECKED_BY_HAND = "checked_by_hand"
    DOES_NOT_MATTER_HERE = "does_not_matter_here"
    CORRECTED = "corrected"
    """What the check found stands no longer, by a modification or otherwise."""
    RISK_ACCEPTED = "risk_accepted"
    OTHER = "other"


@unique
class CallbackKind(StrEnum):
    """The types of callbacks, each with what a service does upon it. Their names are the contract with services."""

    effect: Literal["none", "lets_through", "undoes"]
    """`lets_through`: the service may act, so it stays here while the workflow is paused. `undoes`: the service takes back what it did.
    Either leaves only if the log proves it."""

    def __new__(cls, name: str, effect: Literal["none", "lets_through", "undoes"]) -> Self:
        """A type, of which it has to be said what it makes a service do."""
        kind = str.__new__(cls, name)
        kind._value_, kind.effect = name, effect
        return kind

    DECIDED = "case.decided", "lets_through"
    RELEASED = "case.released", "lets_through"
    HELD = "case.held", "none"
    INFORMATION_REQUESTED = "case.information_requested", "none"
    ROLLBACK_REQUESTED = "case.rollback_requested", "undoes"
    WORKFLOW_PAUSED = "workflow.paused", "none"
    WORKFLOW_RESUMED = "workflow.resumed", "none"
    """How the workflow runs from now on; it releases no case."""
    WORKFLOW_CHANGED = "workflow.changed", "none"


LETS_THROUGH = tuple(kind for kind in CallbackKind if kind.effect == "lets_through")
"""Callbacks upon which a service may act on what was decided."""


@unique
class EventKind(StrEnum):
    """Everything the audit log can say, including what did not happen."""

    STARTED = "started"
    CLOCK_JUMPED = "clock_jumped"
    RECOVERED = "recovered"
    KEY_ROTATED = "key_rotated"
    POLICY_ACTIVATED = "policy_activated"
    POLICY_PROPOSED = "policy_proposed"
    POLICY_ACCEPTED = "policy_accepted"
    POLICY_DECLINED = "policy_declined"
    POLICY_STAGED = "policy_staged"
    AUTOMATION_CHANGED = "automation_changed"
    BREAKER_TRIPPED = "breaker_tripped"
    BREAKER_CLEARED = "breaker_cleared"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    ALERT_UNACKNOWLEDGED = "alert_unacknowledged"
    """Whoever acknowledged its page at PagerDuty has it no longer."""
    ALERT_PAGE_RESOLVED = "alert_page_resolved"
    """Its incident was closed at PagerDuty; the alert stays."""
    ALERT_PAGE_REOPENED = "alert_page_reopened"
    """Its incident was closed at PagerDuty, and opened again there."""
    EXCEPTION_REQUESTED = "exception_requested"
    EXCEPTION_APPROVED = "exception_approved"
    EXCEPTION_ENDED = "exception_ended"
    EXCEPTION_LISTED = "exception_listed"
    """The exceptions in force or asked for were put before the owners, as every week."""
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_REMINDED = "incident_reminded"
    """A postmortem is due, and nobody has closed it."""
    INCIDENT_CLOSED = "incident_closed"
    DRILL_STARTED = "drill_started"
    DRILL_STOPPED = "drill_stopped"
    """Somebody stopped a drill; what of it is open is closed."""
    DRILL_ENDED = "drill_ended"
    NAME_BOUND = "name_bound"
    """A name of the policy was resolved: from now on everything goes to this id."""
    NAME_PARTED = "name_parted"
    """What a name stands for is called otherwise by now, or another carries the name; or, with neither, they agree again."""
    NAME_CONFIRMED = "name_confirmed"
    WENT_AWAY = "went_away"
    """Somebody said that they are away, and until when."""
    CAME_BACK = "came_back"
    """Somebody is there again before they said they would be."""
    OWED_TOLD = "owed_told"
    """Somebody was told directly what they owe."""
    OWED_WANTED = "owed_wanted"
    OWED_UNWANTED = "owed_unwanted"
    """They want to be told, or do not."""
    CHANNEL_UNREACHABLE = "channel_unreachable"
    CHANNEL_REACHABLE = "channel_reachable"
    GOVERNANCE_REFUSED = "governance_refused"
    RECEIVED = "received"
    DECIDED = "decided"
    APPROVED = "approved"
    REJECTED = "rejected"
    MODIFIED = "modified"
    ESCALATED = "escalated"
    INFORMATION_REQUESTED = "information_requested"
    INFORMATION_SUPPLIED = "information_supplied"
    COMMENTED = "commented"
    CLAIMED = "claimed"
    UNCLAIMED = "unclaimed"
    TAKEN_OVER = "taken_over"
    """Somebody claims it in place of whoever had claimed it."""
    HANDED_OVER = "handed_over"
    CLAIM_RETURNED = "claim_returned"
    """Nobody worked on a claimed case for long, or whoever claimed it is away: anybody of the group can take it."""
    ACKNOWLEDGED = "acknowledged"
    EVIDENCE_OPENED = "evidence_opened"
    REMINDED = "reminded"
    PAGED = "paged"
    PAGE_ACCEPTED = "page_accepted"
    """A route took the page: PagerDuty, or the mail server."""
    PAGE_NOT_ACCEPTED = "page_not_accepted"
    """A route refused the page, or did not take it in time; what was tried next stands in the event."""
    PAGING_FAILED = "paging_failed"
    """Pages do not get through: operations are told in Slack."""
    PAGING_RESTORED = "paging_restored"
    """Every page that waited for its first route was taken, or is not needed any more."""
    PAGE_ACKNOWLEDGED = "page_acknowledged"
    PAGE_RESOLVED = "page_resolved"
    PAGE_NOTED = "page_noted"
    PAGE_REASSIGNED = "page_reassigned"
    """At PagerDuty somebody else is asked now: reassigned, delegated or escalated there."""
    PAGE_UNACKNOWLEDGED = "page_unacknowledged"
    """At PagerDuty nobody has the incident any more: given back, or not resolved in the time it allows."""
    PAGE_REOPENED = "page_reopened"
    DIGEST_OPENED = "digest_opened"
    """Too many pages for one routing key: from here they are listed in one incident."""
    DIGEST_ACKNOWLEDGED = "digest_acknowledged"
    DIGEST_UNACKNOWLEDGED = "digest_unacknowledged"
    """Nobody has it there any more: it rings again."""
    DIGEST_REOPENED = "digest_reopened"
    """Somebody opened its incident there again: what still waits of what it listed is listed again."""
    DIGEST_CLOSED = "digest_closed"
    """Nobody need come for anything that it lists any more; or somebody resolved it there."""
    NOBODY_ON_CALL = "nobody_on_call"
    EXPIRED = "expired"
    HELD = "held"
    RESUMED = "resumed"
    VERIFICATION_FAILED = "verification_failed"
    CHECK_OPENED = "check_opened"
    CHECK_AGREED = "check_agreed"
    CHECK_DISAGREED = "check_disagreed"
    BREAK_GLASS_USED = "break_glass_used"
    """Somebody decided outside the normal path; which rules were passed over stands in the event."""
    BREAK_GLASS_REVIEWED = "break_glass_reviewed"
    BREAK_GLASS_LISTED = "break_glass_listed"
    """The uses of a week, and those not reviewed yet, were put before the operation."""
    TIED = "tied"
    LINKED = "linked"
    SEPARATED = "separated"
    REVEALED = "revealed"
    QUARANTINED = "quarantined"
    WITHHELD = "withheld"
    """Decided, and kept back: the workflow is paused. The service is not told the verdict."""
    RELEASED = "released"
    """The time in which an approval could be taken back is over: the service is told."""
    UNDONE = "undone"
    """Whoever approved took it back before the service was told; the case goes on as it was."""
    VOIDED = "voided"
    """A decision that was kept back counts no longer; the case is reviewed afresh."""
    ROLLBACK_PROPOSED = "rollback_proposed"
    ROLLBACK_DECLINED = "rollback_declined"
    WITHDRAWN = "withdrawn"
    OUTCOME_REPORTED = "outcome_reported"
    ROLLBACK_REQUESTED = "rollback_requested"
    EXECUTION_ALARM = "execution_alarm"
    PRESS_REFUSED = "press_refused"
    PRESSES_REFUSED = "presses_refused"
    NOT_DELIVERED = "not_delivered"
    NOT_SEEN = "not_seen"
    """The card of a case could not be shown where it is, and there is no higher tier where it could: its owners are told directly."""
    CARD_LOST = "card_lost"
    """A message that we posted is not there any more; whether it is posted anew stands in the event."""
    DELIVERY_RETRIED = "delivery_retried"
    UNPROVEN = "unproven"
    """A verdict, or a roll back, that the log does not prove: it was kept from leaving."""
    DATABASE_ALTERED = "database_altered"
    """Rows of the database are not what the log says."""
    CHANGED = "changed"
    """A case changed in a way that no other event says."""
    CONTENT_ERASED = "content_erased"
    PLAYBOOK_BEGUN = "playbook_begun"
    PLAYBOOK_STEP_BEGUN = "playbook_step_begun"
    PLAYBOOK_STEP_DONE = "playbook_step_done"
    PLAYBOOK_STEP_FAILED = "playbook_step_failed"
    PLAYBOOK_STEP_SKIPPED = "playbook_step_skipped"
    INTERIM_SET = "interim_set"
    """The service is asked to hold, or to quarantine, while people decide; or that goes on."""
    INTERIM_ENDED = "interim_ended"
    LEGAL_HOLD_SET = "legal_hold_set"
    LEGAL_HOLD_RELEASED = "legal_hold_released"
