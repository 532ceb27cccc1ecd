"""Which hosts are this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether what is sent there never leaves this machine, as far as the name alone says."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
