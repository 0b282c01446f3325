"""The schema's table of contents: importing this module makes every table known (Alembic, tests)."""

from app.accounts import models as accounts
from app.catalog import models as catalog
from app.chats import models as chats
from app.core.database import Base
from app.usage import models as usage

metadata = Base.metadata

__all__ = ["accounts", "catalog", "chats", "metadata", "usage"]
