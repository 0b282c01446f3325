"""/admin/audit: who did what, newest first."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from app.accounts import audit
from app.core.clock import now
from app.core.database import Session
from app.core.templating import page

router = APIRouter()

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
    return page(
        request,
        "admin/audit.html",
        found=found,
        actions=await audit.known_actions(session),
        chosen={"who": who, "action": action, "period": period},
        is_first_page=not before,
    )
