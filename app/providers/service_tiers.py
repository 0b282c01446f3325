"""How a vendor served a call: its standard way, or another that has another price, such as `flex`."""

STANDARD = frozenset({"", "auto", "default", "standard", "standard_only", "on_demand"})
LONGEST_WORD = 40


def special_service(told: str) -> str:
    """The vendor's word as `Usage.service` has it: empty for its standard way."""
    return "" if told in STANDARD else told[:LONGEST_WORD]
