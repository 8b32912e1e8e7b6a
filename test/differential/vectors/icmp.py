"""ICMP and ICMPv6: queries, errors about tracked packets, neighbour discovery."""
from vectors import UDP, vector

PING = ("inside icmp in1 > out1", "outside icmp out1 > in1")
PING6 = ("inside icmp in1v6 > out1v6", "outside icmp out1v6 > in1v6")
UDP6 = ("inside udp [in1v6]:5000 > [out1v6]:53", "outside udp [out1v6]:53 > [in1v6]:5000")
QUESTION = "udp in1:5000 > out1:53 len 30"
QUESTION6 = "udp [in1v6]:5000 > [out1v6]:53 len 30"

VECTORS = [
    vector("echo, and the same identifier the other way", """
        A echo-request id 7 seq 1 | new original         | 30 unreplied
        A echo-request id 7 seq 2 | new original         | 30 unreplied
        B echo-reply id 7 seq 1   | established reply    | 30 replied
        B echo-reply id 7 seq 2   | established reply    | 30 replied
        A echo-request id 7 seq 3 | established original | 30 replied
        B echo-request id 7 seq 3 | new original         | 2 entries
    """, ends=PING),
    *[vector(f"ICMP {kind} is no beginning", f"A {kind}/0 id 7 | invalid | none", ends=PING)
      for kind in (0, 9, 10, 14, 16, 18, 19, 30, 40, 42)],
    *[vector(f"ICMP {kind} and its answer", f"""
        A {kind}/0 id 7 len 12     | new original      | 30 unreplied
        B {kind + 1}/0 id 7 len 12 | established reply | 30 replied
      """, ends=PING) for kind in (13, 15, 17)],
    vector("an echo reply with another code", """
        A echo-request id 7 | new original | 30 unreplied
        B 0/1 id 7          | invalid      | 30 unreplied
    """, ends=PING),
    vector("ICMP checksum", "A echo-request id 7 bad-checksum | invalid | none", ends=PING),
    vector("ICMP header that is cut", "A echo-request id 7 transport-cut 7 | invalid | none", ends=PING),
    vector("errors about a datagram change nothing", "A len 30 | new original | 30 unreplied" + "".join(f"""
        outside icmp {source} > in1 error {kind} about {QUESTION} | related reply | 30 unreplied packets=1"""
        for source, kind in (("out1", "3/3"), ("out5", "3/1"), ("out6", "11/0"), ("out5", "12/0"),
                             ("out5", "4/0"), ("out5", "5/1"))), ends=UDP),
    vector("errors that do not fit", f"""
        A len 30                                                         | new original | 30 unreplied
        outside icmp out5 > in2 error 3/1 about {QUESTION}               | invalid
        outside icmp out5 > in1 error 3/1 about udp in1:5001 > out1:53   | invalid
        outside icmp out5 > in1 error 3/1 about ip in1 > out1 proto 17 frag 2 data 1388003500260000 | invalid
        outside icmp out5 > in1 error 3/1 quote 22 about {QUESTION}      | invalid
        outside icmp out5 > in1 error 3/1 quote 24 about {QUESTION}      | related reply
        outside icmp out5 > in1 error 3/1 quote 19 about {QUESTION}      | invalid
        outside icmp out5 > in1 error 3/1 bad-checksum about {QUESTION}  | invalid
        outside icmp out5 > in1 error 3/1 about ip in1 > out1 proto 17 mf data 1388003500260000 | related reply
    """, ends=UDP),
    vector("an error about a packet of the other side", """
        A len 30                                                              | new original
        B len 30                                                              | established reply
        inside icmp in1 > out1 error 3/3 about udp out1:53 > in1:5000 len 30  | related original
    """, ends=UDP),
    vector("an error about an echo request, an error about an error", """
        A echo-request id 7                                                   | new original
        outside icmp out5 > in1 error 3/1 about icmp in1 > out1 echo-request id 7 | related reply
        inside icmp in1 > out5 error 3/1 about icmp out5 > in1 error 3/1 about icmp in1 > out1 echo-request id 7 | invalid
    """, ends=PING),
    vector("an error about a TCP connection", """
        inside tcp in1:4000 > out1:80 S seq 1000                                      | new original | SYN_SENT 120 unreplied
        outside icmp out5 > in1 error 3/1 about tcp in1:4000 > out1:80 S seq 1000     | related reply | SYN_SENT 120 unreplied
        outside icmp out5 > in1 error 3/4 quote 28 about tcp in1:4000 > out1:80 S seq 77 | related reply
    """),
    vector("an error about a packet that left no trace", f"""
        outside icmp out5 > in1 error 3/1 about {QUESTION} | invalid | none
    """),
    vector("an error about a packet of a protocol without ports", """
        inside ip in1 > out1 proto 253 len 8                                   | new original
        outside icmp out5 > in1 error 3/2 about ip in1 > out1 proto 253 len 8  | related reply
    """),
    vector("ICMPv6 echo", """
        A echo-request id 7 seq 1 | new original         | 30 unreplied
        B echo-reply id 7 seq 1   | established reply    | 30 replied
        A echo-request id 7 seq 2 | established original | 30 replied
    """, ends=PING6),
    vector("ICMPv6 node information", """
        A 139/0 id 7 len 16 | new original      | 30 unreplied
        B 140/0 id 7 len 16 | established reply | 30 replied
    """, ends=PING6),
    *[vector(f"ICMPv6 {kind} is not tracked", f"A {kind}/0 len 20 | untracked | none", ends=PING6)
      for kind in (131, 132, 143, 151, 152)],
    *[vector(f"ICMPv6 {kind} is no beginning", f"A {kind}/0 id 7 len 20 | invalid | none", ends=PING6)
      for kind in (129, 140, 141, 142, 144, 153, 155, 200)],
    vector("neighbour discovery through a router", "".join(f"""
        A {kind}/0 len 20 ttl 255 | untracked | none""" for kind in (133, 134, 135, 136)), ends=PING6),
    vector("errors of ICMPv6", "A len 30 | new original | 30 unreplied" + "".join(f"""
        outside icmp out5v6 > in1v6 error {kind}/0 about {QUESTION6} | related reply | 30 unreplied"""
        for kind in (1, 2, 3, 4, 100, 127)), ends=UDP6),
    vector("errors of ICMPv6 that do not fit", f"""
        A len 30                                                            | new original | 30 unreplied
        outside icmp out5v6 > in2v6 error 1/0 about {QUESTION6}              | invalid
        outside icmp out5v6 > in1v6 error 1/0 about udp [in1v6]:1 > [out1v6]:53 | invalid
        outside icmp out5v6 > in1v6 error 1/0 quote 43 about {QUESTION6}     | invalid
        outside icmp out5v6 > in1v6 error 1/0 quote 44 about {QUESTION6}     | related reply
        outside icmp out5v6 > in1v6 error 1/0 bad-checksum about {QUESTION6} | invalid
    """, ends=UDP6),
    vector("a redirect of ICMPv6 without its options", "A 137/0 len 32 ttl 255 | invalid | none", ends=PING6),
    vector("ICMP in IPv6 and ICMPv6 in IPv4", """
        inside ip in1v6 > out1v6 proto 1 data 0800f7f800070000 | invalid | none
        inside ip in1 > out1 proto 58 data 8000f7f800070000    | invalid | none
    """),
]
