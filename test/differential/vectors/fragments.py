"""Fragments: put together before they are judged, cut again as they came."""
from vectors import UDP, vector

UDP6 = ("inside udp [in1v6]:5000 > [out1v6]:53", "outside udp [out1v6]:53 > [in1v6]:5000")
PING = ("inside icmp in1 > out1", "outside icmp out1 > in1")

VECTORS = [
    vector("fragments in order", """
        A len 2992 piece 0+1000 id 7    | none            | none
        A len 2992 piece 1000+1000 id 7 | none            | none
        A len 2992 piece 2000+1000 id 7 | new original    | 30 unreplied packets=1 bytes=3020
        B len 30                        | established reply | 30 replied
    """, ends=UDP),
    vector("fragments in reverse order", """
        A len 2992 piece 2000+1000 id 7 | none            | none
        A len 2992 piece 1000+1000 id 7 | none            | none
        A len 2992 piece 0+1000 id 7    | new original    | 30 unreplied packets=1 bytes=3020
    """, ends=UDP),
    vector("fragments of different sizes leave no larger than the largest", """
        A len 2992 piece 0+800 id 7     | none         | none
        A len 2992 piece 800+1200 id 7  | none         | none
        A len 2992 piece 2000+1000 id 7 | new original | 30 unreplied
    """, ends=UDP),
    vector("overlapping fragments are all lost", """
        A len 2992 piece 0+1000 id 7    | none | none
        A len 2992 piece 992+1000 id 7  | none | none
        A len 2992 piece 2000+1000 id 7 | none | none
        A len 2992 piece 1000+1000 id 7 | none | none
    """, ends=UDP),
    vector("a fragment that comes twice", """
        A len 2992 piece 0+1000 id 7    | none         | none
        A len 2992 piece 0+1000 id 7    | none         | none
        A len 2992 piece 1000+1000 id 7 | none         | none
        A len 2992 piece 2000+1000 id 7 | new original | 30 unreplied
    """, ends=UDP),
    vector("two datagrams at once", """
        A len 1992 piece 0+1000 id 7     | none              | none
        B len 1992 piece 0+1000 id 7     | none              | none
        A len 1992 piece 0+1000 id 8     | none              | none
        A len 1992 piece 1000+1000 id 7  | new original      | 30 unreplied
        B len 1992 piece 1000+1000 id 7  | established reply | 30 replied
        A len 1992 piece 1000+1000 id 8  | established original
    """, ends=UDP),
    vector("two ends", """
        A len 2992 piece 2000+1000 id 7      | none | none
        A len 2992 piece 1000+1000 id 7 last | none | none
        A len 2992 piece 0+1000 id 7         | none | none
    """, ends=UDP),
    vector("a fragment that is no multiple of eight and not the last", """
        A len 1992 piece 0+1001 id 7     | none | none
        A len 1992 piece 1000+1000 id 7  | none | none
    """, ends=UDP),
    vector("a wrong checksum of the whole", """
        A len 1992 bad-checksum piece 0+1000 id 7     | none    | none
        A len 1992 bad-checksum piece 1000+1000 id 7  | invalid | none
    """, ends=UDP),
    vector("a fragmented echo", """
        A echo-request id 7 len 1992 piece 0+1000 id 7    | none              | none
        A echo-request id 7 len 1992 piece 1000+1000 id 7 | new original      | 30 unreplied
        B echo-reply id 7 len 1992 piece 1000+1000 id 9   | none              | 30 unreplied
        B echo-reply id 7 len 1992 piece 0+1000 id 9      | established reply | 30 replied
    """, ends=PING),
    vector("IPv6 fragments in order", """
        A len 2992 piece 0+1000 id 7    | none            | none
        A len 2992 piece 1000+1000 id 7 | none            | none
        A len 2992 piece 2000+1000 id 7 | new original    | 30 unreplied
        B len 30                        | established reply | 30 replied
    """, ends=UDP6),
    vector("IPv6 fragments that overlap", """
        A len 2992 piece 0+1000 id 7    | none | none
        A len 2992 piece 992+1000 id 7  | none | none
        A len 2992 piece 1000+1000 id 7 | none | none
        A len 2992 piece 2000+1000 id 7 | none | none
    """, ends=UDP6),
    vector("an atomic IPv6 fragment", """
        A len 92 piece 0+100 id 7 last | new original | 30 unreplied
    """, ends=UDP6),
    vector("IPv6 fragments whose length cannot be", """
        A len 1992 piece 0+1001 id 7 more
        A len 1992 piece 1000+1000 id 7
    """, ends=UDP6),
    vector("a first IPv6 fragment without the whole header", """
        A len 1992 piece 0+8 id 7
        A len 1992 piece 8+1000 id 7
        A len 1992 piece 1008+992 id 7
    """, ends=("inside tcp [in1v6]:4000 > [out1v6]:80 S seq 1", "")),
    vector("fragments of a datagram that rules drop", """
        inside udp in1:5000 > out1:2222 len 1992 piece 0+1000 id 7    | none         | none
        inside udp in1:5000 > out1:2222 len 1992 piece 1000+1000 id 7 | new original | none
    """, "refusing"),
]
