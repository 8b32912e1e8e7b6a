"""The kernel's side with translations, helpers, and packets for and from the box.

What the box sends is logged before it is tracked, whole: Rampart, whose box is another, gets the
same. The link to the outside carries less than the one inside, so that packets are too big.
"""
import socket
import time

from hosts import VIPS4, VIPS6
from kernel import LOG_GROUP, SYSCTLS, Kernel, observer, run
from nflog import COPY_PACKET, PacketLog

BOX_GROUP = LOG_GROUP + 1
OUTSIDE_MTU = 1400
IPV6_HEADER_INCLUDED = 36
GATEWAYS = {"-4": "169.254.1.1", "-6": "fe80::1"}

# The same network for Rampart (subject.cc).
NETWORK = """
address inside 198.18.0.1/32
address outside 198.18.1.1/32
address inside fd00:ff::1/128
address outside fd00:ff::2/128
mtu outside 1400
route 10.0.0.0/9 via 169.254.1.1 dev inside
route 10.128.0.0/9 via 169.254.1.1 dev outside
route 11.0.0.0/9 via 169.254.1.1 dev outside
route fd00:1::/32 via fe80::1 dev inside
route fd00:2::/32 via fe80::1 dev outside
route fd00:3::/32 via fe80::1 dev outside
neighbour 169.254.1.1 dev inside 02:00:00:00:00:0a
neighbour 169.254.1.1 dev outside 02:00:00:00:00:0a
neighbour fe80::1 dev inside 02:00:00:00:00:0a
neighbour fe80::1 dev outside 02:00:00:00:00:0a
""".strip().splitlines()


def box_observer():
    """Logs what the box sends, with its class."""
    log = 'log prefix "{}" group ' + f"{BOX_GROUP} queue-threshold 1"
    lines = [f"    ct state {state} {log.format(f'{state} -')} accept"
             for state in ("invalid", "untracked")]
    lines += [f"    ct state {state} ct direction {direction} "
              f"{log.format(f'{state} {direction}')} accept"
              for state in ("new", "established", "related")
              for direction in ("original", "reply")]
    return "\n".join(["table inet box {", "  chain classes {",
                      "    type filter hook output priority -150; policy accept;",
                      *lines, "  }", "}", ""])


class RoutedKernel(Kernel):
    sysctls = {**SYSCTLS, "net/ipv4/conf/default/send_redirects": 0,
               "net/ipv6/auto_flowlabels": 0}

    def __init__(self, marker_frame):
        super().__init__(marker_frame)
        self.box_log, self.raw = None, {}
        self.lists_expectations = False

    def rules(self):
        return observer() + box_observer()

    def _open(self):
        super()._open()
        run("ip", "link", "set", "outside", "mtu", str(OUTSIDE_MTU))
        for option, net in (("-4", VIPS4), ("-6", VIPS6)):
            run("ip", option, "route", "add", net, "via", GATEWAYS[option], "dev", "outside",
                "onlink")
        self.box_log = PacketLog(BOX_GROUP, COPY_PACKET)
        self.raw = {4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
                    6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)}
        self.raw[6].setsockopt(socket.IPPROTO_IPV6, IPV6_HEADER_INCLUDED, 1)

    def close(self):
        for opened in [self.box_log, *self.raw.values()]:
            if opened is not None:
                opened.close()
        super().close()

    def send_from_box(self, packet):
        """As send(); the class is that of the packet itself."""
        family, at, width = (4, 16, 4) if packet[0] >> 4 == 4 else (6, 24, 16)
        text = socket.inet_ntop(socket.AF_INET if family == 4 else socket.AF_INET6,
                                packet[at:at + width])
        try:
            self.raw[family].sendto(packet, (text, 0))
        except PermissionError:
            pass  # a rule, or the lack of a free port, dropped it
        now = time.monotonic()
        return now, self._wait_for_marker("inside"), self._read_outputs()

    def table(self):
        moment, slack_s, lines = super().table()
        if self.lists_expectations:
            for family in ("ipv4", "ipv6"):
                lines += run("conntrack", "-L", "expect", "-f", family).stdout.splitlines()
        return moment, slack_s, lines

    def box_packets(self):
        """[(class, packet)] of what the box has sent since."""
        found = []
        while messages := self.box_log.read_packets():
            found += messages
        return found
