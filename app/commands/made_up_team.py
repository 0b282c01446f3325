"""Who works in a demo workspace, what they talk about, and what they may use. Pure. Nobody of these exists."""

from dataclasses import dataclass

from app.usage.models import Period, Unit

NAMES = (
    "Alice Bob Charlie Dina Emil Fatima Goran Hana Ines Jonas Katya Liam Mei Nadia Oskar Priya Quentin Rosa "
    "Samir Tove Uma Viktor Wanda Xenia Yusuf Zoe"
).split()
INITIALS = "BCDFGHJKLMNPRSTVWYZ"
GROUPS = ("Design", "Research", "Engineering", "Support", "Sales", "Marketing", "Finance", "Legal")
KEYS = ("Nightly evaluation", "Ticket triage", "Release notes", "Search index", "Code review")
KEY_FOR_EVERY = 5
"""One person of so many has a key for scripts."""


@dataclass(frozen=True)
class Topic:
    """A conversation: its title, and what is asked and answered in it, again and again from the beginning."""

    title: str
    turns: tuple[tuple[str, str], ...]


def _topic(title: str, *said: str) -> Topic:
    return Topic(title, tuple(zip(said[::2], said[1::2], strict=True)))


TOPICS = {
    "Design": (
        _topic(
            "Colours that pass the contrast check",
            "Our grey text fails the contrast check. What is the lightest grey that passes on white?",
            "For body text you need a ratio of 4.5 : 1. On white that is `#767676`; anything lighter fails.",
            "And for headings of 24 px?",
            "Large text needs **3 : 1** only, so `#949494` is enough there.",
        ),
        _topic(
            "Words for the empty states",
            "Suggest a friendly sentence for a list without projects.",
            "“No projects yet. The first one takes about a minute.” It says what to do and how long it takes.",
            "Shorter, please.",
            "“Nothing here yet. Start a project.”",
        ),
    ),
    "Research": (
        _topic(
            "Questions for the interviews in spring",
            "Give me five open questions about how people plan their week.",
            "1. How did last week begin?\n2. What did you move, and why?\n3. Where do you write things down?\n"
            "4. What surprised you?\n5. What would you rather not plan?",
            "Which of them leads too much?",
            "The fifth: it supposes that there is something. Ask “What do you leave unplanned?” instead.",
        ),
        _topic(
            "How large must the sample be",
            "We expect 12 % and want to see a difference of two points. How many people do we need?",
            "For 80 % power at the 5 % level about **4,400 in each group**.",
        ),
    ),
    "Engineering": (
        _topic(
            "Why the build takes eleven minutes",
            "Nine of eleven minutes are spent in the test step. Where do I look first?",
            "At the fixtures: one database for all tests instead of one for each usually halves it.",
            "It is the browser tests.",
            "Then share one browser between them, and give each a context of its own:\n\n"
            "```python\nasync with browser.new_context() as context:\n    page = await context.new_page()\n```",
        ),
        _topic(
            "A query that counts twice",
            "This join gives me twice the orders. Why?",
            "An order with two payments appears twice. Add payments up in a subquery first, and join that.",
            "Works. And the index?",
            "`(order_id, paid_at)`: the subquery then reads the index alone.",
        ),
        _topic(
            "Plan for moving to the new queue",
            "In which order do we move the workers?",
            "Those that only read first, then those that can be repeated, and billing last.",
        ),
    ),
    "Support": (
        _topic(
            "Answer to a customer whose import stopped",
            "The import stopped at row 4,018 because of a date. Write a short, kind answer.",
            "“Thank you for the file. Row 4,018 has the 31st of April; once that is mended, the import goes on "
            "where it stopped, and nothing is imported twice.”",
        ),
        _topic(
            "Summary of the week's tickets",
            "What do these forty tickets have in common?",
            "Seventeen are about signing in after the update, nine about invoices, the rest about nothing in common.",
            "Write one sentence for the status page.",
            "“Signing in can take two tries since Tuesday; we know why and will mend it today.”",
        ),
    ),
    "Sales": (
        _topic(
            "Offer for a school with 300 seats",
            "Put the three packages into a table.",
            "| Package | Seats | Support |\n|---|---:|---|\n| Small | 100 | by mail |\n| Middle | 300 | next day |\n"
            "| Large | 1,000 | same day |",
        ),
        _topic(
            "Notes from the fair, sorted",
            "Sort these notes by how soon we should call.",
            "This week: the library and the clinic. In May: the two museums. The rest asked for the newsletter only.",
        ),
    ),
    "Marketing": (
        _topic(
            "Names for the spring release",
            "We need ten names that are not birds.",
            "Thaw, Catkin, Lantern, Meltwater, First Light, Primrose, Open Window, Sap, Warm Stone, Long Evening.",
            "The board likes Thaw. Any trouble with it?",
            "In some markets it suggests something that was frozen before. Say what was opened, and it helps you.",
        ),
        _topic(
            "Newsletter for April",
            "Make this half as long without losing the date.",
            "Done: 140 words, and the date stands in the first line now.",
        ),
    ),
    "Finance": (
        _topic(
            "Reading the quarterly numbers",
            "Why is March below February although we sold more?",
            "Because returns are counted when they arrive: **two thirds of them are February's**.",
            "And without them?",
            "Then March is 6 % above February.",
        ),
        _topic(
            "A formula for instalments",
            "Twelve instalments, 4 % a year. What is the formula?",
            "With $p$ for the amount and $i = 0.04 / 12$ each is $p \\cdot i / (1 - (1 + i)^{-12})$.",
        ),
    ),
    "Legal": (
        _topic(
            "Plain words for the privacy page",
            "Say this paragraph so that a fourteen-year-old understands it.",
            "“We keep your address as long as you have an account. When you delete the account, we delete it, too.”",
        ),
        _topic(
            "What changed between two versions of a contract",
            "List the differences that matter.",
            "Notice is three months instead of one; the place of jurisdiction moved; everything else is wording.",
        ),
    ),
}


@dataclass(frozen=True)
class Allowance:
    """A budget: of what was used in its period so far, `used` parts in a hundred of it are.

    `subject` is as people type it; `least` is the amount where nothing was used yet, in the unit (of money in dollars).
    """

    subject: str
    unit: Unit
    period: Period
    used: int
    least: int
    is_hard: bool = True


ALLOWANCES = (
    Allowance("workspace", Unit.USD, Period.MONTH, 64, 10),
    Allowance("group:Engineering", Unit.USD, Period.MONTH, 86, 2),
    Allowance("group:Design", Unit.USD, Period.MONTH, 47, 2),
    Allowance("group:Support", Unit.USD, Period.MONTH, 112, 1, is_hard=False),
    Allowance("user:bob", Unit.TOKENS, Period.MONTH, 91, 100_000),
    Allowance("model:anthropic/claude-opus-4-1", Unit.USD, Period.MONTH, 83, 1),
)
"""Beside one for the first key; see `KEY_ALLOWANCE`."""
KEY_ALLOWANCE = Allowance("key:", Unit.USD, Period.MONTH, 58, 1)
FOR_EACH = (
    ("user:*", Unit.REPLIES, Period.TOTAL, 4),
    ("key:*", Unit.REQUESTS, Period.MINUTE, 120),
)


def name_of(number: int) -> str:
    """Everybody has another name: `Alice`, `Bob`, …, then `Alice B.`, and numbered when letters run out."""
    first = NAMES[number % len(NAMES)]
    row = number // len(NAMES)
    if row == 0:
        return first
    letter, generation = INITIALS[(row - 1) % len(INITIALS)], (row - 1) // len(INITIALS)
    return f"{first} {letter}." + (f" {generation + 1}" if generation else "")


def username_of(name: str) -> str:
    """`Alice B. 2` → `alice.b.2`."""
    return ".".join(name.lower().replace(".", " ").split())


def limit_for(allowance: Allowance, spent: int, one: int) -> int:
    """A round amount of which `spent` is about the part that it should be; `one` is what a dollar or a token counts."""
    exact = max(spent * 100 // allowance.used, allowance.least * one)
    step = int("1".ljust(len(str(exact)) - 1, "0"))
    return -(-exact // step) * step if allowance.used < 100 else exact // step * step
