"""`parley serve`: brings the database up to date, says what to do next, and serves."""

import importlib
import multiprocessing
import os
import signal
import socket
import sys
from typing import Annotated

import typer

from app.commands.listening import listen
from app.commands.settings import read_settings, stop
from app.core.settings import Settings

APPLICATION_MODULE = "app.main"
SECONDS_KEPT_ALIVE = 75
SECONDS_FOR_A_WORKER_TO_ANSWER = 30
"""On a slow machine one is busy for long before it can say that it lives; killed for that, it would never start."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs PostgreSQL.")] = 1,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when the source changes.")] = False,
) -> None:
    """Start Parley."""
    settings = _settings_with(host, port)
    if workers > 1 and settings.is_sqlite:
        stop("More than one worker needs PostgreSQL: set DATABASE_URL to such a database, or use one worker.")
    # The address first: of two servers started at once, one ends here and touches nothing.
    listener = listen(settings.host, settings.port)
    _prepare_beside(settings, listener.getsockname()[1], serves_itself=workers == 1 and not reload)
    _run(settings, listener, workers, reload)


def _settings_with(host: str | None, port: int | None) -> Settings:
    # Through the environment, so that workers and reloaded processes read the same.
    if host is not None:
        os.environ["HOST"] = host
    if port is not None:
        os.environ["PORT"] = str(port)
    return read_settings()


def _prepare_beside(settings: Settings, port: int, *, serves_itself: bool) -> None:
    # In a process of its own: what only migrating needs is not kept in memory for weeks.
    preparation = multiprocessing.get_context("fork").Process(target=_prepare, args=(settings, port))
    preparation.start()
    if serves_itself:
        # Meanwhile: it takes about as long.
        importlib.import_module(APPLICATION_MODULE)
    preparation.join()
    if preparation.exitcode:
        sys.exit(1)


def _prepare(settings: Settings, port: int) -> None:
    # Ctrl+C ends both processes; this one without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from app.commands.database import bring_up_to_date, explained
    from app.commands.welcome import welcome
    from app.core.crypto import load_secrets

    with explained():
        load_secrets(settings)
    bring_up_to_date(settings)
    typer.echo(welcome(settings, port), err=True)


def _run(settings: Settings, listener: socket.socket, workers: int, reload: bool) -> None:
    import uvicorn
    from uvicorn.supervisors import ChangeReload, Multiprocess

    from app.commands.protocol import Protocol

    config = uvicorn.Config(
        f"{APPLICATION_MODULE}:create_app",
        factory=True,
        workers=workers,
        reload=reload,
        reload_dirs=["app"] if reload else None,
        loop="uvloop",
        http=Protocol,
        ws="websockets-sansio",
        ws_max_size=settings.max_request_bytes,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=SECONDS_KEPT_ALIVE,
        timeout_worker_healthcheck=SECONDS_FOR_A_WORKER_TO_ANSWER,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_grace)),
    )
    server = uvicorn.Server(config)
    if config.should_reload:
        ChangeReload(config, target=server.run, sockets=[listener]).run()
    elif workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        server.run(sockets=[listener])
        if not server.started:
            sys.exit(1)
