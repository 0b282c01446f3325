"""Who opens a socket: by a header, a ticket, or a cookie that one of our own pages sent."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import HTTPConnection

from app.accounts import tickets
from app.accounts.access import LOG_IN, identify
from app.accounts.identity import Identity
from app.core.crypto import Secrets
from app.core.database import database_of
from app.core.errors import Forbidden, NotSignedIn
from app.core.requests import address_of, is_own_origin
from app.core.settings import Settings


async def _identity_of_socket(connection: HTTPConnection) -> Identity:
    secret = connection.query_params.get("ticket")
    if secret is not None:
        secrets: Secrets = connection.app.state.secrets
        return await tickets.redeem(
            database_of(connection), secret, secrets.signing_key, address_of(connection)
        )
    identity = await identify(connection)
    if identity is None:
        raise NotSignedIn(LOG_IN)
    if identity.sign_in is not None:
        _refuse_other_sites(connection)
    return identity


def _refuse_other_sites(connection: HTTPConnection) -> None:
    """Browsers send a site's cookies with sockets that any other site opens, and ask nobody."""
    settings: Settings = connection.app.state.settings
    headers, public_host = connection.headers, urlsplit(settings.public_url).netloc
    if not is_own_origin(headers.get("origin", ""), headers.get("host", ""), public_host):
        raise Forbidden("This socket was opened by another site. Use a ticket, or open Parley itself.")


SocketIdentity = Annotated[Identity, Depends(_identity_of_socket)]
