"""The log replayed for what is about more than one case: brakes, the life of policies, exceptions, alerts (promise P11).

The leaves alone give each of them; they are compared with the one row in which all of it is kept, and each change of level with the
callbacks and messages that were promised with it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from routing.case.submission import moment_text
from routing.governance.control import Control
from routing.governance.governance import Governance
from store.schema import governance, head, leaves, outbox

Leaf = Mapping[str, Any]


@dataclass
class Told:
    """Everything about more than one case, as the leaves tell it."""

    controls: dict[str, dict[str, Any]] = field(default_factory=dict)
    proposals: dict[str, dict[str, Any]] = field(default_factory=dict)
    waivers: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    bindings: dict[str, dict[str, Any]] = field(default_factory=dict)
    uses: dict[str, dict[str, Any]] = field(default_factory=dict)
    incidents: dict[str, dict[str, Any]] = field(default_factory=dict)
    digests: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    drills: dict[str, dict[str, Any]] = field(default_factory=dict)
    segments: dict[str, list[str]] = field(default_factory=dict)
    activated: list[str] = field(default_factory=list)
    active: str = ""
    rollout: tuple[str, int] | None = None

    def hear(self, leaf: Leaf) -> None:
        """Take in the next leaf."""
        hear = _HEARD.get(leaf["event"])
        if hear is not None:
            hear(self, leaf["fields"], leaf)

    def control(self, workflow: str) -> dict[str, Any]:
        """A brake as far as it was told."""
        return self.controls.setdefault(workflow, _brake(Control(workflow=workflow)))


def replay_governance(connection: Connection, segments: Mapping[str, str]) -> list[str]:
    """Everything in which the governance and its leaves disagree, one sentence each. `segments` are those of the cases, by id."""
    rows = connection.execute(select(leaves.c.idx, leaves.c.body, leaves.c.case_id).order_by(leaves.c.idx)).all()
    told = Told()
    found = []
    for row in rows:
        leaf = json.loads(row.body)
        told.hear(leaf)
        if leaf["event"] == "check_disagreed" and (segment := segments[row.case_id]):
            told.segments.setdefault(leaf["workflow"], []).append(segment)
        if leaf["event"] == "automation_changed" and leaf["fields"]["before"] != leaf["fields"]["after"]:
            sent = select(outbox.c.destination).where(outbox.c.leaf_idx == row.idx, outbox.c.peer == "callback")
            services = list(connection.execute(sent).scalars())
            if not services or len(services) != len(set(services)):
                found.append(f"leaf {row.idx} is told to the services {services}")
    kept = Governance.model_validate_json(connection.execute(select(governance.c.snapshot)).scalar_one())
    known = connection.execute(select(head.c.policy, head.c.governance)).one()
    if known.governance != kept.revision:
        found.append(f"the head has revision {known.governance} of the governance, its row has {kept.revision}")
    if known.policy != told.active:
        found.append(f"policy {known.policy} is active, the log says {told.active}")
    return found + [f"{name} is {is_kept}, the log says {said}" for name, is_kept, said in _pairs(kept, told) if is_kept != said]


def _pairs(kept: Governance, told: Told) -> list[tuple[str, object, object]]:
    """What is kept and what was told, by name."""
    touched = {name: _brake(control) for name, control in kept.controls.items() if control.since is not None or control.sampling_since}
    proposals = {one.id: (one.sha256, list(one.accepted_by), one.declined_by, one.state) for one in kept.proposals}
    said = {name: (one["sha256"], one["accepted_by"], one["declined_by"], one["state"]) for name, one in told.proposals.items()}
    rollout = None if kept.rollout is None else (kept.rollout.sha256, kept.rollout.percent)
    waivers = {one.id: (one.state, one.approved_by, one.ended, moment_text(one.until)) for one in kept.waivers}
    alerts = {one.id: (one.rule, one.workflow, one.level.value, one.acknowledged_by, one.over) for one in kept.alerts}
    drills = {one.id: (one.kind.value, one.workflow, one.by, len(one.cases), one.stopped_by, one.outcome) for one in kept.drills}
    uses = {one.id: (one.by, one.verdict.value, list(one.passed_over), one.outcome, one.reviewed_by) for one in kept.break_glass}
    incidents = {one.id: (one.kind.value, one.about, one.owner, one.reminders, one.example, one.closed_by) for one in kept.incidents}
    digests = {one.id: (one.ladder, one.tier, one.acknowledged_by, one.over) for one in kept.digests}
    listed = {one.id: {(page.case, page.round) for page in one.listed} for one in kept.digests}
    bindings = {
        name: {"id": one.id, "called": one.called, "claimant": one.claimant, "trouble": one.trouble} for name, one in kept.bindings.items()
    }
    return [
        ("the names", bindings, told.bindings),
        ("the brakes", touched, told.controls),
        ("the segments", {name: list(one.segments) for name, one in kept.controls.items() if one.segments}, told.segments),
        ("the proposals", proposals, said),
        ("the stage", rollout, told.rollout),
        ("the way back", list(kept.activated), told.activated),
        ("the exceptions", waivers, {name: tuple(one.values()) for name, one in told.waivers.items()}),
        ("the uses of break-glass", uses, {name: tuple(one.values()) for name, one in told.uses.items()}),
        ("the incidents", incidents, {name: tuple(one.values()) for name, one in told.incidents.items()}),
        ("the digests", digests, {name: tuple(one.values()) for name, one in told.digests.items()}),
        ("what digests list", listed, {name: told.listed.get(name, set()) for name in told.digests}),
        ("the drills", drills, {name: tuple(one.values()) for name, one in told.drills.items()}),
        ("the alerts", alerts, {name: tuple(one.values())[:5] for name, one in told.alerts.items()}),
    ]


def _brake(control: Control) -> dict[str, Any]:
    since = None if control.since is None else moment_text(control.since)
    brake = {"automation": control.automation.value, "since": since, "cause": control.cause, "by": control.by}
    return brake | {"posted": control.posted, "sampling": control.sampling, "stops": list(control.stop_cases)}


def _braked(told: Told, fields: Leaf, leaf: Leaf) -> None:
    brake = told.control(fields["workflow"])
    if fields["before"] != fields["after"]:
        brake |= {"since": leaf["time"], "posted": fields["number"]}
    if fields["cause"] == "stop" and fields["by"] not in brake["stops"]:
        brake["stops"].append(fields["by"])
    if fields["cause"] == "person" and fields["after"] in ("on", "sampling_raised"):
        brake["stops"] = []
    brake |= {"automation": fields["after"], "cause": fields["cause"], "by": fields["by"]}
    brake["sampling"] = fields.get("sampling", brake["sampling"])


def _proposed(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.proposals[fields["subject"]] = {"sha256": fields["sha256"], "accepted_by": [], "declined_by": "", "state": "open"}


def _accepted(told: Told, fields: Leaf, leaf: Leaf) -> None:
    proposal = told.proposals[fields["subject"]]
    proposal["accepted_by"].append(leaf["actor"]["id"])
    if fields["left"] == 0:
        proposal["state"] = "accepted"


def _declined(told: Told, fields: Leaf, leaf: Leaf) -> None:
    proposal = told.proposals[fields["subject"]]
    if proposal["state"] == "accepted":  # it was on stage
        told.rollout = None
    proposal |= {"state": "declined", "declined_by": leaf["actor"]["id"]}


def _staged(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    before = told.rollout
    told.rollout = (fields["sha256"], fields["percent"])
    for name, proposal in told.proposals.items():
        if before is not None and proposal["sha256"] == before[0] and proposal["state"] == "accepted" and name != fields["subject"]:
            proposal["state"] = "superseded"


def _activated(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    subject, staged = fields.get("subject"), told.rollout
    over = {told.active} | ({staged[0]} if staged else set())
    for name, proposal in told.proposals.items():
        if name != subject and (proposal["state"] == "open" or (proposal["state"] == "accepted" and proposal["sha256"] in over)):
            proposal["state"] = "superseded"
    if subject is not None:
        known = {"sha256": fields["sha256"], "accepted_by": [], "declined_by": "", "state": "accepted"}
        back = subject not in told.proposals and told.activated[-1:] == [fields["sha256"]]
        told.proposals.setdefault(subject, known)
        told.activated = told.activated[:-1] if back else [*told.activated, told.active]
    told.active, told.rollout = fields["sha256"], None


def _asked(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.waivers[fields["subject"]] = {"state": "requested", "approved_by": "", "ended": "", "until": fields["until"]}


def _approved(told: Told, fields: Leaf, leaf: Leaf) -> None:
    told.waivers[fields["subject"]] |= {"state": "in_force", "approved_by": leaf["actor"]["id"]}


def _ended(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.waivers[fields["subject"]] |= {"state": "ended", "ended": fields["ended"]}


def _named(told: Told, fields: Leaf) -> dict[str, Any]:
    return told.bindings.setdefault(fields["name"], {"id": "", "called": "", "claimant": "", "trouble": ""})


def _bound(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    _named(told, fields)["id"] = fields["id"]


def _parted(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    _named(told, fields).update(called=fields["called"], claimant=fields["claimant"])


def _confirmed(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    if fields["before"] != fields["after"]:
        _named(told, fields).update(id=fields["after"], called="", claimant="", trouble="")


def _closed(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    _named(told, fields)["trouble"] = fields["error"]


def _opened(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    _named(told, fields)["trouble"] = ""


def _tripped(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    alert = {"rule": fields["rule"], "workflow": fields["workflow"], "level": fields["level"], "by": "", "over": False}
    told.alerts[fields["subject"]] = alert


def _acknowledged(told: Told, fields: Leaf, leaf: Leaf) -> None:
    told.alerts[fields["subject"]]["by"] = leaf["actor"]["id"]


def _given_back(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.alerts[fields["subject"]]["by"] = ""


def _closed_there(told: Told, fields: Leaf, leaf: Leaf) -> None:
    alert = told.alerts[fields["subject"]]
    there = not alert["by"] or alert["by"].startswith("pagerduty:")
    alert["by"] = (leaf["actor"]["id"] if leaf["actor"]["kind"] == "human" else "") if there else alert["by"]


def _opened_there(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    alert = told.alerts[fields["subject"]]
    alert["by"] = "" if alert["by"].startswith("pagerduty:") else alert["by"]


def _played(told: Told, fields: Leaf, leaf: Leaf) -> None:
    drill = {"kind": fields["kind"], "workflow": fields["workflow"], "by": leaf["actor"]["id"], "cases": fields["cases"]}
    told.drills[fields["subject"]] = drill | {"stopped_by": "", "outcome": ""}
    if fields["alert"]:
        alert = {"rule": "drill", "workflow": fields["workflow"], "level": "incident", "by": "", "over": False, "drill": fields["subject"]}
        told.alerts[fields["alert"]] = alert


def _called_off(told: Told, fields: Leaf, leaf: Leaf) -> None:
    told.drills[fields["subject"]]["stopped_by"] = leaf["actor"]["id"]


def _played_out(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.drills[fields["subject"]]["outcome"] = fields["outcome"]
    for alert in told.alerts.values():
        if alert.get("drill") == fields["subject"]:
            alert["over"] = True


def _cleared(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.alerts[fields["subject"]]["over"] = True


def _digested(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.digests[fields["subject"]] = {"ladder": fields["ladder"], "tier": fields["tier"] - 1, "by": "", "over": False}


def _digest_taken(told: Told, fields: Leaf, leaf: Leaf) -> None:
    told.digests[fields["subject"]]["by"] = leaf["actor"]["id"]


def _digest_given_back(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.digests[fields["subject"]]["by"] = ""


def _digest_again(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    """Open, where it lists cases that had not heard of its end."""
    told.digests[fields["subject"]]["by"] = ""
    told.digests[fields["subject"]]["over"] &= not told.listed.get(fields["subject"])


def _digest_over(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.digests[fields["subject"]]["over"] = True


def _paged(told: Told, fields: Leaf, leaf: Leaf) -> None:
    """A round that is paged anew ends the one before it."""
    _unpaged(told, leaf["case"], fields.get("instead_of"))
    if "digest" in fields:
        told.listed.setdefault(fields["digest"], set()).add((leaf["case"], fields["round"]))


def _page_again(told: Told, fields: Leaf, leaf: Leaf) -> None:
    """With the first page that it lists again a digest is open again."""
    if "digest" in fields and fields["wanted"]:
        told.listed.setdefault(fields["digest"], set()).add((leaf["case"], fields["round"]))
        told.digests[fields["digest"]]["over"] = False


def _page_over(told: Told, fields: Leaf, leaf: Leaf) -> None:
    _unpaged(told, leaf["case"], fields["round"])


def _pages_over(told: Told, fields: Leaf, leaf: Leaf) -> None:
    """Whatever settles every page of a case; a reminder of a clock that goes on does not."""
    _unpaged(told, leaf["case"], None, every="percent" not in fields)


def _unpaged(told: Told, case: str, number: int | None, *, every: bool = False) -> None:
    for pages in told.listed.values():
        pages -= {page for page in pages if page[0] == case and (every or page[1] == number)}


def _used(told: Told, fields: Leaf, leaf: Leaf) -> None:
    use = {"by": leaf["actor"]["id"], "verdict": fields["verdict"], "passed_over": list(fields["passed_over"])}
    told.uses[f"{leaf['case']}:{leaf['revision']}"] = use | {"outcome": "", "reviewed_by": ""}


def _reviewed(told: Told, fields: Leaf, leaf: Leaf) -> None:
    use = next(use for name, use in reversed(told.uses.items()) if name.startswith(f"{leaf['case']}:"))
    use |= {"outcome": fields["outcome"], "reviewed_by": leaf["actor"]["id"]}


def _happened(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    incident = {"kind": fields["kind"], "about": fields["about"], "owner": fields["owner"], "reminders": 0, "example": "", "closed_by": ""}
    told.incidents[fields["subject"]] = incident


def _reminded(told: Told, fields: Leaf, _leaf: Leaf) -> None:
    told.incidents[fields["subject"]]["reminders"] += 1


def _learnt(told: Told, fields: Leaf, leaf: Leaf) -> None:
    told.incidents[fields["subject"]] |= {"example": fields["example"], "closed_by": leaf["actor"]["id"]}


_HEARD: Mapping[str, Callable[[Told, Leaf, Leaf], None]] = {
    "automation_changed": _braked,
    "policy_proposed": _proposed,
    "policy_accepted": _accepted,
    "policy_declined": _declined,
    "policy_staged": _staged,
    "policy_activated": _activated,
    "exception_requested": _asked,
    "exception_approved": _approved,
    "exception_ended": _ended,
    "breaker_tripped": _tripped,
    "alert_acknowledged": _acknowledged,
    "alert_unacknowledged": _given_back,
    "alert_page_resolved": _closed_there,
    "alert_page_reopened": _opened_there,
    "breaker_cleared": _cleared,
    "digest_opened": _digested,
    "digest_acknowledged": _digest_taken,
    "digest_unacknowledged": _digest_given_back,
    "digest_reopened": _digest_again,
    "digest_closed": _digest_over,
    "paged": _paged,
    "page_reopened": _page_again,
    "page_resolved": _page_over,
    **dict.fromkeys(("decided", "escalated", "held", "resumed", "reminded"), _pages_over),
    "break_glass_used": _used,
    "break_glass_reviewed": _reviewed,
    "incident_opened": _happened,
    "incident_reminded": _reminded,
    "incident_closed": _learnt,
    "drill_started": _played,
    "drill_stopped": _called_off,
    "drill_ended": _played_out,
    "name_bound": _bound,
    "name_parted": _parted,
    "name_confirmed": _confirmed,
    "channel_unreachable": _closed,
    "channel_reachable": _opened,
}
