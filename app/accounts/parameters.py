"""What doors of administrators take from an address."""

from typing import Annotated

from fastapi import Depends

from app.accounts import groups
from app.accounts.access import CurrentAdministrator
from app.accounts.models import Group
from app.core.database import Session


async def _group(group_id: str, session: Session, _: CurrentAdministrator) -> Group:
    return await groups.by_id(session, group_id)


CurrentGroup = Annotated[Group, Depends(_group)]
