"""Clock rows with a name, for promises that teams write down in one sentence. Owns these rows; never chooses between rows.

A preset stands in a policy's clock table like the rows it is made of, and rows after it win over it as over any other row.
"""

from enum import StrEnum, unique

from routing.policy.clocks.row import ClockRow
from routing.vocabulary import ClockName, Lane, Mode, Risk

_MINUTE, _HOUR = 60, 3_600
_HIGH = (Risk.HIGH, Risk.CRITICAL)
"""What people mean by high risk: high, and what is worse."""


@unique
class Preset(StrEnum):
    """The presets by name."""

    BUSINESS_5M = "business-5m"
    ACK_15M_DECIDE_4H = "ack-15m-decide-4h"
    STANDARD_10M_HIGH_15M = "standard-10m-high-15m"
    HIGH_RISK_30M = "high-risk-30m"
    DUTY_15M_30M = "duty-15m-30m"
    DUAL_2H_4H = "dual-2h-4h"
    SYNC_30M_ASYNC_4H = "sync-30m-async-4h"
    BUSINESS_DAY = "business-day"
    STOP_1H = "stop-1h"


BUSINESS_5M = (ClockRow(ClockName.DECIDE, 5 * _MINUTE, time="business"),)
""""5 min in business hours": decided within five minutes while the tier's calendar is open."""

ACK_15M_DECIDE_4H = (ClockRow(ClockName.ACKNOWLEDGE, 15 * _MINUTE), ClockRow(ClockName.DECIDE, 4 * _HOUR, time="business"))
""""Acknowledge 15 min, standard 4 business hours"."""

STANDARD_10M_HIGH_15M = (
    ClockRow(ClockName.DECIDE, 10 * _MINUTE),
    *(ClockRow(ClockName.DECIDE, 15 * _MINUTE, risk=risk) for risk in _HIGH),
)
""""10 min standard / 15 min high-risk": the time to decide; a riskier case takes longer to read."""

HIGH_RISK_30M = tuple(ClockRow(ClockName.DECIDE, 30 * _MINUTE, risk=risk, time="elapsed") for risk in _HIGH)
""""Unresolved high risk 30 min": day and night, at each tier."""

DUTY_15M_30M = (ClockRow(ClockName.ACKNOWLEDGE, 15 * _MINUTE), ClockRow(ClockName.DECIDE, 30 * _MINUTE))
""""15 → 30 min to the duty officer": taken within 15 minutes, decided within 30, or the next tier is asked. With the duty officer as the
third tier, a case that nobody takes is the duty officer's after 30 minutes; as the second, after 15, or after 30 if it was taken."""

DUAL_2H_4H = (ClockRow(ClockName.VERIFY, 2 * _HOUR), ClockRow(ClockName.APPROVE, 4 * _HOUR))
""""Dual 2 h + 4 h": two hours to verify, then four to approve."""

SYNC_30M_ASYNC_4H = (
    ClockRow(ClockName.DECIDE, 30 * _MINUTE, mode=Mode.SYNC),
    ClockRow(ClockName.DECIDE, 4 * _HOUR, mode=Mode.ASYNC),
    ClockRow(ClockName.ESCALATE, _HOUR),
)
""""Synchronous 30 min, asynchronous 4 h, next tier +1 h": each tier the case climbs to has another hour."""

BUSINESS_DAY = (ClockRow(ClockName.DECIDE, 8 * _HOUR, time="business"),)
""""Same business day", as eight hours of the tier's calendar: what comes when it opens is due when an eight-hour day closes; what comes
later keeps its eight hours and is due on the next working day."""

STOP_1H = (ClockRow(ClockName.DECIDE, _HOUR, lane=Lane.STOP, time="elapsed"),)
""""Stop-the-line 1 h": day and night."""

ROWS: dict[Preset, tuple[ClockRow, ...]] = {
    Preset.BUSINESS_5M: BUSINESS_5M,
    Preset.ACK_15M_DECIDE_4H: ACK_15M_DECIDE_4H,
    Preset.STANDARD_10M_HIGH_15M: STANDARD_10M_HIGH_15M,
    Preset.HIGH_RISK_30M: HIGH_RISK_30M,
    Preset.DUTY_15M_30M: DUTY_15M_30M,
    Preset.DUAL_2H_4H: DUAL_2H_4H,
    Preset.SYNC_30M_ASYNC_4H: SYNC_30M_ASYNC_4H,
    Preset.BUSINESS_DAY: BUSINESS_DAY,
    Preset.STOP_1H: STOP_1H,
}
