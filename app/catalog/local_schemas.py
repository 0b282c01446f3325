"""How local servers and what they hold look in JSON."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from app.catalog.local_overview import HeldModel, LocalServer, Told
from app.catalog.models import LoadState


class HeldModelOut(BaseModel):
    """A model in memory."""

    id: str = Field(description="`connection/model`.")
    size: int | None = Field(description="Bytes in memory; null when the server does not tell.")
    size_on_gpu: int | None = Field(description="How many of them on the graphics card.")
    context_window: int | None = Field(description="Tokens that it was loaded for.")
    expires_at: datetime | None = Field(description="When the server lets go of it; null: not by itself.")

    @classmethod
    def of(cls, held: HeldModel) -> "HeldModelOut":
        loaded = held.loaded
        return cls(
            id=held.full_name,
            size=loaded.size,
            size_on_gpu=loaded.size_on_gpu,
            context_window=loaded.context_window,
            expires_at=loaded.expires_at,
        )


class ToldOut(BaseModel):
    """What a server was told to do with a model, and how that goes."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(validation_alias="full_name", description="`connection/model`.")
    state: LoadState
    is_exclusive: bool = Field(description="Whether all other models are unloaded first.")
    error: str = Field(description="Why it failed, and what to do; empty otherwise.")
    started_at: datetime
    seconds: int = Field(description="For how long it has been going on, or how long it took.")
    last_seconds: int | None = Field(
        description="How long it took to load this model the last time; null: not known. No server tells how far it is."
    )

    @classmethod
    def of(cls, told: Told) -> "ToldOut":
        return cls.model_validate(told)


class LocalServerOut(BaseModel):
    """A server that can be told what to hold in memory."""

    connection: str
    label: str
    heard_at: datetime | None = Field(description="When it was last asked; null: not yet, ask again.")
    error: str = Field(description="Why it could not be asked; empty otherwise.")
    loaded: list[HeldModelOut]
    told: list[ToldOut] = Field(description="What is under way, and what failed in the last ten minutes.")

    @classmethod
    def of(cls, server: LocalServer) -> "LocalServerOut":
        return cls(
            connection=server.connection.name,
            label=server.connection.label,
            heard_at=server.heard.at if server.heard else None,
            error=server.heard.error if server.heard else "",
            loaded=[HeldModelOut.of(held) for held in server.held],
            told=[ToldOut.of(told) for told in server.told],
        )


class LocalServerList(BaseModel):
    servers: list[LocalServerOut]


class LoadWish(BaseModel):
    """A model to load."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=300, description="`connection/model`.")
    exclusive: bool = Field(False, description="Unload all other models of the same server first.")


class UnloadWish(BaseModel):
    """What to unload: one model, or everything that a server holds."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field("", max_length=300, description="`connection/model`.")
    connection: str = Field("", max_length=80, description="Instead of a model: all that this server holds.")


class ToldList(BaseModel):
    told: list[ToldOut]
