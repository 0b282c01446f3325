"""What a hard limit costs a call: the time to the first token with a budget, less that without one."""

from statistics import median

from bench.installation import Installation, Running
from bench.readers import Reader
from bench.table import Row

LIMIT_MS = 1
WARM_UP = 10


async def measure_limits(installation: Installation, running: Running, questions: int) -> Row:
    """Two keys of one person ask in turns; one of them has a budget of its own, in money and far from spent."""
    keys = (installation.key, installation.limited_key)
    readers = [Reader(running.url, key) for key in keys]
    try:
        chats = [await reader.start_chat("Limits") for reader in readers]
        taken: list[list[float]] = [[], []]
        for number in range(questions + WARM_UP):
            for reader, chat_id, milliseconds in zip(readers, chats, taken, strict=True):
                heard = await reader.ask(chat_id, tokens=3, rate=100)
                if number >= WARM_UP:
                    milliseconds.append(heard.first_token_overhead_ms)
    finally:
        for reader in readers:
            await reader.close()
    free, limited = map(median, taken)
    return Row("Hard budget, added to the first token, median", limited - free, "ms", LIMIT_MS)
