"""Why a case is here and what a decision can rest on: reasons, confidence, what the model says, evidence, checks. Never what to decide."""

from bot.cards.bar import confidence_line
from bot.cards.clockline import age
from bot.cards.drawing import Block, bullets, lines, quote, rich, run, words
from bot.cards.text import Cuts, address, clean, line, suspicious, weight
from bot.cards.view import View
from routing.submission import Check, Evidence, Feature, Submission

_WORST_FIRST = {"fail": 0, "warn": 1, "pass": 2}
_MARK = {"fail": "✗ failed", "warn": "! warning", "pass": "✓ passed"}


def why_here(view: View, cuts: Cuts) -> Block:
    """One sentence per reason."""
    some, more = cuts.few(view.case.route.reasons, 8)
    texts = [cuts.cut(line(reason.text) or line(reason.code) or "(unnamed reason)", 200) for reason in some]
    items = [*texts, *([more] if more else [])] or ["The policy sends every case of this workflow to people."]
    return rich(lines(run("Why here", "bold")), bullets(items))


def confidence(view: View) -> Block:
    """The bar with the mark automation would need."""
    return words(confidence_line(view.submission.model.confidence, view.case.route.threshold))


def sayings(view: View, cuts: Cuts) -> list[Block]:
    """What was asked and what the model wrote, thinks, weighed and filled in, each in its own words."""
    submission, model = view.submission, view.submission.model
    parts = [
        *_said("Asked", submission.request, 500, cuts),
        *_said("The model wrote", submission.output, 1_200, cuts),
        *_said("Its rationale", model.rationale, 600, cuts),
        *_said("It would answer otherwise if", model.counterfactual, 300, cuts),
        *_prefilled(view, cuts),
        *_features(model.features, cuts),
    ]
    return [rich(*parts)] if parts else []


def _said(label: str, text: str | None, most: int, cuts: Cuts) -> list[Block]:
    shown = cuts.cut(clean(text or ""), most)
    return [lines(run(label, "bold")), quote(shown)] if shown else []


def _prefilled(view: View, cuts: Cuts) -> list[Block]:
    prefill = view.submission.prefill
    if prefill is None:
        return []
    filled = (("category", prefill.category), ("priority", prefill.priority), ("summary", prefill.summary))
    said = " · ".join(f"{name}: {line(text)}" for name, text in filled if text and line(text))
    return [lines(run("Filled in by the model  ", "bold"), run(cuts.cut(said, 400)))] if said else []


def _features(features: tuple[Feature, ...], cuts: Cuts) -> list[Block]:
    """The five that weigh most; being a selection, it is not a cut."""
    heaviest = sorted(features, key=lambda feature: -abs(feature.weight or 0.0))[:5]
    said = " · ".join(cuts.cut(feature_text(feature), 120) for feature in heaviest)
    rest = len(features) - len(heaviest)
    more = f" · {rest} lighter ones in the full evidence" if rest else ""
    return [lines(run("Weighed most  ", "bold"), run(said + more))] if said else []


def feature_text(feature: Feature) -> str:
    """`amount = 1240 (+0.41)`."""
    value = "" if feature.value is None else f" = {line(str(feature.value))}"
    weight = "" if feature.weight is None else f" ({feature.weight:+.3g})"
    return f"{line(feature.name)}{value}{weight}"


def signals(view: View, cuts: Cuts) -> list[Block]:
    """Checks (worst first), flags, and what the service knows to be missing, contradictory or out of date."""
    submission = view.submission
    checks = tuple(sorted(submission.checks, key=lambda check: _WORST_FIRST[check.result]))
    some, more = cuts.few(checks, 6)
    items: list[list[Block]] = [[run(cuts.cut(check_text(check), 220), *(["bold"] if check.result == "fail" else []))] for check in some]
    items += [[run(more)]] if more else []
    context = submission.context
    named = (
        ("Flags", submission.risk.flags),
        ("Missing", context.missing),
        ("Contradictory", context.conflicts),
        ("Out of date", context.stale),
    )
    items += [[run(f"{name}: ", "bold"), run(cuts.cut(", ".join(map(line, texts)), 300))] for name, texts in named if texts]
    hiding = [name for name, text in _texts(submission) if suspicious(text)]
    if hiding:
        items.append([run("Hidden characters ", "bold"), run(f"were taken out of: {', '.join(hiding)}; the full evidence spells them out")])
    return [rich(lines(run("Checks and flags", "bold")), bullets(items))] if items else []


def _texts(submission: Submission) -> list[tuple[str, str]]:
    model = submission.model
    sources = " ".join(evidence.text or "" for evidence in submission.evidence)
    told = {"title": submission.title, "request": submission.request, "output": submission.output}
    return [(name, text) for name, text in (told | {"rationale": model.rationale, "sources": sources}).items() if text]


def check_text(check: Check) -> str:
    """`✗ failed: second-model (gpt-x): amounts differ`."""
    by = f" ({line(check.by)})" if check.by else ""
    detail = f": {line(check.detail)}" if check.detail else ""
    return f"{_MARK[check.result]}: {line(check.name)}{by}{detail}"


def sources(view: View, cuts: Cuts) -> list[Block]:
    """The first few sources with their age; a short text stands there in full, a long one waits in the full evidence."""
    if not view.submission.evidence:
        return [rich(lines(run("Evidence  ", "bold"), run("none was given")))]
    some, more = cuts.few(view.submission.evidence, 4)
    items = [_source(evidence, view, cuts) for evidence in some] + ([[run(more)]] if more else [])
    return [rich(lines(run("Evidence", "bold")), bullets(items))]


def _source(evidence: Evidence, view: View, cuts: Cuts) -> list[Block]:
    runs = [run(cuts.cut(source_title(evidence), 120), "bold"), run(f" · {source_age(evidence, view)}")]
    text = line(evidence.text or "")
    if text and weight(text) <= 160:
        runs.append(run(f" · “{text}”"))
    elif text:
        runs.append(run(f" · {len(text):,} characters in the full evidence"))
    if evidence.url is not None:
        runs.append(run(" · " + cuts.cut(address(evidence.url), 160)))
    return runs


def source_title(evidence: Evidence) -> str:
    """`record crm-17: Customer record`."""
    title = line(evidence.title or "")
    return f"{evidence.kind} {line(evidence.id)}" + (f": {title}" if title else "")


def source_age(evidence: Evidence, view: View) -> str:
    """How old the source is: since it was updated, else since it was fetched."""
    if evidence.updated_at is not None:
        return age(evidence.updated_at, view.now)
    if evidence.retrieved_at is not None:
        return f"fetched copy, {age(evidence.retrieved_at, view.now)}"
    return "age unknown"
