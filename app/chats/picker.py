"""Which models a person may choose for the next answer, and which one is chosen."""

from itertools import groupby

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.catalog.access import UsableModel
from app.catalog.aliases_offered import choices_for
from app.chats.models import Chat
from app.chats.views import ModelChoice, ModelGroup, PickerView
from app.usage import price_sheet
from app.usage.currency import NO_PRICE, Currency, money_rate
from app.usage.pricing import Price


async def picker_for(
    session: AsyncSession, user: User, currency: Currency, chat: Chat | None = None, *, wanted: str = ""
) -> PickerView:
    """The picker of `chat`, or of a new conversation, where `wanted` may have been chosen already."""
    models = await choices_for(session, user)
    prices_now = await price_sheet.prices_now(session, models)
    wanted = wanted or (chat.model if chat else "") or await last_model_of(session, user)
    selected = _selected(models, wanted)
    choices = [
        _choice(model, price, currency, is_selected=model is selected)
        for model, price in zip(models, prices_now, strict=True)
    ]
    groups = [
        ModelGroup(label, members[0].icon, members[0].hue, members)
        for label, members in (
            (key, list(run)) for key, run in groupby(choices, lambda c: c.connection_label)
        )
    ]
    return PickerView(next((choice for choice in choices if choice.is_selected), None), groups)


async def model_for_next(session: AsyncSession, user: User, wanted: str = "") -> str:
    """The full name of the model that a new conversation gets; empty when there is none."""
    if wanted:
        return wanted
    selected = _selected(await choices_for(session, user), await last_model_of(session, user))
    return selected.full_name if selected else ""


async def last_model_of(session: AsyncSession, user: User) -> str:
    """The model that the person used last; what a program used is for the program."""
    found = await session.scalar(
        select(Chat.model)
        .where(Chat.owner_id == user.id, Chat.model != "", Chat.recorded_from.is_(None))
        .order_by(Chat.last_activity_at.desc(), Chat.id.desc())
        .limit(1)
    )
    return found or ""


def _selected(models: list[UsableModel], wanted: str) -> UsableModel | None:
    """The wanted one, else the first model that works; the practice model only when there is nothing else."""
    exact = next((model for model in models if model.full_name == wanted), None)
    usable = sorted((model for model in models if model.is_usable), key=_comes_last)
    return exact or next(iter(usable), None)


def _comes_last(model: UsableModel) -> tuple[bool, bool]:
    """Nobody gets an alias without asking for it."""
    return model.kind == "echo", bool(model.stands_for)


def _choice(model: UsableModel, price: Price | None, currency: Currency, *, is_selected: bool) -> ModelChoice:
    return ModelChoice(
        full_name=model.full_name,
        label=model.label,
        connection_label=model.connection_label,
        icon=model.icon,
        hue=model.hue,
        context_window=model.context_window,
        vision="vision" in model.abilities,
        is_blind=model.is_blind,
        tools="tools" in model.abilities,
        reasoning="reasoning" in model.abilities,
        price=_price_text(price, currency),
        input_rates=_input_rates(price),
        is_usable=model.is_usable,
        why_not=model.why_not,
        is_selected=is_selected,
        stands_for=model.stands_for,
    )


def _price_text(price: Price | None, currency: Currency) -> str:
    if price is None:
        return NO_PRICE
    if price.is_free:
        return "Free"
    return f"{money_rate(price.rates.input, currency)} / {money_rate(price.rates.output, currency)}"


def _input_rates(price: Price | None) -> str:
    if price is None:
        return ""
    steps = ((0, price.rates), *((tier.above, tier.rates) for tier in price.tiers))
    return " ".join(f"{above}:{rates.input}" for above, rates in steps)
