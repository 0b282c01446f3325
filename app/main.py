"""Puts the house together: settings → database, hub, gateway → routers and error pages.

The only module that knows every room.
"""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial

from fastapi import FastAPI
from starlette.types import ASGIApp

from app.accounts import api as accounts_api
from app.accounts import doorkeeper as doorkeeping
from app.accounts import group_api, housekeeping, ticket_api, workspace
from app.accounts import pages as accounts_pages
from app.accounts.cookies import RenewedCookies
from app.accounts.doorkeeper import Doorkeeper
from app.admin.router import router as admin_router
from app.catalog import api as catalog_api
from app.catalog import local_api
from app.catalog import pages as catalog_pages
from app.catalog.detection import Detection
from app.catalog.discovery import SECONDS_BETWEEN_ROUNDS, refresh_due
from app.catalog.local_servers import LocalServers
from app.chats import api as chat_api
from app.chats import erasing, image_pages, leaving
from app.chats import pages as chat_pages
from app.chats import socket as chat_socket
from app.chats import streams as chat_streams
from app.chats.recording import Recorder
from app.chats.replies import Replies
from app.chats.titles import titles_of
from app.core import api_docs, changes, error_pages, health
from app.core.changes import Changes
from app.core.crypto import load_secrets, open_vault
from app.core.database import Database
from app.core.logging import configure as configure_logging
from app.core.requests import RequestGuard
from app.core.settings import Settings
from app.core.static_files import router as static_files_router
from app.core.version import VERSION
from app.gateway import running, spending
from app.gateway.calls import Gateway
from app.live.hub import Hub
from app.live.seats import Seats
from app.live.stopping import Stopping
from app.live.tasks import Tasks
from app.usage import api as usage_api
from app.usage import budget_pages, currency, key_api, key_pages, price_sheet
from app.usage import pages as usage_pages
from app.v1 import models_api
from app.v1 import pages as tools_pages
from app.v1.anthropic import api as anthropic_api
from app.v1.express import Express, stops
from app.v1.native import api as native_api
from app.v1.ollama import api as ollama_api
from app.v1.openai import api as openai_api
from app.v1.refusing import refuse

SECONDS_UNTIL_A_THREAD_GETS_ITS_TURN = 0.0005
SECONDS_TO_RECORD = 5.0
GARBAGE_THRESHOLDS = (10_000, 20, 50)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application, ready to be served; nothing is opened before its lifespan starts."""
    settings = settings or Settings()
    configure_logging(settings)
    app = Parley(
        title="Parley",
        version=VERSION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Nothing is reported to anybody: not even looked for, with every request, is somebody to report to.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    error_pages.install(app, refuse)
    currency.install()
    app.include_router(health.router)
    app.include_router(static_files_router)
    # They are looked through one by one: what is asked for most comes first.
    app.include_router(chat_pages.router)
    app.include_router(chat_streams.router)
    app.include_router(chat_api.router)
    app.include_router(chat_socket.router)
    app.include_router(image_pages.router)
    # Before the other pages of /settings: one of their addresses fits any name.
    app.include_router(key_pages.router)
    app.include_router(key_api.router)
    app.include_router(tools_pages.router)
    app.include_router(accounts_pages.router)
    app.include_router(accounts_api.router)
    app.include_router(group_api.router)
    app.include_router(ticket_api.router)
    app.include_router(admin_router)
    app.include_router(catalog_pages.router)
    app.include_router(catalog_api.router)
    app.include_router(local_api.router)
    app.include_router(budget_pages.router)
    app.include_router(usage_pages.router)
    app.include_router(usage_api.router)
    app.include_router(usage_api.metrics_router)
    app.include_router(models_api.router)
    app.include_router(native_api.router)
    app.include_router(openai_api.router)
    app.include_router(anthropic_api.router)
    app.include_router(ollama_api.router)
    api_docs.install(app)
    app.add_middleware(RenewedCookies)
    return app


class Parley(FastAPI):
    """FastAPI with a guard around all of it: also the answer to what nobody foresaw passes it on its way out.

    Calls that come by the thousand are answered by the guard's side, without a look at the other doors.
    """

    def build_middleware_stack(self) -> ASGIApp:
        settings: Settings = self.state.settings
        all_stops = stops(*openai_api.STOPS, *anthropic_api.STOPS, *ollama_api.STOPS)
        return RequestGuard(
            Express(super().build_middleware_stack(), all_stops),
            largest=settings.max_request_bytes,
            public_url=settings.public_url,
            refuse=refuse,
        )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    # SQLite answers from threads of its own: they are not to wait five milliseconds for a busy event loop.
    sys.setswitchinterval(SECONDS_UNTIL_A_THREAD_GETS_ITS_TURN)
    _spare_what_was_imported()
    secrets = load_secrets(settings)
    app.state.secrets = secrets
    app.state.vault = open_vault(settings)
    app.state.database = database = Database(settings.resolved_database_url)
    app.state.hub = hub = _hub_for(settings, database.changes)
    app.state.tasks = tasks = Tasks()
    app.state.doorkeeper = doorkeeper = Doorkeeper(database, hub, secrets.signing_key)
    app.state.gateway = gateway = Gateway(database, app.state.vault, settings)
    app.state.providers = gateway.providers
    app.state.replies = replies = Replies(database, hub, tasks, gateway)
    app.state.recorder = recorder = Recorder(
        database, hub, tasks, gateway, longest=settings.max_message_chars
    )
    app.state.stopping = Stopping(hub)
    app.state.seats = Seats()
    app.state.titles_of = titles_of
    app.state.prices_of = price_sheet.tags_of
    app.state.detection = Detection(settings, tasks)
    app.state.local_servers = LocalServers(database, gateway.providers, tasks)
    app.state.workspace = await workspace.load(database)
    await hub.start()
    await replies.begin()
    await gateway.begin(is_alone=not hub.is_shared)
    tasks.start("gateway", gateway.run())
    tasks.start("price list", price_sheet.warm(database))
    tasks.start("follow workspace", workspace.follow(database, hub, partial(setattr, app.state, "workspace")))
    tasks.start("follow who leaves", leaving.follow(database, hub, replies))
    tasks.every(doorkeeping.SECONDS_BETWEEN_LOOKS, "show out", doorkeeper.show_out)
    tasks.every(doorkeeping.SECONDS_BETWEEN_NOTES, "note use of keys", doorkeeper.note_uses)
    tasks.every(running.SECONDS_BETWEEN_ROUNDS, "note calls under way", gateway.running.note_overdue)
    tasks.every(spending.SECONDS_BETWEEN_LOOKS, "look after limits", gateway.spending.look_after)
    tasks.every(spending.SECONDS_BETWEEN_ROUNDS, "renew reservations", gateway.keep_alive)
    tasks.every(housekeeping.SECONDS_BETWEEN_ROUNDS, "tidy", lambda: housekeeping.tidy(database))
    tasks.every(erasing.SECONDS_BETWEEN_ROUNDS, "erase deleted", lambda: erasing.erase_deleted(database))
    tasks.every(SECONDS_BETWEEN_ROUNDS, "refresh models", lambda: refresh_due(database, gateway.providers))
    # From the last to the first, each of them whatever became of those before it.
    async with AsyncExitStack() as at_the_end:
        at_the_end.push_async_callback(database.close)
        at_the_end.push_async_callback(hub.stop)
        at_the_end.push_async_callback(doorkeeper.note_uses)
        at_the_end.push_async_callback(gateway.close)
        at_the_end.callback(recorder.close)
        at_the_end.push_async_callback(tasks.stop)
        at_the_end.push_async_callback(recorder.drain, SECONDS_TO_RECORD)
        at_the_end.push_async_callback(replies.drain, settings.shutdown_grace)
        with app.state.stopping.watching():
            yield


@cache
def _spare_what_was_imported() -> None:
    """It stays: to look through all of it for garbage would hold everybody up for a tenth of a second."""
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _hub_for(settings: Settings, news: Changes) -> Hub:
    if settings.is_sqlite:
        return Hub()
    # Imported where it is needed: SQLite installations do without the driver's memory.
    from app.live.postgres import PostgresHub

    hub = PostgresHub(settings.resolved_database_url, {changes.CHANNEL: news.heard})
    news.hearing = hub.hearing
    return hub
