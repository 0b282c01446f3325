"""Base URLs as people paste them."""

import pytest

from app.catalog.addresses import is_on_this_machine, normalised
from app.catalog.connections import kind_named
from app.core.errors import Invalid


@pytest.mark.parametrize(
    ("kind", "given", "stored", "is_trimmed"),
    [
        ("openai", "", "https://api.openai.com/v1", False),
        ("openai-compatible", " http://10.0.4.12:8080/v1/ ", "http://10.0.4.12:8080/v1", False),
        ("openai-compatible", "10.0.4.12:8080/v1", "http://10.0.4.12:8080/v1", False),
        ("openai-compatible", "https://x.example/v1/chat/completions", "https://x.example/v1", True),
        ("openai-compatible", "https://x.example/proxy/v1/models/", "https://x.example/proxy/v1", True),
        ("anthropic", "https://api.anthropic.com/v1/messages", "https://api.anthropic.com", True),
        ("ollama", "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434", True),
        ("ollama", "http://[::1]:11434/api/chat", "http://[::1]:11434", True),
        ("echo", "http://anything.example", "", False),
    ],
)
def test_addresses_are_brought_to_one_form(kind: str, given: str, stored: str, is_trimmed: bool) -> None:
    address = normalised(kind_named(kind), given)

    assert (address.url, address.is_trimmed) == (stored, is_trimmed)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1%25eth0]", "[64:ff9b::a9fe:a9fe]", "100.100.100.200"]
)
def test_metadata_services_are_refused_in_every_disguise(host: str) -> None:
    with pytest.raises(Invalid, match="metadata"):
        normalised(kind_named("openai-compatible"), f"http://{host}/v1")


@pytest.mark.parametrize("host", ["<script>alert(1)<", "x" * 64, "a..example", "😀", "two words", "."])
def test_what_no_machine_can_be_called_is_refused_where_it_is_typed(host: str) -> None:
    with pytest.raises(Invalid, match="names no server"):
        normalised(kind_named("openai-compatible"), f"http://{host}/v1")


@pytest.mark.parametrize(
    "host", ["my_vllm", "gpu-1.lan", "bücher.example", "שלום.example", "हिन्दी.example", "llm.example."]
)
def test_names_of_machines_are_written_in_every_script(host: str) -> None:
    assert normalised(kind_named("openai-compatible"), f"http://{host}/v1").url == f"http://{host}/v1"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.1.2.3", "192.168.1.5", "[::1]", "[fd12::1]"])
def test_local_addresses_are_welcome(host: str) -> None:
    assert normalised(kind_named("ollama"), f"http://{host}:11434").url == f"http://{host}:11434"


def test_this_machine_is_known() -> None:
    assert is_on_this_machine("http://localhost:1234")
    assert is_on_this_machine("http://127.0.0.1:1234/v1")
    assert not is_on_this_machine("http://127.example.org")
    assert not is_on_this_machine("")
