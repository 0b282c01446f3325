"""The signed token in a browser's cookie: it names a session row and proves that we wrote it.

The only module that knows `jose`. The token alone opens nothing: the row it names is looked at each time.
"""

from datetime import datetime

from jose import JWTError, jwt

ALGORITHM = "HS256"  # pinned: the token's own header never chooses how it is checked
ISSUER = "parley"
AUDIENCE = "parley:browser"
SESSION = "session"
REQUIRED = {f"require_{claim}": True for claim in ("iss", "aud", "exp", "iat", "jti")}


class InvalidToken(Exception):
    """The token is forged, expired, or was made for something else."""


def issue(signing_key: str, session_id: str, *, issued_at: datetime, expires_at: datetime) -> str:
    """A token for the session `session_id`, good until `expires_at` at the latest."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": SESSION,
        "jti": session_id,
        "iat": int(issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
    }
    token: str = jwt.encode(claims, signing_key, algorithm=ALGORITHM)
    return token


def session_id_of(signing_key: str, token: str) -> str:
    """The id of the session that `token` names. Raises InvalidToken."""
    try:
        claims: dict[str, object] = jwt.decode(
            token, signing_key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER, options=REQUIRED
        )
    except JWTError as error:
        raise InvalidToken from error
    session_id = claims["jti"]
    if claims.get("typ") != SESSION or not isinstance(session_id, str):
        raise InvalidToken
    return session_id
