"""How fast a token reaches its reader, and whether all of them do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.installation import Installation, Running
from bench.readers import Heard, Reader
from bench.table import Row, median_and_p99, p99

LIMITS_FIRST_TOKEN = (15, 60)
LIMIT_DELAY = 400
TOKENS_PER_SECOND = 20
SECONDS_OF_A_REPLY = 10
SECONDS_OF_ARRIVING = 15.0


@dataclass(frozen=True)
class Scale:
    """How much is measured. `questions` for the time to the first token; `readers` replies at once, each of
    `tokens` tokens."""

    questions: int
    background: int
    readers: int
    tokens: int


FULL = Scale(questions=200, background=50, readers=300, tokens=600)
QUICK = Scale(questions=30, background=10, readers=50, tokens=400)


async def measure_replies(installation: Installation, running: Running, scale: Scale) -> list[Row]:
    reader = Reader(running.url, installation.key)
    try:
        await _first_tokens(reader, 10)  # warms up what every server keeps warm
        alone = await _first_tokens(reader, scale.questions)
        async with _streaming(reader, scale.background):
            beside_others = await _first_tokens(reader, scale.questions)
        crowd = await _crowd(reader, running, scale)
    finally:
        await reader.close()
    return [
        *median_and_p99("Question to first token, own share, 1 chat", alone, "ms", LIMITS_FIRST_TOKEN),
        *median_and_p99(
            f"Question to first token, own share, {scale.background} chats streaming",
            beside_others,
            "ms",
            LIMITS_FIRST_TOKEN,
        ),
        *crowd,
    ]


async def _first_tokens(reader: Reader, questions: int) -> list[float]:
    chat_id = await reader.start_chat("First tokens")
    overheads = []
    for _ in range(questions):
        heard = await reader.ask(chat_id, tokens=3, rate=100)
        overheads.append(heard.first_token_overhead_ms)
    return overheads


@asynccontextmanager
async def _streaming(reader: Reader, chats: int) -> AsyncIterator[None]:
    """`chats` conversations in which one reply after another is written and read."""

    async def converse(number: int) -> None:
        chat_id = await reader.start_chat(f"Background {number}")
        # One after another, as people begin: else all end, and begin anew, in the same instant every time.
        await asyncio.sleep(SECONDS_OF_A_REPLY * number / chats)
        while True:
            await reader.ask(chat_id, tokens=TOKENS_PER_SECOND * SECONDS_OF_A_REPLY, rate=TOKENS_PER_SECOND)

    conversations = [asyncio.create_task(converse(number)) for number in range(chats)]
    await asyncio.sleep(SECONDS_OF_A_REPLY + 2)
    try:
        yield
    finally:
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)


async def _crowd(reader: Reader, running: Running, scale: Scale) -> list[Row]:
    chats = [await reader.start_chat(f"Crowd {number}") for number in range(scale.readers)]
    heard = await asyncio.gather(
        *(
            _ask_later(reader, chat_id, SECONDS_OF_ARRIVING * place / len(chats), scale.tokens)
            for place, chat_id in enumerate(chats)
        )
    )
    memory = running.resident_megabytes()
    delays = [token.delay_ms for reply in heard for token in reply.tokens]
    name = f"{scale.readers} replies at {TOKENS_PER_SECOND} tokens/s"
    return [
        Row(f"{name}, tokens lost", sum(reply.lost(scale.tokens) for reply in heard), "", 0),
        Row(f"{name}, replies not whole", sum(reply.ended_with != "done" for reply in heard), "", 0),
        Row(f"{name}, token to reader, p99", p99(delays), "ms", LIMIT_DELAY),
        Row(f"{name}, resident memory after it", memory, "MB"),
    ]


async def _ask_later(reader: Reader, chat_id: str, seconds: float, tokens: int) -> Heard:
    # People do not press Enter in the same instant.
    await asyncio.sleep(seconds)
    return await reader.ask(chat_id, tokens=tokens, rate=TOKENS_PER_SECOND)
