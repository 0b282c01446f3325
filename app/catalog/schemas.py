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
    """A model that the caller may use."""

    id: str = Field(description="What to send as `model`.", examples=["openai/gpt-5.6"])
    name: str = Field(description="What people see.")
    connection: str = Field(description="The connection that offers it.")
    is_available: bool = Field(description="Whether it can answer, as far as was last heard.")
    why_not: str | None = Field(description="A sentence that says why it cannot; null when it can.")
    context_window: int | None = Field(description="In tokens; null when the provider does not tell.")
    max_output_tokens: int | None = Field(description="In tokens; null when the provider does not tell.")
    abilities: list[str] = Field(
        description="Of `vision`, `tools`, `reasoning` and `embeddings`, those it is known to have."
    )
    family: str | None = Field(description="Such as `qwen3`; null, here and below, when nobody tells.")
    parameters: str | None = Field(description="How many, as people write it: `7.6B`.")
    quantization: str | None = Field(description="Such as `Q4_K_M`.")
    size: int | None = Field(description="Bytes on disk.")
    loaded: bool | None = Field(
        description="Whether its local server holds it in memory, as last heard; null where that has no meaning."
    )
    stands_for: list[str] = Field(
        description="Of an alias: the ids of the models that may answer in its place; else empty."
    )
    price: PriceOut | None = Field(description="Null when it has no price: what it costs is not known.")

    @classmethod
    def of(cls, model: UsableModel, price: PriceTag | None, loaded: bool | None) -> "ModelOut":
        return cls(
            id=model.full_name,
            name=model.label,
            connection=model.connection_label,
            is_available=model.is_usable,
            why_not=model.why_not,
            context_window=model.context_window,
            max_output_tokens=model.max_output_tokens,
            abilities=list(model.abilities),
            stands_for=list(model.stands_for),
            family=model.make.family,
            parameters=model.make.parameters,
            quantization=model.make.quantization,
            size=model.make.size,
            loaded=loaded,
            price=None if price is None else PriceOut.model_validate(price),
        )


class ModelList(BaseModel):
    models: list[ModelOut]
