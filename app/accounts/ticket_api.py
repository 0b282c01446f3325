"""POST /api/tickets: for sockets of programs that cannot send headers with them, such as browsers."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.accounts import tickets
from app.accounts.access import CurrentHouse, CurrentIdentity, Scope, needs
from app.core.database import Session

router = APIRouter(prefix="/api/tickets", tags=["Sockets"], dependencies=[needs(Scope.CHAT)])


class TicketBody(BaseModel):
    """Opens one socket, once."""

    ticket: str = Field(description="Append it to the socket's address: `?ticket=…`.")
    expires_at: datetime = Field(description="A minute from now.")


@router.post("", status_code=201)
async def create_ticket(house: CurrentHouse, identity: CurrentIdentity, session: Session) -> TicketBody:
    """Get a ticket for one socket. It may do what the key or session may that asks for it, and ends with that."""
    ticket = await tickets.issue(session, identity, house.signing_key)
    return TicketBody(ticket=ticket.secret, expires_at=ticket.expires_at)
