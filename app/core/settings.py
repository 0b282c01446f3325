"""Every setting Parley knows, read once at start from the environment and from `.env`."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


class Settings(BaseSettings):
    """Names are those of the environment, in lower case. A field's description is its line in `.env.example`."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 lets other machines in.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    data_dir: Path = Field(
        Path("data"), description="Folder for the SQLite database, the generated secrets and backups."
    )
    database_url: str = Field(
        "", description="Empty for a SQLite file in DATA_DIR, or postgresql://user:password@host/name."
    )
    public_url: str = Field(
        "",
        description="Address people use, such as https://chat.example.org; empty: taken from each request.",
    )
    secret_key: str = Field(
        "",
        repr=False,
        description="Signs the cookies of people who log in; empty: generated into DATA_DIR on first start.",
    )
    encryption_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=AliasChoices("encryption_keys", "encryption_key"),
        repr=False,
        description="Encrypts provider keys, newest first, separated by commas; empty: generated into DATA_DIR.",
    )
    registration: Literal["invite", "open", "closed"] = Field(
        "invite",
        description="Who may make an account: invite (with a link), open (anyone) or closed (nobody).",
    )
    keep_file_modes: bool = Field(
        False,
        description="Leave it to you who on this machine may read the SQLite files; otherwise only Parley's user.",
    )
    session_days: int = Field(30, ge=1, le=365, description="Days after which an unused session expires.")
    invitation_days: int = Field(7, ge=1, le=90, description="Days for which an invitation link works.")
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses of reverse proxies whose X-Forwarded-* headers are believed."
    )
    ollama_base_url: str = Field("http://127.0.0.1:11434", description="Where a local Ollama is looked for.")
    lmstudio_base_url: str = Field(
        "http://127.0.0.1:1234", description="Where a local LM Studio is looked for."
    )
    provider_connect_timeout: float = Field(
        10, gt=0, description="Seconds to wait for a provider's connection."
    )
    provider_first_token_timeout: float = Field(
        120, gt=0, description="Seconds to wait for a provider's first token (local models load first)."
    )
    provider_idle_timeout: float = Field(
        60, gt=0, description="Seconds a stream may stay silent between tokens."
    )
    provider_retries: int = Field(
        2, ge=0, le=10, description="How often a call is tried again before its first token."
    )
    shutdown_grace: float = Field(
        10, ge=0, description="Seconds that running replies get to finish when the server stops."
    )
    max_request_bytes: int = Field(
        20_000_000, ge=1_000, description="Largest request accepted, in bytes; more is answered with 413."
    )
    max_message_chars: int = Field(200_000, ge=1_000, description="Longest message accepted, in characters.")
    max_running_replies: int = Field(
        20,
        ge=0,
        description="Replies written for one person at the same time, unless budgets limit them; 0: any number.",
    )
    allow_billed_tools: bool = Field(
        False,
        description="Whether programs may use tools that providers run and bill apart, such as web search. What "
        "these cost is not counted, and such calls are marked ≈; under a hard limit they are always refused.",
    )
    metrics_token: str = Field(
        "",
        repr=False,
        description="Opens /metrics to Prometheus as a bearer token; empty: there are no metrics.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")
    log_format: Literal["text", "json"] = Field("text", description="Shape of log lines: text or json.")

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        scheme, separator, _ = value.partition("://")
        if value and (not separator or scheme.partition("+")[0] not in DRIVERS):
            raise ValueError("this has to begin with postgresql:// or sqlite:///")
        return value

    @field_validator("public_url")
    @classmethod
    def _whole_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("this has to begin with https:// or http://")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @cached_property
    def resolved_database_url(self) -> str:
        """The SQLAlchemy URL with the driver Parley uses for it."""
        if not self.database_url:
            return f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'parley.db'}"
        scheme, separator, rest = self.database_url.partition("://")
        return f"{DRIVERS.get(scheme, scheme)}{separator}{rest}"

    @property
    def is_sqlite(self) -> bool:
        return self.resolved_database_url.startswith("sqlite")
