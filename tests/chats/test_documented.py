"""The samples in docs/api.md do what they say, against a real server."""

import asyncio
import re
import sys

from app.core.settings import ROOT
from tests.cast import Cast

SAMPLE = re.compile(r"^```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)


async def test_the_samples_run(cast: Cast, echo: str, address: str) -> None:
    key = (await cast.bob.client.post("/api/keys", json={"name": "Samples"})).json()["secret"]
    code = "\n".join(found["code"] for found in SAMPLE.finditer((ROOT / "docs/api.md").read_text()))
    told = {"127.0.0.1:8000": address.partition("//")[2], "echo/echo": echo, '"…"': f'"{key}"'}
    for written, meant in told.items():
        assert written in code
        code = code.replace(written, meant)

    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaints = await asyncio.wait_for(running.communicate(), 60)

    assert running.returncode == 0, complaints.decode()
    for word in ("How deep is the harbour?", "And how wide?", "A name for a boat"):
        assert word in said.decode()
