"""New accounts made in the browser: the first administrator, by invitation, or by open registration.

Each checks what was typed, hashes the password outside any transaction, and then makes the account and the
session in one.
"""

from dataclasses import dataclass, field

from app.accounts import (
    attempts,
    audit,
    first_run,
    invitations,
    password_rules,
    passwords,
    people,
    signing_in,
)
from app.accounts.audit import Act
from app.accounts.house import House, Visit
from app.accounts.models import User, UserRole
from app.accounts.people import Details
from app.accounts.signing_in import SignedIn
from app.core.errors import Forbidden

BY_INVITATION = "Accounts here are made by invitation. Ask an administrator for one."


@dataclass(frozen=True)
class Application:
    """What somebody typed to get an account."""

    username: str
    email: str
    name: str
    password: str = field(repr=False)

    def checked(self) -> Details:
        """Raises Invalid, naming the field."""
        details = people.checked_details(self.username, self.email, self.name)
        password_rules.refuse_weak(self.password, details.username, details.email, details.name)
        return details


async def set_up(house: House, application: Application, visit: Visit) -> SignedIn:
    """The first account, an administrator. Raises Invalid, or Conflict when there is an account already."""
    details = application.checked()
    password_hash = await passwords.hashed(application.password)
    async with house.database.writing() as session:
        await first_run.claim(session)
        user = await people.create(session, details, password_hash, UserRole.ADMINISTRATOR)
        audit.record(session, Act(user, visit.address), "workspace.set_up")
        signed_in = await signing_in.start_session(session, house, user, visit)
    first_run.forget_code(house.settings)
    return signed_in


async def register(house: House, application: Application, visit: Visit) -> SignedIn:
    """An account for anybody, where registration is open. Raises Forbidden, Invalid or TooMany."""
    if house.settings.registration != "open":
        raise Forbidden(BY_INVITATION)
    details = application.checked()
    async with house.database.writing() as session:
        await attempts.count(session, attempts.at_registration(house.signing_key, visit.address))
    password_hash = await passwords.hashed(application.password)
    async with house.database.writing() as session:
        user = await people.create(session, details, password_hash)
        audit.record(session, Act(user, visit.address), "user.registered", subject=user.username)
        return await signing_in.start_session(session, house, user, visit)


async def accept(house: House, token: str, application: Application, visit: Visit) -> SignedIn:
    """The account that an invitation was made for. Raises NotFound, Conflict, Forbidden or Invalid."""
    async with house.database.reading() as session:
        invitation = await invitations.find_open(session, token, house.signing_key)
    details = application.checked()
    if invitation.email and details.email != invitation.email:
        raise Forbidden(
            f"This invitation is for {invitation.email}. Use that address, or ask for another link."
        )
    password_hash = await passwords.hashed(application.password)
    async with house.database.writing() as session:
        user = await people.create(session, details, password_hash, UserRole(invitation.role))
        await invitations.use_up(session, invitation.id, user)
        audit.record(session, Act(user, visit.address), "invitation.accepted", subject=user.username)
        return await signing_in.start_session(session, house, user, visit)


async def add_by_operator(house: House, application: Application, role: UserRole) -> User:
    """An account made from the command line, without a session. Raises Invalid."""
    details = application.checked()
    password_hash = await passwords.hashed(application.password)
    async with house.database.writing() as session:
        user = await people.create(session, details, password_hash, role)
        detail = f"role {role}"
        audit.record(session, Act(audit.COMMAND_LINE), "user.created", subject=user.username, detail=detail)
    return user
