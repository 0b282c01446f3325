"""How models look in JSON."""

from pydantic import BaseModel, ConfigDict, Field

from app.catalog.access import UsableModel
from app.catalog.price_tags import PriceTag


class PriceOut(BaseModel):
    """What a million tokens cost, in micro-US-dollars: 3,000,000 are $3."""

    model_config = ConfigDict(from_attributes=True)

    input: int
    output: int
    cached_input: int | None = Field(description="Null: charged like other input.")


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
    price: PriceOut | None = Field(description="Null when it has no price: what it costs is not known.")

    @classmethod
    def of(cls, model: UsableModel, price: PriceTag | None) -> "ModelOut":
        return cls(
            id=model.full_name,
            name=model.label,
            connection=model.connection_label,
            context_window=model.context_window,
            max_output_tokens=model.max_output_tokens,
            abilities=list(model.abilities),
            price=None if price is None else PriceOut.model_validate(price),
        )


class ModelList(BaseModel):
    models: list[ModelOut]
