"""Budgets: made, changed and removed. A running server holds every change with its next call, see `core.changes`."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sqlalchemy import delete, literal, select, union_all
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.accounts.models import User, Workspace
from app.core.errors import Conflict, Invalid, NotFound
from app.usage.amounts import in_words, limit_in_words
from app.usage.currency import USD, Currency
from app.usage.models import Budget, BudgetCounter, BudgetScope, Period, Unit
from app.usage.purses import Book
from app.usage.subjects import Subject, names_of, subject_of

HIGHEST = 10**15
"""A thousand million dollars, in micro-dollars; more is a slip of the pen."""
RATES = (Unit.REQUESTS, Unit.TOKENS)
"""What can be limited for a minute."""
MARKS = union_all(
    select(literal("timezone"), Workspace.timezone).where(Workspace.id == 1),
    select(literal("budget"), Budget.id),
)
"""By what a list of budgets is told from an older one: budgets are made and removed, and keep whom they are for."""
TAKEN = "There is one of this kind already. Change its limit instead."


@dataclass(frozen=True)
class Limit:
    """What a budget allows: `amount` in the unit. From `warn_percent` on, people are warned."""

    amount: int
    warn_percent: int = 80
    is_hard: bool = True


async def read_book(session: AsyncSession) -> Book:
    """All budgets as they are now."""
    timezone = await session.scalar(select(Workspace.timezone).where(Workspace.id == 1))
    return Book(tuple(await all_budgets(session)), timezone or "UTC")


async def renewed(session: AsyncSession, known: Book) -> Book:
    """The same as `read_book`, or `known` when it has the same budgets: one small statement for each settling.

    Limits are not compared: whoever looks at them locks them, see `counters.locked`.
    """
    timezone, ids = "UTC", set()
    for what, value in await session.execute(MARKS):
        if what == "timezone":
            timezone = value
        else:
            ids.add(value)
    is_the_same = timezone == known.timezone and ids == {budget.id for budget in known.budgets}
    return known if is_the_same else await read_book(session)


async def all_budgets(session: AsyncSession) -> Sequence[Budget]:
    """In the order in which they were made."""
    return (await session.scalars(select(Budget).order_by(Budget.id))).all()


async def by_id(session: AsyncSession, budget_id: str) -> Budget:
    """Raises NotFound."""
    budget = await session.get(Budget, budget_id)
    if budget is None:
        raise NotFound("There is no such budget. `parley budgets list` shows all.")
    return budget


async def create(
    session: AsyncSession, subject: Subject, unit: Unit, period: Period, limit: Limit, act: Act
) -> Budget:
    """Limit the use of `subject` from now on; what was used earlier in the period counts. Raises Invalid, Conflict."""
    return await _add(session, subject, unit, period, limit, act, is_own=False)


async def set_own_cap(session: AsyncSession, user: User, limit: Limit, act: Act) -> Budget:
    """The most money that this person wants to use in a month; replaces an earlier one. Raises Invalid."""
    return await set_cap(session, (BudgetScope.USER, user.id), limit, act)


async def own_cap(session: AsyncSession, user: User) -> Budget | None:
    return await cap_of(session, (BudgetScope.USER, user.id))


async def set_cap(session: AsyncSession, subject: Subject, limit: Limit, act: Act) -> Budget:
    """The most money a month, chosen by whom it concerns: for oneself or for one's key. Raises Invalid.

    It replaces an earlier one; what administrators allow is not widened by it.
    """
    budget = await cap_of(session, subject)
    if budget is None:
        return await _add(session, subject, Unit.USD, Period.MONTH, limit, act, is_own=True)
    await change(session, budget, limit, act)
    return budget


async def cap_of(session: AsyncSession, subject: Subject) -> Budget | None:
    scope, name = subject
    query = select(Budget).where(Budget.is_own, Budget.scope == scope, Budget.subject == name)
    return (await session.scalars(query)).one_or_none()


async def change(session: AsyncSession, budget: Budget, limit: Limit, act: Act) -> None:
    """Another limit; what is spent stays spent. Raises Invalid."""
    _refuse_nonsense(Unit(budget.unit), limit)
    before = limit_in_words(budget)
    budget.amount, budget.warn_percent, budget.is_hard = limit.amount, limit.warn_percent, limit.is_hard
    await _record(session, act, "budget.changed", budget, f"{before} → {limit_in_words(budget)}")


async def remove(session: AsyncSession, budget: Budget, act: Act) -> None:
    """Limit it no more."""
    await _record(session, act, "budget.removed", budget, limit_in_words(budget))
    await session.execute(delete(BudgetCounter).where(BudgetCounter.budget_id == budget.id))
    await session.delete(budget)


def amount_from(typed: str, unit: Unit, currency: Currency = USD) -> int:
    """What somebody typed as a limit: `49.90` of the currency, `2,000,000` tokens. Raises Invalid."""
    try:
        number = Decimal(typed.strip().removeprefix(currency.symbol).replace(",", "").replace("_", ""))
    except InvalidOperation:
        raise Invalid("Write the limit as a number, such as 50.", field="limit") from None
    # Checked before it is counted with: 1e999999 is a number, too.
    if not number.is_finite() or not 0 <= number <= HIGHEST:
        raise Invalid(f"A limit is between 0 and {in_words(HIGHEST, unit, currency)}.", field="limit")
    amount = currency.in_micros(number) if unit is Unit.USD else number
    if amount != int(amount):
        smallest = "a millionth of a dollar" if unit is Unit.USD else "one"
        raise Invalid(f"The smallest step of a limit is {smallest}.", field="limit")
    return int(amount)


def unit_from(typed: str, shown_in: Currency = USD) -> tuple[Unit, Currency]:
    """What is limited, and in which currency the amount was typed, if it is money.

    Money is `usd`, or the code of the currency that it is shown in. Raises Invalid.
    """
    unit = typed.strip().lower()
    if unit == shown_in.code.lower():
        return Unit.USD, shown_in
    try:
        return Unit(unit), USD
    except ValueError:
        money = "usd" if shown_in.code == USD.code else f"usd, {shown_in.code.lower()}"
        raise Invalid(f"What is limited is {money}, tokens, requests or replies.", field="unit") from None


def period_from(typed: str) -> Period:
    """Raises Invalid."""
    try:
        return Period(typed.strip().lower())
    except ValueError:
        raise Invalid("A limit holds for a minute, day, week, month or total.", field="period") from None


async def _add(
    session: AsyncSession,
    subject: Subject,
    unit: Unit,
    period: Period,
    limit: Limit,
    act: Act,
    *,
    is_own: bool,
) -> Budget:
    _refuse_nonsense(unit, limit)
    if period is Period.MINUTE and unit not in RATES:
        raise Invalid("For a minute, requests or tokens can be limited.", field="unit")
    budget = Budget(
        scope=subject[0],
        subject=subject[1],
        unit=unit,
        # Calls at the same time have no period: they are given back when they end.
        period=Period.TOTAL if unit is Unit.REPLIES else period,
        amount=limit.amount,
        warn_percent=limit.warn_percent,
        is_hard=limit.is_hard,
        is_own=is_own,
    )
    try:
        async with session.begin_nested():
            session.add(budget)
    except IntegrityError as error:
        raise Conflict(TAKEN) from error
    await _record(session, act, "budget.created", budget, limit_in_words(budget))
    return budget


def _refuse_nonsense(unit: Unit, limit: Limit) -> None:
    if not 0 <= limit.amount <= HIGHEST:
        raise Invalid(f"A limit is between 0 and {in_words(HIGHEST, unit)}.", field="limit")
    if not 1 <= limit.warn_percent <= 100:
        raise Invalid("People are warned somewhere between 1 and 100 %.", field="warn_percent")


async def _record(session: AsyncSession, act: Act, action: str, budget: Budget, detail: str) -> None:
    subject = subject_of(budget)
    name = (await names_of(session, [subject]))[subject]
    audit.record(session, act, action, subject=name, detail=detail)
