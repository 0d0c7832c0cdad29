"""The alarm that pages do not get through: how many, since when and why, which cases, and who has them another way.

Owns its words. Whoever reads it in Slack may be the only one who is told, so what has reached nobody stands first.
"""

from collections.abc import Sequence

from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Block, Drawing, header, small_words, words
from bot.slack.cards.text.mentions import linked, mention
from bot.slack.cards.text.safe_text import brief, escaped
from bot.slack.cards.view import Bulletin, WaitingPage
from routing.governance.paging_alarm import PagingAlarm
from routing.governance.paging_alarm_lifecycle import shown_alarm
from routing.vocabulary import PageRoute

SHOWN = 10
"""Pages that are listed; of the others the number is said."""

_HAS = {PageRoute.PAGERDUTY: "PagerDuty", PageRoute.SECOND_KEY: "the second routing key", PageRoute.EMAIL: "e-mail"}


def draw_waiting_pages(bulletin: Bulletin, alarm: PagingAlarm) -> Drawing:
    """The message as it stands now."""
    if alarm.posted != shown_alarm(bulletin.tier) and not alarm.over:
        title = "🔁 Pages that do not get through: a newer message says how it stands now"
        return Drawing(title, [words(f"*{title}*")])
    pages = bulletin.pages
    if alarm.over or not pages:
        until = f" It was so from {moment(alarm.since)} to {moment(alarm.over_at)}." if alarm.over_at is not None else ""
        return _over(f"No page waits for its first route any more.{until}")
    nobody = [one for one in pages if not one.page.accepted]
    title = f"🚨 {_pages(len(nobody))} reached nobody" if nobody else f"⚠️ {_pages(len(pages))} took another way"
    listed = [*nobody, *(one for one in pages if one.page.accepted)]
    said = _only_you(len(nobody), len(pages)) if nobody else _another_way(pages)
    blocks: list[Block] = [
        header(brief(title, 140)),
        words(f"*{_pages(len(pages))} {'have' if len(pages) != 1 else 'has'} not been taken by the first route.* {said}"),
        *(words(_line(bulletin, one)) for one in listed[:SHOWN]),
        *([small_words(f"… and {len(listed) - SHOWN:,} more")] if len(listed) > SHOWN else []),
        words(
            "*What helps:* look whether PagerDuty is up, whether the routing keys in the policy are those of its integrations, and whether"
            " `TIERLINE_SMTP_URL` and the addresses are right. Tierline goes on trying until each is taken or not needed any more."
        ),
        *([words("Owners of the policy: " + " ".join(map(mention, bulletin.owners)))] if bulletin.owners and nobody else []),
        small_words(f"Since {moment(alarm.since)}; as it was {moment(bulletin.now)}"),
    ]
    return Drawing(escaped(title, 200), blocks)


def _only_you(unreached: int, pages: int) -> str:
    if unreached < pages:
        return f"Nobody has {unreached:,} of them but you: please see to {'that case' if unreached == 1 else 'those cases'} now."
    return f"Nobody has {'it but you: please see to this case' if pages == 1 else 'them but you: please see to these cases'} now."


def _another_way(pages: Sequence[WaitingPage]) -> str:
    """That each was taken another way; where that was e-mail alone, that it rings nobody."""
    said = "It was taken another way." if len(pages) == 1 else "Each was taken another way."
    mailed = any(one.page.accepted == (PageRoute.EMAIL,) for one in pages)
    return f"{said} *E-mail rings nobody: please see whether somebody has read it.*" if mailed else said


def _line(bulletin: Bulletin, one: WaitingPage) -> str:
    case, link = one.case, bulletin.links.get(one.case.id, "")
    name = linked(link, case.id) or f"`{case.id}`"
    has = " and ".join(_HAS[route] for route in one.page.accepted)
    reached = f"taken by {has}" if has else "*nobody has it*"
    since = f", since {moment(one.page.since)}" if one.page.since is not None else ""
    why = f" ({escaped(one.error, 120)})" if one.error else ""
    return f"{name} · {case.route.risk.value} risk · {escaped(case.workflow, 60)}, tier {one.page.tier + 1}: {reached}{since}{why}"


def _over(how: str) -> Drawing:
    title = "✅ Pages that did not get through"
    return Drawing(title, [words(f"*{title}*\n{how}")])


def _pages(count: int) -> str:
    return f"{count:,} page{'s' if count != 1 else ''}"
