"""What a model proposes, held against what its workflow demands of it (REQUIREMENTS I4). Owns these checks and the lane each demands.

| signal | fires when | lane |
|---|---|---|
| action_schema | the parameters break the schema of their action type | specialist |
| forbidden_terms | output or action holds a forbidden term | specialist |
| entity | a value that must be an id of the subject or of an entity is none | expert |
| required_terms | the output lacks a required term | review |
| citations | the output cites fewer sources than it must, or what is no source of the case | review |
| change | a parameter is further from `action.before` than the policy lets pass, or that cannot be told | review |
| generic_answer | the output says next to nothing, or holds a stock phrase | review |
| instructions_in_input | request or evidence reads like instructions to the model | review |

Facts that make a decision unsafe ask for senior people: an action about somebody else may be a mix-up of persons. Hints
ask for a look. Values are the policy's own words and counts: what a service wrote stays in the vault. A jump of the confidence
against recent cases is not looked at here, since it takes their history: the breaker `mean_confidence_drop` has it.
"""

from collections.abc import Iterator

from routing.case.paths import value_at
from routing.case.submission import Submission
from routing.evaluation.change_limits import large_changes
from routing.evaluation.required import cited
from routing.evaluation.stock_phrases import FEWEST_LETTERS, GENERIC, reads_like_instructions
from routing.evaluation.terms import folded, holds
from routing.policy.form.form import Workflow
from routing.policy.params_schema import broken_names
from routing.signals import Signal, Trigger, fired, passed
from routing.vocabulary import Lane

_APART = "\n¦\n"
"""Between texts that are searched together, so that no term is found across two of them."""


def post_checks(workflow: Workflow, submission: Submission) -> tuple[Signal, ...]:
    """A signal for each check that the workflow asks for, also for those that pass."""
    return tuple(_checks(workflow, submission))


def _checks(workflow: Workflow, submission: Submission) -> Iterator[Signal]:
    checks, output = workflow.checks, folded(submission.output or "")
    schema = workflow.action_schemas.get(submission.action.type)
    if schema is not None:
        names = broken_names(schema, submission.action.params)
        yield _named("action_schema", Trigger.SCHEMA_BROKEN, Lane.SPECIALIST, names, "the parameters fit the schema")
    if checks.forbidden:
        text = folded(_APART.join((submission.output or "", submission.action.type, *_texts(submission.action.params))))
        found = tuple(term for term in checks.forbidden if holds(text, folded(term)))
        yield _named("forbidden_terms", Trigger.FORBIDDEN_TERM, Lane.SPECIALIST, found, "none was found")
    if checks.required:
        absent = tuple(term for term in checks.required if not holds(output, folded(term)))
        yield _named("required_terms", Trigger.REQUIRED_TERM_MISSING, Lane.REVIEW, absent, "all are there")
    if checks.citations:
        yield from _citations(checks.citations, submission)
    if checks.entity:
        wrong = tuple(path for path in checks.entity if not _matches(submission, path))
        yield _named("entity", Trigger.ENTITY_MISMATCH, Lane.EXPERT, wrong, "the action is about the subject or an entity of the case")
    if checks.change_percent or checks.change_amount:
        large = large_changes(checks.change_percent, checks.change_amount, submission.action)
        yield _named("change", Trigger.CHANGE_LARGE, Lane.REVIEW, large, "each change is within the limits")
    if checks.heuristics:
        yield _generic(output, given=submission.output is not None)
        yield _instructions(submission)


def _named(name: str, trigger: Trigger, lane: Lane, found: tuple[str, ...], why: str) -> Signal:
    """A signal that fires where something was found, and says what in the policy's words: three at most, and how many more."""
    if not found:
        return passed(name, "ok", why)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return fired(name, trigger, lane, ", ".join(found[:3]) + more)


def _citations(least: int, submission: Submission) -> Iterator[Signal]:
    known, unknown = cited(submission)
    if len(known) < least:
        yield fired("citations", Trigger.CITATION_MISSING, Lane.REVIEW, len(known), least)
    if unknown:
        yield fired("citations", Trigger.CITATION_UNKNOWN, Lane.REVIEW, len(unknown), 0)
    if len(known) >= least and not unknown:
        yield passed("citations", len(known), "each is a source of the case", least)


def _matches(submission: Submission, path: str) -> bool:
    """Whether the value at a path, or each value of a list there, is an id of the case; a path that is not there names nobody."""
    value = value_at(submission, path)
    ids = {entity.id for entity in submission.entities} | ({submission.subject.id} if submission.subject else set())
    values = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return all(isinstance(one, str | int) and str(one) in ids for one in values)


def _generic(output: str, *, given: bool) -> Signal:
    """An output that was not given is no answer at all: whether there must be one is for `required` to say."""
    short = given and sum(map(str.isalnum, output)) < FEWEST_LETTERS
    if short or any(phrase in output and holds(output, phrase) for phrase in GENERIC):
        return fired("generic_answer", Trigger.GENERIC_ANSWER, Lane.REVIEW)
    return passed("generic_answer", "no", "no stock phrase was found" if given else "there is no output")


def _instructions(submission: Submission) -> Signal:
    evidence = (text for one in submission.evidence for text in (one.title, one.text))
    texts = [text for text in (submission.request, *evidence) if text]
    if count := reads_like_instructions(texts):
        return fired("instructions_in_input", Trigger.INSTRUCTIONS_IN_INPUT, Lane.REVIEW, count)
    return passed("instructions_in_input", 0, "no such text was found")


def _texts(value: object) -> Iterator[str]:
    """Every key and every value of the parameters as text."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None:
        yield str(value)
