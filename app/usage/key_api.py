"""JSON: one's own keys. They are made in a browser's session, or with a key that has the scope `admin`."""

from fastapi import APIRouter, Depends

from app.accounts import api_keys
from app.accounts.access import CurrentHouse, CurrentIdentity, CurrentVisit
from app.accounts.audit import Act
from app.accounts.key_rules import Scope
from app.core.clock import now
from app.core.database import Session
from app.core.errors import Forbidden
from app.usage import key_limits
from app.usage.key_schemas import Key, KeyChange, KeyToMake, MadeKey

router = APIRouter(prefix="/api/keys", tags=["Keys"])


async def refuse_plain_keys(identity: CurrentIdentity) -> None:
    # A key that makes keys would outlive its own revocation.
    if identity.api_key is not None and Scope.ADMIN not in identity.caller.scopes:
        raise Forbidden("A key cannot make or end keys. Log in with a browser, and do it under Settings.")


PlainKeysRefused = Depends(refuse_plain_keys)


@router.get("", dependencies=[PlainKeysRefused])
async def list_keys(identity: CurrentIdentity, session: Session) -> list[Key]:
    """One's own keys that are not revoked, the latest first."""
    return [Key.of(key) for key in await api_keys.keys_of(session, identity.user.id)]


@router.post("", status_code=201, dependencies=[PlainKeysRefused])
async def create_key(
    identity: CurrentIdentity, session: Session, house: CurrentHouse, visit: CurrentVisit, given: KeyToMake
) -> MadeKey:
    """Make a key, with a browser's session or a key that has the scope `admin`.

    Its secret is in this answer and nowhere else.
    """
    wanted = given.wanted(now())
    if identity.api_key is not None:
        api_keys.refuse_more_than(identity.api_key, wanted.rules)
    made = await key_limits.make(session, house, identity.user, Act(identity.user, visit.address), wanted)
    return MadeKey.made(made.row, made.secret)


@router.patch("/{key_id}", dependencies=[PlainKeysRefused])
async def change_key(
    identity: CurrentIdentity, session: Session, visit: CurrentVisit, key_id: str, change: KeyChange
) -> Key:
    """Give one of one's own keys another name, or choose anew whether its calls are stored, from the next call on."""
    key = await api_keys.key_of(session, identity.user, key_id)
    act = Act(identity.user, visit.address)
    await api_keys.change(
        session, identity.user, key, act, name=change.name, stores_calls=change.stores_calls
    )
    return Key.of(key)


@router.delete("/{key_id}", status_code=204)
async def revoke_key(identity: CurrentIdentity, session: Session, visit: CurrentVisit, key_id: str) -> None:
    """End one of one's own keys, at once. A key may always end itself."""
    if key_id != identity.api_key_id:
        await refuse_plain_keys(identity)
    await api_keys.revoke(session, identity.user, key_id, Act(identity.user, visit.address))
