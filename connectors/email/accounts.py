"""Which of our mailboxes an address belongs to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.email.addresses import normal_address, without_tag
from connectors.email.settings import AccountSettings
from connectors.email.tokens import Tokens


@dataclass(frozen=True)
class Accounts:
    """Look-ups over the mailboxes of ours. Addresses may be in any spelling and may carry a `+tag`."""

    accounts: Sequence[AccountSettings]
    addresses: Mapping[str, AccountSettings]

    @classmethod
    def of(cls, accounts: Sequence[AccountSettings]) -> "Accounts":
        addresses = {address: each for each in accounts for address in (each.address, *each.aliases)}
        return cls(accounts, addresses)

    @property
    def default(self) -> AccountSettings:
        return self.accounts[0]

    def named(self, name: str) -> AccountSettings | None:
        return next((each for each in self.accounts if each.name == name), None)

    def owning(self, address: str) -> AccountSettings | None:
        """The account of an address, or None where the address is not ours."""
        normal = normal_address(address)
        if normal is None:
            return None
        return self.addresses.get(normal) or self.addresses.get(without_tag(normal))

    def first_owning(self, addresses: Iterable[str]) -> AccountSettings | None:
        return next((found for each in addresses if (found := self.owning(each)) is not None), None)


def accepts(accounts: Accounts, tokens: Tokens, recipient: str) -> bool:
    """Whether mail to this recipient is for us: an address of ours, or a reply address however forwarded."""
    return accounts.owning(recipient) is not None or tokens.case_of_address(recipient) is not None
