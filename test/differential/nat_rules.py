"""Rules of translation, each said once and rendered twice: for nft and for Rampart.

Addresses are names of hosts (hosts.py); number 0 is the network of a sequence: "in0" are all hosts
inside. A rule for one sequence is asked only about that sequence's flows (nat_sequences.py).
"""
import dataclasses

from hosts import BLOCK

SOURCE_KINDS = ("snat", "masquerade")


@dataclasses.dataclass(frozen=True)
class NatRule:
    kind: str             # dnat, redirect, snat, masquerade, netmap, no_nat
    chain: str            # prerouting, postrouting
    side: str = None      # came in by (prerouting) or leaves by (postrouting)
    src: str = None       # a host or network
    dst: str = None
    proto: str = None
    dport: int = None
    to: tuple = ()        # first and last address; one: both
    ports: tuple = ()     # first and last port; one: both
    random: bool = False
    persistent: bool = False
    hairpin: bool = False
    neutral: bool = False  # netmap of IPv6 as RFC 6296 does it; Rampart only

    def yaml(self, names):
        words = [f"{key}: {text}" for key, text in self._yaml_matches(names)]
        words.append(f"{self.kind}: {self._yaml_target(names)}")
        if self.hairpin:
            words.append("hairpin: true")
        return "{ " + ", ".join(words) + " }"

    def _yaml_matches(self, names):
        if self.side:
            yield ("in" if self.chain == "prerouting" else "out"), self.side
        for key, name in (("src", self.src), ("dst", self.dst)):
            if name:
                yield key, f'"{network_of(name, names)}"'
        if self.proto:
            yield "proto", self.proto
        if self.dport:
            yield "dport", self.dport

    def _yaml_target(self, names):
        if self.kind == "no_nat":
            return "true"
        if self.kind == "netmap":
            return f'"{network_of(self.to[0], names)}"'
        addresses = "-".join(names.resolve(name) for name in self.to)
        ports = "-".join(str(port) for port in self.ports)
        words = []
        if self.kind == "dnat" and ports:
            is_ipv6 = ":" in addresses
            words.append(f'to: "{f"[{addresses}]" if is_ipv6 else addresses}:{ports}"')
        elif self.to:
            words.append(f'to: "{addresses}"')
        if ports and self.kind != "dnat":
            words.append(f'ports: "{ports}"')
        words += [f"{flag}: {text}" for flag, text, is_set in
                  (("random", "fully", self.random), ("persistent", "true", self.persistent))
                  if is_set]
        return "{ " + ", ".join(words) + " }" if words else "true"

    def nft(self, names):
        """The lines of the rule in its chain; a hairpin has two."""
        matches = [*self._nft_side(self.side), *self._nft_matches(names)]
        lines = [" ".join([*matches, self._nft_target(names)])]
        if self.hairpin:
            matches = [f'iifname != "{self.side}"', *self._nft_matches(names)]
            if not self.dst:
                raise ValueError("a hairpin needs a destination")
            lines.append(" ".join([*matches, "meta mark set 1", self._nft_target(names)]))
        return lines

    def _nft_side(self, side):
        if side:
            yield f'{"iifname" if self.chain == "prerouting" else "oifname"} "{side}"'

    def _nft_matches(self, names):
        for key, name in (("saddr", self.src), ("daddr", self.dst)):
            if name:
                network = network_of(name, names)
                yield f"{'ip6' if ':' in network else 'ip'} {key} {network}"
        if self.proto:
            yield f"meta l4proto {self.proto}"
        if self.dport:
            yield f"th dport {self.dport}"

    def _nft_target(self, names):
        if self.kind == "no_nat":
            return "accept"
        if self.kind == "netmap":
            return self._nft_netmap(names)
        words, addresses = [self.kind], "-".join(names.resolve(name) for name in self.to)
        ports = "-".join(str(port) for port in self.ports)
        if self.to:
            is_ipv6 = ":" in addresses
            words += ["ip6" if is_ipv6 else "ip", "to"]
            if is_ipv6 and ports:
                addresses = "-".join(f"[{names.resolve(name)}]" for name in self.to)
            words.append(f"{addresses}:{ports}" if ports else addresses)
        elif ports:
            words += ["to", f":{ports}"]
        flags = [word for word, is_set in (("fully-random", self.random),
                                           ("persistent", self.persistent)) if is_set]
        return " ".join(words + ([",".join(flags)] if flags else []))

    def _nft_netmap(self, names):
        verb, key, name = ("dnat", "daddr", self.dst) if self.chain == "prerouting" else \
            ("snat", "saddr", self.src)
        old, new = network_of(name, names), network_of(self.to[0], names)
        family = "ip6" if ":" in old else "ip"
        return f"{verb} {family} prefix to {family} {key} map {{ {old} : {new} }}"


def network_of(name, names):
    """The address of a host, or the prefix of a sequence's network (number 0)."""
    stem = name.removesuffix("v6")
    address = names.resolve(name)
    return f"{address}/{BLOCK[name[len(stem):]]}" if stem.endswith("0") else address
