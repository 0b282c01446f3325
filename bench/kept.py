"""Where what takes long to make is kept from one run to the next."""

from app.core.settings import ROOT

KEPT = ROOT / ".cache" / "bench"
