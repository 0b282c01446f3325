"""Which addresses are in the house, and which no provider may have: link-local ones, where clouds hand out their
machines' credentials.

Private and loopback addresses are allowed on purpose: that is where Ollama and LM Studio live.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

FORBIDDEN = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local; 169.254.169.254 is the metadata service of most clouds
        "fe80::/10",  # link-local
        "fd00:ec2::254/128",  # Amazon's metadata service
        "100.100.100.200/32",  # Alibaba's
        "192.0.0.192/32",  # Oracle's older one
        "168.63.129.16/32",  # Azure's
    )
)
NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
IPV4_COMPATIBLE = ip_network("::/96")
LAST_32_BITS = 0xFFFF_FFFF
NAMES_IN_THE_HOUSE = (".local", ".lan", ".internal", ".localhost", ".home.arpa")


def is_forbidden(address: str) -> bool:
    """Whether `address`, numeric as the resolver returned it, leads to a forbidden network, however it is written."""
    return any(form in network for form in _forms(ip_address(address)) for network in FORBIDDEN)


def is_in_the_house(url: str) -> bool:
    """Whether it leads to this machine or a private network, as far as it can be told by looking at the address.

    Private is what the internet does not lead to, such as the addresses that Tailscale gives (100.64.0.0/10).
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "." not in host or host.endswith(NAMES_IN_THE_HOUSE)
    return not any(form.is_global for form in _forms(address))


def _forms(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The address itself, and every IPv4 address that can be hidden inside an IPv6 one."""
    yield address
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in IPV4_COMPATIBLE or any(address in network for network in NAT64):
        yield IPv4Address(int(address) & LAST_32_BITS)
