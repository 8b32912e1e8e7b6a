/* Packets from arithmetic on a flow's index: no memory but the mbuf, however many flows there are.
 *
 * The tuple is linear in the bits of the index (each bit of an address or port is a constant or one
 * bit of the index), see pattern_hash.h. Ports and servers alone make a flow unique up to 2^25
 * flows, so that a translator which keeps ports needs only one address: source port  32768 | bits
 * 0-14     server  198.18.0.0/15 | bits 0-6, 15-24 client       10.0.0.0/10 | bits 0-13, 25-32, or
 * 100.64.0.0/10 in a flood IPv6: the same bits at the end of 2001:db8:0:a::/64 and
 * 2001:db8:0:b::/64. */
#ifndef RAMPART_BENCH_PATTERN_PACKET_H
#define RAMPART_BENCH_PATTERN_PACKET_H

#include <string.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#define CLIENT_NET 0x0a000000u
#define FLOOD_NET 0x64400000u
#define SERVER_NET 0xc6120000u

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_ACK = 16 };

struct tuple { /* host order; client and server, not source and destination */
    uint32_t client, server;
    uint16_t client_port, server_port;
};

static inline struct tuple tuple_of(uint64_t index, uint32_t client_net, uint16_t server_port) {
    struct tuple t;
    t.client = client_net | (uint32_t)(index & 0x3fff) | (uint32_t)((index >> 25) & 0xff) << 14;
    t.server = SERVER_NET | (uint32_t)(index & 0x7f) | (uint32_t)((index >> 15) & 0x3ff) << 7;
    t.client_port = (uint16_t)(0x8000 | (index & 0x7fff));
    t.server_port = server_port;
    return t;
}

/* Everything of a packet but its addresses and ports; sums are of 16-bit words in memory order. */
struct template {
    uint8_t bytes[128];
    uint32_t ip_sum, l4_sum;
    uint16_t length, l4_offset, checksum_offset;
    uint32_t packet_type;
}
__rte_cache_aligned;

struct segment {              /* what a template is made for */
    const uint8_t *to, *from; /* link addresses */
    uint32_t seq, ack;
    uint8_t ip_version, protocol, tcp_flags;
    uint8_t fragment; /* 0: whole; 1, 2: which of two */
};

static inline uint32_t add_words(const uint8_t* bytes, uint32_t count) {
    uint32_t sum = 0;
    uint16_t word;
    for (uint32_t i = 0; i + 1 < count; i += 2) {
        memcpy(&word, bytes + i, 2);
        sum += word;
    }
    return sum;
}

static inline uint32_t split(uint32_t word) {
    return (word & 0xffff) + (word >> 16);
}

static inline uint16_t fold(uint32_t sum) {
    sum = split(sum);
    return (uint16_t)~split(sum);
}

static inline void store16(uint8_t* at, uint16_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void store32(uint8_t* at, uint32_t value) {
    store16(at, (uint16_t)(value >> 16));
    store16(at + 2, (uint16_t)value);
}

#define FRAGMENT_BYTES 24 /* of the datagram, in the first of two fragments */

static inline void make_template(struct template* t, const struct segment* s) {
    const int is_tcp = s->protocol == 6, v6 = s->ip_version == 6;
    const uint16_t ip = 14, ip_bytes = v6 ? 40 : 20, l4_bytes = is_tcp ? 20 : 26;
    uint8_t *b = t->bytes, *l4 = b + ip + ip_bytes;
    uint16_t carried = l4_bytes;

    memset(t, 0, sizeof(*t));
    memcpy(b, s->to, 6);
    memcpy(b + 6, s->from, 6);
    store16(b + 12, v6 ? 0x86dd : 0x0800);
    if (s->fragment == 1) carried = FRAGMENT_BYTES;
    if (s->fragment == 2) carried = l4_bytes + 22 - FRAGMENT_BYTES;
    if (v6) {
        b[ip] = 0x60;
        store16(b + ip + 4, carried);
        b[ip + 6] = s->protocol;
        b[ip + 7] = 64;
        store32(b + ip + 8, 0x20010db8);
        store32(b + ip + 24, 0x20010db8);
    } else {
        b[ip] = 0x45;
        store16(b + ip + 2, ip_bytes + carried);
        if (s->fragment == 1) store16(b + ip + 6, 0x2000);
        if (s->fragment == 2) store16(b + ip + 6, FRAGMENT_BYTES / 8);
        b[ip + 8] = 64;
        b[ip + 9] = s->protocol;
    }
    if (is_tcp) {
        store32(l4 + 4, s->seq);
        store32(l4 + 8, s->ack);
        l4[12] = 0x50;
        l4[13] = s->tcp_flags;
        store16(l4 + 14, 0x4000);
    } else if (s->fragment != 2) {
        store16(l4 + 4, s->fragment ? l4_bytes + 22 : l4_bytes);
    }
    t->length = RTE_MAX(60, ip + ip_bytes + carried);
    t->l4_offset = ip + ip_bytes;
    t->checksum_offset = t->l4_offset + (is_tcp ? 16 : 6);
    t->ip_sum = add_words(b + ip, 20);
    t->l4_sum = add_words(l4, l4_bytes) + rte_cpu_to_be_16(s->protocol) +
                rte_cpu_to_be_16(s->fragment ? l4_bytes + 22 : l4_bytes);
    t->packet_type = RTE_PTYPE_L2_ETHER | (v6 ? RTE_PTYPE_L3_IPV6 : RTE_PTYPE_L3_IPV4) |
                     (s->fragment ? RTE_PTYPE_L4_FRAG
                      : is_tcp    ? RTE_PTYPE_L4_TCP
                                  : RTE_PTYPE_L4_UDP);
}

/* The part of a link prefix that differs between clients and servers: ...:a:: and ...:b::. */
static inline void set_prefixes(struct template* t, int from_client) {
    t->bytes[14 + 8 + 7] = from_client ? 0xa : 0xb;
    t->bytes[14 + 24 + 7] = from_client ? 0xb : 0xa;
    t->l4_sum += add_words(t->bytes + 14 + 8, 32);
}

static __rte_always_inline void put32(uint8_t* at, uint32_t value) {
    memcpy(at, &value, 4);
}

static __rte_always_inline void put16(uint8_t* at, uint16_t value) {
    memcpy(at, &value, 2);
}

/* Source and destination in network order; is_v6 is a constant wherever this is inlined. */
static __rte_always_inline void write_packet(uint8_t* p, const struct template* t,
                                             const uint32_t address[2], uint32_t ports,
                                             const int is_v6) {
    const uint32_t sum = split(address[0]) + split(address[1]);
    memcpy(p, t->bytes, 64);
    if (is_v6) {
        memcpy(p + 64, t->bytes + 64, 16);
        put32(p + 34, address[0]);
        put32(p + 50, address[1]);
        put32(p + 54, ports);
    } else {
        put16(p + 24, fold(t->ip_sum + sum));
        put32(p + 26, address[0]);
        put32(p + 30, address[1]);
        put32(p + 34, ports);
    }
    const uint16_t checksum = fold(t->l4_sum + sum + split(ports));
    put16(p + t->checksum_offset, checksum == 0 ? 0xffff : checksum);
}

#endif
