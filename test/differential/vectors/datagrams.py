"""UDP and UDP-Lite."""
from vectors import UDP, vector

UDP6 = ("inside udp [in1v6]:5000 > [out1v6]:53", "outside udp [out1v6]:53 > [in1v6]:5000")
UDPLITE = ("inside udplite in1:5000 > out1:53", "outside udplite out1:53 > in1:5000")
UDPLITE6 = ("inside udplite [in1v6]:5000 > [out1v6]:53", "outside udplite [out1v6]:53 > [in1v6]:5000")

VECTORS = [
    vector("UDP becomes a stream after two seconds", """
        A len 30 | new original         | 30 unreplied
        A len 30 | new original         | 30 unreplied
        B len 30 | established reply    | 30 replied
        A len 30 | established original | 30 replied
        wait 2.3s
        A len 30 | established original | 120 assured
    """, ends=UDP),
    vector("a late first reply does not make a stream, the next packet does", """
        A len 30 | new original      | 30 unreplied
        wait 2.3s
        B len 30 | established reply | 30 replied
        B len 30 | established reply | 120 assured
    """, ends=UDP),
    vector("one question and one answer never become a stream", """
        A len 30 | new original      | 30 unreplied
        B len 60 | established reply | 30 replied
    """, ends=UDP),
    vector("a reply after the time is up is a new flow", """
        A len 30 | new original | 2 unreplied
        wait 2.5s
        B len 30 | new original | 1 entries
    """, "short", ends=UDP),
    vector("no checksum over IPv4", "A len 30 no-checksum | new original | 30 unreplied", ends=UDP),
    vector("no checksum over IPv6", "A len 30 no-checksum | new original | 30 unreplied", ends=UDP6),
    vector("faults of the UDP header", """
        A len 30 bad-checksum    | invalid | none
        A len 30 udp-length 500  | invalid | none
        A len 30 udp-length 7    | invalid | none
        A len 30 transport-cut 4 | invalid | none
        A len 30 transport-cut 2 | invalid | none
        A len 30 transport-cut 0 | invalid | none
    """, ends=UDP),
    vector("the UDP checksum covers what IP carries, whatever UDP calls its length", """
        A len 30 udp-length 20 bad-checksum | invalid      | none
        A len 30 udp-length 20              | new original | 30 unreplied
    """, ends=UDP),
    vector("port zero", "inside udp in1:0 > out1:0 len 1 | new original | 30 unreplied"),
    vector("a first packet that a rule drops leaves nothing", """
        inside udp in1:5000 > out1:2222 len 1 | new original | none
        inside udp in1:5000 > out1:2223 len 1 | new original | 30 unreplied
        outside udp out1:2223 > in1:5000 len 1 | established reply | 30 replied
        outside udp out1:9 > in1:9 len 1       | new original | 1 entries
    """, "refusing"),
    vector("UDP-Lite becomes a stream at the third packet", """
        A len 30 | new original         | 30 unreplied
        B len 30 | established reply    | 30 replied
        A len 30 | established original | 120 assured
    """, "no-checksum", ends=UDPLITE),
    vector("UDP-Lite with checksums", """
        A len 30                         | invalid           | none
        A len 30 sum-as 17               | new original      | 30 unreplied
        B len 30 sum-as 17 coverage 20   | established reply | 30 replied
        A len 30 sum-as 17 bad-checksum  | invalid           | 30 replied
        A len 300 sum-as 17              | invalid           | 30 replied
    """, ends=UDPLITE),
    vector("UDP-Lite with checksums, over IPv6", """
        A len 30             | invalid           | none
        A len 30 sum-as 17   | new original      | 30 unreplied
        B len 300 sum-as 17  | established reply | 30 replied
    """, ends=UDPLITE6),
    vector("faults of the UDP-Lite header", """
        A len 30 no-checksum  | invalid      | none
        A len 30 coverage 7   | invalid      | none
        A len 30 coverage 39  | invalid      | none
        A len 30 coverage 8   | new original | 30 unreplied
        A len 30 coverage 38  | new original | 30 unreplied
    """, "no-checksum", ends=UDPLITE),
]
