import pytest

from app.providers.wire.addresses import is_forbidden


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:169.254.169.254",  # mapped
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",  # compatible
        "64:ff9b::a9fe:a9fe",  # NAT64
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",  # 6to4
        "::ffff:100.100.100.200",
    ],
)
def test_metadata_addresses_are_closed_however_they_are_written(address: str):
    assert is_forbidden(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "192.168.1.10", "10.0.0.5", "fd12::1", "100.64.0.1", "8.8.8.8", "2606:4700::1111"],
)
def test_local_and_public_addresses_are_open(address: str):
    assert not is_forbidden(address)
