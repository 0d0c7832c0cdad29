"""Pages that wait for their first route although another was taken, or nobody has them. Owns this read; changes nothing."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select

from routing.case.case import Case, OpenPage, PageProgress
from routing.change import MessageKind
from routing.governance.digest_draft import ROUND
from routing.governance.ruling import DIGEST
from routing.review.pages import first_routes
from store.ledger.identifiers import CASE
from store.ledger.sealed_head import read_ruling
from store.reads.snapshots import readable
from store.schema import SENDABLE, among, cases, outbox

MOST = 500
"""Pages looked at, the oldest; with more of them the alarm says at least so many."""


@dataclass(frozen=True, slots=True)
class UnacceptedPage:
    """A page on its way: `error` is what the last try of its first route came to, "" before the first."""

    case: Case
    page: OpenPage
    error: str

    @property
    def reached(self) -> bool:
        """Whether any route took it."""
        return bool(self.page.accepted)


def unaccepted_pages(connection: Connection) -> list[UnacceptedPage]:
    """Those that failed on their first route and are still wanted, oldest first; not those of cases that somebody has taken."""
    kinds = (MessageKind.PAGE.value, MessageKind.EMAIL.value)
    columns = (outbox.c.id, outbox.c.case_id, outbox.c.round, outbox.c.kind, outbox.c.destination, outbox.c.last_error)
    ours = and_(outbox.c.kind.in_(kinds), or_(outbox.c.case_id.startswith(CASE), outbox.c.case_id.startswith(DIGEST)))
    waits = select(*columns).where(outbox.c.peer.in_(("pagerduty", "email")), among(outbox.c.state, SENDABLE), ours)
    tried = select(*columns).where(outbox.c.lease_until.is_not(None), outbox.c.state == "trying", ours)
    rows = {row.id: row for one in (waits, tried) for row in connection.execute(one.order_by(outbox.c.id).limit(MOST))}
    if not rows:
        return []
    errors: dict[tuple[str, int], str] = {}
    for _, row in sorted(rows.items()):
        errors.setdefault((row.case_id, row.round), row.last_error)
    digests = [one for one in (read_ruling(connection).governance.digest(case_id) for case_id, _ in errors) if one is not None]
    listed = {(one.case, one.round): digest for digest in digests for one in digest.listed if digest.wanted and digest.failed}
    errors |= {one: errors[digest.id, ROUND] for one, digest in listed.items() if (digest.id, ROUND) in errors}
    wanted = or_(*[cases.c.id.in_(part) for part in _parts(list(dict.fromkeys(case_id for case_id, _ in errors)))])
    known = {case.id: case for case in readable(connection.execute(select(cases.c.snapshot).where(wanted)).scalars())}
    found = []
    for (case_id, number), error in errors.items():
        case = known.get(case_id)
        page = next((one for one in case.pages if one.round == number), None) if case is not None else None
        if page is not None and (digest := listed.get((case_id, number))) is not None:
            page = page.model_copy(update={name: getattr(digest, name) for name in PageProgress.model_fields})
        if case is not None and page is not None and page.failed and not page.acknowledged_by and _waits(case, page):
            found.append(UnacceptedPage(case, page, error))
    return found


def _waits(case: Case, page: OpenPage) -> bool:
    """Whether none of the routes it was given to first took it yet, or not the loudest of them."""
    first = first_routes(case.route.tiers[page.tier])
    return bool(first) and first[0] not in page.accepted


def _parts(ids: list[str], size: int = 200) -> list[list[str]]:
    return [ids[at : at + size] for at in range(0, len(ids), size)]
