"""LangChain's standard suite for chat models, through its OpenAI client, against a running Parley.

Skipped by the suite itself: PDFs, audio and images in the results of tools, which Parley refuses; and what needs
the internet, such as the picture that it shows to models (`test_client.py` shows one, too).
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

from tests.v1.openai.conftest import ANOTHER_LANGUAGE, ECHO, OWN_LANGUAGE
from tests.v1.serving import Served


@pytest.fixture(scope="module", autouse=True)
async def _one_loop(anyio_backend: object) -> AsyncIterator[None]:
    """LangChain keeps its connections from one test to the next."""
    yield  # noqa: PT022  (a generator keeps the loop open)


class Standard(ChatModelIntegrationTests):
    """What holds for every provider."""

    model_name = ""

    @pytest.fixture(autouse=True)
    def _reach(self, served: Served) -> None:
        self.served = served

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": self.model_name,
            "base_url": self.served.openai_url,
            "api_key": self.served.key,
            "max_retries": 0,
            "stream_usage": True,
        }

    @property
    def model_override_value(self) -> str:
        return ECHO

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True


class TestThroughAProviderOfTheSameLanguage(Standard):
    model_name = OWN_LANGUAGE


class TestThroughAProviderOfAnotherLanguage(Standard):
    """Ollama chooses tools by itself: that one must be called cannot be said, and is left out."""

    model_name = ANOTHER_LANGUAGE

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return super().chat_model_params | {"default_headers": {"x-parley-drop-unsupported": "true"}}

    @property
    def has_tool_choice(self) -> bool:
        return False
