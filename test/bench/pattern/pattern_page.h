/* The page that net_pattern shares with whoever measures: what to send, and what has come and gone.
 *
 * One file, mapped by the driver and by the bench (page.py has the same layout). The bench alone
 * writes `control`, fills it before it raises `epoch`, and resets `stage` and the figures of the
 * queues only while the mode is idle. Each queue's figures have one writer, the thread that polls
 * it. Times are TSC cycles unless a name says ns. All integers are in the machine's own order. */
#ifndef RAMPART_BENCH_PATTERN_PAGE_H
#define RAMPART_BENCH_PATTERN_PAGE_H

#include <stdint.h>

#define PATTERN_MAGIC 0x31746170u
#define PATTERN_QUEUES 4
#define PATTERN_BUCKETS 512 /* of latencies: eight for each power of two */

enum pattern_mode {
    PATTERN_IDLE,
    PATTERN_ESTABLISHED, /* opens the flows in stages, then random packets of both directions */
    PATTERN_NEW,         /* the client's port sends the first packets of ever new flows */
    PATTERN_CHURN,       /* TCP connections: opened, and closed when `flows` later ones are open */
};

/* Stages of PATTERN_ESTABLISHED. */
enum pattern_stage { STAGE_REQUESTS, STAGE_REPLIES, STAGE_ACKS, STAGE_STEADY };

enum pattern_flag {
    PATTERN_CHECKSUMS_GOOD = 1, /* as a NIC reports that has verified them */
    PATTERN_RSS_HASH = 2,       /* the mbuf carries the Toeplitz hash */
    PATTERN_FRAGMENTS = 4,      /* steady packets are datagrams of two fragments */
    PATTERN_STAMPS = 8,         /* latency of each packet, lost packets by kind */
    PATTERN_SPREAD = 16,        /* one queue does the work that two need to find their own flows */
};

struct pattern_control {
    uint32_t magic, epoch, mode, flags;
    uint32_t protocol;   /* 6 or 17 */
    uint32_t ip_version; /* 4 or 6 */
    uint32_t nat;        /* replies go to this IPv4 address (host order) instead of the client; 0 */
    uint32_t flood;      /* SYNs of random sources that the client's port adds to each packet */
    uint64_t flows;      /* established: how many; churn: concurrent connections */
    uint64_t first;      /* the index of the first flow */
    uint64_t open_from;  /* flows before this one are open already */
    uint64_t budget;     /* packets that the client's port sends in this epoch; 0: no limit */
    uint64_t rate;       /* packets per second and port, the flood not counted; 0: no limit */
    uint64_t unused[7];
};

struct pattern_queue {
    uint64_t received, sent;           /* by the device that is measured: from this port, to it */
    uint64_t received_good, sent_good; /* with PATTERN_STAMPS, not counting the flood */
    uint64_t no_buffer, missed, longest_gap, last_sent;
    /* Taken together by the client's queue, of the same queue of both ports, now and then. */
    uint64_t mark_version, mark_cpu_ns, mark_tsc, mark_received, mark_sent;
    uint64_t finished_epoch;               /* the budget of this epoch is used up */
    uint64_t begun_cpu_ns, begun_received; /* the mark when the epoch began */
    uint64_t latency[PATTERN_BUCKETS];
};

struct pattern_page {
    struct pattern_control control;
    uint64_t stage, tsc_hz, connections, unused[5];
    struct pattern_queue queue[2][PATTERN_QUEUES]; /* the client's port, the server's */
};

#endif
