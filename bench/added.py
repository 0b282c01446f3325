"""What Parley adds to an answer's time when one program asks, beside asking the upstream itself."""

from statistics import median

from bench.askers import Asker, Server, connected
from bench.instant import INSTANT
from bench.table import Row, median_and_p99

LIMITS_MS = (2.5, 10)
WARM_UP = 50


async def measure_added(parley: Server, upstream: Server, questions: int) -> list[Row]:
    """One question goes to Parley and the next to the upstream, so that both find the machine in the same mood."""
    async with connected(parley) as [through], connected(upstream) as [direct]:
        whole = await _added(through, direct, _questions(parley, upstream, streaming=False), questions)
        first = await _added(through, direct, _questions(parley, upstream, streaming=True), questions)
    return [
        *median_and_p99("API, added to a request, 1 client", whole, "ms", LIMITS_MS),
        *median_and_p99("API, added to the first token, 1 client", first, "ms", LIMITS_MS),
    ]


def _questions(*servers: Server, streaming: bool) -> list[bytes]:
    return [server.question(INSTANT, streaming=streaming) for server in servers]


async def _added(through: Asker, direct: Asker, requests: list[bytes], questions: int) -> list[float]:
    """Milliseconds to the first word, which of an answer in one piece is all there is, less the upstream's median."""
    here: list[float] = []
    there: list[float] = []
    for _ in range(questions + WARM_UP):
        here.append((await through.ask(requests[0])).first_word_ms)
        there.append((await direct.ask(requests[1])).first_word_ms)
    usual = median(there[WARM_UP:])
    return [milliseconds - usual for milliseconds in here[WARM_UP:]]
