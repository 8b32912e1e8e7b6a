"""Hand-written sequences through translations, by what they show.

    vector("what it shows", rules, '''
        q: inside udp in1:5555 > out1:53       | new original
        {q.side} udp {q.dst} > {q.src} len 60  | established reply
    ''')

The column behind the step is the class that both sides must give it.
"""
from nat_rules import NatRule
from nat_sequences import NatSequence

MASQUERADE = NatRule("masquerade", "postrouting", "outside")


def vector(name, rules, text, is_open=True, v6=""):
    rows = [[column.strip() for column in line.split("|")]
            for line in text.splitlines() if line.strip()]
    return NatSequence(name, [row[0] for row in rows], tuple(rules), is_open, v6,
                       is_whole=True, expectations=[row[1:] for row in rows])


def dnat(to, *ports, side="outside", **more):
    return NatRule("dnat", "prerouting", side, to=(to,), ports=ports, **more)


VECTORS = [
    vector("N01 masquerade keeps a port that is free", [MASQUERADE], """
        a: inside udp in1:5555 > out1:53 len 30  | new original
        b: inside udp in2:5555 > out1:53 len 30  | new original
        c: inside udp in1:5555 > out2:53 len 30  | new original
        {a.side} udp {a.dst} > {a.src} len 60    | established reply
        {b.side} udp {b.dst} > {b.src} len 60    | established reply
        {c.side} udp {c.dst} > {c.src} len 60    | established reply
    """),
    *[vector(f"N02 port {port} has a class", [MASQUERADE], f"""
        a: inside {protocol} in1:{port} > out1:53 {words} | new original
        b: inside {protocol} in2:{port} > out1:53 {words} | new original
        c: inside {protocol} in3:{port} > out1:53 {words} | new original
    """) for port in (1, 100, 511, 512, 700, 1023, 1024, 65535)
      for protocol, words in (("udp", "len 30"), ("tcp", "S seq 1000"))],
    vector("N02 echo identifiers", [MASQUERADE], """
        a: inside icmp in1 > out1 echo-request id 77 len 30        | new original
        b: inside icmp in2 > out1 echo-request id 77 len 30        | new original
        {a.side} icmp {a.dst} > {a.src} echo-reply id {a.id} len 30 | established reply
        {b.side} icmp {b.dst} > {b.src} echo-reply id {b.id} len 30 | established reply
    """),
    vector("N04 two addresses of one server, and itself",
           [dnat("in3", dst="vip1", proto="udp", dport=53),
            dnat("in3", dst="vip2", proto="udp", dport=53)], """
        a: outside udp out1:4000 > vip1:53 len 30 | new original
        b: outside udp out1:4000 > vip2:53 len 30 | new original
        c: outside udp out1:4000 > in3:53 len 30  | new original
        {a.side} udp {a.dst} > {a.src} len 60     | established reply
        {b.side} udp {b.dst} > {b.src} len 60     | established reply
        {c.side} udp {c.dst} > {c.src} len 60     | established reply
    """),
    vector("N05 a range of four ports",
           [NatRule("masquerade", "postrouting", "outside", proto="udp", ports=(40000, 40003))],
           "".join(f"""
        p{host}: inside udp in{host}:5000 > out1:53 len 30 | new original"""
                   for host in range(1, 7))),
    vector("N06 an error about a masqueraded flow", [MASQUERADE], """
        a: inside udp in1:5000 > out1:53 len 30                                             | new original
        outside icmp out5 > {a.srchost} error 3/1 about udp {a.src} > {a.dst} len 30 ttl 62 | related reply
        b: inside udp in2:5000 > out1:53 len 30                                             | new original
        outside icmp out5 > {b.srchost} error 3/1 about udp {b.src} > {b.dst} len 30 ttl 62 | related reply
        outside icmp out5 > {b.srchost} error 11/0 quote 28 about udp {b.src} > {b.dst} len 30 | related reply
        outside icmp out5 > {b.srchost} error 11/0 quote 27 about udp {b.src} > {b.dst} len 30 | related reply
        outside icmp out5 > {b.srchost} error 11/0 quote 24 about udp {b.src} > {b.dst} len 30 | related reply
        outside icmp out5 > {b.srchost} error 5/1 about udp {b.src} > {b.dst} len 30 | related reply
    """),
    vector("N07 N08 errors about a forwarded port",
           [dnat("in3", 5353, dst="vip1", proto="udp", dport=53)], """
        a: outside udp out1:4000 > vip1:53 len 30                                        | new original
        inside icmp in6 > {a.srchost} error 11/0 about udp {a.src} > {a.dst} len 30 ttl 1 | related reply
        b: {a.side} udp {a.dst} > {a.src} len 60                                         | established reply
        outside icmp out1 > {b.srchost} error 3/3 about udp {b.src} > {b.dst} len 60 ttl 60 | related original
    """, is_open=False),
    vector("N09 hairpin", [dnat("in3", 8080, dst="boxout", proto="tcp", dport=80, hairpin=True)], """
        a: inside tcp in1:5000 > boxout:80 S seq 100                         | new original
        b: {a.side} tcp {a.dst} > {a.src} SA seq 500 ack {a.end}             | established reply
        c: inside tcp in1:5000 > boxout:80 . seq {a.end} ack 501             | established original
        d: inside tcp in2:5000 > boxout:80 S seq 100                         | new original
        e: {d.side} tcp {d.dst} > {d.src} SA seq 500 ack {d.end}             | established reply
        f: outside tcp out1:5000 > boxout:80 S seq 100                       | new original
        g: {f.side} tcp {f.dst} > {f.src} SA seq 500 ack {f.end}             | established reply
        inside icmp in3 > {a.srchost} error 3/1 about tcp {a.src} > {a.dst} . seq 101 ack 501 | related reply
    """),
    *[vector(f"N10 a pool of four addresses, {'' if persistent else 'not '}persistent",
             [NatRule("snat", "postrouting", "outside", to=("vip1", "vip4"),
                      persistent=persistent)], """
        a: inside udp in1:1001 > out1:53 len 30 | new original
        b: inside udp in1:1002 > out2:53 len 30 | new original
        c: inside udp in1:1003 > out3:53 len 30 | new original
        d: inside udp in1:1001 > out4:53 len 30 | new original
        {a.side} udp {a.dst} > {a.src} len 60   | established reply
        {b.side} udp {b.dst} > {b.src} len 60   | established reply
        {d.side} udp {d.dst} > {d.src} len 60   | established reply
      """) for persistent in (False, True)],
    vector("redirect to the box, which answers",
           [NatRule("redirect", "prerouting", "inside", proto="udp", dport=53, ports=(5353,)),
            NatRule("redirect", "prerouting", "inside", proto="tcp", dport=80, ports=(3128,))], """
        a: inside udp in1:2000 > out1:53 len 30 | new original
        b: inside udp in1:2000 > out2:53 len 30 | new original
        c: inside tcp in1:2000 > out1:80 S seq 9 | new original
        d: inside tcp in1:2000 > out2:80 S seq 9 | new original
    """),
    vector("packets for the box", [], """
        a: inside icmp in1 > boxin echo-request id 7 len 30    | new original
        b: inside icmp in1 > boxout echo-request id 7 len 30   | new original
        c: outside udp out1:2000 > boxout:9 len 30             | new original
        d: outside tcp out1:2000 > boxout:9 S seq 5            | new original
        e: outside tcp out1:2000 > boxout:9 . seq 5 ack 9      | new original
        f: outside tcp out1:2000 > boxin:9 R seq 5             | invalid -
    """),
    vector("packets of the box are masqueraded among the others", [MASQUERADE], """
        a: box udp boxout:5000 > out1:53 len 30 | new original
        b: inside udp in1:5000 > out1:53 len 30 | new original
        c: box udp boxout:5000 > out2:53 len 30 | new original
        d: inside udp in1:5000 > out2:53 len 30 | new original
        e: inside udp in1:6000 > out2:53 len 30 | new original
        f: box udp boxout:6000 > out2:53 len 30 | new original
        {b.side} udp {b.dst} > {b.src} len 60   | established reply
        {f.side} udp {f.dst} > {f.src} len 60   | established reply
        {a.side} udp {a.dst} > {a.src} len 60   | established reply
    """),
    vector("what the router itself complains about", [MASQUERADE], """
        a: inside udp in1:5000 > out1:53 len 30 ttl 1        | new original
        b: inside udp in1:5000 > out1:53 len 1400 df         | new original
        c: inside udp in1:5000 > out1:53 len 1400            | new original
        d: inside udp in1:5000 > out1:53 len 30              | new original
        e: outside udp {d.dst} > {d.src} len 30 ttl 1        | established reply
        f: inside udp in1:5000 > out1:53 len 30 ttl 1        | established original
        g: inside udp in1:5000 > out1:53 len 1400 df         | established original
    """),
    vector("networks exchanged, both ways",
           [NatRule("netmap", "prerouting", "outside", dst="vip0", to=("in0",)),
            NatRule("netmap", "postrouting", "outside", src="in0", to=("vip0",))], """
        a: inside udp in2:7 > out1:53 len 30    | new original
        {a.side} udp {a.dst} > {a.src} len 60   | established reply
        b: outside udp out1:9 > vip3:53 len 30  | new original
        {b.side} udp {b.dst} > {b.src} len 60   | established reply
        c: inside icmp in4 > out1 echo-request id 4 | new original
        d: inside ip in5 > out1 proto 253 len 20 | new original
        {d.side} ip {d.dst} > {d.src} proto 253 len 20 | established reply
    """),
    vector("IPv6 masquerade and forwarded port",
           [NatRule("masquerade", "postrouting", "outside"),
            dnat("in3v6", 8080, dst="boxoutv6", proto="tcp", dport=80)], """
        a: inside udp [in1v6]:4000 > [out1v6]:53 len 30 | new original
        b: inside udp [in2v6]:4000 > [out1v6]:53 len 30 | new original
        {b.side} udp {b.dst} > {b.src} len 60           | established reply
        outside icmp out5v6 > {b.srchost} error 1/0 about udp {b.src} > {b.dst} len 30 ttl 60 | related reply
        c: inside icmp in1v6 > out1v6 echo-request id 3 len 20 | new original
        {c.side} icmp {c.dst} > {c.src} echo-reply id {c.id} len 20 | established reply
        d: outside tcp [out1v6]:4000 > [boxoutv6]:80 S seq 10 | new original
        {d.side} tcp {d.dst} > {d.src} SA seq 20 ack 11 | established reply
    """, v6="v6"),
]
