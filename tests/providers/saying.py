"""What each vendor would be sent for a request, without a server."""

from collections.abc import Callable

from app.providers import anthropic_messages, ollama_messages
from app.providers.base import Request
from app.providers.groq import Groq
from app.providers.lmstudio import LMStudio
from app.providers.openai import OpenAI
from app.providers.openai_compatible import OpenAICompatible
from app.providers.untrusted import Json
from tests.providers.reading import endpoint

ADDRESS = endpoint("http://127.0.0.1:9/v1")

SAY: dict[str, Callable[[Request], Json]] = {
    "OpenAI-compatible": OpenAICompatible(ADDRESS).body,
    "OpenAI": OpenAI(ADDRESS).body,
    "Groq": Groq(ADDRESS).body,
    "LM Studio": LMStudio(ADDRESS).body,
    "Anthropic": lambda request: anthropic_messages.messages_body(request, "Anthropic"),
    "Ollama": lambda request: ollama_messages.chat_body(request, "Ollama"),
}
