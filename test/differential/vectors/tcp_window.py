"""TCP: sequence numbers, windows, resets, timeouts that depend on them, broken segments."""
from vectors import HANDSHAKE, NARROW, vector

SCALED = """
    A S seq 1000 opt mss,wscale=7           | new original
    B SA seq 5000 ack 1001 opt mss,wscale=7 | established reply
    A . seq 1001 ack 5001                   | established original | ESTABLISHED assured
"""

VECTORS = [
    vector("an exact reset closes", HANDSHAKE + "B R seq 5001 | established reply | CLOSE 10"),
    vector("a reset from the past is refused", HANDSHAKE + """
        B P. seq 5001 ack 1001 len 100 | established reply
        A . seq 1001 ack 5101          | established original
        B R seq 5050                   | invalid | ESTABLISHED 432000
    """),
    vector("a reset from the past, with tcp_ignore_invalid_rst", HANDSHAKE + """
        B P. seq 5001 ack 1001 len 100 | established reply
        A . seq 1001 ack 5101          | established original
        B R seq 5050                   | established reply | ESTABLISHED 10
    """, "resets"),
    vector("an inexact reset leaves the state and shortens the time", HANDSHAKE + """
        B R seq 5500          | established reply    | ESTABLISHED 10
        A . seq 1001 ack 5001 | established original | ESTABLISHED
        B R seq 5001          | established reply    | CLOSE 10
    """),
    vector("a reset beyond the window", HANDSHAKE + "B R seq 205000 | invalid | ESTABLISHED 432000"),
    vector("a reset directly behind data", HANDSHAKE + """
        B P. seq 5001 ack 1001 len 19 | established reply
        B R seq 5020                  | established reply | CLOSE 10
    """),
    vector("a reset of the sender of an ignored SYN is no answer to it", """
        A S seq 1000 win 1000              | new original
        B SA seq 5000 ack 1001 win 1000    | established reply    | SYN_RECV
        A S seq 90000 win 1000             | established original | SYN_RECV
        A RA seq 900000 ack 90001 win 1000 | invalid              | SYN_RECV
        B RA seq 900000 ack 90001 win 1000 | established reply    | CLOSE 10
    """),
    vector("a reset while closing needs no right sequence number", HANDSHAKE + """
        A F. seq 1001 ack 5001 | established original | FIN_WAIT
        B R seq 3000000000     | established reply    | CLOSE 10
    """),
    vector("data far beyond the window", NARROW + """
        A P. seq 6001 ack 5001 win 1000 len 10 | invalid              | ESTABLISHED 432000
        A P. seq 1001 ack 5001 win 1000 len 10 | established original | ESTABLISHED 300
    """),
    vector("an acknowledgement of data never sent", HANDSHAKE + """
        A . seq 1001 ack 9999 | invalid | ESTABLISHED 432000
    """),
    vector("an old retransmission is ignored, also with FIN", NARROW + "".join(f"""
        A P. seq {1001 + 900 * i} ack 5001 win 1000 len 900 | established original
        B . seq 5001 ack {1901 + 900 * i} win 1000          | established reply""" for i in range(5)) + """
        A P. seq 1001 ack 5001 win 1000 len 100 | established original | ESTABLISHED 432000
        A F. seq 1101 ack 5001 win 1000         | established original | ESTABLISHED 432000
    """),
    vector("a small overshoot of the window is ignored, a large one refused", NARROW + """
        A P. seq 1001 ack 5001 win 1000 len 900 | established original
        A P. seq 1901 ack 5001 win 1000 len 900 | established original
        A P. seq 2801 ack 5001 win 1000 len 900 | established original
        A P. seq 3701 ack 5001 win 1000 len 900 | invalid
        B . seq 5001 ack 3701 win 1000          | established reply
    """),
    vector("window scaling", SCALED + """
        B . seq 5001 ack 1001 win 500            | established reply
        A P. seq 61001 ack 5001 win 500 len 100  | established original
        A P. seq 65001 ack 5001 win 500 len 100  | established original
        A P. seq 301001 ack 5001 win 500 len 100 | invalid
    """),
    vector("window scaling of one side only does not count", """
        A S seq 1000 opt mss,wscale=7              | new original
        B SA seq 5000 ack 1001 win 1000 opt mss    | established reply
        A . seq 1001 ack 5001                      | established original
        B . seq 5001 ack 1001 win 1000             | established reply
        A P. seq 61001 ack 5001 len 100            | invalid
    """),
    vector("a SYN without options leaves the window scale that an earlier one offered", """
        A S seq 1000 opt wscale=7                    | new original
        A S seq 2000                                 | new original
        B SA seq 5000 ack 2001 win 1000 opt wscale=7 | established reply
        A . seq 2001 ack 5001                        | established original | ESTABLISHED 432000
        B . seq 5001 ack 2001 win 1000               | established reply    | ESTABLISHED 432000
        A P. seq 102001 ack 5001 len 10              | established original | ESTABLISHED 300
    """),
    vector("a number half the space ahead counts as ahead", """
        A S seq 1000                 | new original | SYN_SENT unreplied
        B SA seq 5000 ack 2147484649 | invalid      | SYN_SENT unreplied
        A S seq 2147484649           | invalid      | SYN_SENT unreplied
    """),
    vector("selective acknowledgements", """
        A S seq 1000 opt mss,sackok                | new original
        B SA seq 5000 ack 1001 opt mss,sackok      | established reply
        A . seq 1001 ack 5001                      | established original
        B P. seq 5001 ack 1001 len 1000            | established reply
        B P. seq 6001 ack 1001 len 1000            | established reply
        A . seq 1001 ack 5001 opt nop,nop,sack=6001-7001 | established original
        A . seq 1001 ack 5001 opt nop,nop,sack=7001-8001 | invalid
    """),
    vector("liberal windows", HANDSHAKE.replace("432000", "") + """
        A P. seq 9000000 ack 5001 len 10 | established original
        A . seq 1001 ack 999999          | established original
        B R seq 205000                   | established reply | 10
        B R seq 4000                     | invalid
    """, "liberal"),
    vector("identical acknowledgements shorten the time", HANDSHAKE + """
        A . seq 1001 ack 5001          | established original | ESTABLISHED 432000
        A . seq 1001 ack 5001          | established original | ESTABLISHED 432000
        A . seq 1001 ack 5001          | established original | ESTABLISHED 300
        A . seq 1001 ack 5001 win 1000 | established original | ESTABLISHED 432000
    """),
    vector("a closed window shortens the time", HANDSHAKE + """
        A . seq 1001 ack 5001 win 0   | established original | ESTABLISHED 300
        A . seq 1001 ack 5001 win 100 | established original | ESTABLISHED 432000
    """),
    vector("keep-alive probes", HANDSHAKE + """
        A . seq 1000 ack 5001 len 1 | established original
        B . seq 5001 ack 1001       | established reply
        A . seq 1000 ack 5001       | established original | ESTABLISHED 432000
    """),
    vector("both sides end the connection outside the window", NARROW + """
        A F. seq 900000 ack 5001 win 1000 | invalid | ESTABLISHED 432000
        B R seq 900000 win 1000           | invalid | ESTABLISHED 300
    """),
    vector("sequence numbers wrap around", """
        A S seq 0xfffffff0                    | new original
        B SA seq 0xfffffff8 ack 0xfffffff1    | established reply
        A . seq 0xfffffff1 ack 0xfffffff9     | established original | ESTABLISHED assured
        A P. seq 0xfffffff1 ack 0xfffffff9 len 100 | established original
        B . seq 0xfffffff9 ack 0x55           | established reply    | ESTABLISHED 432000
        B P. seq 0xfffffff9 ack 0x55 len 100  | established reply
        A . seq 0x55 ack 0x5d                 | established original | ESTABLISHED 432000
    """),
    vector("a wrong checksum", "A S seq 1000 bad-checksum | invalid | none"),
    vector("a checksum of zero is wrong", "A S seq 1000 no-checksum | invalid | none"),
    vector("a wrong checksum that nobody verifies", "A S seq 1000 bad-checksum | new original", "no-checksum"),
    vector("data offset below the least", "A S seq 1000 data-offset 4 | invalid | none"),
    vector("data offset behind the end", "A S seq 1000 data-offset 15 | invalid | none"),
    vector("a header that is cut", """
        A S seq 1000 transport-cut 19 | invalid | none
        A S seq 1000 transport-cut 3  | invalid | none
        A S seq 1000 transport-cut 0  | invalid | none
    """),
    vector("padding of a short frame is not data", HANDSHAKE + """
        A . seq 1001 ack 5001 pad 6 | established original | ESTABLISHED 432000
    """),
    vector("broken options", """
        A S seq 1000 opt hex=030700000000000000000000 | new original | SYN_SENT unreplied
        B SA seq 5000 ack 1001 opt hex=02ff           | established reply
    """),
]
