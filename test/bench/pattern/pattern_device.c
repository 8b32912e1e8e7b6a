/* net_pattern: a DPDK device that makes packets from arithmetic and counts what is sent to it.
 *
 * Two ports of one process are a client's side and a server's side of the same flows:
 *   --vdev net_pattern0,side=client,page=FILE --vdev net_pattern1,side=server,page=FILE
 * The page says what to send (pattern_page.h); without one, flows=N and protocol=udp|tcp do, and
 * the ports begin at once. Receiving fills mbufs; sending frees them. A poll of the client's port
 * finds everything done that earlier polls of the same thread gave. */
#include <bus_vdev_driver.h>
#include <errno.h>
#include <ethdev_driver.h>
#include <ethdev_vdev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_kvargs.h>

#include "pattern_port.h"

static struct bench* benches;

static const struct rte_eth_link link_up = {
    .link_speed = RTE_ETH_SPEED_NUM_100G,
    .link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
    .link_status = RTE_ETH_LINK_UP,
    .link_autoneg = RTE_ETH_LINK_FIXED,
};

static int configure(struct rte_eth_dev* dev) {
    struct port* port = dev->data->dev_private;
    const struct rte_eth_rss_conf* rss = &dev->data->dev_conf.rx_adv_conf.rss_conf;

    port->queues = dev->data->nb_rx_queues;
    port->bench->queues[port->side] = port->queues;
    if (rss->rss_key != NULL && rss->rss_key_len == KEY_BYTES)
        memcpy(port->key, rss->rss_key, KEY_BYTES);
    port->rss_types = rss->rss_hf;
    for (unsigned i = 0; i < RETA_SIZE; i++)
        port->reta[i] = (uint16_t)(i % port->queues);
    port->control.protocol = 0; /* the templates are made anew, with this key */
    return 0;
}

static int set_queue_states(struct rte_eth_dev* dev, uint8_t state) {
    for (int i = 0; i < dev->data->nb_rx_queues; i++)
        dev->data->rx_queue_state[i] = state;
    for (int i = 0; i < dev->data->nb_tx_queues; i++)
        dev->data->tx_queue_state[i] = state;
    return 0;
}

static int start(struct rte_eth_dev* dev) {
    dev->data->dev_link.link_status = RTE_ETH_LINK_UP;
    return set_queue_states(dev, RTE_ETH_QUEUE_STATE_STARTED);
}

static int stop(struct rte_eth_dev* dev) {
    dev->data->dev_link.link_status = RTE_ETH_LINK_DOWN;
    return set_queue_states(dev, RTE_ETH_QUEUE_STATE_STOPPED);
}

static int close_port(struct rte_eth_dev* dev) {
    dev->data->mac_addrs = NULL; /* part of dev_private */
    return 0;
}

static int describe(struct rte_eth_dev* dev __rte_unused, struct rte_eth_dev_info* info) {
    info->max_mac_addrs = 1;
    info->max_rx_pktlen = 9728;
    info->min_mtu = 68;
    info->max_mtu = 9600;
    info->max_rx_queues = PATTERN_QUEUES;
    info->max_tx_queues = PATTERN_QUEUES;
    info->rx_offload_capa = RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_RSS_HASH;
    info->tx_offload_capa = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    info->flow_type_rss_offloads = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 |
                                   RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
                                   RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
    info->hash_key_size = KEY_BYTES;
    info->reta_size = RETA_SIZE;
    info->default_rxportconf.ring_size = RING;
    info->default_txportconf.ring_size = RING;
    info->default_rxportconf.nb_queues = 1;
    info->default_txportconf.nb_queues = 1;
    return 0;
}

static int set_up_receive(struct rte_eth_dev* dev, uint16_t id, uint16_t descriptors __rte_unused,
                          unsigned int socket __rte_unused,
                          const struct rte_eth_rxconf* conf __rte_unused,
                          struct rte_mempool* pool) {
    struct port* port = dev->data->dev_private;
    struct queue* q = &port->receive[id];

    q->port = port;
    q->pool = pool;
    q->id = id;
    q->random = 0x2545f4914f6cdd1dull * (id + 1) + port->side;
    q->figures = &port->bench->page->queue[port->side][id];
    dev->data->rx_queues[id] = q;
    return 0;
}

static int set_up_send(struct rte_eth_dev* dev, uint16_t id, uint16_t descriptors __rte_unused,
                       unsigned int socket __rte_unused,
                       const struct rte_eth_txconf* conf __rte_unused) {
    struct port* port = dev->data->dev_private;
    struct queue* q = &port->send[id];

    q->port = port;
    q->id = id;
    q->figures = &port->bench->page->queue[port->side][id];
    dev->data->tx_queues[id] = q;
    return 0;
}

static int accept_mtu(struct rte_eth_dev* dev __rte_unused, uint16_t mtu __rte_unused) {
    return 0;
}

static int accept_mode(struct rte_eth_dev* dev __rte_unused) {
    return 0;
}

static int update_link(struct rte_eth_dev* dev __rte_unused, int wait __rte_unused) {
    return 0;
}

static int accept_address(struct rte_eth_dev* dev __rte_unused,
                          struct rte_ether_addr* mac __rte_unused) {
    return 0;
}

static int read_statistics(struct rte_eth_dev* dev, struct rte_eth_stats* stats) {
    const struct port* port = dev->data->dev_private;
    for (unsigned i = 0; i < PATTERN_QUEUES; i++) {
        const struct pattern_queue* f = &port->bench->page->queue[port->side][i];
        stats->ipackets += f->received;
        stats->opackets += f->sent;
        stats->imissed += f->missed;
        stats->rx_nombuf += f->no_buffer;
    }
    return 0;
}

static int read_rss(struct rte_eth_dev* dev, struct rte_eth_rss_conf* conf) {
    const struct port* port = dev->data->dev_private;
    if (conf->rss_key != NULL && conf->rss_key_len >= KEY_BYTES)
        memcpy(conf->rss_key, port->key, KEY_BYTES);
    conf->rss_key_len = KEY_BYTES;
    conf->rss_hf = port->rss_types;
    return 0;
}

static int set_rss(struct rte_eth_dev* dev, struct rte_eth_rss_conf* conf) {
    struct port* port = dev->data->dev_private;
    if (conf->rss_key != NULL && conf->rss_key_len == KEY_BYTES)
        memcpy(port->key, conf->rss_key, KEY_BYTES);
    port->rss_types = conf->rss_hf;
    return 0;
}

static int move_reta(struct rte_eth_dev* dev, struct rte_eth_rss_reta_entry64* reta, uint16_t size,
                     int is_read) {
    struct port* port = dev->data->dev_private;
    if (size != RETA_SIZE) return -EINVAL;
    for (unsigned i = 0; i < RETA_SIZE; i++) {
        struct rte_eth_rss_reta_entry64* group = &reta[i / RTE_ETH_RETA_GROUP_SIZE];
        const unsigned at = i % RTE_ETH_RETA_GROUP_SIZE;
        if (!(group->mask >> at & 1)) continue;
        if (is_read)
            group->reta[at] = port->reta[i];
        else
            port->reta[i] = group->reta[at];
    }
    return 0;
}

static int read_reta(struct rte_eth_dev* dev, struct rte_eth_rss_reta_entry64* reta,
                     uint16_t size) {
    return move_reta(dev, reta, size, 1);
}

static int set_reta(struct rte_eth_dev* dev, struct rte_eth_rss_reta_entry64* reta, uint16_t size) {
    return move_reta(dev, reta, size, 0);
}

static const uint32_t* packet_types(struct rte_eth_dev* dev __rte_unused) {
    static const uint32_t types[] = {RTE_PTYPE_L2_ETHER, RTE_PTYPE_L3_IPV4, RTE_PTYPE_L3_IPV6,
                                     RTE_PTYPE_L4_TCP,   RTE_PTYPE_L4_UDP,  RTE_PTYPE_L4_FRAG,
                                     RTE_PTYPE_UNKNOWN};
    return types;
}

static const struct eth_dev_ops operations = {
    .dev_configure = configure,
    .dev_start = start,
    .dev_stop = stop,
    .dev_close = close_port,
    .dev_infos_get = describe,
    .rx_queue_setup = set_up_receive,
    .tx_queue_setup = set_up_send,
    .mtu_set = accept_mtu,
    .link_update = update_link,
    .mac_addr_set = accept_address,
    .stats_get = read_statistics,
    .rss_hash_conf_get = read_rss,
    .rss_hash_update = set_rss,
    .reta_query = read_reta,
    .reta_update = set_reta,
    .dev_supported_ptypes_get = packet_types,
    .promiscuous_enable = accept_mode,
    .promiscuous_disable = accept_mode,
    .allmulticast_enable = accept_mode,
    .allmulticast_disable = accept_mode,
};

static const char* const arguments[] = {"side", "page", "flows", "protocol", NULL};

struct wish {
    const char* page;
    uint64_t flows;
    int is_server, is_tcp;
};

static int read_argument(const char* name, const char* value, void* to) {
    struct wish* wish = to;
    if (strcmp(name, "side") == 0) {
        if (strcmp(value, "client") != 0 && strcmp(value, "server") != 0) return -EINVAL;
        wish->is_server = value[0] == 's';
    } else if (strcmp(name, "page") == 0) {
        wish->page = strdup(value); /* the parsed arguments do not last */
    } else if (strcmp(name, "flows") == 0) {
        wish->flows = strtoull(value, NULL, 0);
    } else if (strcmp(name, "protocol") == 0) {
        if (strcmp(value, "udp") != 0 && strcmp(value, "tcp") != 0) return -EINVAL;
        wish->is_tcp = value[0] == 't';
    }
    return 0;
}

static struct pattern_page* map_page(const char* path) {
    int fd = -1, flags = MAP_SHARED | MAP_ANONYMOUS;
    if (path[0] != '\0') {
        struct stat status;
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0) return NULL;
        if (fstat(fd, &status) != 0 || (size_t)status.st_size < sizeof(struct pattern_page)) {
            close(fd);
            return NULL;
        }
        flags = MAP_SHARED;
    }
    void* page = mmap(NULL, sizeof(struct pattern_page), PROT_READ | PROT_WRITE, flags, fd, 0);
    if (fd >= 0) close(fd);
    return page == MAP_FAILED ? NULL : page;
}

/* The bench of a page, which both its ports share. */
static struct bench* bench_for(const struct wish* wish) {
    const char* path = wish->page == NULL ? "" : wish->page;
    struct bench* bench;
    for (bench = benches; bench != NULL; bench = bench->next)
        if (strcmp(bench->path, path) == 0) return bench;
    bench = calloc(1, sizeof(*bench));
    if (bench == NULL || strlen(path) >= sizeof(bench->path) ||
        (bench->page = map_page(path)) == NULL) {
        free(bench);
        return NULL;
    }
    strcpy(bench->path, path);
    if (wish->page == NULL) {
        struct pattern_control* c = &bench->page->control;
        *c = (struct pattern_control){.magic = PATTERN_MAGIC,
                                      .epoch = 1,
                                      .mode = PATTERN_ESTABLISHED,
                                      .flags = PATTERN_CHECKSUMS_GOOD | PATTERN_RSS_HASH,
                                      .protocol = wish->is_tcp ? 6 : 17,
                                      .ip_version = 4,
                                      .flows = wish->flows};
    }
    if (bench->page->control.magic != PATTERN_MAGIC) {
        munmap(bench->page, sizeof(*bench->page));
        free(bench);
        return NULL;
    }
    bench->page->tsc_hz = rte_get_tsc_hz();
    bench->next = benches;
    benches = bench;
    return bench;
}

static int probe(struct rte_vdev_device* vdev) {
    struct wish wish = {.flows = 4096};
    const char* text = rte_vdev_device_args(vdev);
    struct rte_kvargs* given = rte_kvargs_parse(text == NULL ? "" : text, arguments);
    int error = given == NULL ? -EINVAL : rte_kvargs_process(given, NULL, read_argument, &wish);

    rte_kvargs_free(given);
    if (error != 0) return -EINVAL;
    if (vdev->device.numa_node == SOCKET_ID_ANY) vdev->device.numa_node = (int)rte_socket_id();
    struct bench* bench = bench_for(&wish);
    if (bench == NULL) return -ENOENT;
    struct rte_eth_dev* dev = rte_eth_vdev_allocate(vdev, sizeof(struct port));
    if (dev == NULL) return -ENOMEM;

    struct port* port = dev->data->dev_private;
    port->bench = bench;
    port->side = wish.is_server ? SERVER : CLIENT;
    port->id = dev->data->port_id;
    port->mac = (struct rte_ether_addr){{2, 0x70, 0x61, 0x74, 0, port->side}};
    port->peer = (struct rte_ether_addr){{2, 0x70, 0x61, 0x74, 1, port->side}};
    for (unsigned i = 0; i < KEY_BYTES; i++) /* symmetric */
        port->key[i] = i % 2 == 0 ? 0x6d : 0x5a;
    dev->data->nb_rx_queues = 1;
    dev->data->nb_tx_queues = 1;
    dev->data->dev_link = link_up;
    dev->data->mac_addrs = &port->mac;
    dev->data->dev_flags |= RTE_ETH_DEV_AUTOFILL_QUEUE_XSTATS;
    dev->dev_ops = &operations;
    dev->rx_pkt_burst = pattern_receive;
    dev->tx_pkt_burst = pattern_send;
    rte_eth_dev_probing_finish(dev);
    return 0;
}

static int remove_port(struct rte_vdev_device* vdev) {
    struct rte_eth_dev* dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));
    if (dev == NULL) return 0;
    close_port(dev);
    return rte_eth_dev_release_port(dev);
}

static struct rte_vdev_driver driver = {.probe = probe, .remove = remove_port};

RTE_PMD_REGISTER_VDEV(net_pattern, driver);
RTE_PMD_REGISTER_PARAM_STRING(net_pattern,
                              "side=<client|server> page=<file> flows=<n> protocol=<udp|tcp>");
