"""Tells services what became of their cases: the sender of callbacks. Owns what has to be proven before it leaves, and whom it is for.

It never retries (the courier does, for 75 hours) and never decides what is told.
"""

import asyncio
import json

from bot.delivery.callback_body import callback_body, workflow_body
from bot.delivery.signed_post import SignedPosts
from bot.services import Services
from bot.slack.cards.view import Bulletin, View
from routing.canonical import Json
from routing.vocabulary import CallbackKind
from store.integrity.release import Doubt
from store.ledger.sealed_head import HeadAlteredError
from store.outbox.delivery import Delivered, Outgoing, SendError, UnprovenError
from store.reads.receipts import Receipts

CHECKPOINT_WAITS_S = (0.02, 0.05, 0.1, 0.2)
"""A decision is signed within milliseconds as a rule: waiting here is cheaper than a failed try."""

NO_CHECKPOINT_RETRY_S, NO_CHECKPOINT_MOST_S = 0.25, 30.0
"""The wait while no checkpoint comes, doubled at each try: where nothing is signed for hours, asking must not become the main work."""

PROVEN = frozenset(kind.value for kind in CallbackKind if kind.effect != "none")
"""Callbacks that make a service act."""


class Callbacks:
    """The sender for `MessageKind.CALLBACK`."""

    def __init__(self, services: Services, receipts: Receipts, posts: SignedPosts) -> None:
        self._services = services
        self._receipts = receipts
        self._posts = posts

    async def send(self, outgoing: Outgoing, view: View | Bulletin) -> Delivered:
        """Post the callback once, as `SignedPosts.post` says. What would make a service act leaves only if the log proves it.

        Raises SendError, UnprovenError.
        """
        message = outgoing.message
        service = self._services.find(message.destination)
        if service is None:
            raise SendError(f"the services file has no service {message.destination}")
        if isinstance(view, Bulletin):
            told = workflow_body(message.callback, message.sequence, outgoing.leaf_idx, view)
            webhook_id = f"{outgoing.case_id}.{outgoing.leaf_idx}.{service.name}"
        else:
            if message.destination != view.case.service:
                raise UnprovenError(f"it is addressed to {message.destination!r}, and not to the service of its case", service_known=False)
            receipt = await self._proven(outgoing, view) if message.callback in PROVEN else None
            told = callback_body(message.callback, message.sequence, outgoing.leaf_idx, view, receipt)
            webhook_id = f"{outgoing.case_id}.{message.sequence}"
        await self._posts.post(
            service.callback_url,
            json.dumps(told).encode(),
            networks=service.networks,
            keys=service.callback_keys,
            webhook_id=webhook_id,
            attempts=outgoing.attempts,
        )
        return Delivered()

    async def _proven(self, outgoing: Outgoing, view: View) -> dict[str, Json]:
        """The receipt, once the log proves the case as it is shown here and the action that it is about."""
        receipt = await self._receipt(outgoing)
        try:
            found = await self._receipts.judge(outgoing)
        except HeadAlteredError as error:
            raise SendError(str(error), retry_after_s=NO_CHECKPOINT_MOST_S) from error
        if isinstance(found, Doubt):
            raise UnprovenError(found.reason, service_known=found.service_known)
        if found != view.case:
            raise SendError("the case changed just now", retry_after_s=NO_CHECKPOINT_RETRY_S)
        content = view.original
        if content is not None and content.action.sha256 != found.action_sha256:
            raise UnprovenError("the action in its vault is not the one that was decided", service_known=True)
        return receipt

    async def _receipt(self, outgoing: Outgoing) -> dict[str, Json]:
        for wait_s in CHECKPOINT_WAITS_S:
            if (receipt := await self._receipts.receipt(outgoing.leaf_idx)) is not None:
                return receipt
            await asyncio.sleep(wait_s)
        again_s = min(NO_CHECKPOINT_RETRY_S * 2.0 ** min(outgoing.attempts, 30), NO_CHECKPOINT_MOST_S)
        raise SendError("no signed checkpoint covers the event yet", retry_after_s=again_s)
