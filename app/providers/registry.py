"""The kinds of provider that exist. Only `catalog` opens this registry."""

from collections.abc import Callable
from dataclasses import dataclass

from app.providers.base import Endpoint, Provider
from app.providers.echo import Echo


@dataclass(frozen=True)
class Kind:
    """What the pages need to know of a kind before anything is connected."""

    name: str
    label: str
    icon: str
    hue: int
    open: Callable[[Endpoint], Provider]
    default_base_url: str = ""
    needs_key: bool = False
    accepts_key: bool = True
    is_local: bool = False


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("echo", "Echo", icon="audio-waveform", hue=0, open=Echo, accepts_key=False, is_local=True),
    )
}
