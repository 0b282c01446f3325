"""JSON: who am I."""

from fastapi import APIRouter

from app.accounts.access import CurrentUser
from app.accounts.models import User
from app.accounts.schemas import Me

router = APIRouter(prefix="/api", tags=["Accounts"])


@router.get("/me", response_model=Me)
async def read_me(user: CurrentUser) -> User:
    """Who this key or cookie belongs to."""
    return user
