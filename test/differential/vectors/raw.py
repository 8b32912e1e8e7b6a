"""The chain raw: what rules exempt from tracking, or drop before it."""
from vectors import UDP, vector

VECTORS = [
    vector("what raw exempts is untracked, its answer is new", """
        A len 30 | untracked         | none
        A len 30 | untracked         | none
        B len 30 | new original      | 30 unreplied
        A len 30 | untracked         | 30 unreplied
        outside icmp out5 > in1 error 3/1 about udp in1:5001 > out1:53 len 30 | invalid
    """, "raw", ends=UDP),
    vector("fragments are put together before raw", """
        A len 1992 piece 0+1000 id 7    | none      | none
        A len 1992 piece 1000+1000 id 7 | untracked | none
    """, "raw", ends=UDP),
    vector("a wrong checksum of what is not tracked", "A len 30 bad-checksum | untracked | none",
           "raw", ends=UDP),
    vector("what raw drops is not tracked", """
        inside udp in1:5000 > out1:6666 len 30 | none         | none
        inside udp in1:5000 > out1:6667 len 30 | new original | 30 unreplied
    """, "raw"),
    vector("a connection that is exempt in one direction", """
        inside tcp in1:4000 > out1:443 S seq 1000            | untracked | none
        outside tcp out1:443 > in1:4000 SA seq 5000 ack 1001 | invalid   | none
        outside tcp out1:443 > in1:4000 . seq 5001 ack 1001  | new original | ESTABLISHED 300 unreplied
    """, "raw"),
]
