"""Where an answer came from, and what a reader needs to find and to prove the case. Small lines; never a button."""

from bot.slack.cards.parts.clock_line import age
from bot.slack.cards.text.block_kit import Block, small
from bot.slack.cards.text.percentages import percent
from bot.slack.cards.text.safe_text import Cuts, brief, line
from bot.slack.cards.view import View


def provenance(view: View, cuts: Cuts) -> str:
    """Which model, which prompt, how old, from how many sources and how fresh they are: what the service told of that."""
    model, sources = view.submission.model, view.submission.evidence
    told = (
        " ".join(line(part) for part in ("Model", model.name or "not named", model.version or "") if part),
        f"prompt {line(model.prompt_version)}" if model.prompt_version else "",
        f"last trained {line(model.trained_at)}" if model.trained_at else "",
    )
    dated = [evidence.updated_at for evidence in sources if evidence.updated_at is not None]
    count = f"{len(sources)} source{'s' if len(sources) != 1 else ''}"
    oldest = (
        f", oldest {age(min(dated), view.now)}"
        if dated
        else ", of unknown age"
        if sources and not any(path.startswith("evidence.") and path.endswith("_at") for path in view.masked)
        else ""
    )
    parts = [*(part for part in told if part), count + oldest]
    if model.retrieval_quality is not None:
        parts.append(f"retrieval quality {percent(model.retrieval_quality)}")
    return cuts.cut(" · ".join(parts), 400)


def footer(view: View) -> Block:
    """What a reader needs to find and to prove this case: id, revision, action, policy, checkpoint."""
    case = view.case
    parts = [
        f"Case {case.id}",
        f"revision {case.revision}",
        f"action {case.action_sha256[:12]}",
        f"policy {brief(case.route.policy_version, 60)}",
    ]
    return small(" · ".join([*parts, *([f"log {brief(view.checkpoint, 60)}"] if view.checkpoint else [])]))
