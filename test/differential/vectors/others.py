"""Protocols without ports, IPv6 header chains, what rules do to entries."""
from vectors import HANDSHAKE, vector



def raw(protocol):
    return f"inside ip in1 > out1 proto {protocol}", f"outside ip out1 > in1 proto {protocol}"


VECTORS = [
    *[vector(f"protocol {protocol} by address pair", """
        A len 8 | new original         | 600 unreplied
        B len 8 | established reply    | 600 replied
        A len 8 | established original | 600 replied
    """, ends=raw(protocol)) for protocol in (253, 50, 51, 4, 0, 255, 33)],
    vector("one protocol does not open the way for another", """
        inside ip in1 > out1 proto 253 len 8  | new original | 600 unreplied
        outside ip out1 > in1 proto 254 len 8 | new original | 1 entries
    """, "stateful"),
    vector("UDP behind a hop-by-hop header", """
        inside udp [in1v6]:1 > [out1v6]:2 len 8 ext hop-by-hop | new original | 30 unreplied
    """),
    vector("UDP behind an authentication header", """
        inside udp [in1v6]:1 > [out1v6]:2 len 8 ext ah          | new original | 30 unreplied
        inside udp [in1v6]:1 > [out1v6]:2 len 8 ext destination | new original | 30 unreplied
    """),
    vector("IPv6 without a next header", "inside ip in1v6 > out1v6 proto 59 len 8 | invalid | none"),
    vector("a reset that a rule sends answers the first packet, which leaves nothing", """
        inside tcp in1:4000 > out1:4444 S seq 1000 | new original | none
    """, "refusing"),
    vector("a reset that a rule sends into a connection closes it", """
        inside tcp in1:4000 > out1:4445 S seq 1000            | new original         | SYN_SENT
        outside tcp out1:4445 > in1:4000 SA seq 5000 ack 1001 | established reply    | SYN_RECV
        inside tcp in1:4000 > out1:4445 . seq 1001 ack 5001   | established original | CLOSE 10
    """, "refusing"),
    vector("what is counted", """
        A S seq 1000                     | new original | packets=1 bytes=40
        A S seq 1000                     | new original | packets=1 bytes=40
        A P. seq 1001 ack 5001 len 10    | invalid      | packets=1 bytes=40
        B SA seq 5000 ack 1001           | established reply
        A S seq 1000                     | established original | packets=1 bytes=40
        outside icmp out5 > in1 error 3/1 about tcp in1:4000 > out1:80 S seq 1000 | related reply | packets=1 bytes=40
        A . seq 1001 ack 5001            | established original | packets=2 bytes=80
    """),
    vector("what inside opened outside answers, nothing else", HANDSHAKE + """
        B P. seq 5001 ack 1001 len 10                | established reply
        outside tcp out1:80 > in1:4001 S seq 1       | new original | 1 entries
        outside udp out1:53 > in1:5000 len 8         | new original | 1 entries
        inside tcp in1:4000 > out1:81 SA seq 1 ack 1 | invalid      | 1 entries
    """, "stateful"),
]
