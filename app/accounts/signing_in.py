"""Signing in and out: a password becomes a session, a session becomes a token for the browser's cookie."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import attempts, audit, known_browsers, passwords, people, sessions, tokens
from app.accounts.attempts import Guess
from app.accounts.house import House, Visit
from app.accounts.identity import Identity
from app.accounts.models import User
from app.core.clock import now
from app.core.errors import Invalid

# One sentence for every reason: it must not tell whether there is such an account.
REFUSED = "That username or e-mail address and password do not match. Check both and try again."
DISABLED = "This account is disabled. An administrator can enable it again."


@dataclass(frozen=True)
class SignedIn:
    """What the browser is to keep: `token` until `expires_at`, and `mark` to be known again."""

    token: str
    expires_at: datetime
    mark: str


async def sign_in(house: House, login: str, password: str, visit: Visit) -> SignedIn:
    """Start a session for whoever knows this account's password.

    Raises Invalid when it does not match, TooMany while further tries have to wait.
    """
    async with house.database.reading() as session:
        user = await people.by_login(session, login)
    if user is not None and user.is_service:
        user = None  # it has no password: nobody logs in as a program
    if not await _is_right(house, user, password, _guess(house, user, login, visit)):
        await _record_refusal(house, user, visit)
        raise Invalid(REFUSED)
    assert user is not None  # noqa: S101  (nobody's password is never right)
    if user.is_disabled:
        # Told only to somebody who knew the password.
        raise Invalid(DISABLED)
    async with house.database.writing() as session:
        unchanged = (await people.by_id(session, user.id)).password_hash == user.password_hash
        if not unchanged:  # reset while we were looking: the old password opens nothing any more
            raise Invalid(REFUSED)
        return await start_session(session, house, user, visit)


async def start_session(session: AsyncSession, house: House, user: User, visit: Visit) -> SignedIn:
    """Sign this person in, in a transaction that has already made sure of who it is."""
    at = now()
    expires_at = at + sessions.lifetime(house.settings)
    sign_in = await sessions.start(
        session, user.id, expires_at=expires_at, address=visit.address, user_agent=visit.user_agent
    )
    audit.record(session, audit.Act(user, visit.address), "session.created")
    token = tokens.issue(house.signing_key, sign_in.id, issued_at=at, expires_at=expires_at)
    return SignedIn(token, expires_at, known_browsers.new_mark(house.signing_key, user.id))


async def sign_out(house: House, identity: Identity, visit: Visit) -> None:
    """End the session this person came in with, its streams included."""
    if identity.session_id is None:
        return
    async with house.database.writing() as session:
        if await sessions.end(session, house.hub, identity.user.id, identity.session_id):
            audit.record(session, audit.Act(identity.user, visit.address), "session.ended")


async def confirm_password(house: House, user: User, password: str) -> None:
    """Make sure that it is still the account's owner who asks. Raises Invalid or TooMany."""
    if not await _is_right(house, user, password, attempts.within_account(house.signing_key, user.id)):
        raise Invalid("That is not your current password.", field="current_password")


def _guess(house: House, user: User | None, login: str, visit: Visit) -> Guess:
    if user is not None and known_browsers.is_known(house.signing_key, user.id, visit.mark):
        return attempts.in_known_browser(house.signing_key, visit.mark)
    counted_for = user.id if user else login.strip().lower()
    return attempts.at_account(house.signing_key, counted_for, visit.address)


async def _is_right(house: House, user: User | None, password: str, guess: Guess) -> bool:
    """Whether the password fits; the try is counted first and forgiven when it was right."""
    async with house.database.writing() as session:
        await attempts.count(session, guess)
    if not await passwords.matches(password, user.password_hash if user else None):
        return False
    async with house.database.writing() as session:
        await attempts.forgive(session, guess)
    return True


async def _record_refusal(house: House, user: User | None, visit: Visit) -> None:
    # A name without an account is not written down: it may be a password typed into the wrong field.
    async with house.database.writing() as session:
        subject = user.username if user else "an unknown account"
        audit.record(session, audit.Act(audit.NOBODY, visit.address), "session.refused", subject=subject)
