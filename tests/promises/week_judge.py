"""The verdict on a week, by promises P3 and P4: from what PagerDuty and the mail server saw, and from when somebody had to be paged by
`tests.promises.pages_due`. The bot is not asked, and nothing that it says is believed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.sandbox.record import Seen
from tests.promises.pages_due import Page, Rung
from tests.promises.week_company import LADDERS, TIER2
from tests.promises.week_story import Diary, Spell, pages_of

AT_ONCE, BACK = timedelta(seconds=30), timedelta(seconds=60)
"""How late a page may be: after its deadline, and after PagerDuty or the bot came back."""

LAG = timedelta(seconds=2)
"""How far turns may lag behind in a world whose clock jumps; far below anything that is promised."""

TAKES_NOTHING = ("gone", "failing", "throttled", "refusing", "late", "down")
"""Troubles in which no event gets through at once, whatever its key."""

NO_WORD = ("gone", "lost", "late")
"""Troubles in which a try ends without a word, so that another with the same key is no mistake."""

Name = tuple[str, int, int]
"""A page: case, tier (0-based) and round."""


@dataclass
class Incident:
    """What rang: whom, when, and every trigger that it got."""

    page: Name
    service: str
    opened: datetime
    triggers: list[datetime] = field(default_factory=list)
    resolved: datetime | None = None


def judge(diary: Diary, seen: Sequence[Seen], letters: Sequence[tuple[float, str]], services: Mapping[str, str]) -> list[str]:
    """Everything that is wrong, one sentence each. `services`: their ids by routing key; `letters`: unix seconds and Message-ID."""
    incidents, mails = _incidents(seen, services), _mails(letters)
    due = {(told.id, page.tier, page.round): (told, page) for told in diary.cases for page in pages_of(told, diary)}
    found = [f"{name} was paged, and nobody had to be" for name in (incidents.keys() | mails.keys()) - due.keys()]
    for name, (told, page) in due.items():
        rung = LADDERS[told.ladder].rungs[page.tier]
        fate = _Fate(diary, rung, page, incidents.get(name, []), mails.get(name, []))
        found += [f"{name} of {told.ladder}, due {page.at}, taken {page.taken}, over {page.over}: {wrong}" for wrong in fate.wrongs()]
    return found


@dataclass
class _Fate:
    """What became of one page."""

    diary: Diary
    rung: Rung
    page: Page
    incidents: Sequence[Incident]
    mails: Sequence[datetime]

    def wrongs(self) -> Iterator[str]:
        """What is wrong with it."""
        yield from self._missed()
        yield from self._unreached()
        yield from self._needless()
        yield from self._twice()
        yield from self._left_open()

    @property
    def _needed_until(self) -> datetime:
        return min(at for at in (self.page.taken, self.page.over, self.diary.end) if at is not None)

    def _opened(self, service: str) -> list[datetime]:
        return [one.opened for one in self.incidents if one.service == service]

    def _missed(self) -> Iterator[str]:
        """Accepted by the first service within 30 s, or 60 s after it was back."""
        if not self.rung.service:
            return
        for since, until in self._quiet(self.rung.service, self.page.at, self._needed_until):
            by = since + (AT_ONCE if since == self.page.at else BACK)
            if by <= until:
                at = min(self._opened(self.rung.service), default=None)
                if at is None or at > by + LAG:
                    yield f"accepted {at}, and by {by} it should have been"
                return

    def _unreached(self) -> Iterator[str]:
        """Somebody is reached another way: by mail at once where that is the first way, else once the first had its time or refused."""
        rung, page = self.rung, self.page
        reached = [*self.mails, *(one.opened for one in self.incidents)]
        if rung.mail and (rung.every is not None or not rung.service):
            by, reached = page.at + AT_ONCE, [*self.mails]
        elif self._refused(page.at):
            by = page.at + BACK
        else:
            by = self.diary.awake(page.at + rung.patience) + BACK
        second = bool(rung.second) and any(until - since >= BACK for since, until in self._quiet(rung.second, page.at, by))
        if (rung.mail or second) and by <= self._needed_until and min(reached, default=self.diary.end) > by + LAG:
            yield f"nobody was reached by {by}: {reached}"

    def _needless(self) -> Iterator[str]:
        """Nobody is rung too early, nor for what is taken or over, nor by another way without need."""
        page = self.page
        for how, at in [*((one.service, at) for one in self.incidents for at in one.triggers), *(("mail", at) for at in self.mails)]:
            if at < page.at - LAG:
                yield f"{how} was rung at {at}, before it was due"
            if page.over is not None and at > page.over:
                yield f"{how} was rung at {at}, when it was over"
            elif page.taken is not None and at > page.taken:
                yield f"{how} was rung at {at}, when somebody had taken it"
            first = how == self.rung.service or (how == "mail" and (self.rung.every is not None or not self.rung.service))
            if not first and not any(spell.since <= at and spell.until >= page.since for spell in self.diary.spells):
                yield f"{how} was rung at {at}, and nothing was amiss"

    def _twice(self) -> Iterator[str]:
        for service in {one.service for one in self.incidents}:
            if len(opened := self._opened(service)) > 1:
                yield f"{service} was rung at {opened}"
        for one in self.incidents:
            if len(one.triggers) > 1 and not any(spell.what in NO_WORD and spell.until >= self.page.at for spell in self.diary.spells):
                yield f"{one.service} was triggered at {one.triggers}"
        if len(self.mails) > 1:
            yield f"mails went out at {self.mails}"

    def _left_open(self) -> Iterator[str]:
        """What is over is resolved in PagerDuty within 30 s, or 60 s after it was back."""
        if self.page.over is None:
            return
        for one in self.incidents:
            begin = max(self.page.over, one.opened)
            for since, until in self._quiet(one.service, begin, self.diary.end):
                by = since + (AT_ONCE if since == begin else BACK)
                if by <= until:
                    if one.resolved is None or one.resolved > by + LAG:
                        yield f"{one.service} was resolved {one.resolved}, and by {by} it should have been"
                    break

    def _refused(self, at: datetime) -> bool:
        return any(spell.since <= at < spell.until and self._refuses(spell) for spell in self.diary.spells)

    def _refuses(self, spell: Spell) -> bool:
        return spell.what == "refusing" or (spell.what == "disabled" and self.rung.service == TIER2)

    def _quiet(self, service: str, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The times in which this service takes what comes."""
        for spell in sorted(self.diary.spells, key=lambda spell: spell.since):
            if (spell.what in TAKES_NOTHING or (spell.what == "disabled" and service == TIER2)) and spell.until > since:
                if spell.since > since:
                    yield since, min(spell.since, until)
                since = spell.until
            if since >= until:
                return
        yield since, until


def _incidents(seen: Sequence[Seen], services: Mapping[str, str]) -> dict[Name, list[Incident]]:
    """Every incident, from what PagerDuty saw, in the order in which it did."""
    found, by_id, last = defaultdict[Name, list[Incident]](list), dict[str, Incident](), None
    for one in sorted(seen, key=lambda one: one.at):
        match one.kind:
            case "event" if one.data["action"] == "trigger" and one.data["joined"] is None:
                last = Incident(_page(one.data["key"]), services[one.data["routing_key"]], _moment(one.at), [_moment(one.at)])
                found[last.page].append(last)
            case "event" if one.data["action"] == "trigger":
                by_id[one.data["joined"]].triggers.append(_moment(one.at))
            case "opened" if last is not None:
                by_id[one.data["incident_id"]] = last
            case "resolved":
                by_id[one.data["incident_id"]].resolved = _moment(one.at)
            case _:
                pass
    return found


def _mails(letters: Sequence[tuple[float, str]]) -> dict[Name, list[datetime]]:
    found = defaultdict[Name, list[datetime]](list)
    for at, message_id in letters:
        case_id, tier, number, _ = message_id.strip("<>").split("@")[0].split(".")
        found[case_id, int(tier) - 1, int(number)].append(_moment(at))
    return found


def _page(key: str) -> Name:
    _, case_id, tier, number, *_ = key.split("/")
    return case_id, int(tier) - 1, int(number)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
