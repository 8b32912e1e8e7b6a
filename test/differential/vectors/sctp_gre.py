"""SCTP and GRE."""
from vectors import vector

GRE = ("inside gre in1 > out1", "outside gre out1 > in1")
SCTP = ("inside sctp in1:5000 > out1:80", "outside sctp out1:80 > in1:5000")

VECTORS = [
    vector("GRE is a stream at the third packet", """
        A len 8 | new original         | 30 unreplied
        B len 8 | established reply    | 30 replied
        A len 8 | established original | 180 assured
    """, ends=GRE),
    vector("GRE of PPTP without its control connection", """
        A call 7 len 8 | new original | 30 unreplied
        B call 9 len 8 | new original | 2 entries
    """, ends=GRE),
    vector("GRE version 1 that is not PPP", "A call 7 carries 0x0800 len 8 | invalid | none", ends=GRE),
    vector("an SCTP association", """
        A vtag 0 init tag 77           | new original         | CLOSED 10 unreplied
        wait 2.1s
        A vtag 0 init tag 77           | new original         | CLOSED 8 unreplied
        B vtag 77 init-ack tag 99      | established reply    | COOKIE_WAIT 3
        A vtag 99 cookie-echo      | established original | COOKIE_ECHOED 3
        B vtag 77 cookie-ack       | established reply    | ESTABLISHED 210 assured
        A vtag 99 data             | established original | ESTABLISHED 210
        B vtag 77 sack             | established reply    | ESTABLISHED 210
        A vtag 99 shutdown         | established original | SHUTDOWN_SENT 3
        B vtag 77 shutdown-ack     | established reply    | SHUTDOWN_ACK_SENT 3
        A vtag 99 shutdown-complete | established original | CLOSED 10
    """, ends=SCTP),
    vector("SCTP with a wrong tag", """
        A vtag 0 init tag 77      | new original
        B vtag 77 init-ack tag 99 | established reply
        A vtag 99 cookie-echo | established original
        B vtag 77 cookie-ack  | established reply | ESTABLISHED 210 assured
        A vtag 98 data        | invalid           | ESTABLISHED
        A vtag 98 abort       | invalid           | ESTABLISHED
        B vtag 76 abort       | invalid           | ESTABLISHED
        B vtag 99 abort reflected     | established reply | CLOSED
    """, ends=SCTP),
    *[vector(f"SCTP does not begin with {chunk}", f"A vtag 5 {chunk} | invalid | none", ends=SCTP)
      for chunk in ("data", "init-ack tag 1", "abort", "cookie-echo", "init tag 1", "cookie-ack", "sack",
                    "shutdown-complete")],
    vector("SCTP begins with a heartbeat", "A vtag 5 heartbeat | new original | HEARTBEAT_SENT 30", ends=SCTP),
    vector("SCTP begins with the end of a shutdown", """
        A vtag 5 shutdown-ack | new original | SHUTDOWN_ACK_SENT 3
    """, ends=SCTP),
    vector("SCTP checksum", """
        A vtag 0 init tag 77 bad-checksum     | invalid | none
        A vtag 0 init tag 77 transport-cut 11 | invalid | none
        A vtag 0                              | invalid | none
    """, ends=SCTP),
]
