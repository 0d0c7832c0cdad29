"""The checklist of a step: the form that asks for it item by item, what was answered, and how its results are told. Never judges them.

Protocol: one input block `check:<item id>` with the element `value`, whose options are pass, fail and na. Nothing is chosen beforehand:
whoever verifies says each item themselves.
"""

from collections.abc import Mapping
from typing import Any

from bot.slack.cards.parts.clock_line import place
from bot.slack.cards.text.block_kit import Block, plain, words
from bot.slack.cards.text.safe_text import brief, line
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import Happening
from routing.authorize import demands
from routing.case.case import Case, Item, Step
from routing.vocabulary import Verb

PREFIX = "check:"
_ANSWERS = {"pass": "Pass", "fail": "Fail", "na": "Not applicable"}
_LISTED_MOST = 12


def step_now(case: Case) -> Step | None:
    """The step that people take next; None in a lane without people."""
    return case.route.steps[case.step] if case.step < len(case.route.steps) else None


def confirming(case: Case) -> bool:
    """Whether people decide on what the model filled in, and nothing else."""
    step = step_now(case)
    return step is not None and step.name == "triage"


def asked(case: Case) -> tuple[Item, ...]:
    """What has to be answered to say yes at the present step; empty where it has no checklist."""
    step = step_now(case)
    return step.checklist if step is not None else ()


def form_first(verb: Verb, case: Case) -> bool:
    """Whether a press asks for a reason, for words, for a checklist or to be confirmed in a form before it counts."""
    wanted = demands(verb, case)
    return wanted.reason or wanted.text or wanted.confirm or (verb is Verb.APPROVE and bool(asked(case)))


def inputs(case: Case) -> list[Block]:
    """What a fail does, then an input per item; nothing where the step has no checklist."""
    items = asked(case)
    return [words(f"*Any fail {if_failed(case)}.* Say below what is wrong then."), *map(_input, items)] if items else []


def author_inputs(case: Case) -> list[Block]:
    """The same for whoever modifies: it begins again at the first step, whose checklist their one vote has to answer."""
    items = case.route.steps[0].checklist if case.route.steps else ()
    if not items:
        return []
    return [words("*With your changes, is it right?* Any fail leaves the case to somebody else, without your vote."), *map(_input, items)]


def if_failed(case: Case) -> str:
    """Where a fail leads: mrkdwn that goes on from `any fail`."""
    if any(step.name == "triage" for step in case.route.steps[: case.step]):
        return "sends the case back to triage"
    above = case.tier + 1
    if above < len(case.route.tiers):
        return f"sends the case up to {place(above, case.route.tiers[above])}"
    return "holds the case, because this is the top tier"


def read_answers(values: Mapping[str, Any]) -> dict[str, str] | None:
    """What a form says of each item, None for a form without a checklist. State values as Slack sends them."""
    given = {block_id.removeprefix(PREFIX): state for block_id, state in values.items() if block_id.startswith(PREFIX)}
    if not given:
        return None
    return {item: str(((state.get("value") or {}).get("selected_option") or {}).get("value") or "") for item, state in given.items()}


def results(answers: Mapping[str, str]) -> str:
    """`8 of 8 passed`, `7 of 8 passed, 1 not applicable`; "" without answers."""
    if not answers:
        return ""
    beside = sum(answer == "na" for answer in answers.values())
    passed = sum(answer == "pass" for answer in answers.values())
    return f"{passed} of {len(answers)} passed" + (f", {beside} not applicable" if beside else "")


def failed(answers: Mapping[str, str] | None) -> list[str]:
    """Ids of the items that failed."""
    return [item for item, answer in (answers or {}).items() if answer == "fail"]


def told_failed(happening: Happening) -> str:
    """The items that a failed verification names, `Evidence, Policy`; to be escaped for mrkdwn."""
    items = happening.fields.get("items")
    return named([str(item) for item in items] if isinstance(items, list | tuple) else [])


def named(items: list[str]) -> str:
    """Items by id as words, to be escaped for mrkdwn."""
    return ", ".join(brief(code_label(item), 80) for item in items[:_LISTED_MOST])


def _input(item: Item) -> Block:
    options = [{"text": plain(label), "value": answer} for answer, label in _ANSWERS.items()]
    element = {"type": "radio_buttons", "action_id": "value", "options": options}
    return {"type": "input", "block_id": f"{PREFIX}{item.id}", "label": plain(line(item.text) or item.id), "element": element}
