"""Opens tickets: the sender for `MessageKind.TICKET`. Owns what a ticket says, which holds no content of the case; never retries.

Every try says the same under the same webhook-id: it is taken from the event that began the step, not from the case as it has become.
"""

import json
from collections.abc import Callable

from bot.delivery.signed_post import SignedPosts
from bot.slack.cards.view import Bulletin, View
from routing.canonical import Json
from routing.case.submission import moment_text
from routing.errors import PolicyError
from routing.policy.policy import Policy
from routing.webhook import read_secret
from store.outbox.delivery import Delivered, Outgoing, SendError


class Tickets:
    """`policy_of` gives a policy by its hash; it names the ticket systems with their URLs and secrets."""

    def __init__(self, posts: SignedPosts, policy_of: Callable[[str], Policy]) -> None:
        self._posts = posts
        self._policy_of = policy_of

    async def send(self, outgoing: Outgoing, view: View | Bulletin) -> Delivered:
        """Open the ticket, once by its webhook-id. Raises SendError."""
        message = outgoing.message
        if isinstance(view, Bulletin):
            raise SendError("a ticket is about a case", permanent=True)
        try:
            system = self._policy_of(view.case.route.policy_sha256).form.tickets.get(message.destination)
        except PolicyError as error:
            raise SendError("the policy of the case cannot be read here: a variable it takes is not set") from error
        if system is None:
            raise SendError(f"the policy of the case names no ticket system {message.destination}", permanent=True)
        await self._posts.post(
            system.url,
            json.dumps(ticket_body(outgoing, view)).encode(),
            networks=system.networks,
            keys=[read_secret(secret.get_secret_value()) for secret in system.secret],
            webhook_id=f"{outgoing.case_id}.playbook.{message.round}.{message.sequence}",
            attempts=outgoing.attempts,
        )
        return Delivered()


def ticket_body(outgoing: Outgoing, view: View) -> dict[str, Json]:
    """What a ticket says. Raises LookupError where the history does not hold the event of its step."""
    begun = next((one for one in view.history if one.index == outgoing.leaf_idx), None)
    if begun is None:
        raise LookupError(f"the history has no event {outgoing.leaf_idx}")
    case, playbook = view.case, view.case.playbooks[outgoing.message.round]
    data: dict[str, Json] = {
        "case_id": case.id,
        "task_id": case.task_id,
        "workflow": case.workflow,
        "service": case.service,
        "action_type": case.action_type,
        "risk": str(begun.fields.get("risk") or ""),
        "playbook": playbook.name,
        "because": playbook.because,
        "re_enter": playbook.re_enter,
        "policy_version": case.route.policy_version,
    }
    return {"type": "ticket.opened", "timestamp": moment_text(begun.at), "data": data}
