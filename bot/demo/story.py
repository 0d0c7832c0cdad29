"""The story of the demonstration, played without hands: people press, PagerDuty rings, the service executes. Owns what is done and what has
to be seen each time; what was seen is the sandbox's word (`bot.demo.witness`), never the bot's.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.demo.cases import read_cases
from bot.demo.stage import Stage
from bot.demo.witness import MissingError, Witness, face_of, shown
from bot.sandbox.ack import Ack
from store.database import Database
from store.export import export
from store.note import VerifierKey
from store.tiles import is_tile_path
from store.verify import verify_export

PATIENCE_S = 15.0
CLIMBS_AFTER = "6s"
"""How long the urgent ladder waits before it climbs, when nobody's hands play."""

ANNA, BEN, CHIARA, DMITRI, ELENA = ("Anna Lindqvist", "Ben Okafor", "Chiara Rossi", "Dmitri Volkov", "Elena Petrova")
_ON_CALL = {ELENA: "PELENA01"}

Json = dict[str, Any]


class Story:
    """One performance. `chapter` and `step` are called with what is played and what was seen."""

    def __init__(
        self, stage: Stage, now: datetime, chapter: Callable[[str], None], step: Callable[[str], None], patience_s: float = PATIENCE_S
    ) -> None:
        self._stage = stage
        self._slack = stage.sandbox.slack
        self._pagerduty = stage.sandbox.pagerduty
        self._customer = stage.sandbox.customer
        self._cases = read_cases(now)
        self._chapter = chapter
        self._witness = Witness(stage.sandbox, step, patience_s)
        self._see = self._witness.see

    async def play(self) -> None:
        """All of it. Raises MissingError naming the first step that the sandbox's ledgers did not see."""
        await self._approved()
        await self._nobody_presses()
        await self._rejected()
        await self._requester_refused()
        await self._modified()
        await self._by_two_people()
        await self._asked()
        await self._automatic()
        await self._audited()

    async def _approved(self) -> None:
        self._chapter("A small refund: one person approves")
        case = await self._post("small-refund", "review")
        await self._see("its card is in #review-tier1, with buttons", lambda: self._witness.card("review-tier1", case, verb="approve"))
        await self._press(ANNA, "review-tier1", case, "approve")
        decided = await self._see(
            "the service has the decision; its receiver kit verified signature, action hash and audit receipt",
            lambda: self._witness.verdict(case, "approved"),
        )
        await self._see("it carried the refund out, once", lambda: self._witness.executed(case) == 1)
        await self._see("the card says that Anna approved, and its buttons are gone", self._closed("review-tier1", case, ANNA))
        status, _ = await self._customer.report_outcome(case, "executed", executed_action_sha256=decided.data["action_sha256"])
        await self._see("the service reported what it executed", lambda: status == 200)
        await self._see("the card shows the outcome", lambda: self._witness.card("review-tier1", case, text="The service reports"))

    async def _nobody_presses(self) -> None:
        self._chapter("An account to lock: nobody presses")
        case = await self._post("lock", "review")
        await self._see("its card is in #review-tier1", lambda: self._witness.card("review-tier1", case))
        await self._see("a reminder comes into its thread", lambda: self._witness.note("review-tier1", case, "still waits"))
        await self._see("the case climbs: a card in #review-experts", lambda: self._witness.card("review-experts", case, verb="approve"))
        await self._see("the old card points to it, without buttons", self._closed("review-tier1", case, "Moved to tier 2"))
        incident = await self._see("PagerDuty rings", lambda: self._witness.incident(case, "triggered"))
        await self._pagerduty.acknowledge(incident.id, _ON_CALL[ELENA])
        await self._see("Elena acknowledges there", lambda: self._witness.incident(case, "acknowledged"))
        await self._see("the card shows it", lambda: self._witness.card("review-experts", case, verb="approve", text=ELENA))
        words = "A device that was never seen before fits a takeover; the orders must not leave."
        await self._fill_in(ELENA, "review-experts", case, "approve", "Approve", reason="other", text=words)
        await self._see("she decides in Slack, the service hears of it", lambda: self._witness.verdict(case, "approved"))
        await self._see("the incident is resolved", lambda: self._witness.incident(case, "resolved"))
        await self._see("nobody was rung twice", lambda: self._pagerduty.opened(incident.key) == 1)

    async def _rejected(self) -> None:
        self._chapter("A large refund: an expert says no, with a reason")
        case = await self._post("large-refund", "expert")
        await self._see("its card is in #review-tier2", lambda: self._witness.card("review-tier2", case, verb="reject"))
        await self._fill_in(
            DMITRI,
            "review-tier2",
            case,
            "reject",
            "Reject",
            reason="policy_violation",
            text="Third parcel this year. Ask the carrier first.",
        )
        told = await self._see("the service knows that a person said no", lambda: self._witness.verdict(case, "rejected"))
        await self._see("and why", lambda: told.data["reason_code"] == "policy_violation" and "carrier" in str(told.data["rationale"]))
        await self._see("nothing was executed", lambda: self._witness.executed(case) == 0)

    async def _requester_refused(self) -> None:
        self._chapter("An access request: who asks does not decide")
        case = await self._post("access", "review")
        await self._see("its card is in #review-tier1", lambda: self._witness.card("review-tier1", case, verb="approve"))
        await self._press(CHIARA, "review-tier1", case, "approve")
        await self._see("Chiara, who asked for it, was told why she cannot", lambda: self._witness.told(_id(CHIARA), "You asked for this"))
        await self._press(BEN, "review-tier1", case, "approve")
        decided = await self._see("Ben's yes reached the service", lambda: self._witness.verdict(case, "approved"))
        await self._see("as his alone", lambda: [one["slack_id"] for one in decided.data["decided_by"]] == [_id(BEN)])

    async def _modified(self) -> None:
        self._chapter("A price with a shifted decimal point: changed, then approved")
        case = await self._post("price", "review")
        await self._see("its card shows the price before and after", lambda: self._has("review-tier1", case, "129.00", "11.90"))
        await self._press(ANNA, "review-tier1", case, "modify")
        form = await self._see("the form holds the proposed values", lambda: self._witness.modal(ANNA_ID, "Modify"))
        filled = {"param:/price": "119.00", "reason": "wrong_amount"}
        await self._slack.submit(ANNA_ID, form["id"], filled)
        preview = await self._see("the difference is shown before it counts", lambda: self._preview("11.90", "119.00"))
        await self._slack.submit(ANNA_ID, preview["id"], filled)
        decided = await self._see("the service has the changed action", lambda: self._witness.verdict(case, "modified"))
        await self._see("with the new price and what was changed", lambda: _changed(decided.data))

    async def _by_two_people(self) -> None:
        self._chapter("New bank details of a supplier: two different people")
        case = await self._post("bank", "expert")
        card = await self._see("its card asks for the first of two steps", lambda: self._has("review-tier2", case, "Verified"))
        await self._press(CHIARA, "review-tier2", case, "approve")
        await self._see(
            "after Chiara's yes it asks for a second person",
            lambda: self._witness.card("review-tier2", case, verb="approve", text=CHIARA, not_face=face_of(card)),
        )
        await self._press(CHIARA, "review-tier2", case, "approve")
        await self._see("Chiara cannot be both of them", lambda: self._witness.told(_id(CHIARA), "already taken a step"))
        await self._see("nothing has reached the service", lambda: self._witness.callback(case, "case.decided") is None)
        await self._press(DMITRI, "review-tier2", case, "approve")
        decided = await self._see("with Dmitri's it is decided", lambda: self._witness.verdict(case, "approved"))
        people = [_id(CHIARA), _id(DMITRI)]
        await self._see("by both, in order", lambda: [one["slack_id"] for one in decided.data["decided_by"]] == people)

    async def _asked(self) -> None:
        self._chapter("A mail to a customer: a question first")
        case = await self._post("reply", "review")
        card = await self._see("its card is in #review-tier1", lambda: self._witness.card("review-tier1", case, verb="ask"))
        await self._fill_in(BEN, "review-tier1", case, "ask", "Ask for information", question="Has the warehouse confirmed Friday?")
        asked = await self._see("the service has Ben's question", lambda: self._witness.callback(case, "case.information_requested"))
        await self._see("in his words", lambda: asked.data["questions"] == ["Has the warehouse confirmed Friday?"])
        await self._see("the card waits for the answer", lambda: self._witness.card("review-tier1", case, text="Waiting for information"))
        source = {"id": "warehouse", "kind": "record", "title": "Warehouse", "text": "Picked; leaves tomorrow 06:30 by express."}
        answer = "Yes: it is picked and leaves tomorrow at 06:30."
        status, _ = await self._customer.supply_information(case, answer=answer, case={"evidence": [source]})
        await self._see("the service answered with a new source", lambda: status == 200)
        await self._see(
            "the card is back, as a new revision",
            lambda: self._witness.card("review-tier1", case, verb="approve", not_face=face_of(card)),
        )
        await self._press(BEN, "review-tier1", case, "approve")
        await self._see("the mail may go out", lambda: self._witness.verdict(case, "approved"))

    async def _automatic(self) -> None:
        self._chapter("A summary the model is sure of: nobody is asked")
        case = await self._post("summary", "auto")
        await self._see("the service may file it", lambda: self._witness.verdict(case, "auto_approved"))
        await self._see("no card was posted", lambda: self._witness.cards(case) == 0)

    async def _audited(self) -> None:
        self._chapter("The audit log")
        directory = self._stage.directory / "export"
        database = await Database.open(self._stage.settings.database_url.get_secret_value(), serving=False)
        try:
            await export(database, directory, [VerifierKey.parse(self._stage.vkey)])
        finally:
            await database.close()
        report = verify_export(directory, trusted_vkey=self._stage.vkey)
        receipts = [one.data["receipt"]["index"] for one in self._customer.executed]
        await self._see(f"an export of {report.events} events verifies, offline", lambda: report.ok)
        await self._see("every receipt the service holds is about one of them", lambda: max(receipts) < report.events)
        entries = next(path for path in sorted(directory.rglob("*")) if is_tile_path(str(path.relative_to(directory)), report.events))
        changed = bytearray(entries.read_bytes())
        changed[-1] ^= 1
        entries.write_bytes(changed)
        await self._see("with one bit changed it does not", lambda: not verify_export(directory, trusted_vkey=self._stage.vkey).ok)
        await self._see("the service refused no callback", lambda: self._customer.refused == 0)

    # What people and the service do

    async def _post(self, name: str, lane: str) -> str:
        """The service posts a case, which is seen to be taken into this lane. Gives the case's id."""
        status, answer = await self._customer.post(self._cases[name])
        title = self._cases[name]["title"]
        await self._see(f"the service posted “{title}”: 202, {lane}", lambda: status == 202 and answer.get("lane") == lane)
        return str(answer["id"])

    async def _press(self, person: str, channel: str, case: str, verb: str) -> None:
        """Somebody presses a button of a card; Slack is answered in time. Raises MissingError."""
        card = self._witness.card(channel, case)
        if card is None:
            raise MissingError(f"the card in #{channel} is gone")
        _acknowledged(await self._slack.click(_id(person), channel, card["ts"], f"tierline:{verb}"), f"{person} presses {verb}")

    async def _fill_in(self, person: str, channel: str, case: str, verb: str, title: str, **values: str) -> None:
        """Somebody presses a button that opens a form, fills it in and submits it."""
        await self._press(person, channel, case, verb)
        form = await self._see(f"{_first(person)} has the form “{title}” open", lambda: self._witness.modal(_id(person), title))
        _acknowledged(await self._slack.submit(_id(person), form["id"], values), f"{person} submits “{title}”")

    # What there is to see

    def _closed(self, channel: str, case: str, text: str) -> Callable[[], Json | None]:
        return lambda: self._witness.closed_card(channel, case, text)

    def _has(self, channel: str, case: str, *texts: str) -> Json | None:
        card = self._witness.card(channel, case, verb="approve")
        return card if card is not None and all(text in shown(card) for text in texts) else None

    def _preview(self, *texts: str) -> Json | None:
        form = self._witness.modal(ANNA_ID, "Check your changes")
        return form if form is not None and all(text in shown(form) for text in texts) else None


def _id(person: str) -> str:
    """Slack's user name of one of Northwind's people."""
    return _SLACK_IDS[person]


_SLACK_IDS = {ANNA: "U0ANNA00001", BEN: "U0BEN000001", CHIARA: "U0CHIARA001", DMITRI: "U0DMITRI001", ELENA: "U0ELENA0001"}
ANNA_ID = _SLACK_IDS[ANNA]


def _first(name: str) -> str:
    return name.partition(" ")[0]


def _acknowledged(ack: Ack, what: str) -> None:
    if not ack.ok:
        raise MissingError(f"{what}: Slack got no answer ({ack.problem or ack.status})")


def _changed(data: Json) -> bool:
    return bool(data["action"]["params"]["price"] == "119.00" and data["modified_fields"])
