from collections.abc import AsyncIterator

import pytest
from anthropic import AsyncAnthropic

from tests.v1.conftest import Connect


@pytest.fixture
async def claude(address: str, key: str, connect: Connect) -> AsyncIterator[AsyncAnthropic]:
    """Anthropic's library with Bob's key."""
    await connect("practice", "echo", "echo-fast")
    async with AsyncAnthropic(base_url=address, api_key=key, max_retries=0) as client:
        yield client
