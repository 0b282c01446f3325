"""Providers in three languages that fail in the middle: the same faults, as each of them would have them."""

from dataclasses import dataclass, replace

from tests.providers.fake_server import Answer, FakeServer, transcript
from tests.v1.clients import COMPLETIONS, GENERATION, RESPONSES, TALKING

MICROS_PER_TOKEN = 2


@dataclass(frozen=True)
class Vendor:
    """`path` is where it is asked, `last_words` what begins the end of its recorded answer."""

    kind: str
    path: str
    last_words: bytes
    middle: bytes
    nonsense: bytes
    complaint: bytes
    """What begins an error in a stream, in the recorded one."""
    input_tokens: int
    output_tokens: int
    folder: str
    """Of its transcripts."""
    error_in_stream: str = "error_in_stream"

    @property
    def model(self) -> str:
        return f"{self.kind}/m"

    @property
    def answer(self) -> Answer:
        return transcript(f"{self.folder}/answer")

    @property
    def whole(self) -> Answer:
        return transcript(f"{self.folder}/whole")

    @property
    def cut_short(self) -> Answer:
        """It ends cleanly, without the words that a whole one ends with."""
        return self._in_two(self.answer.without_end(self.last_words))

    @property
    def broken_off(self) -> Answer:
        return self.answer.but(breaks_at=self._half)

    @property
    def stalling(self) -> Answer:
        return self.answer.but(stalls_at=self._half)

    @property
    def garbled(self) -> Answer:
        body = self.answer.body
        return self._in_two(self.answer.but(body=body[: self._half] + self.nonsense + body[self._half :]))

    @property
    def complaining(self) -> Answer:
        """After the first words it says that it cannot go on."""
        recorded = transcript(f"{self.folder}/{self.error_in_stream}")
        return recorded.but(pauses_at=recorded.body.index(self.complaint))

    def plays(self, server: FakeServer, *answers: Answer | str) -> None:
        server.plays_at(self.path, *answers)

    def _in_two(self, answer: Answer) -> Answer:
        return answer.but(pauses_at=self._half)

    @property
    def _half(self) -> int:
        """Behind the first words, between two of its messages."""
        return self.answer.body.index(self.middle)


COMPATIBLE = Vendor(
    kind="openai-compatible",
    path="/v1/chat/completions",
    last_words=b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763000000,"model":"a-model","choices":[{"index":0,"delta":{},',
    middle=b": keep-alive",
    nonsense=b"data: {nonsense\n\n",
    complaint=b'data: {"id":"gen-1"',
    input_tokens=19,
    output_tokens=10,
    folder="compatible",
)
CLAUDE = Vendor(
    kind="anthropic",
    path="/v1/messages",
    last_words=b"event: message_delta",
    middle='event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"世界'.encode(),
    nonsense=b'event: error\ndata: {"type":"error", nonsense\n\n',
    complaint=b"event: error",
    input_tokens=420,
    output_tokens=25,
    folder="anthropic",
    error_in_stream="overloaded_in_stream",
)
LLAMA = Vendor(
    kind="ollama",
    path="/api/chat",
    last_words=b'{"model":"qwen3:8b","created_at":"2025-11-20T10:00:00.123456Z","message":{"role":"assistant","content":""},"done":true',
    middle='{"model":"qwen3:8b","created_at":"2025-11-20T10:00:00.123456Z","message":{"role":"assistant","content":"世界'.encode(),
    nonsense=b"{nonsense\n",
    complaint=b'{"error"',
    input_tokens=26,
    output_tokens=18,
    folder="ollama",
)
PROMPTED_LLAMA = replace(
    LLAMA,
    path="/api/generate",
    last_words=b'{"model":"qwen3:8b","created_at":"2025-11-20T10:00:00.123456Z","response":"","done":true',
    middle='{"model":"qwen3:8b","created_at":"2025-11-20T10:00:00.123456Z","response":"世界'.encode(),
    folder="ollama_generation",
)
CONTINUING = replace(
    COMPATIBLE,
    path="/v1/completions",
    last_words=b'data: {"id":"cmpl-1","object":"text_completion","created":1763000000,"model":"a-model","choices":[{"index":0,"text":"",',
    complaint=b'data: {"error"',
    folder="compatible_completions",
)
RESPONDING = Vendor(
    kind="openai",
    path="/v1/responses",
    last_words=b"event: response.completed",
    middle=b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":7,',
    nonsense=b"event: response.output_text.delta\ndata: {nonsense\n\n",
    complaint=b"event: response.failed",
    input_tokens=36,
    output_tokens=87,
    folder="openai_responses",
)
VENDORS = (COMPATIBLE, CLAUDE, LLAMA)
OTHER_DOORS = {(GENERATION, LLAMA): PROMPTED_LLAMA, (COMPLETIONS, COMPATIBLE): CONTINUING}
"""Where a vendor is asked at another door by clients of its language."""
PAIRS = [
    *((client, OTHER_DOORS.get((client, vendor), vendor)) for client in TALKING for vendor in VENDORS),
    (RESPONSES, RESPONDING),
]
"""Every client with every vendor."""
