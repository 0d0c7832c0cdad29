"""The closed lists of words about who and what has authority: automation levels, autonomy, roles, alerts, verbs about more than one case.

Owns the words, as `routing.vocabulary` does those of a single case; never holds behaviour.
"""

from enum import StrEnum, unique


@unique
class Automation(StrEnum):
    """How far a workflow may act by itself (CONTRACT "HTTP"), freest first; each level includes what those before it stop."""

    ON = "on"
    SAMPLING_RAISED = "sampling_raised"
    """More of the automatic approvals are checked by people."""
    REVIEW_ALL = "review_all"
    """No case is approved automatically."""
    PAUSED = "paused"
    """As before, and no approval leaves: it is kept and reviewed afresh once the workflow goes on."""
    FROZEN = "frozen"
    """Nothing moves: open cases are held as well, new ones are taken in and held."""

    @property
    def level(self) -> int:
        """0 for on to 4 for frozen."""
        return _AUTOMATION_ORDER[self]


_AUTOMATION_ORDER = {level: number for number, level in enumerate(Automation)}


@unique
class Autonomy(StrEnum):
    """What the model may do at most in a workflow (R13), freest first."""

    INFORMATIONAL = "informational"
    """Nothing is executed: people get a text. Automatic where the gates pass."""
    HUMAN_ASSISTED = "human_assisted"
    """The model acts, people help where the gates say so."""
    HUMAN_APPROVED = "human_approved"
    """A person approves every case."""
    HUMAN_EXECUTED = "human_executed"
    """An expert decides and does it; the model only advises."""


@unique
class Role(StrEnum):
    """What somebody may be to Tierline (V6). Triager, verifier, approver and specialist come with the group of a step or tier; the others
    are groups that the policy names under `roles`.
    """

    TRIAGER = "triager"
    VERIFIER = "verifier"
    APPROVER = "approver"
    SPECIALIST = "specialist"
    AUDITOR = "auditor"
    SUPERVISOR = "supervisor"
    DUTY_OFFICER = "duty_officer"
    POLICY_OWNER = "policy_owner"
    BREAK_GLASS_HOLDER = "break_glass_holder"
    ADMIN = "admin"


@unique
class AlertLevel(StrEnum):
    """How loud an alert is (G2)."""

    INFO = "info"
    ACTION = "action"
    """A card in the operations channel."""
    INCIDENT = "incident"
    """A page, and a card that names the owners."""


@unique
class IncidentKind(StrEnum):
    """What calls for a postmortem (E12)."""

    ALERT = "alert"
    """An alert of the level incident."""
    STOP = "stop"
    """A case stopped its workflow."""
    EXHAUSTED = "exhausted"
    """A ladder ended without anybody having decided."""
    BREAK_GLASS = "break_glass"
    """A decision by break-glass was judged wrong."""
    FOUND_WRONG = "found_wrong"
    """What people or the policy let through was found wrong, on a case of high risk."""


@unique
class GovernanceVerb(StrEnum):
    """What a person can do to more than one case: to a workflow, the policy, an exception, an alert."""

    PAUSE = "pause"
    REVIEW_ALL = "review_all"
    FREEZE = "freeze"
    RESUME = "resume"
    QUARANTINE = "quarantine"
    PROPOSE_POLICY = "propose_policy"
    ACCEPT_POLICY = "accept_policy"
    DECLINE_POLICY = "decline_policy"
    WIDEN_POLICY = "widen_policy"
    """Give a staged policy a larger share, or all."""
    ROLL_BACK_POLICY = "roll_back_policy"
    REQUEST_EXCEPTION = "request_exception"
    APPROVE_EXCEPTION = "approve_exception"
    END_EXCEPTION = "end_exception"
    ACKNOWLEDGE_ALERT = "acknowledge_alert"
    KEEP_NAME = "keep_name"
    """Go on with the channel or user group that the policy's name stood for, whatever it is called now."""
    MOVE_NAME = "move_name"
    """Let the policy's name stand for the channel or user group that carries it now."""
    START_DRILL = "start_drill"
    STOP_DRILL = "stop_drill"
    AWAY = "away"
    """Say that one is away oneself, and until when: so may also whoever a tier names as owner or backup."""
    BACK = "back"
    NOTIFY = "notify"
    """Be told directly what one owes: so may everybody."""
    NOTIFY_OFF = "notify_off"
