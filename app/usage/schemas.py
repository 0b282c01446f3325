"""JSON shapes of usage. Money is in micro-US-dollars: 1,000,000 are one dollar."""

from dataclasses import asdict
from datetime import date

from pydantic import BaseModel, Field

from app.usage.conversations import ConversationUse
from app.usage.dashboard import Dashboard, ModelRow, Row
from app.usage.reports import Conversation
from app.usage.rollups import Total


class Sums(BaseModel):
    """What a number of calls add up to."""

    requests: int
    input_tokens: int = Field(description="With those read from and written to a cache.")
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int = Field(description="With reasoning.")
    reasoning_tokens: int
    cost_micros: int = Field(description="Of the requests that had a price, in micro-US-dollars.")
    unpriced: int = Field(description="Requests without a price: their cost is unknown, not zero.")
    stopped: int
    failed: int

    @classmethod
    def of(cls, total: Total) -> "Sums":
        return cls(**asdict(total))


class PartUsage(Sums):
    """The same for one person, group, key or origin; without a group or key the id is empty."""

    id: str
    name: str

    @classmethod
    def named(cls, row: Row, name: str) -> "PartUsage":
        return cls(id=row.id, name=name, **asdict(row.total))


class ModelUsage(Sums):
    """The same for one model, and how long it took in milliseconds."""

    model: str
    first_token_ms_p50: int | None
    first_token_ms_p95: int | None
    total_ms_p50: int | None
    total_ms_p95: int | None

    @classmethod
    def of_row(cls, row: ModelRow) -> "ModelUsage":
        return cls(
            model=row.what.full_name,
            first_token_ms_p50=row.times.first_token_p50,
            first_token_ms_p95=row.times.first_token_p95,
            total_ms_p50=row.times.total_p50,
            total_ms_p95=row.times.total_p95,
            **asdict(row.total),
        )


class BarUsage(BaseModel):
    """One bar of the chart: a day, the first day of a week, or a month; `amount` is what is measured."""

    name: str
    amount: int


class ConversationUsage(Sums):
    """A conversation since its start."""

    chat_id: str
    user_id: str
    last_day: date

    @classmethod
    def of_conversation(cls, one: Conversation) -> "ConversationUsage":
        return cls(
            chat_id=one.chat_id,
            user_id=one.user_id,
            last_day=date.fromisoformat(one.last_day),
            **asdict(one.total),
        )


class ModelSums(Sums):
    """What was used of one model, `connection/model`."""

    model: str


class ModelOfConversation(ModelSums):
    """What a conversation used of one model."""

    is_estimate: bool


class ConversationReport(Sums):
    """A conversation since its start, by model: the dearest first."""

    chat_id: str
    user_id: str
    first_day: date
    last_day: date
    is_estimate: bool = Field(description="Whether some of these figures are estimates.")
    models: list[ModelOfConversation]

    @classmethod
    def of_use(cls, use: ConversationUse) -> "ConversationReport":
        return cls(
            chat_id=use.chat_id,
            user_id=use.user_id,
            first_day=use.first_day,
            last_day=use.last_day,
            is_estimate=use.is_estimate,
            models=[
                ModelOfConversation(model=one.full_name, is_estimate=one.is_estimate, **asdict(one.total))
                for one in use.models
            ],
            **asdict(use.total),
        )


class Report(BaseModel):
    """What the dashboard shows."""

    first: date
    last: date
    measure: str = Field(
        description="What `bars` and `projected` hold: `cost` in micro-US-dollars, or `tokens`."
    )
    total: Sums
    before: Sums = Field(description="The same of the period before.")
    projected: int | None = Field(description="By the end of the month, at this pace.")
    bars: list[BarUsage]
    models: list[ModelUsage]
    people: list[PartUsage]
    groups: list[PartUsage]
    keys: list[PartUsage]
    origins: list[PartUsage]
    conversations: list[ConversationUsage] | None = Field(
        description="The dearest; null when a filter cannot tell."
    )

    @classmethod
    def of(cls, page: Dashboard) -> "Report":
        known = page.names
        return cls(
            first=page.question.range.first,
            last=page.question.range.last,
            measure=page.measure,
            total=Sums.of(page.total),
            before=Sums.of(page.before),
            projected=page.projected,
            bars=[BarUsage(name=column.name, amount=column.amount) for column in page.chart.shown],
            models=[ModelUsage.of_row(row) for row in page.models],
            people=[PartUsage.named(row, known.person(row.id)) for row in page.people],
            groups=[PartUsage.named(row, known.group(row.id)) for row in page.groups],
            keys=[PartUsage.named(row, known.key(row.id)) for row in page.keys],
            origins=[PartUsage.named(row, known.origin(row.id)) for row in page.origins],
            conversations=None
            if page.conversations is None
            else [ConversationUsage.of_conversation(one) for one in page.conversations],
        )
