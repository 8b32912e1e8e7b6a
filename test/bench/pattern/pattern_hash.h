/* The hash that a NIC computes for RSS (Toeplitz), from tables over the bytes of a flow's index.
 *
 * The hash is linear, and so are tuples in the bits of the index: the hash of a flow is that of
 * flow 0 with the differences that its bytes make. */
#ifndef RAMPART_BENCH_PATTERN_HASH_H
#define RAMPART_BENCH_PATTERN_HASH_H

#include <rte_thash.h>

#include "pattern_packet.h"

#define INDEX_BITS 33

/* The Toeplitz hash of each flow that a port receives, by the bytes of its index. */
struct hash_tables {
    uint32_t base;
    uint32_t of_byte[(INDEX_BITS + 7) / 8][256];
};

static inline uint32_t toeplitz(const struct tuple* t, int v6, int from_client,
                                const uint8_t* key) {
    uint32_t words[9] = {0}, n = 0;
    for (int i = 0; i < 2; i++) {
        const int is_client = (i == 0) == (from_client != 0);
        if (v6) {
            words[n] = 0x20010db8;
            words[n + 1] = is_client ? 0xa : 0xb;
            n += 3;
        }
        words[n++] = is_client ? t->client : t->server;
    }
    words[n++] = from_client ? (uint32_t)t->client_port << 16 | t->server_port
                             : (uint32_t)t->server_port << 16 | t->client_port;
    return rte_softrss(words, n, key);
}

static inline void fill_hash_tables(struct hash_tables* h, int v6, int from_client,
                                    uint16_t server_port, const uint8_t* key) {
    struct tuple t = tuple_of(0, CLIENT_NET, server_port);
    h->base = toeplitz(&t, v6, from_client, key);
    for (unsigned byte = 0; byte < RTE_DIM(h->of_byte); byte++)
        for (uint64_t value = 0; value < 256; value++) {
            t = tuple_of(value << (8 * byte), CLIENT_NET, server_port);
            h->of_byte[byte][value] = toeplitz(&t, v6, from_client, key) ^ h->base;
        }
}

static __rte_always_inline uint32_t hash_of(const struct hash_tables* h, uint64_t index) {
    uint32_t hash = h->base;
    for (unsigned byte = 0; byte < RTE_DIM(h->of_byte); byte++)
        hash ^= h->of_byte[byte][(index >> (8 * byte)) & 0xff];
    return hash;
}

#endif
