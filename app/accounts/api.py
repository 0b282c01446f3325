"""JSON: who am I, and my keys."""

from fastapi import APIRouter

from app.accounts import api_keys
from app.accounts.access import CurrentHouse, CurrentIdentity, CurrentUser, CurrentVisit
from app.accounts.audit import Act
from app.accounts.models import ApiKey, User
from app.accounts.schemas import Key, KeyToMake, MadeKey, Me
from app.core.database import Session
from app.core.errors import Forbidden

router = APIRouter(prefix="/api", tags=["Accounts"])


@router.get("/me", response_model=Me)
async def read_me(user: CurrentUser) -> User:
    """Who this key or cookie belongs to."""
    return user


@router.get("/keys", response_model=list[Key])
async def list_keys(user: CurrentUser, session: Session) -> list[ApiKey]:
    """One's own keys that are not revoked, the latest first."""
    return list(await api_keys.keys_of(session, user.id))


@router.post("/keys", status_code=201)
async def create_key(
    identity: CurrentIdentity, session: Session, house: CurrentHouse, visit: CurrentVisit, wanted: KeyToMake
) -> MadeKey:
    """Make a key, signed in with a browser's session. Its secret is in this answer and nowhere else."""
    # A key that makes keys would outlive its own revocation.
    if identity.api_key is not None:
        raise Forbidden("A key cannot make keys. Log in with a browser and make it under Settings.")
    user, act = identity.user, Act(identity.user, visit.address)
    made = await api_keys.create(session, user, house.signing_key, act, name=wanted.name, days=wanted.days)
    return MadeKey.model_validate({**Key.model_validate(made.row).model_dump(), "secret": made.secret})


@router.delete("/keys/{key_id}", status_code=204)
async def revoke_key(user: CurrentUser, session: Session, visit: CurrentVisit, key_id: str) -> None:
    """End one of one's own keys, at once."""
    await api_keys.revoke(session, user, key_id, Act(user, visit.address))
