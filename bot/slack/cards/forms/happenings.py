"""What happened to a case, told to people: what it was, who did it, what was said. Never the record itself: that is the audit log's.

Owns which fields of an event a person reads. Hashes, ids and what the policy worked out stand in the log alone; content is told in full.
"""

from collections.abc import Mapping

from bot.slack.cards.text.mentions import bare
from bot.slack.cards.text.safe_text import exact
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import Happening, View
from routing.vocabulary import EventKind

_OF_THE_RECORD = (
    frozenset({"content_leaf", "leaf", "face", "saw", "child", "other", "others", "id", "number", "callback"})  # where else it stands
    | frozenset({"action_type", "source_ids", "flags", "confidence", "deadline", "risk", "labels", "subject"})  # the case says it itself
    | frozenset(
        {"facts", "gates", "lost", "reasons", "template", "ladder", "mode", "priority", "start_tier", "sampled_by", "v"}
    )  # its route
    | frozenset({"decided_by", "requester_known", "turnaround_s", "sla_s", "sla_used_s", "routed_at"})  # for figures
)


def about(happening: Happening) -> str:
    """`Escalated`: what happened, in a word or two."""
    return code_label(happening.kind.value)


def who(view: View, happening: Happening) -> str:
    """`by Ana Ruiz`, `by the service northwind`; Tierline itself does what nobody else did."""
    name = exact(view.known_as(happening.actor.id) or bare(happening.actor.id))
    match happening.actor.kind:
        case "human":
            return f"by {name}"
        case "service" | "model" as kind:
            return f"by the {kind} {name}"
        case _:
            return "by Tierline"


def told(view: View, happening: Happening) -> Mapping[str, object]:
    """What was said, in full, and what else of the event a person reads. What arrived first is the case itself: its own tabs have it."""
    arrived = happening.kind is EventKind.RECEIVED and view.case.revision == 1
    said = {} if arrived else dict(happening.opened)
    return said | {name: value for name, value in happening.fields.items() if name not in _OF_THE_RECORD and not name.endswith("sha256")}
