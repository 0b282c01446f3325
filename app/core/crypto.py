"""Secrets: where they live, how keys are encrypted at rest, and keyed hashes of tokens.

The only module that knows `cryptography`.
"""

import hmac
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.core.settings import Settings

SECRET_KEY_FILE = "secret.key"
ENCRYPTION_KEY_FILE = "encryption.keys"
SHORTEST_SECRET = 32
FEWEST_DIFFERENT_CHARACTERS = 10
PLACEHOLDERS = ("change", "secret", "example", "placeholder", "password", "default", "your-", "insecure")
HOW_TO_MAKE_ONE = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'


class WeakSecret(Exception):
    """A secret from the environment is too short or a placeholder; the message says how to make a good one."""


class Undecipherable(Exception):
    """A stored secret was encrypted with a key that is no longer here."""


@dataclass(frozen=True)
class Secrets:
    """The signing key and the encryption keys, newest first."""

    signing_key: str
    encryption_keys: tuple[str, ...]


def load_secrets(settings: Settings) -> Secrets:
    """Take secrets from the settings, else from DATA_DIR, where they are generated once with mode 0600.

    Raises WeakSecret when the environment holds one that could be guessed.
    """
    if settings.secret_key:
        _refuse_weak(settings.secret_key)
    for key in settings.encryption_keys:
        _refuse_malformed(key)
    signing_key = settings.secret_key or read_or_create(
        settings.data_dir / SECRET_KEY_FILE, lambda: secrets.token_urlsafe(48)
    )
    encryption_keys = settings.encryption_keys or tuple(
        read_or_create(settings.data_dir / ENCRYPTION_KEY_FILE, _new_encryption_key).split()
    )
    return Secrets(signing_key, encryption_keys)


class Vault:
    """Encrypts short secrets at rest. The newest key encrypts; every key decrypts.

    `read_keys` returns the keys as they are now: they may be rotated while a server runs.
    """

    def __init__(self, keys: tuple[str, ...], read_keys: Callable[[], tuple[str, ...]] | None = None) -> None:
        self._read_keys = read_keys or (lambda: keys)
        self._fernet = _fernet_of(keys)

    def encrypt(self, plain: str) -> str:
        # With the newest of all: what a retired key encrypts could soon be read by nobody.
        self._fernet = _fernet_of(self._read_keys())
        return self._fernet.encrypt(plain.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Raises Undecipherable when the key that encrypted it is missing."""
        try:
            return self._decrypt(token)
        except InvalidToken:
            self._fernet = _fernet_of(self._read_keys())
        try:
            return self._decrypt(token)
        except InvalidToken as error:
            raise Undecipherable(
                "The encryption key for this secret is missing. Enter the secret again."
            ) from error

    def rotate(self, token: str) -> str:
        """The same secret, encrypted with the newest key. Raises Undecipherable."""
        return self.encrypt(self.decrypt(token))

    def _decrypt(self, token: str) -> str:
        return self._fernet.decrypt(token.encode()).decode()


def open_vault(settings: Settings) -> Vault:
    """The vault of this installation, which follows the key file when keys are rotated. Raises WeakSecret."""
    return Vault(load_secrets(settings).encryption_keys, lambda: load_secrets(settings).encryption_keys)


def add_encryption_key(data_dir: Path) -> tuple[str, ...]:
    """Put a new key in front of the key file and return all keys, newest first."""
    path = data_dir / ENCRYPTION_KEY_FILE
    keys = (_new_encryption_key(), *path.read_text().split())
    _write_private(path, "\n".join(keys) + "\n")
    return keys


def retire_old_encryption_keys(data_dir: Path) -> None:
    """Keep only the newest key; call it once everything is encrypted with that one."""
    path = data_dir / ENCRYPTION_KEY_FILE
    _write_private(path, path.read_text().split()[0] + "\n")


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """What the private file holds; made first, with mode 0600, where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        beside = _written_beside(path, make() + "\n")
        # A link either takes the name or finds it taken: of two processes that start together one wins.
        try:
            with suppress(FileExistsError):
                path.hardlink_to(beside)
        finally:
            beside.unlink()
    return path.read_text().strip()


def keyed_hash(signing_key: str, token: str) -> str:
    """HMAC-SHA256 of a high-entropy token, so that a stolen database holds nothing that opens a door."""
    keyed = _keyed(signing_key).copy()
    keyed.update(token.encode())
    return keyed.hexdigest()


@cache
def _keyed(signing_key: str) -> hmac.HMAC:
    """Begun once: every call of a program is known by such a hash."""
    return hmac.new(signing_key.encode(), digestmod="sha256")


def derived_key(signing_key: str, purpose: str) -> str:
    """A key for one purpose, so that nothing that is made for another can stand in for it."""
    return keyed_hash(signing_key, f"parley: {purpose}")


def masked(secret: str) -> str:
    """What may be shown of a key: its last four characters, and nothing of a short one."""
    return f"••••{secret[-4:]}" if len(secret) >= 16 else "••••"


def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _new_encryption_key() -> str:
    return Fernet.generate_key().decode()


def _refuse_weak(secret: str) -> None:
    lowered = secret.lower()
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_DIFFERENT_CHARACTERS:
        raise WeakSecret(f"SECRET_KEY is too easy to guess. {HOW_TO_MAKE_ONE}")
    if any(word in lowered for word in PLACEHOLDERS):
        raise WeakSecret(f"SECRET_KEY looks like a placeholder. {HOW_TO_MAKE_ONE}")


def _refuse_malformed(key: str) -> None:
    try:
        Fernet(key)
    except ValueError as error:
        raise WeakSecret(
            "ENCRYPTION_KEYS holds something that is not a Fernet key. Make one with: "
            'python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
        ) from error


def _write_private(path: Path, text: str) -> None:
    # Written beside and moved into place: a crash leaves the old keys or the new ones, never half of them.
    _written_beside(path, text).replace(path)


def _written_beside(path: Path, text: str) -> Path:
    """A whole file with mode 0600, under a name in the same folder that nobody else has."""
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)
