"""Digests of pages as whoever is woken by them reads them: the line on the phone, what to do first, the list, the mail."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from escalation.digest_words import digest_details, digest_lines, digest_mail, digest_steps, digest_summary
from escalation.pager import DigestKey, digest_event_of, read_key
from routing.case.case import Case, Clocks, OpenPage, Page
from routing.change import MessageKind
from routing.governance.digest import Digest, Listed
from routing.vocabulary import PageRoute, Risk, State, Verdict
from tests.routing.factory import NOON, a_case, a_route
from tests.routing.low_risk import golden

HOSTILE = "refund.create\r\nBcc: everybody@evil.example\r\n\r\n\u202eLOOK"
RISKS = (Risk.LOW, Risk.HIGH, Risk.MEDIUM, Risk.CRITICAL)


def a_listed_case(number: int, **changes: Any) -> Case:
    """A case at the second tier whose page is listed."""
    clocks = Clocks(acknowledge=NOON + timedelta(minutes=15 + number))
    page = OpenPage(tier=1, round=1, digest="s_1", routes=())
    given = {"id": f"c_{number:026d}", "tier": 1, "clocks": clocks, "pages": (page,), "route": a_route(risk=RISKS[number % 4])}
    return a_case(**(given | changes))


def a_digest(cases: tuple[Case, ...], **changes: Any) -> Digest:
    """The digest of these cases."""
    listed = tuple(Listed(case=case.id, tier=1, round=1, risk=case.route.risk) for case in cases)
    given: dict[str, Any] = {
        "id": "s_1",
        "desk": "x",
        "policy_sha256": "y",
        "ladder": "standard",
        "tier": 1,
        "page": Page(severity="critical"),
    }
    return Digest(**(given | {"risk": Risk.CRITICAL, "at": NOON, "sent_at": NOON, "listed": listed, "count": len(cases)} | changes))


def several() -> Iterator[tuple[str, Digest, tuple[Case, ...]]]:
    """What each is, the digest and its cases."""
    many = tuple(a_listed_case(number) for number in range(35))
    yield "thirty-five at once", a_digest(many), many
    mailed = {"routes": (PageRoute.PAGERDUTY, PageRoute.EMAIL), "failed": (PageRoute.PAGERDUTY,), "accepted": (PageRoute.EMAIL,)}
    yield "by mail because PagerDuty does not answer", a_digest(many[:3], **mailed), many[:3]
    taken = a_digest(many[:3])
    yield (
        "one of them is taken",
        taken.model_copy(update={"listed": (taken.listed[0].model_copy(update={"taken": True}), *taken.listed[1:])}),
        many[:3],
    )
    decided = (many[0].model_copy(update={"state": State.DECIDED, "verdict": Verdict.APPROVED, "pages": ()}),)
    yield "decided meanwhile", a_digest(decided), decided
    hostile = (a_listed_case(1, action_type=HOSTILE, workflow="refunds\nSubject: x"),)
    yield "names that want to be more than names", a_digest(hostile), hostile


def test_digests_read_like_this() -> None:
    """Summary, what to do first, the worst first, and how many more."""
    told = []
    for what, digest, cases in several():
        subject, body = digest_mail(digest, cases, NOON, "northwind")
        lines = [*digest_steps(digest, cases), "", *digest_lines(digest, cases)]
        told.append(
            "\n".join([f"=== {what}", f"On the phone: {digest_summary(digest, cases)}", *lines, "", f"Subject: {subject}", "", body])
        )
    golden("digests.txt", "\n".join(told))


@pytest.mark.parametrize(("what", "digest", "cases"), list(several()))
def test_no_digest_says_more_than_we_wrote(what: str, digest: Digest, cases: tuple[Case, ...]) -> None:
    """Whatever a service calls its actions: one line stays one line, and a mail has no more headers."""
    subject, body = digest_mail(digest, cases, NOON, "northwind")
    assert not set("\r\n\u202e") & set("".join((subject, digest_summary(digest, cases), *digest_lines(digest, cases)))), what
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = subject
    mail.set_content(body)
    assert b"\nBcc:" not in mail.as_bytes()
    event = digest_event_of(MessageKind.PAGE, "k", digest, cases, "northwind")
    assert len(event["payload"]["summary"]) <= 1_024
    assert digest_details(digest, cases)["waiting"] == len([one for one in cases if one.open and not digest.listed[cases.index(one)].taken])


@pytest.mark.parametrize("second", [False, True])
def test_its_key_is_read_as_it_was_written(second: bool) -> None:
    """And is nobody else's."""
    key = DigestKey("north/wind", "s_01m7wd7tg0827gbx2baktrhxwn", second)
    assert read_key(str(key)) == key
