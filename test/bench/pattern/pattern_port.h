/* What net_pattern's two halves share: ports, their queues, and what the ports of a page have in
 * common.
 *
 * pattern_device.c sets them up, one thread at a time, before anything polls; afterwards a queue
 * belongs to the thread that polls it. */
#ifndef RAMPART_BENCH_PATTERN_PORT_H
#define RAMPART_BENCH_PATTERN_PORT_H

#include <rte_ether.h>

#include "pattern_hash.h"
#include "pattern_packet.h"
#include "pattern_page.h"

#define KEY_BYTES 40
#define RETA_SIZE 128
#define RING 1024 /* packets that wait while the device is late; later ones are missed */

enum side { CLIENT, SERVER };
enum step { OPEN, DATA, CLOSE, LAST, FIRST_FRAGMENT, SECOND_FRAGMENT, STEPS };

struct bench { /* what the ports of one page have in common */
    struct pattern_page* page;
    char path[128];
    uint32_t queues[2];
    uint32_t finished;   /* queues that are through with the present stage */
    uint32_t turn;       /* of a connection's six steps */
    uint64_t connection; /* the next one to open */
    struct bench* next;
};

struct port;

struct queue {
    struct port* port;
    struct rte_mempool* pool;
    struct pattern_queue* figures;
    uint32_t id, epoch, polls, flood_turn;
    uint64_t random, cursor, stage, given, begun_tsc, due;
    double tsc_per_packet;
};

struct port {
    struct bench* bench;
    enum side side;
    uint16_t id, queues;
    struct rte_ether_addr mac, peer;
    uint8_t key[KEY_BYTES];
    uint16_t reta[RETA_SIZE];
    uint64_t rss_types;
    struct pattern_control control; /* of the epoch that `templates` are made for */
    uint32_t made_epoch;
    uint64_t flags;
    struct template templates[STEPS];
    struct template flood;
    struct hash_tables hashes;
    struct queue receive[PATTERN_QUEUES], send[PATTERN_QUEUES];
};

uint16_t pattern_receive(void* queue, struct rte_mbuf** out, uint16_t most);
uint16_t pattern_send(void* queue, struct rte_mbuf** packets, uint16_t count);

#endif
