"""What a person does in Slack: press, choose, submit, close, type a command, open the Home tab. Sends the app what Slack would and shows
the person what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

from bot.sandbox.faults import Faults, Mode
from bot.sandbox.record import Record
from bot.sandbox.slack.ack import TIMED_OUT, Ack
from bot.sandbox.slack.conversations import Channel
from bot.sandbox.slack.errors import ClientError, Json, SlackError
from bot.sandbox.slack.form import elements, require_complete, selection, state_of
from bot.sandbox.slack.http_delivery import HttpDelivery
from bot.sandbox.slack.limits import check_view
from bot.sandbox.slack.modals import Modals
from bot.sandbox.slack.payloads import Payloads, action_of
from bot.sandbox.slack.response_urls import ResponseUrls
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.workspace import Workspace


class Interactions:
    """People at their clients. A person is named by id or by name, a channel by id, name or #name.

    Everything goes over HTTP when the app gave a request URL, otherwise over Socket Mode. Raises ClientError for what no client offers.
    Faults are those of peer `slack`, methods `interactive`, `slash_commands`, `events_api`: drop_reply (delivered, the acknowledgement
    lost), delay, and any other mode (never arrives).
    """

    def __init__(
        self,
        *,
        workspace: Workspace,
        modals: Modals,
        response_urls: ResponseUrls,
        http: HttpDelivery,
        socket_mode: SocketMode,
        payloads: Payloads,
        record: Record,
        faults: Faults,
    ) -> None:
        self._workspace = workspace
        self._modals = modals
        self._response_urls = response_urls
        self._http = http
        self._socket_mode = socket_mode
        self._payloads = payloads
        self._record = record
        self._faults = faults
        self._errors: dict[str, dict[str, str]] = {}

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        value: object = None,
        *,
        block_id: str | None = None,
        values: Mapping[str, object] | None = None,
        as_seen: Json | None = None,
        deliver_twice: bool = False,
    ) -> Ack:
        """Press a button of a message, or choose `value` in its menu; `value` also tells buttons of one action_id apart.

        `values`: what else is filled in on the message, by block id. `as_seen`: the message as a stale client still shows it; then
        neither its present blocks nor the person's membership are looked at. `deliver_twice`: the same payload comes once more.
        """
        self._faults.apply_due()
        person, place = self._workspace.user(user), self._workspace.any_channel(channel)
        message = as_seen or self._workspace.shown_to(person.id, place, ts)
        if as_seen is None:
            self._workspace.require_sight(person, place)
        if message is None:
            raise ClientError(f"{person.name} sees no message {ts} in #{place.name}")
        attached = [block for attachment in message.get("attachments") or [] for block in attachment.get("blocks") or []]
        blocks = [*(message.get("blocks") or []), *attached]
        block, element = _find(blocks, action_id, value, block_id)
        if person.id not in element.get("visible_to_user_ids", [person.id]):
            raise ClientError(f"{person.name} does not see {action_id!r}")
        action = action_of(block, element, selection(element, value), self._now())
        payload = self._payloads.message_action(
            person,
            place,
            message,
            action=action,
            state=_with_choice(state_of(blocks, values or {}), action),
            trigger_id=self._modals.issue_trigger(person.id),
            response_url=self._response_urls.issue(person.id, place, ts),
        )
        return await self._deliver("interactive", "block_actions", payload, twice=deliver_twice, channel=place.id, ts=ts, action=action)

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str, *, deliver_twice: bool = False) -> Ack:
        """Choose one of the app's shortcuts in the menu of a message, whoever wrote it; one that only this person was shown has none."""
        self._faults.apply_due()
        person, place = self._workspace.user(user), self._workspace.any_channel(channel)
        self._workspace.require_sight(person, place)
        message = place.messages.get(ts)
        if message is None or message.get("subtype") == "tombstone":
            raise ClientError(f"{person.name} has no menu at message {ts} in #{place.name}")
        payload = self._payloads.message_shortcut(
            person,
            place,
            message,
            callback_id,
            at=self._workspace.clock(),
            trigger_id=self._modals.issue_trigger(person.id),
            response_url=self._response_urls.issue(person.id, place, kind="app"),
        )
        return await self._deliver("interactive", "message_action", payload, twice=deliver_twice, channel=place.id, ts=ts)

    async def click_in_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        value: object = None,
        *,
        block_id: str | None = None,
        values: Mapping[str, object] | None = None,
        deliver_twice: bool = False,
    ) -> Ack:
        """Press a button or choose in a modal or on the Home tab; `values`: what is filled in so far, by block id."""
        person, view = self._view(user, view_id)
        block, element = _find(view["blocks"], action_id, value, block_id)
        action = action_of(block, element, selection(element, value), self._now())
        state = _with_choice(state_of(view["blocks"], values or {}), action)
        trigger_id = self._modals.issue_trigger(person, from_view=view["type"] == "modal")
        payload = self._payloads.view_action(self._workspace.user(person), view, action, state, trigger_id)
        return await self._deliver("interactive", "block_actions", payload, twice=deliver_twice, view=view_id, action=action)

    async def submit(self, user: str, view_id: str, values: Mapping[str, object] | None = None, *, deliver_twice: bool = False) -> Ack:
        """Fill in the modal on top and submit it; the client checks required inputs and lengths first. `values`: see `form.state_of`.

        An empty acknowledgement closes it; `response_action` errors, update, push, clear do what they say. Not acknowledged: it stays.
        """
        person, view = self._view(user, view_id)
        if view is not self._modals.top(person):
            raise ClientError(f"view {view_id} is not on top")
        state = state_of(view["blocks"], values or {})
        require_complete(view["blocks"], state)
        trigger_id = self._modals.issue_trigger(person, from_view=True)
        payload = self._payloads.view_submission(self._workspace.user(person), view, state, trigger_id)
        self._errors.pop(person, None)
        ack = await self._deliver("interactive", "view_submission", payload, twice=deliver_twice, view=view_id)
        return self._respond(person, view, ack) if ack.ok else ack

    async def close_view(self, user: str) -> Ack | None:
        """Close the modal on top, or all of them when it clears on close. The app is told only of those that asked for it."""
        person = self._workspace.user(user)
        top = self._modals.top(person.id)
        if top is None:
            raise ClientError(f"{person.name} has no modal open")
        ack = None
        for view in self._modals.close(person.id, everything=top["clear_on_close"]):
            if view["notify_on_close"]:
                payload = self._payloads.view_closed(person, view, is_cleared=top["clear_on_close"])
                ack = await self._deliver("interactive", "view_closed", payload, twice=False, view=view["id"])
        return ack

    async def command(self, user: str, channel: str, command: str, text: str = "", *, deliver_twice: bool = False) -> Ack:
        """Type a slash command; a text or message in the acknowledgement is shown in the channel as a response is."""
        self._faults.apply_due()
        person, place = self._workspace.user(user), self._workspace.any_channel(channel)
        self._workspace.require_sight(person, place)
        payload = self._payloads.slash_command(
            person,
            place,
            command,
            text,
            trigger_id=self._modals.issue_trigger(person.id),
            response_url=self._response_urls.issue(person.id, place, kind="commands"),
        )
        typed = {"command": command, "text": text}
        ack = await self._deliver("slash_commands", "slash_command", payload, twice=deliver_twice, channel=place.id, **typed)
        return self._show_reply(person.id, place, ack) if ack.ok and ack.body else ack

    async def hear(self, event: Json) -> Ack | None:
        """Something happened in the workspace that the app is told of; None where it is not listening."""
        if not self.listening:
            return None
        payload = self._payloads.event(event, self._workspace.clock())
        return await self._deliver("events_api", str(event["type"]), payload, twice=False)

    @property
    def listening(self) -> bool:
        """Whether there is an app to tell anything."""
        return bool(self._http.url) or self._socket_mode.connected > 0

    async def open_home(self, user: str, tab: str = "home") -> Ack:
        """Open the app's Home tab, or its `messages`."""
        person = self._workspace.user(user)
        view = self._modals.home(person.id) if tab == "home" else None
        payload = self._payloads.app_home_opened(person, self._workspace.direct(person.id), view, self._workspace.clock(), tab)
        return await self._deliver("events_api", "app_home_opened", payload, twice=False)

    def shown_errors(self, user: str) -> dict[str, str]:
        """What the modal on top says is wrong with the last submission, by block id."""
        return dict(self._errors.get(self._workspace.user(user).id, {}))

    def _respond(self, person: str, view: Json, ack: Ack) -> Ack:
        body = ack.body if isinstance(ack.body, dict) else {}
        try:
            match body.get("response_action"):
                case None:
                    self._modals.submitted(person, view["id"])
                case "clear":
                    self._modals.close(person, everything=True)
                case "update":
                    check_view(body.get("view"), "modal")
                    self._modals.update(body["view"], view["id"])
                case "push":
                    check_view(body.get("view"), "modal")
                    self._modals.push_for(person, body["view"])
                case "errors":
                    self._errors[person] = _errors_for(view, body.get("errors"))
                case _:
                    return ack.with_problem("unknown response_action")
        except SlackError as refusal:
            return ack.with_problem(" ".join([refusal.error, *refusal.messages]))
        return ack

    def _show_reply(self, person: str, place: Channel, ack: Ack) -> Ack:
        try:
            self._response_urls.show(person, place, ack.body if isinstance(ack.body, dict) else {"text": ack.body})
        except SlackError as refusal:
            return ack.with_problem(" ".join([refusal.error, *refusal.messages]))
        return ack

    async def _deliver(self, envelope: str, kind: str, payload: Json, *, twice: bool, **what: object) -> Ack:
        ack = await self._send(envelope, payload)
        if twice:
            ack = replace(ack, again=await self._send(envelope, payload))
        ack = replace(ack, payload=deepcopy(payload))
        person = payload.get("user_id") or payload.get("user", {}).get("id") or payload.get("event", {}).get("user")
        self._record.add(kind, user=person, status=ack.status, body=ack.body, problem=ack.problem, payload=payload, **what)
        return ack

    async def _send(self, envelope: str, payload: Json) -> Ack:
        """Deliver once, through the first fault for this kind of delivery."""
        fault = self._faults.take("slack", envelope)
        mode = None if fault is None else Mode(fault.mode)
        if fault is not None and mode is Mode.DELAY:
            await self._faults.delay(fault)
        if mode not in (None, Mode.DELAY, Mode.DROP_REPLY):
            return Ack(TIMED_OUT, {}, 0.0, TIMED_OUT)  # lost on its way
        ack = await self._transmit(envelope, payload)
        return Ack(TIMED_OUT, {}, ack.elapsed_s, TIMED_OUT) if mode is Mode.DROP_REPLY else ack

    async def _transmit(self, envelope: str, payload: Json) -> Ack:
        if self._http.url:
            return await self._http.send(envelope, payload)
        return await self._socket_mode.send(envelope, payload, accepts_response_payload=envelope != "events_api")

    def _view(self, user: str, view_id: str) -> tuple[str, Json]:
        person = self._workspace.user(user)
        view = self._modals.find(view_id, person.id)
        if view is None or person.deleted:
            raise ClientError(f"{person.name} does not see view {view_id}")
        return person.id, view

    def _now(self) -> str:
        return f"{self._workspace.clock():.6f}"


def _find(blocks: list[Json], action_id: str, value: object, block_id: str | None) -> tuple[Json, Json]:
    offered = list(elements(blocks))
    for block, element in offered:
        same = element["action_id"] == action_id and block_id in (None, block["block_id"])
        if same and (element["type"] != "button" or value in (None, element.get("value"))):
            return block, element
    raise ClientError(f"{action_id!r} {value or ''} is not there; there are {[(e['action_id'], e.get('value')) for _, e in offered]}")


def _with_choice(state: Json, action: Json) -> Json:
    chosen = {key: value for key, value in action.items() if key.startswith("selected_") or (key == "value" and action["type"] != "button")}
    if action["block_id"] in state and action["action_id"] in state[action["block_id"]]:
        state[action["block_id"]][action["action_id"]] |= chosen
    return state


def _errors_for(view: Json, errors: object) -> dict[str, str]:
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        raise SlackError("response_action errors must name input blocks of the view", [str(sorted(inputs))])
    return {str(key): str(text) for key, text in errors.items()}
