"""How models look in JSON."""

from pydantic import BaseModel, Field

from app.catalog.access import UsableModel


class ModelOut(BaseModel):
    """A model that can be asked."""

    id: str = Field(description="What to send as `model`.", examples=["openai/gpt-5.6"])
    name: str = Field(description="What people see.")
    connection: str = Field(description="The connection that offers it.")
    context_window: int | None = Field(description="In tokens; null when the provider does not tell.")
    max_output_tokens: int | None = Field(description="In tokens; null when the provider does not tell.")
    abilities: list[str] = Field(
        description="Of `vision`, `tools` and `reasoning`, those it is known to have."
    )

    @classmethod
    def of(cls, model: UsableModel) -> "ModelOut":
        return cls(
            id=model.full_name,
            name=model.label,
            connection=model.connection_label,
            context_window=model.context_window,
            max_output_tokens=model.max_output_tokens,
            abilities=list(model.abilities),
        )


class ModelList(BaseModel):
    models: list[ModelOut]
