/* The packets that net_pattern gives and takes. */
#include <time.h>

#include <rte_cycles.h>

#include "pattern_port.h"

#define BURST 64
#define CHURN_BURST 32
#define POLLS_PER_MARK 256
#define FLOOD_STAMP 1 /* in the headroom, in place of a time */

static void make_templates(struct port* port) {
    const struct pattern_control* c = &port->control;
    const int is_client = port->side == CLIENT;
    /* Sequence numbers of the sender: 1000 for clients, 5000 for servers. */
    const uint32_t mine = is_client ? 1000 : 5000, theirs = is_client ? 5000 : 1000;
    const struct {
        uint8_t flags;
        uint32_t seq, ack;
    } steps[] = {
        [OPEN] = {is_client ? TCP_SYN : TCP_SYN | TCP_ACK, mine, is_client ? 0 : theirs + 1},
        [DATA] = {TCP_ACK, mine + 1, theirs + 1},
        [CLOSE] = {TCP_FIN | TCP_ACK, mine + 1, is_client ? theirs + 1 : theirs + 2},
        [LAST] = {TCP_ACK, mine + 2, theirs + 2},
        [FIRST_FRAGMENT] = {0, 0, 0},
        [SECOND_FRAGMENT] = {0, 0, 0},
    };
    struct segment s = {.to = port->mac.addr_bytes, .from = port->peer.addr_bytes};

    for (int i = 0; i < STEPS; i++) {
        s.fragment = (uint8_t)(i >= FIRST_FRAGMENT ? i - FIRST_FRAGMENT + 1 : 0);
        s.ip_version = s.fragment ? 4 : (uint8_t)c->ip_version;
        s.protocol = s.fragment ? 17 : (uint8_t)c->protocol;
        s.tcp_flags = steps[i].flags;
        s.seq = steps[i].seq;
        s.ack = steps[i].ack;
        make_template(&port->templates[i], &s);
        if (s.ip_version == 6) set_prefixes(&port->templates[i], is_client);
    }
    s.fragment = 0;
    s.ip_version = 4;
    s.protocol = 6;
    s.tcp_flags = TCP_SYN;
    make_template(&port->flood, &s);
    fill_hash_tables(&port->hashes, c->ip_version == 6, is_client, c->protocol == 6 ? 80 : 53,
                     port->key);
    port->flags = 0;
    if (c->flags & PATTERN_CHECKSUMS_GOOD)
        port->flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    if (c->flags & PATTERN_RSS_HASH) port->flags |= RTE_MBUF_F_RX_RSS_HASH;
}

static __rte_always_inline void finish_mbuf(const struct port* port, struct rte_mbuf* m,
                                            const struct template* t, uint64_t index) {
    m->data_len = t->length;
    m->pkt_len = t->length;
    m->port = port->id;
    m->packet_type = t->packet_type;
    m->ol_flags = port->flags;
    if (port->flags & RTE_MBUF_F_RX_RSS_HASH) m->hash.rss = hash_of(&port->hashes, index);
}

static __rte_always_inline void emit(const struct port* port, struct rte_mbuf* m,
                                     const struct template* t, uint64_t index,
                                     uint32_t client_net) {
    const struct pattern_control* c = &port->control;
    const int is_client = port->side == CLIENT;
    const struct tuple tuple = tuple_of(index, client_net, c->protocol == 6 ? 80 : 53);
    const uint32_t client = rte_cpu_to_be_32(c->nat && !is_client ? c->nat : tuple.client);
    const uint32_t server = rte_cpu_to_be_32(tuple.server);
    const uint32_t address[2] = {is_client ? client : server, is_client ? server : client};
    const uint32_t from = rte_cpu_to_be_16(is_client ? tuple.client_port : tuple.server_port);
    const uint32_t to = rte_cpu_to_be_16(is_client ? tuple.server_port : tuple.client_port);
    uint8_t* bytes = rte_pktmbuf_mtod(m, uint8_t*);

    if (t->l4_offset == 54)
        write_packet(bytes, t, address, from | to << 16, 1);
    else
        write_packet(bytes, t, address, from | to << 16, 0);
    finish_mbuf(port, m, t, index);
}

/* Two mbufs, the halves of one datagram; the second has no ports and no checksum. */
static void emit_fragments(const struct port* port, struct rte_mbuf** m, uint64_t index,
                           uint16_t identity) {
    const struct template* second = &port->templates[SECOND_FRAGMENT];
    uint8_t *a, *b;

    emit(port, m[0], &port->templates[FIRST_FRAGMENT], index, CLIENT_NET);
    a = rte_pktmbuf_mtod(m[0], uint8_t*);
    b = rte_pktmbuf_mtod(m[1], uint8_t*);
    memcpy(b, second->bytes, 64);
    memcpy(b + 26, a + 26, 8);
    for (int i = 0; i < 2; i++) {
        uint8_t* p = i == 0 ? a : b;
        put16(p + 18, identity);
        put16(p + 24, 0);
        put16(p + 24, fold(add_words(p + 14, 20)));
    }
    finish_mbuf(port, m[1], second, index);
    /* NICs verify no transport checksum of fragments. */
    m[0]->ol_flags &= ~RTE_MBUF_F_RX_L4_CKSUM_MASK;
    m[1]->ol_flags &= ~RTE_MBUF_F_RX_L4_CKSUM_MASK;
}

static __rte_always_inline uint64_t next_random(struct queue* q) {
    uint64_t x = q->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    q->random = x;
    return x >> 32;
}

static __rte_always_inline int is_own(const struct queue* q, uint64_t index) {
    const struct port* port = q->port;
    return port->queues == 1 || port->reta[hash_of(&port->hashes, index) % RETA_SIZE] == q->id;
}

static __rte_always_inline uint64_t random_flow(struct queue* q) {
    const struct pattern_control* c = &q->port->control;
    uint64_t index;
    do
        index = c->first + ((next_random(q) * c->flows) >> 32);
    while (!is_own(q, index) ||
           (unlikely(c->flags & PATTERN_SPREAD) &&
            ((hash_of(&q->port->hashes, index) ^ (uint32_t)q->random) & 1) != 0));
    return index;
}

/* What both the client's queue and the server's have moved, with the thread's own time. */
static void mark(struct queue* q) {
    struct bench* bench = q->port->bench;
    struct pattern_queue *f = q->figures, *other = &bench->page->queue[SERVER][q->id];
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    __atomic_store_n(&f->mark_version, f->mark_version + 1, __ATOMIC_SEQ_CST);
    f->mark_cpu_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    f->mark_tsc = rte_rdtsc();
    f->mark_received = f->received + other->received;
    uint64_t sent = f->sent + other->sent;
    /* A program with one worker may send by any queue. */
    for (unsigned i = 1; i < PATTERN_QUEUES && q->port->queues == 1; i++)
        sent += bench->page->queue[CLIENT][i].sent + bench->page->queue[SERVER][i].sent;
    f->mark_sent = sent;
    __atomic_store_n(&f->mark_version, f->mark_version + 1, __ATOMIC_SEQ_CST);
}

static void adopt_epoch(struct queue* q) {
    struct port* port = q->port;
    const struct pattern_control* c = &port->bench->page->control;
    const uint32_t epoch = __atomic_load_n(&c->epoch, __ATOMIC_ACQUIRE);

    if (q->id == 0) {
        const struct pattern_control old = port->control;
        port->control = *c;
        if (old.protocol != c->protocol || old.ip_version != c->ip_version || old.flags != c->flags)
            make_templates(port);
        __atomic_store_n(&port->made_epoch, epoch, __ATOMIC_RELEASE);
    } else if (__atomic_load_n(&port->made_epoch, __ATOMIC_ACQUIRE) != epoch) {
        return; /* another thread is about to do the above */
    }
    q->epoch = epoch;
    q->stage = UINT64_MAX;
    q->given = 0;
    q->due = 0;
    q->begun_tsc = rte_rdtsc();
    q->tsc_per_packet = port->control.rate == 0
                            ? 0
                            : (double)rte_get_tsc_hz() / (double)port->control.rate * port->queues;
    if (port->side == CLIENT) {
        mark(q);
        q->figures->begun_cpu_ns = q->figures->mark_cpu_ns;
        q->figures->begun_received = q->figures->mark_received;
    }
}

/* How many packets of the steady load may be given now. */
static uint16_t pace(struct queue* q, uint16_t most) {
    const struct pattern_control* c = &q->port->control;
    if (c->budget != 0 && q->port->side == CLIENT) {
        const uint64_t left = c->budget / q->port->queues - q->given;
        if (left < most) most = (uint16_t)left;
    }
    if (q->tsc_per_packet == 0) return most;
    const uint64_t now = rte_rdtsc();
    const uint64_t due = (uint64_t)((double)(now - q->begun_tsc) / q->tsc_per_packet);
    if (due - q->due > RING) {
        q->figures->missed += due - q->due - RING;
        q->due = due - RING;
    }
    return due - q->due < most ? (uint16_t)(due - q->due) : most;
}

static void stamp(struct queue* q, struct rte_mbuf* m, int is_flood) {
    uint64_t value = FLOOD_STAMP;
    if (!is_flood) {
        value = q->tsc_per_packet == 0
                    ? rte_rdtsc()
                    : q->begun_tsc + (uint64_t)((double)q->due * q->tsc_per_packet);
        q->figures->received_good++;
    }
    memcpy(m->buf_addr, &value, sizeof(value));
}

/* A pass over all flows, each once and in order; the last queue that ends it begins the next. */
static uint16_t open_flows(struct queue* q, uint64_t stage, struct rte_mbuf** out, uint16_t most) {
    struct port* port = q->port;
    const struct pattern_control* c = &port->control;
    uint16_t count = 0;

    if ((stage == STAGE_REPLIES) != (port->side == SERVER)) return 0;
    if (q->stage != stage) {
        q->stage = stage;
        q->cursor = c->open_from;
    }
    if (q->cursor == UINT64_MAX) return 0;
    if (q->cursor >= c->flows) {
        q->cursor = UINT64_MAX;
        struct bench* bench = port->bench;
        if (__atomic_add_fetch(&bench->finished, 1, __ATOMIC_ACQ_REL) == port->queues) {
            bench->finished = 0;
            const uint64_t next =
                stage == STAGE_REPLIES && c->protocol != 6 ? STAGE_STEADY : stage + 1;
            __atomic_store_n(&bench->page->stage, next, __ATOMIC_RELEASE);
        }
        return 0;
    }
    if (rte_pktmbuf_alloc_bulk(q->pool, out, most) != 0) {
        q->figures->no_buffer++;
        return 0;
    }
    const struct template* t = &port->templates[stage == STAGE_ACKS ? DATA : OPEN];
    for (; count < most && q->cursor < c->flows; q->cursor++)
        if (is_own(q, c->first + q->cursor)) {
            emit(port, out[count], t, c->first + q->cursor, CLIENT_NET);
            memset(out[count++]->buf_addr, 0, 8);
        }
    if (count < most) rte_pktmbuf_free_bulk(out + count, most - count);
    return count;
}

static uint16_t steady(struct queue* q, struct rte_mbuf** out, uint16_t most) {
    struct port* port = q->port;
    const struct pattern_control* c = &port->control;
    const struct template* t = &port->templates[DATA];
    const int is_stamped = c->flags & PATTERN_STAMPS;
    const uint32_t flood = port->side == CLIENT ? c->flood : 0;
    uint16_t count = 0;

    /* A flood comes on top of the load's pace: of each `flood + 1` packets one is paced. */
    most = pace(q, most);
    if (most == 0) return 0;
    if (flood != 0) {
        const uint32_t with_flood = most * (flood + 1);
        most = with_flood < BURST ? (uint16_t)with_flood : BURST;
    }
    if (c->flags & PATTERN_FRAGMENTS) most &= ~1;
    if (most == 0) return 0;
    if (unlikely(rte_pktmbuf_alloc_bulk(q->pool, out, most) != 0)) {
        q->figures->no_buffer++;
        return 0;
    }
    if (unlikely(c->flags & PATTERN_FRAGMENTS)) {
        for (; count < most; count += 2)
            emit_fragments(port, out + count, random_flow(q), (uint16_t)next_random(q));
    } else if (likely(!is_stamped && flood == 0)) {
        for (; count < most; count++)
            emit(port, out[count], t, random_flow(q), CLIENT_NET);
    } else {
        for (; count < most; count++) {
            const int is_flood = flood != 0 && q->flood_turn != 0;
            if (is_flood)
                emit(port, out[count], &port->flood, next_random(q), FLOOD_NET);
            else
                emit(port, out[count], t, random_flow(q), CLIENT_NET);
            if (is_stamped) stamp(q, out[count], is_flood);
            q->due += !is_flood;
            q->flood_turn = q->flood_turn == 0 ? flood : q->flood_turn - 1;
        }
        q->given += count;
        return count;
    }
    q->due += count;
    q->given += count;
    return count;
}

static uint16_t new_flows(struct queue* q, struct rte_mbuf** out, uint16_t most) {
    struct port* port = q->port;
    const struct pattern_control* c = &port->control;
    uint16_t count = 0;

    if (port->side == SERVER) return 0;
    most = pace(q, most);
    if (most == 0 || rte_pktmbuf_alloc_bulk(q->pool, out, most) != 0) return 0;
    if (q->stage != STAGE_STEADY) {
        q->stage = STAGE_STEADY;
        q->cursor = c->first;
    }
    while (count < most) {
        const uint64_t index = q->cursor++;
        if (is_own(q, index)) emit(port, out[count++], &port->templates[OPEN], index, CLIENT_NET);
    }
    q->given += count;
    q->due += count;
    return count;
}

/* Six steps, each a burst of 32 connections: three open the newest, three close the oldest. One
 * queue only. Steps begin when the burst of the step before is done. */
static uint16_t churn(struct queue* q, struct rte_mbuf** out) {
    static const struct {
        enum side side;
        enum step step;
        int closes;
    } steps[] = {
        {CLIENT, OPEN, 0},  {SERVER, OPEN, 0},  {CLIENT, DATA, 0},
        {CLIENT, CLOSE, 1}, {SERVER, CLOSE, 1}, {CLIENT, LAST, 1},
    };
    struct port* port = q->port;
    struct bench* bench = port->bench;
    const uint64_t concurrent = port->control.flows;
    const uint32_t turn = bench->turn;

    if (steps[turn].side != port->side) return 0;
    if (rte_pktmbuf_alloc_bulk(q->pool, out, CHURN_BURST) != 0) {
        q->figures->no_buffer++;
        return 0;
    }
    const uint64_t first = bench->connection - (steps[turn].closes ? concurrent : 0);
    for (uint16_t i = 0; i < CHURN_BURST; i++)
        emit(port, out[i], &port->templates[steps[turn].step], port->control.first + first + i,
             CLIENT_NET);
    bench->turn = turn + 1;
    if (turn == 5 || (turn == 2 && bench->connection < concurrent)) {
        bench->turn = 0;
        bench->connection += CHURN_BURST;
        bench->page->connections = bench->connection;
    }
    return CHURN_BURST;
}

uint16_t pattern_receive(void* queue, struct rte_mbuf** out, uint16_t most) {
    struct queue* q = queue;
    struct port* port = q->port;
    const struct pattern_page* page = port->bench->page;
    uint16_t count = 0;

    if (unlikely(q->epoch != __atomic_load_n(&page->control.epoch, __ATOMIC_ACQUIRE))) {
        adopt_epoch(q);
        return 0;
    }
    if (port->side == CLIENT) {
        const uint64_t budget = port->control.budget / port->queues;
        if (unlikely(budget != 0 && q->given >= budget)) {
            if (q->figures->finished_epoch != q->epoch) {
                mark(q);
                __atomic_store_n(&q->figures->finished_epoch, q->epoch, __ATOMIC_RELEASE);
            }
            return 0;
        }
        if (unlikely(++q->polls % POLLS_PER_MARK == 0)) mark(q);
    }
    if (most > BURST) most = BURST;
    switch (port->control.mode) {
        case PATTERN_ESTABLISHED: {
            const uint64_t stage = __atomic_load_n(&page->stage, __ATOMIC_ACQUIRE);
            count = likely(stage == STAGE_STEADY) ? steady(q, out, most)
                                                  : open_flows(q, stage, out, most);
            break;
        }
        case PATTERN_NEW:
            count = new_flows(q, out, most);
            break;
        case PATTERN_CHURN:
            if (most >= CHURN_BURST) count = churn(q, out);
            break;
        default:
            break;
    }
    q->figures->received += count;
    return count;
}

static unsigned bucket_of(uint64_t cycles) {
    if (cycles < 8) return (unsigned)cycles;
    const unsigned high = 63 - (unsigned)__builtin_clzll(cycles);
    const unsigned bucket = (high - 2) * 8 + (unsigned)(cycles >> (high - 3) & 7);
    return bucket < PATTERN_BUCKETS ? bucket : PATTERN_BUCKETS - 1;
}

/* Whoever sends a buffer that did not come from here finds no stamp: it is cleared once read. */
static void read_stamps(struct pattern_queue* f, struct rte_mbuf** packets, uint16_t count) {
    const uint64_t now = rte_rdtsc();
    uint64_t then;
    for (uint16_t i = 0; i < count; i++) {
        memcpy(&then, packets[i]->buf_addr, sizeof(then));
        memset(packets[i]->buf_addr, 0, sizeof(then));
        if (then <= FLOOD_STAMP || then > now) continue;
        f->sent_good++;
        f->latency[bucket_of(now - then)]++;
    }
    if (f->last_sent != 0 && now - f->last_sent > f->longest_gap)
        f->longest_gap = now - f->last_sent;
    f->last_sent = now;
}

uint16_t pattern_send(void* queue, struct rte_mbuf** packets, uint16_t count) {
    struct queue* q = queue;
    if (unlikely(q->port->control.flags & PATTERN_STAMPS)) read_stamps(q->figures, packets, count);
    rte_pktmbuf_free_bulk(packets, count);
    q->figures->sent += count;
    return count;
}
