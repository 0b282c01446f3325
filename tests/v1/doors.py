"""Which doors there are."""

from functools import cache

from fastapi.routing import iter_route_contexts

from app.core.settings import Settings
from app.main import create_app


@cache
def open_doors() -> frozenset[str]:
    """The patterns of all addresses."""
    return frozenset(
        str(route.path) for route in iter_route_contexts(create_app(Settings(_env_file=None)).routes)
    )
