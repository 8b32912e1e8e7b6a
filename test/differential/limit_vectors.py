"""Hand-written sequences about limit and connlimit, for run_limits.py.

    vector("what it shows",
           ours="limit: 2/second burst 3",
           theirs={"limit": "-m limit --limit 2/second --limit-burst 3",
                   "nft": "limit rate 2/second burst 3 packets"},
           steps='''
               5 x inside udp in1:1 > out1:PORT   | 3
               wait 1.25s
               5 x inside udp in1:1 > out1:PORT   | 2
           ''')

Each way of theirs to say it is played by itself, on a port of its own. Its rules are, on both
sides: what matches the words and goes to PORT gets `action`, all else to PORT gets the opposite.
Words with `-m` or `!` are iptables'; others are nft's, where SET is a set of the type that `key`
names. NAME stands for a name of its own.

The number behind the bar is how many pass; `3 kernel 5` says that the kernel lets another number
pass, `3 kernel any` that it depends on its version; docs/differences.md has a row for each.
Rates are slow, so that the outcome is the same a tenth of a second earlier or later: no bucket is
close to the next token when it is asked.
"""
import dataclasses
import re

ANY = -1
STEP = re.compile(r"(?:(\d+) x )?((?:inside|outside) .*?) *\| *(\d+)(?: kernel (\d+|any))?")


@dataclasses.dataclass
class Packets:
    at_s: float     # since the vector began
    line: str
    count: int
    passed: int     # by Rampart
    kernel: int     # by the kernel; ANY


@dataclasses.dataclass
class Vector:
    name: str
    ours: str
    theirs: dict
    steps: list
    action: str = "accept"
    protocol: str = "udp"
    family: int = 4
    key: str = ""


VECTORS = []


def parse_steps(text):
    steps, now = [], 0.0
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("wait "):
            now += float(line[5:].removesuffix("s"))
            continue
        found = STEP.fullmatch(line)
        if found is None:
            raise ValueError("not a step: " + line)
        passed = int(found[3])
        kernel = ANY if found[4] == "any" else int(found[4] or passed)
        steps.append(Packets(now, found[2], int(found[1] or 1), passed, kernel))
    return steps


def vector(name, ours, theirs, steps, **more):
    VECTORS.append(Vector(name, ours, theirs, parse_steps(steps), **more))


def hashlimit(words):
    return f"-m hashlimit {words} --hashlimit-name NAME --hashlimit-htable-expire 60000"


# -- limit, all packets together ------------------------------------------------------------------

TWO_A_SECOND = """
    9 x inside udp in1:1 > out1:PORT   | 5
    wait 1.25s
    9 x inside udp in2:1 > out2:PORT   | 2
    wait 0.5s
    2 x inside udp in1:1 > out1:PORT   | 1
    wait 1.0s
    9 x inside udp in1:1 > out1:PORT   | 2
"""
vector("a burst passes, then what the time gives", "limit: 2/second burst 5",
       {"limit": "-m limit --limit 2/second --limit-burst 5",
        "hashlimit": hashlimit("--hashlimit-upto 2/second --hashlimit-burst 5"),
        "nft": "limit rate 2/second burst 5 packets"}, TWO_A_SECOND)
vector("the burst is five packets unless it is given", "limit: 2/second",
       {"limit": "-m limit --limit 2/second",
        "hashlimit": hashlimit("--hashlimit-upto 2/second"),
        "nft": "limit rate 2/second"}, TWO_A_SECOND)
vector("over: the excess matches", "limit: { rate: 2/second, burst: 5, over: true }",
       {"hashlimit": hashlimit("--hashlimit-above 2/second --hashlimit-burst 5"),
        "nft": "limit rate over 2/second burst 5 packets"}, TWO_A_SECOND, action="drop")
vector("a limit under not: is the excess", "not: { limit: 2/second burst 5 }",
       {"hashlimit": hashlimit("--hashlimit-above 2/second --hashlimit-burst 5"),
        "nft": "limit rate over 2/second burst 5 packets"}, TWO_A_SECOND, action="drop")
vector("120 a minute are two a second", "limit: 120/minute burst 5",
       {"limit": "-m limit --limit 120/minute --limit-burst 5",
        "hashlimit": hashlimit("--hashlimit-upto 120/minute --hashlimit-burst 5"),
        "nft": "limit rate 120/minute burst 5 packets"}, TWO_A_SECOND)
vector("7200 an hour are two a second", "limit: 7200/hour burst 5",
       {"limit": "-m limit --limit 7200/hour --limit-burst 5",
        "hashlimit": hashlimit("--hashlimit-upto 7200/hour --hashlimit-burst 5"),
        "nft": "limit rate 7200/hour burst 5 packets"}, TWO_A_SECOND)
vector("172800 a day are two a second", "limit: 172800/day burst 5",
       {"limit": "-m limit --limit 172800/day --limit-burst 5",
        "nft": "limit rate 172800/day burst 5 packets"}, TWO_A_SECOND)
vector("a burst of one spaces packets out", "limit: 1/second burst 1",
       {"limit": "-m limit --limit 1/second --limit-burst 1",
        "hashlimit": hashlimit("--hashlimit-upto 1/second --hashlimit-burst 1"),
        "nft": "limit rate 1/second burst 1 packets"}, """
    3 x inside udp in1:1 > out1:PORT   | 1
    wait 0.5s
    3 x inside udp in1:1 > out1:PORT   | 0
    wait 1.0s
    3 x inside udp in1:1 > out1:PORT   | 1
    wait 2.5s
    3 x inside udp in1:1 > out1:PORT   | 1
""")
vector("a bucket holds no more than its burst", "limit: 4/second burst 3",
       {"limit": "-m limit --limit 4/second --limit-burst 3",
        "hashlimit": hashlimit("--hashlimit-upto 4/second --hashlimit-burst 3"),
        "nft": "limit rate 4/second burst 3 packets"}, """
    6 x inside udp in1:1 > out1:PORT   | 3
    wait 3s
    6 x inside udp in1:1 > out1:PORT   | 3
""")
vector("an unused token stays", "limit: 1/second burst 4",
       {"limit": "-m limit --limit 1/second --limit-burst 4",
        "hashlimit": hashlimit("--hashlimit-upto 1/second --hashlimit-burst 4"),
        "nft": "limit rate 1/second burst 4 packets"}, """
    3 x inside udp in1:1 > out1:PORT   | 3
    wait 1.5s
    4 x inside udp in1:1 > out1:PORT   | 2
    wait 1s
    4 x inside udp in1:1 > out1:PORT   | 1
""")
vector("two families have two limits, said twice", "family: ipv6, limit: 2/second burst 5",
       {"limit": "-m limit --limit 2/second --limit-burst 5",
        "nft": "limit rate 2/second burst 5 packets"},
       TWO_A_SECOND.replace("in1:", "[in1v6]:").replace("in2:", "[in2v6]:")
       .replace("out1:", "[out1v6]:").replace("out2:", "[out2v6]:"), family=6)

# -- limit, bytes ---------------------------------------------------------------------------------

# nft's bucket holds what a second brings, and the burst. hashlimit's holds a second, and counts in
# pieces of 16 bytes. A packet of `len 972` has 1000 bytes.
vector("bytes are those of the IP packet", "limit: 2KB/second burst 3KB",
       {"nft": "limit rate 2 kbytes/second burst 1 kbytes"}, """
    5 x inside udp in1:1 > out1:PORT len 972   | 3
    wait 0.75s
    5 x inside udp in1:1 > out1:PORT len 972   | 1
    wait 1.0s
    5 x inside udp in1:1 > out1:PORT len 972   | 2
""")
A_SECOND_OF_BYTES = """
    5 x inside udp in1:1 > out1:PORT len 972   | 2
    wait 0.75s
    5 x inside udp in1:1 > out1:PORT len 972   | 1
    wait 1.0s
    5 x inside udp in1:1 > out1:PORT len 972   | 2
    wait 0.6s
    4 x inside udp in1:1 > out1:PORT len 472   | 2
"""
vector("bytes: what a second brings", "limit: 2KB/second burst 2KB",
       {"hashlimit": hashlimit("--hashlimit-upto 2kb/s")}, A_SECOND_OF_BYTES)
vector("bytes: the excess, for each source",
       "limit: { rate: 2KB/second, burst: 2KB, per: [src], over: true }",
       {"hashlimit": hashlimit("--hashlimit-above 2kb/s --hashlimit-mode srcip")},
       A_SECOND_OF_BYTES, action="drop")

vector("bytes: hashlimit gives its burst once", "limit: 2KB/second burst 2KB",
       {"hashlimit": hashlimit("--hashlimit-upto 2kb/s --hashlimit-burst 4kb")}, """
    9 x inside udp in1:1 > out1:PORT len 972   | 2 kernel 6
    wait 2.0s
    9 x inside udp in1:1 > out1:PORT len 972   | 2
""")

# -- limit, per key -------------------------------------------------------------------------------

vector("each source has a bucket", "limit: { rate: 2/second, burst: 3, per: [src] }",
       {"hashlimit": hashlimit("--hashlimit-upto 2/second --hashlimit-burst 3 "
                               "--hashlimit-mode srcip"),
        "nft": "add @SET { ip saddr limit rate 2/second burst 3 packets }"}, """
    5 x inside udp in1:1 > out1:PORT   | 3
    5 x inside udp in2:1 > out1:PORT   | 3
    wait 0.75s
    5 x inside udp in1:1 > out2:PORT   | 1
    wait 0.5s
    5 x inside udp in1:1 > out1:PORT   | 1
    5 x inside udp in2:1 > out1:PORT   | 2
    5 x inside udp in3:1 > out1:PORT   | 3
""", key="ipv4_addr")
vector("each network of sources has a bucket",
       "limit: { rate: 2/second, burst: 3, per: [src], mask: 24 }",
       {"hashlimit": hashlimit("--hashlimit-upto 2/second --hashlimit-burst 3 "
                               "--hashlimit-mode srcip --hashlimit-srcmask 24"),
        "nft": "add @SET { ip saddr and 255.255.255.0 limit rate 2/second burst 3 packets }"}, """
    2 x inside udp 10.100.1.1:1 > out1:PORT     | 2
    2 x inside udp 10.100.1.255:1 > out1:PORT   | 1
    5 x inside udp 10.100.2.0:1 > out1:PORT     | 3
    wait 1.25s
    1 x inside udp 10.100.1.7:1 > out1:PORT     | 1
    5 x inside udp 10.100.1.1:1 > out1:PORT     | 1
    5 x inside udp 10.100.3.1:1 > out1:PORT     | 3
""", key="ipv4_addr")
vector("each IPv6 network has a bucket",
       "family: ipv6, limit: { rate: 2/second, burst: 3, per: [src], mask6: 64 }",
       {"hashlimit": hashlimit("--hashlimit-upto 2/second --hashlimit-burst 3 "
                               "--hashlimit-mode srcip --hashlimit-srcmask 64"),
        "nft": "add @SET { ip6 saddr and ffff:ffff:ffff:ffff:: "
               "limit rate 2/second burst 3 packets }"}, """
    2 x inside udp [fd00:1:0:5::1]:1 > [out1v6]:PORT           | 2
    2 x inside udp [fd00:1:0:5:ffff::1]:1 > [out1v6]:PORT      | 1
    5 x inside udp [fd00:1:0:6::1]:1 > [out1v6]:PORT           | 3
    wait 1.25s
    5 x inside udp [fd00:1:0:5::9]:1 > [out1v6]:PORT           | 2
    5 x inside udp [fd00:1:1:5::1]:1 > [out1v6]:PORT           | 3
""", family=6, key="ipv6_addr")
vector("each source and port has a bucket, the excess matches",
       "limit: { rate: 1/second, burst: 2, per: [src, sport], over: true }",
       {"hashlimit": hashlimit("--hashlimit-above 1/second --hashlimit-burst 2 "
                               "--hashlimit-mode srcip,srcport"),
        "nft": "add @SET { ip saddr . udp sport limit rate over 1/second burst 2 packets }"}, """
    4 x inside udp in1:1 > out1:PORT   | 2
    4 x inside udp in1:2 > out1:PORT   | 2
    4 x inside udp in2:1 > out1:PORT   | 2
    wait 1.5s
    4 x inside udp in1:1 > out2:PORT   | 1
    4 x inside udp in2:2 > out1:PORT   | 2
""", action="drop", key="ipv4_addr . inet_service")
vector("each destination has a bucket", "limit: { rate: 1/second, burst: 2, per: [dst] }",
       {"hashlimit": hashlimit("--hashlimit-upto 1/second --hashlimit-burst 2 "
                               "--hashlimit-mode dstip"),
        "nft": "add @SET { ip daddr limit rate 1/second burst 2 packets }"}, """
    3 x inside udp in1:1 > out1:PORT   | 2
    3 x inside udp in2:1 > out1:PORT   | 0
    3 x inside udp in2:1 > out2:PORT   | 2
    wait 1.5s
    3 x inside udp in3:1 > out1:PORT   | 1
""", key="ipv4_addr")
vector("a key that was silent: hashlimit has forgotten it, and what it took",
       "limit: { rate: 1/minute, burst: 3, per: [src] }",
       {"hashlimit": "-m hashlimit --hashlimit-upto 1/minute --hashlimit-burst 3 "
                     "--hashlimit-mode srcip "
                     "--hashlimit-name NAME --hashlimit-htable-expire 1000 "
                     "--hashlimit-htable-gcinterval 200"}, """
    5 x inside udp in1:1 > out1:PORT   | 3
    wait 3s
    5 x inside udp in1:1 > out1:PORT   | 0 kernel 3
""")

# -- connlimit ------------------------------------------------------------------------------------

NEW = "-m conntrack --ctstate NEW -m connlimit"


def over(count, rest=""):
    """More than so many, in all three languages; for rules that drop."""
    return {"connlimit": f"{NEW} --connlimit-above {count}{rest}"}


# Connections are opened a moment apart: within one tick of its clock the kernel does not look
# whether those it knows are still there.
# A packet of a connection that the kernel knows ends its search there, before it has seen that an
# attempt which was refused is gone: until the next new one that attempt counts. Not so in Rampart.
vector("so many connections of one source at once", "state: new, connlimit: { above: 2 }",
       {**over(2), "nft": "ct state new add @SET { ip saddr ct count over 2 }"}, """
    inside tcp in1:1 > out1:PORT S seq 1000                | 1
    outside tcp out1:PORT > in1:1 SA seq 5000 ack 1001     | 1
    inside tcp in1:1 > out1:PORT . seq 1001 ack 5001       | 1
    wait 0.05s
    inside tcp in1:2 > out2:PORT S seq 1000                | 1
    wait 0.05s
    2 x inside tcp in1:3 > out1:PORT S seq 1000            | 0
    inside tcp in1:1 > out1:PORT P. seq 1001 ack 5001 len 9 | 1
    wait 0.05s
    inside tcp in1:2 > out2:PORT S seq 1000                | 1 kernel any
    inside tcp in2:1 > out1:PORT S seq 1000                | 1
    inside tcp in1:1 > out1:PORT R. seq 1010 ack 5001      | 1
    wait 0.05s
    inside tcp in1:3 > out1:PORT S seq 1000                | 1
    wait 0.05s
    inside tcp in1:4 > out1:PORT S seq 1000                | 0
""", action="drop", protocol="tcp", key="ipv4_addr")
vector("up to so many, for rules that accept", "state: new, not: { connlimit: { above: 2 } }",
       {"connlimit": f"{NEW} --connlimit-upto 2"}, """
    inside tcp in1:1 > out1:PORT S seq 1000                | 1
    wait 0.05s
    inside tcp in1:2 > out2:PORT S seq 1000                | 1
    wait 0.05s
    2 x inside tcp in1:3 > out1:PORT S seq 1000            | 0
    wait 0.05s
    outside tcp out1:PORT > in1:1 R. seq 0 ack 1001        | 1
    inside tcp in1:3 > out1:PORT S seq 1000                | 1
    wait 0.05s
    inside tcp in1:4 > out1:PORT S seq 1000                | 0
""", protocol="tcp")
vector("all sources of a network together", "state: new, connlimit: { above: 2, mask: 24 }",
       {**over(2, " --connlimit-mask 24"),
        "nft": "ct state new add @SET { ip saddr and 255.255.255.0 ct count over 2 }"}, """
    inside tcp 10.101.1.1:1 > out1:PORT S seq 1000         | 1
    wait 0.05s
    inside tcp 10.101.1.2:1 > out1:PORT S seq 1000         | 1
    wait 0.05s
    inside tcp 10.101.1.3:1 > out1:PORT S seq 1000         | 0
    inside tcp 10.101.2.3:1 > out1:PORT S seq 1000         | 1
    outside tcp out1:PORT > 10.101.1.2:1 R. seq 0 ack 1001 | 1
    wait 0.05s
    inside tcp 10.101.1.4:1 > out1:PORT S seq 1000         | 1
    wait 0.05s
    inside tcp 10.101.1.1:2 > out1:PORT S seq 1000         | 0
""", action="drop", protocol="tcp", key="ipv4_addr")
vector("all sources together", "state: new, connlimit: { above: 2, mask: 0 }",
       {**over(2, " --connlimit-mask 0"), "nft": "ct state new ct count over 2"}, """
    inside tcp in1:1 > out1:PORT S seq 1000                | 1
    wait 0.05s
    inside tcp 10.101.3.1:1 > out1:PORT S seq 1000         | 1
    wait 0.05s
    inside tcp in2:1 > out1:PORT S seq 1000                | 0
    outside tcp out1:PORT > in1:1 R. seq 0 ack 1001        | 1
    wait 0.05s
    inside tcp in3:1 > out1:PORT S seq 1000                | 1
    wait 0.05s
    inside tcp in4:1 > out1:PORT S seq 1000                | 0
""", action="drop", protocol="tcp")
vector("connections to one destination", "state: new, connlimit: { above: 2, per: [dst] }",
       {**over(2, " --connlimit-daddr"),
        "nft": "ct state new add @SET { ip daddr ct count over 2 }"}, """
    inside tcp in1:1 > out1:PORT S seq 1000                | 1
    wait 0.05s
    inside tcp in2:1 > out1:PORT S seq 1000                | 1
    wait 0.05s
    inside tcp in3:1 > out1:PORT S seq 1000                | 0
    inside tcp in3:1 > out2:PORT S seq 1000                | 1
""", action="drop", protocol="tcp", key="ipv4_addr")
vector("TIME_WAIT no longer counts, the states before it do", "state: new, connlimit: { above: 1 }",
       {**over(1), "nft": "ct state new add @SET { ip saddr ct count over 1 }"}, """
    inside tcp in1:1 > out1:PORT S seq 1000                | 1
    outside tcp out1:PORT > in1:1 SA seq 5000 ack 1001     | 1
    inside tcp in1:1 > out1:PORT . seq 1001 ack 5001       | 1
    wait 0.05s
    inside tcp in1:2 > out1:PORT S seq 1000                | 0
    inside tcp in1:1 > out1:PORT F. seq 1001 ack 5001      | 1
    wait 0.05s
    inside tcp in1:2 > out1:PORT S seq 1000                | 0
    outside tcp out1:PORT > in1:1 . seq 5001 ack 1002      | 1
    wait 0.05s
    inside tcp in1:2 > out1:PORT S seq 1000                | 0
    outside tcp out1:PORT > in1:1 F. seq 5001 ack 1002     | 1
    wait 0.05s
    inside tcp in1:2 > out1:PORT S seq 1000                | 0
    inside tcp in1:1 > out1:PORT . seq 1002 ack 5002       | 1
    wait 0.05s
    inside tcp in1:2 > out1:PORT S seq 1000                | 1
    wait 0.05s
    inside tcp in1:3 > out1:PORT S seq 1000                | 0
""", action="drop", protocol="tcp", key="ipv4_addr")
vector("a connection opened anew in its TIME_WAIT counts again",
       "state: new, connlimit: { above: 1 }",
       {**over(1), "nft": "ct state new add @SET { ip saddr ct count over 1 }"}, """
    inside tcp in1:1 > out1:PORT S seq 1000                | 1
    outside tcp out1:PORT > in1:1 SA seq 5000 ack 1001     | 1
    inside tcp in1:1 > out1:PORT . seq 1001 ack 5001       | 1
    inside tcp in1:1 > out1:PORT F. seq 1001 ack 5001      | 1
    outside tcp out1:PORT > in1:1 F. seq 5001 ack 1002     | 1
    inside tcp in1:1 > out1:PORT . seq 1002 ack 5002       | 1
    wait 0.05s
    inside tcp in1:1 > out1:PORT S seq 9000                | 1
    wait 0.05s
    inside tcp in1:2 > out1:PORT S seq 1000                | 0
""", action="drop", protocol="tcp", key="ipv4_addr")
vector("UDP flows count until their time is up", "state: new, connlimit: { above: 2 }",
       {**over(2), "nft": "ct state new add @SET { ip saddr ct count over 2 }"}, """
    2 x inside udp in1:1 > out1:PORT       | 2
    wait 0.05s
    2 x inside udp in1:2 > out1:PORT       | 2
    wait 0.05s
    3 x inside udp in1:3 > out1:PORT       | 0
    inside udp in2:1 > out1:PORT           | 1
    outside udp out1:PORT > in1:2          | 1
    wait 3.5s
    inside udp in1:3 > out1:PORT           | 1
    wait 0.05s
    inside udp in1:4 > out1:PORT           | 1
    wait 0.05s
    inside udp in1:5 > out1:PORT           | 0
""", action="drop", key="ipv4_addr")
vector("without a state, each packet asks how many there are", "connlimit: { above: 1 }",
       {"connlimit": "-m connlimit --connlimit-above 1",
        "nft": "add @SET { ip saddr ct count over 1 }"}, """
    2 x inside udp in1:1 > out1:PORT       | 2
    wait 0.05s
    inside udp in1:2 > out1:PORT           | 0
    inside udp in2:2 > out1:PORT           | 1
    wait 0.05s
    2 x inside udp in1:1 > out1:PORT       | 2 kernel any
""", action="drop", key="ipv4_addr")
vector("above 0: nobody", "state: new, connlimit: { above: 0 }",
       {**over(0), "nft": "ct state new add @SET { ip saddr ct count over 0 }"}, """
    inside tcp in1:1 > out1:PORT S seq 1000        | 0
    inside tcp in2:1 > out1:PORT S seq 1000        | 0
""", action="drop", protocol="tcp", key="ipv4_addr")
vector("IPv6: connections of a network",
       "family: ipv6, state: new, connlimit: { above: 1, mask6: 64 }",
       {**over(1, " --connlimit-mask 64"),
        "nft": "ct state new add @SET { ip6 saddr and ffff:ffff:ffff:ffff:: ct count over 1 }"}, """
    inside tcp [fd00:1:0:7::1]:1 > [out1v6]:PORT S seq 1000            | 1
    wait 0.05s
    inside tcp [fd00:1:0:7:ffff::1]:1 > [out1v6]:PORT S seq 1000       | 0
    inside tcp [fd00:1:0:8::1]:1 > [out1v6]:PORT S seq 1000            | 1
    outside tcp [out1v6]:PORT > [fd00:1:0:7::1]:1 R. seq 0 ack 1001    | 1
    wait 0.05s
    inside tcp [fd00:1:0:7::2]:1 > [out1v6]:PORT S seq 1000            | 1
""", action="drop", protocol="tcp", family=6, key="ipv6_addr")
