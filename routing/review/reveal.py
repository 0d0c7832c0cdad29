"""Somebody looks at what is masked: the step records who and at which places, and changes nothing else. It never holds the values."""

from routing.canonical import Json
from routing.case.people import Press
from routing.change import Actor
from routing.privacy.masking import mask
from routing.review.draft import Draft
from routing.review.press import PressStep, by_person
from routing.vocabulary import EventKind

PATHS_MOST = 100
_PATH_MOST = 200


def reveal(press: Press) -> PressStep:
    """Record that a person sees the original values. Needs the case's content and its policy.

    `paths` are those of the content, then `history` for what people and the service said. A leaf is small (64 KiB), so of many places the
    first `PATHS_MOST` are named; `masked` says how many there are.
    """

    def look(draft: Draft, actor: Actor) -> None:
        content, policy = draft.subject.submission, draft.subject.policy
        if content is None or policy is None:
            raise ValueError("reveal needs the case's content and its policy")
        workflow = policy.workflow(draft.case.workflow)
        paths = mask(content, workflow.sensitive if workflow is not None else None).paths
        named: list[Json] = [path[:_PATH_MOST] for path in paths[:PATHS_MOST]]
        draft.record(EventKind.REVEALED, actor, {"paths": [*named, "history"], "masked": len(paths), "face": press.face})

    return by_person(press, look)
