"""TCP: opening, transfer, closing, opening again."""
from vectors import HANDSHAKE, vector

TO_TIME_WAIT = HANDSHAKE + """
    A F. seq 1001 ack 5001 | established original | FIN_WAIT 120
    B F. seq 5001 ack 1002 | established reply    | LAST_ACK 30
    A . seq 1002 ack 5002  | established original | TIME_WAIT 120
"""

VECTORS = [
    vector("a whole connection", HANDSHAKE + """
        A P. seq 1001 ack 5001 len 10 | established original | ESTABLISHED 300
        B . seq 5001 ack 1011         | established reply    | ESTABLISHED 432000
        A F. seq 1011 ack 5001        | established original | FIN_WAIT 120
        B . seq 5001 ack 1012         | established reply    | CLOSE_WAIT 60
        B F. seq 5001 ack 1012        | established reply    | LAST_ACK 30
        A . seq 1012 ack 5002         | established original | TIME_WAIT 120
    """),
    vector("a repeated SYN is new and does not prolong", """
        A S seq 1000 | new original | SYN_SENT 120 unreplied packets=1
        wait 3s
        A S seq 1000 | new original | SYN_SENT 117 unreplied packets=1
        A S seq 9000 | new original | SYN_SENT 117 unreplied packets=1
    """),
    vector("a connection is picked up in the middle", """
        A P. seq 1001 ack 5001 len 10 | new original         | ESTABLISHED 300 unreplied
        B . seq 5001 ack 1011         | established reply    | ESTABLISHED 300
        A . seq 1011 ack 5001         | established original | ESTABLISHED 432000 assured
        A P. seq 900001011 ack 5001 len 10 | established original | ESTABLISHED 432000
    """),
    vector("without tcp_loose nothing is picked up", """
        A P. seq 1001 ack 5001 len 10 | invalid | none
    """, "strict"),
    *[vector(f"{flags} opens nothing", f"A {flags} seq 1000 ack 5000 | invalid | none")
      for flags in ("SA", "F.", "R", "RA", "none", "F", "SF", "SR", "FPU", "SAU", "RU")],
    *[vector(f"{flags} opens", f"A {flags} seq 1000 ack 5000 | new original | 1 entries")
      for flags in ("SU", "SP", "SEC", "U.", "P.", "E.")],
    vector("simultaneous open", """
        A S seq 1000           | new original         | SYN_SENT 120 unreplied
        B S seq 5000           | established reply    | SYN_SENT2 120
        A SA seq 1000 ack 5001 | established original | SYN_RECV 60
        B . seq 5001 ack 1001  | established reply    | ESTABLISHED assured
    """),
    vector("a reset as first answer removes the entry", """
        A S seq 1000         | new original      | SYN_SENT 120 unreplied
        B RA seq 0 ack 1001  | established reply | none
    """),
    vector("a reset that acknowledges nothing sent is refused, an empty one is not", """
        A S seq 1000          | new original      | SYN_SENT 120 unreplied
        B RA seq 0 ack 99999  | invalid           | SYN_SENT 120 unreplied
        B R seq 0             | established reply | none
    """),
    vector("a challenge ACK answers a SYN", """
        A S seq 1000              | new original         | SYN_SENT 120 unreplied
        B . seq 700000 ack 900000 | established reply    | SYN_SENT 120 replied
        A S seq 1000              | established original | SYN_SENT
    """),
    vector("a challenge ACK is answered with a reset, and the connection opened anew", """
        A S seq 1000              | new original
        B . seq 700000 ack 900000 | established reply    | SYN_SENT replied
        A R seq 900000            | established original | CLOSE 10
        A S seq 1000              | new original         | SYN_SENT 120 unreplied
        B SA seq 5000 ack 1001    | established reply    | SYN_RECV 60
        A . seq 1001 ack 5001     | established original | ESTABLISHED 432000 assured
    """),
    vector("a SYN in a live connection, challenged and reset", HANDSHAKE + """
        A S seq 90000         | established original | ESTABLISHED 432000 assured
        B . seq 5001 ack 1001 | established reply    | ESTABLISHED 432000 assured
        A R seq 1001          | established original | CLOSE 10
        A S seq 90000         | new original         | SYN_SENT 120 unreplied
    """),
    vector("a SYN in a live connection that the server accepts", HANDSHAKE + """
        A S seq 90000            | established original | ESTABLISHED 432000 assured
        B SA seq 70000 ack 90001 | established reply    | SYN_RECV 60 assured
        A . seq 90001 ack 70001  | established original | ESTABLISHED 432000 assured
    """),
    vector("a SYN from the server in a live connection", HANDSHAKE + "B S seq 9000 | invalid | ESTABLISHED assured"),
    vector("a SYN/ACK from the client in a live connection",
           HANDSHAKE + "A SA seq 1001 ack 5001 | invalid | ESTABLISHED assured"),
    vector("a repeated SYN/ACK", HANDSHAKE + """
        B SA seq 5000 ack 1001 | established reply | ESTABLISHED 432000 assured
    """),
    vector("after the server's reset a SYN is ignored until it is answered", HANDSHAKE + """
        B RA seq 5001 ack 1001   | established reply    | CLOSE 10
        A S seq 90000            | established original | CLOSE 10
        B SA seq 70000 ack 90001 | established reply    | SYN_RECV 60
        A . seq 90001 ack 70001  | established original | ESTABLISHED 432000
    """),
    vector("after its own reset a SYN opens anew", HANDSHAKE + """
        A RA seq 1001 ack 5001 | established original | CLOSE 10
        A S seq 90000          | new original         | SYN_SENT 120 unreplied
    """),
    vector("after the client's reset the server cannot open", HANDSHAKE + """
        A RA seq 1001 ack 5001 | established original | CLOSE 10
        B S seq 90000          | invalid              | CLOSE
    """),
    vector("half-close", HANDSHAKE + """
        A F. seq 1001 ack 5001          | established original | FIN_WAIT 120
        B . seq 5001 ack 1002           | established reply    | CLOSE_WAIT 60
        B P. seq 5001 ack 1002 len 100  | established reply    | CLOSE_WAIT 60
        A . seq 1002 ack 5101           | established original | CLOSE_WAIT 60
        B P. seq 5101 ack 1002 len 100  | established reply    | CLOSE_WAIT 60
        A . seq 1002 ack 5201           | established original | CLOSE_WAIT 60
        B F. seq 5201 ack 1002          | established reply    | LAST_ACK 30
        A . seq 1002 ack 5202           | established original | TIME_WAIT 120
    """),
    vector("a repeated FIN counts as the other side's", HANDSHAKE + """
        A F. seq 1001 ack 5001        | established original | FIN_WAIT 120
        A F. seq 1001 ack 5001        | established original | LAST_ACK 30
        B . seq 5001 ack 1002         | established reply    | TIME_WAIT 120
        B P. seq 5001 ack 1002 len 10 | established reply    | TIME_WAIT 120
    """),
    vector("a challenge ACK in LAST_ACK is not the last ACK", HANDSHAKE + """
        A F. seq 1001 ack 5001 | established original | FIN_WAIT 120
        B F. seq 5001 ack 1002 | established reply    | LAST_ACK 30
        A S seq 90000          | established original | LAST_ACK
        B . seq 5002 ack 1002  | established reply    | LAST_ACK
        A R seq 1002           | established original | CLOSE 10
        A S seq 90000          | new original         | SYN_SENT 120 unreplied
    """),
    vector("in TIME_WAIT the server may open to the client", TO_TIME_WAIT + """
        B S seq 777000             | new original         | SYN_SENT 120 unreplied
        A SA seq 888000 ack 777001 | established reply    | SYN_RECV 60
        B . seq 777001 ack 888001  | established original | ESTABLISHED assured
    """),
    vector("in TIME_WAIT the client may open again", TO_TIME_WAIT + """
        A S seq 777000             | new original      | SYN_SENT 120 unreplied
        B SA seq 888000 ack 777001 | established reply | SYN_RECV 60
    """),
    vector("a reset in TIME_WAIT", TO_TIME_WAIT + """
        B R seq 3000000000            | established reply    | CLOSE 10
        A P. seq 1002 ack 5002 len 10 | established original | CLOSE 10
    """),
    vector("a SYN in CLOSE_WAIT that the server accepts", HANDSHAKE + """
        A F. seq 1001 ack 5001   | established original | FIN_WAIT 120
        B . seq 5001 ack 1002    | established reply    | CLOSE_WAIT 60
        A S seq 90000            | established original | CLOSE_WAIT
        B SA seq 70000 ack 90001 | established reply    | SYN_RECV 60
    """),
    vector("data in the SYN (TCP fast open)", """
        A S seq 1000 len 20    | new original         | SYN_SENT 120 unreplied
        B SA seq 5000 ack 1021 | established reply    | SYN_RECV 60
        A . seq 1021 ack 5001  | established original | ESTABLISHED 432000 assured
    """),
    vector("a SYN/ACK that acknowledges too much poisons the entry", """
        A S seq 1000                        | new original      | SYN_SENT unreplied
        B SA seq 145824453 ack 643160523    | invalid           | SYN_SENT unreplied
        A S seq 1000                        | new original      | SYN_SENT unreplied
        B SA seq 5000 ack 1001              | established reply | SYN_SENT replied
        A . seq 1001 ack 5001               | invalid           | SYN_SENT
    """),
    vector("a SYN/ACK that acknowledges too little is ignored", """
        A S seq 643160523                     | new original         | SYN_SENT unreplied
        B SA seq 145824453 ack 1000           | established reply    | SYN_SENT replied
        A S seq 643160523                     | established original | SYN_SENT
        B SA seq 145758918 ack 643160524      | established reply    | SYN_RECV 60
        A . seq 643160524 ack 145758919       | established original | ESTABLISHED assured
    """),
    vector("the client talks before the answer", """
        A S seq 1000                  | new original | SYN_SENT unreplied
        A P. seq 1001 ack 5001 len 10 | invalid      | SYN_SENT unreplied
        A . seq 1001 ack 5001         | invalid      | SYN_SENT unreplied
        A F. seq 1001 ack 5001        | invalid      | SYN_SENT unreplied
        A R seq 1001                  | new original | none
    """),
    vector("the server talks before it opened", """
        A S seq 1000                  | new original      | SYN_SENT unreplied
        B F. seq 5000 ack 1001        | invalid           | SYN_SENT unreplied
        B P. seq 5000 ack 1001 len 10 | established reply | SYN_SENT replied
    """),
    vector("a slow handshake", """
        A S seq 1000           | new original      | SYN_SENT 120 unreplied
        B SA seq 5000 ack 1001 | established reply | SYN_RECV 60
        wait 2.3s
        B SA seq 5000 ack 1001 | established reply    | SYN_RECV 58
        A S seq 1000           | established original | SYN_RECV 58
        B . seq 5001 ack 1001  | established reply    | SYN_RECV 60
        B P. seq 5001 ack 1001 len 10 | established reply | SYN_RECV 60
        A . seq 1001 ack 5011  | established original | ESTABLISHED assured
    """),
    vector("a picked up connection that the server resets", """
        A P. seq 1001 ack 5001 len 10 | new original      | ESTABLISHED 300 unreplied
        B R seq 77                    | established reply | none
    """),
    vector("two connections between two hosts", """
        A S seq 1000                             | new original      | 1 entries
        inside tcp in1:4001 > out1:80 S seq 1000 | new original      | 2 entries
        B SA seq 5000 ack 1001                   | established reply | 2 entries
    """),
    vector("land: a host talks to itself", "inside tcp in1:80 > in1:80 S seq 1000 | new original"),
    vector("an entry whose time is up is gone", """
        A S seq 1000           | new original | SYN_SENT 2 unreplied
        wait 2.5s
        B SA seq 5000 ack 1001 | invalid      | none
        A S seq 1000           | new original | SYN_SENT 2 unreplied
    """, "short"),
]
