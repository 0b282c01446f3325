"""Addresses that lead nowhere, elsewhere, or where nobody should go."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.core.clock import now
from app.providers import wire
from app.providers.base import Timeouts
from app.providers.errors import (
    Misaddressed,
    NotReachable,
    NotTheProtocol,
    TimedOut,
)
from app.providers.openai_compatible import OpenAICompatible
from app.providers.wire import retrying
from tests.providers.fake_server import FakeServer
from tests.providers.reading import endpoint, hear, question


def provider(server: FakeServer, **more: object) -> OpenAICompatible:
    return OpenAICompatible(endpoint(f"{server.url}/v1", **more))


async def test_no_redirect_is_followed(server: FakeServer):
    server.plays("compatible/redirect")

    with pytest.raises(Misaddressed, match="another address"):
        await hear(provider(server).stream(question()))
    with pytest.raises(Misaddressed, match="another address"):
        await provider(server).list_models()
    assert len(server.received) == 2


@pytest.mark.parametrize("url", ["http://169.254.169.254/v1", "http://[::ffff:169.254.169.254]/v1"])
async def test_metadata_addresses_are_not_connected_to(url: str):
    adapter = OpenAICompatible(endpoint(url))

    with pytest.raises(Misaddressed, match="does not connect to"):
        await hear(adapter.stream(question()))
    with pytest.raises(Misaddressed, match="does not connect to"):
        await adapter.list_models()
    await wire.close()


async def test_a_name_that_leads_to_a_metadata_address_is_not_followed(monkeypatch: pytest.MonkeyPatch):
    def tricked(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", tricked)

    with pytest.raises(Misaddressed, match="does not connect to"):
        await hear(OpenAICompatible(endpoint("http://innocent.example/v1")).stream(question()))
    await wire.close()


async def test_a_host_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch):
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    adapter = OpenAICompatible(endpoint("http://no-such-host.example:8080/v1", label="Workshop"))

    with pytest.raises(
        Misaddressed, match=r"Workshop cannot be found: there is no host no-such-host\.example:8080"
    ):
        await hear(adapter.stream(question()))
    with pytest.raises(Misaddressed, match="no host"):
        await adapter.list_models()
    await wire.close()


async def test_a_refused_connection_is_tried_again_and_then_told(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    pauses: list[float] = []
    monkeypatch.setattr(retrying.asyncio, "sleep", _noted(pauses))

    with pytest.raises(NotReachable, match=f"nothing answers at 127.0.0.1:{port}"):
        await hear(OpenAICompatible(endpoint(f"http://127.0.0.1:{port}/v1")).stream(question()))
    assert len(pauses) == 2
    await wire.close()


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "not an address", "", "http://", "http://[::1", f"http://{'x' * 70}.org"]
)
async def test_an_address_that_is_none_is_told(url: str):
    with pytest.raises(NotReachable):
        await hear(OpenAICompatible(endpoint(url, retries=0)).stream(question()))
    with pytest.raises(NotReachable):
        await OpenAICompatible(endpoint(url)).list_models()
    await wire.close()


async def test_https_where_only_http_is_spoken_is_explained(server: FakeServer):
    adapter = OpenAICompatible(endpoint(server.url.replace("http://", "https://")))

    with pytest.raises(Misaddressed, match="http:// instead"):
        await hear(adapter.stream(question()))


async def test_a_certificate_that_nobody_signed_is_not_trusted(tmp_path: Path):
    async with _self_signed_server(tmp_path) as url:
        with pytest.raises(Misaddressed, match="not trusted"):
            await hear(OpenAICompatible(endpoint(url)).stream(question()))
        with pytest.raises(Misaddressed, match="not trusted"):
            await OpenAICompatible(endpoint(url)).list_models()
        await wire.close()


async def test_a_handshake_that_never_ends_is_given_up():
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    timeouts = Timeouts(connect=0.1, first_token=5, idle=1)
    async with silent:
        adapter = OpenAICompatible(endpoint(f"https://127.0.0.1:{port}/v1", timeouts=timeouts))
        with pytest.raises(TimedOut, match="did not accept a connection"):
            await hear(adapter.stream(question()))
        with pytest.raises(TimedOut, match="did not accept a connection"):
            await adapter.list_models()
        await wire.close()


async def test_something_that_speaks_no_http_is_not_the_protocol():
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n")
        await writer.drain()
        writer.close()

    mail_server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = mail_server.sockets[0].getsockname()[1]
    async with mail_server:
        with pytest.raises(NotTheProtocol):
            await hear(OpenAICompatible(endpoint(f"http://127.0.0.1:{port}")).stream(question()))
        with pytest.raises(NotTheProtocol):
            await OpenAICompatible(endpoint(f"http://127.0.0.1:{port}")).list_models()
        await wire.close()


def _noted(pauses: list[float]) -> object:
    """Does not pause whoever asks for it here; others, such as what an earlier story left, do pause."""
    here, pause = asyncio.current_task(), asyncio.sleep

    async def sleep(seconds: float) -> None:
        if asyncio.current_task() is here:
            pauses.append(seconds)
        else:
            await pause(seconds)

    return sleep


@asynccontextmanager
async def _self_signed_server(folder: Path) -> AsyncIterator[str]:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=_self_signed(folder)).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context
