"""Where an answer came from, and what a reader needs to find and to prove the case. Small lines; never a button."""

from bot.slack.cards.parts.clock_line import age
from bot.slack.cards.text.block_kit import Block, small
from bot.slack.cards.text.safe_text import brief, escaped, line
from bot.slack.cards.view import View


def strip(view: View) -> str:
    """Mrkdwn, the same in few words: which model, from how many sources and how fresh, which action. All of it is told in the details."""
    model, sources = view.submission.model, view.submission.evidence
    who = " ".join(line(part) for part in (model.name or "model not named", model.version or "") if part)
    dated = [evidence.updated_at for evidence in sources if evidence.updated_at is not None]
    oldest = f", oldest {age(min(dated), view.now).removesuffix(' old')}" if dated else ""
    count = f"{len(sources) or 'no'} source{'' if len(sources) == 1 else 's'}"
    return " · ".join([escaped(who, 80), count + oldest, f"action {view.case.action_sha256[:8]}"])


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
