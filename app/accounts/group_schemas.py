"""JSON shapes of groups and of places in them."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.accounts.groups import LONGEST_NAME
from app.accounts.memberships import Place, Size
from app.accounts.models import Group

LONGEST_LOGIN = 320


class GroupBody(BaseModel):
    """A group, and how many people it has."""

    id: str
    name: str
    members: int
    paid_for: int = Field(description="How many of them it pays for: those whose main group it is.")
    created_at: datetime

    @classmethod
    def of(cls, group: Group, size: Size) -> "GroupBody":
        return cls(
            id=group.id,
            name=group.name,
            members=size.members,
            paid_for=size.paid_for,
            created_at=group.created_at,
        )


class Member(BaseModel):
    """A person's place in a group."""

    user_id: str
    username: str
    name: str
    is_main: bool = Field(description="Whether this group pays for what the person uses.")
    is_manager: bool = Field(description="Whether the person sees what the whole group uses.")

    @classmethod
    def of(cls, place: Place) -> "Member":
        return cls(
            user_id=place.user.id,
            username=place.user.username,
            name=place.user.name,
            is_main=place.is_main,
            is_manager=place.is_manager,
        )


class GroupDetails(GroupBody):
    """A group with everybody in it, managers first."""

    people: list[Member]

    @classmethod
    def with_people(cls, group: Group, places: list[Place]) -> "GroupDetails":
        size = Size(len(places), sum(place.is_main for place in places))
        body = GroupBody.of(group, size)
        return cls(**body.model_dump(), people=[Member.of(place) for place in places])


class GroupName(BaseModel):
    """What a group is to be called."""

    name: str = Field(max_length=LONGEST_NAME)


class MemberToAdd(BaseModel):
    """Who is to be in a group."""

    login: str = Field(max_length=LONGEST_LOGIN, description="Username or e-mail address.")
    is_manager: bool = False
    is_main: bool = Field(
        False, description="Let this group pay from now on. The first group of a person always does."
    )


class PlaceChange(BaseModel):
    """What is to be different; what is left out stays."""

    is_manager: bool | None = None
    is_main: bool = Field(
        False, description="True: this group pays from now on. Another one is chosen by choosing it."
    )
