"""/admin/audit: who did what, newest first."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from app.accounts import audit
from app.accounts.models import AuditEvent
from app.admin.audit_words import doer, done
from app.core.clock import now
from app.core.database import Session
from app.core.templating import local_time, page, timezone_of

router = APIRouter(prefix="/admin")

PERIODS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
LONGEST_TERM = 100


@router.get("/audit")
async def show_audit(
    request: Request,
    session: Session,
    who: Annotated[str, Query(max_length=LONGEST_TERM)] = "",
    action: Annotated[str, Query(max_length=LONGEST_TERM)] = "",
    period: Annotated[str, Query(max_length=LONGEST_TERM)] = "",
    before: Annotated[str, Query(max_length=LONGEST_TERM)] = "",
) -> HTMLResponse:
    since = now() - PERIODS[period] if period in PERIODS else None
    wanted = audit.Filter(who=who.strip(), action=action, since=since)
    found = await audit.events(session, wanted, before=before or None)
    chosen = {"who": who, "action": action, "period": period}
    return page(
        request,
        "admin/audit.html",
        days=_by_day(found.events, timezone_of(request)),
        actions=sorted(
            ((name, done(name)) for name in await audit.known_actions(session)), key=lambda choice: choice[1]
        ),
        done=done,
        doer=doer,
        chosen=chosen,
        newest_address=_address(chosen) if before else "",
        older_address=_address(chosen | {"before": found.next_before}) if found.next_before else "",
    )


def _by_day(events: Iterable[AuditEvent], timezone: str) -> list[tuple[date, list[AuditEvent]]]:
    """Events under the day, in the reader's zone, on which they happened."""
    days = groupby(events, lambda event: local_time(event.at, timezone).date())
    return [(day, list(of_day)) for day, of_day in days]


def _address(parameters: dict[str, str]) -> str:
    return f"/admin/audit?{urlencode({name: value for name, value in parameters.items() if value})}"
