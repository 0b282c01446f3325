"""What people change about their own account."""

from app.accounts import audit, password_rules, passwords, people, sessions, signing_in
from app.accounts.house import House, Visit
from app.accounts.identity import Identity
from app.core.errors import Invalid


async def change_profile(house: House, identity: Identity, visit: Visit, *, name: str, timezone: str) -> None:
    """Raises Invalid, naming the field."""
    name, timezone = people.checked_name(name), people.checked_timezone(timezone)
    async with house.database.writing() as session:
        user = await people.by_id(session, identity.user.id)
        if (user.name, user.timezone) != (name, timezone):
            user.name, user.timezone = name, timezone
            audit.record(
                session, audit.Act(user, visit.address), "user.profile_changed", subject=user.username
            )


async def change_email(house: House, identity: Identity, visit: Visit, *, email: str, password: str) -> None:
    """Asks for the password: the address is a way to log in. Raises Invalid or TooMany."""
    email = people.checked_email(email)
    await signing_in.confirm_password(house, identity.user, password)
    async with house.database.writing() as session:
        user = await people.by_id(session, identity.user.id)
        if user.email != email:
            detail = f"{user.email} → {email}"
            await people.change_email(session, user, email)
            audit.record(
                session,
                audit.Act(user, visit.address),
                "user.email_changed",
                subject=user.username,
                detail=detail,
            )


async def change_password(house: House, identity: Identity, visit: Visit, *, current: str, new: str) -> None:
    """Also ends every other session of this person. Raises Invalid or TooMany."""
    user = identity.user
    try:
        password_rules.refuse_weak(new, user.username, user.email, user.name)
    except Invalid as error:
        raise Invalid(error.message, field="new_password") from error
    await signing_in.confirm_password(house, user, current)
    password_hash = await passwords.hashed(new)
    async with house.database.writing() as session:
        (await people.by_id(session, user.id)).password_hash = password_hash
        await sessions.end_all(session, house.hub, user.id, except_id=identity.session_id)
        audit.record(session, audit.Act(user, visit.address), "user.password_changed", subject=user.username)
