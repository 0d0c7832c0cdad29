"""A dozen pages as whoever is woken by them reads them: the line on the phone, what to do first, the mail. Look at it when it changes."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from escalation.mail_words import body_of, subject_of
from escalation.page_words import first_steps, summary_of
from routing.case.case import Case, Clocks, DrillPart, OpenPage, Page, Reason, Repeat, Tier
from routing.vocabulary import CaseKind, DrillKind, Exhausted, PageRoute, Risk, State, Verdict
from tests.routing.factory import NOON, a_case, a_route
from tests.routing.low_risk import golden

LINK = "https://northwind.slack.com/archives/C0TIER20001/p1763640000000100"
FIRST, SECOND, MAIL = PageRoute.PAGERDUTY, PageRoute.SECOND_KEY, PageRoute.EMAIL
HOSTILE = "refund.create\r\nBcc: everybody@evil.example\r\n\r\n\u202eLOOK"
MINUTES: dict[str, Any] = {name: NOON + timedelta(minutes=minutes) for name, minutes in (("acknowledge", 15), ("decide", 30))}


def paged(page: dict[str, Any] | None = None, route: dict[str, Any] | None = None, **changes: Any) -> Case:
    """A case at the second of two tiers, whose page is out."""
    values: dict[str, Any] = {"tier": 1, "clocks": Clocks(**MINUTES), "pages": (OpenPage(tier=1, round=1, since=NOON, **(page or {})),)}
    reasons = (Reason(code="rule", text="The amount is over 1,000."), Reason(code="confidence", text="Confidence 0.83 is below 0.92."))
    return a_case(**(values | {"route": a_route(**({"risk": Risk.HIGH, "reasons": reasons} | (route or {})))} | changes))


def tiers(**last: Any) -> tuple[Tier, ...]:
    """The two tiers, the second as a test has it."""
    first, second = a_route().tiers
    return first, second.model_copy(update=last)


def dozen() -> Iterator[tuple[str, Case, str]]:
    """What each is, its case, and the link to its card."""
    yield "the second tier, by mail because PagerDuty does not answer", paged({"routes": (FIRST, MAIL), "failed": (FIRST,)}), LINK
    yield "without a link to the card", paged({"routes": (FIRST, MAIL), "failed": (FIRST,)}), ""
    taken: dict[str, Any] = {"acknowledged_by": "U0SENIOR", "clocks": Clocks(decide=MINUTES["decide"])}
    yield "somebody has taken it", paged({"accepted": (FIRST,), "acknowledged_by": "U0SENIOR"}, **taken), LINK
    held = Clocks(hold=NOON + timedelta(hours=4))
    yield "held and asked about again", paged(state=State.HELD, held_by="ladder", clocks=held), LINK
    yield "in quarantine", paged(state=State.HELD, held_by="quarantine", clocks=held), LINK
    yield "its service is asked", paged(state=State.NEEDS_INFO, clocks=Clocks(information=NOON + timedelta(days=1))), LINK
    yield "a check failed", paged(route={"risk": Risk.LOW}, failed_checks=1), LINK
    yield "critical, and it expires", paged(route={"risk": Risk.CRITICAL, "exhausted": Exhausted.REJECT}), LINK
    yield "due days from now", paged(clocks=Clocks(decide=NOON + timedelta(days=3))), LINK
    repeated = tiers(email=True, page=Page(severity="critical", second_key=True), repeat=Repeat(every_s=300, most=12), ack_s=3_600)
    yield "paged again and again", paged({"routes": (FIRST, MAIL), "accepted": (FIRST,)}, {"tiers": repeated}), LINK
    yield "by mail alone", paged({"routes": (MAIL,)}, {"tiers": tiers(page=None, email=True)}), LINK
    yield "the second key has it too", paged({"routes": (FIRST, SECOND, MAIL), "failed": (FIRST,), "accepted": (SECOND,)}), LINK
    yield "names that want to be more than names", paged({"routes": (MAIL,)}, action_type=HOSTILE, workflow="refunds\nSubject: x"), LINK
    part = {"kind": CaseKind.DRILL, "parent": "d_1", "drill": DrillPart(kind=DrillKind.NOBODY_AVAILABLE, to=1)}
    yield "a drill", paged({"routes": (FIRST, MAIL), "failed": (FIRST,)}, {"exhausted": Exhausted.REJECT}, **part), LINK
    yield "decided meanwhile", paged(state=State.DECIDED, verdict=Verdict.APPROVED, clocks=Clocks()), LINK


def text_of(what: str, case: Case, link: str) -> str:
    """All there is to read of one."""
    page = case.pages[0]
    parts = [f"=== {what}", f"On the phone: {summary_of(case, 1)}", *first_steps(case, 1, link), "", f"Subject: {subject_of(case, 1)}", ""]
    return "\n".join([*parts, body_of(case, page, link, NOON, "northwind")])


def test_pages_read_like_this() -> None:
    """Summary, severity, what to do first, link."""
    golden("pages.txt", "\n".join(text_of(*one) for one in dozen()))


@pytest.mark.parametrize(("what", "case", "link"), list(dozen()))
def test_no_mail_has_more_headers_than_we_wrote(what: str, case: Case, link: str) -> None:
    """Whatever a service calls its actions, on the wire there is one subject and nobody else is written to."""
    mail = EmailMessage(policy=SMTP)
    mail["To"] = "duty@northwind.example"
    mail["Subject"] = subject_of(case, 1)
    mail.set_content(body_of(case, case.pages[0], link, NOON, "northwind"))
    head, _, body = mail.as_bytes().partition(b"\r\n\r\n")
    names = [line.split(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert sorted(names) == sorted({b"to", b"subject", b"content-type", b"content-transfer-encoding", b"mime-version"})
    assert len(subject_of(case, 1)) <= 180
    assert b"\nBcc:" not in body
