#include "dpdk/port.h"

#include <algorithm>
#include <string_view>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "dpdk/rss.h"

namespace rampart {
namespace {

constexpr uint16_t kReceiveDescriptors = 1024;
constexpr uint16_t kTransmitDescriptors = 1024;

std::string device_name(const std::string& device) {
    return device.substr(0, device.find(','));
}

tl::unexpected<Error> port_failure(const Port::Options& options, const std::string& what,
                                   int error) {
    return failure("interface '" + options.name + "' (" + options.device + "): " + what + ": " +
                   rte_strerror(error < 0 ? -error : error));
}

std::string hint_for(const std::string& device) {
    if (device.find(':') != std::string::npos && device.rfind("net_", 0) != 0)
        return "bind it with `dpdk-devbind.py -b vfio-pci " + device_name(device) +
               "`; `dpdk-devbind.py -s` lists the devices";
    return "the driver's message above names the cause; the interface that the device argument "
           "names may be missing";
}

// Virtual machines exchange packets whose checksums nobody has filled in, once the receiver says
// that it looks at checksums by offload (VIRTIO_NET_F_GUEST_CSUM). Another machine would drop them,
// so the host is left to fill them in.
bool has_unfinished_checksums(const rte_eth_dev_info& info) {
    const std::string_view driver = info.driver_name;
    return driver.starts_with("net_virtio") || driver == "net_vhost";
}

uint64_t wanted_offloads(const rte_eth_dev_info& info) {
    uint64_t wanted = RTE_ETH_RX_OFFLOAD_SCATTER;
    if (!has_unfinished_checksums(info))
        wanted |= RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM |
                  RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    return info.rx_offload_capa & wanted;
}

}  // namespace

Result<std::unique_ptr<Port>> Port::open(const Options& options) {
    std::unique_ptr<Port> port(new Port);
    port->options_ = options;
    const std::string name = device_name(options.device);
    // EAL probes the devices it was told of; one that is not there yet is attached now.
    if (rte_eth_dev_get_port_by_name(name.c_str(), &port->id_) != 0) {
        if (const int error = rte_dev_probe(options.device.c_str()); error != 0) {
            auto result = port_failure(options, "the device cannot be used", error);
            result.value().hint = hint_for(options.device);
            return result;
        }
        if (rte_eth_dev_get_port_by_name(name.c_str(), &port->id_) != 0)
            return port_failure(options, "the device is no network port", ENODEV);
    }
    rte_eth_dev_info info{};
    if (const int error = rte_eth_dev_info_get(port->id_, &info); error != 0)
        return port_failure(options, "the device does not describe itself", error);
    port->driver_ = info.driver_name;
    const uint16_t receive = std::clamp<uint16_t>(options.receive_queues, 1, info.max_rx_queues);
    const uint16_t transmit = std::clamp<uint16_t>(options.transmit_queues, 1, info.max_tx_queues);
    Result<void> configured = port->configure(receive, transmit);
    // Some devices (TAP) want as many queues of one kind as of the other.
    if (!configured && receive != transmit)
        configured = port->configure(std::min(receive, transmit), std::min(receive, transmit));
    if (!configured) return tl::unexpected<Error>(configured.error());
    if (const Result<void> queues = port->set_up_queues(); !queues)
        return tl::unexpected<Error>(queues.error());
    return port;
}

Result<void> Port::configure(uint16_t receive_queues, uint16_t transmit_queues) {
    rte_eth_dev_info info{};
    rte_eth_dev_info_get(id_, &info);
    rte_eth_conf conf{};
    conf.rxmode.offloads = wanted_offloads(info);
    conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    conf.rxmode.mtu = options_.mtu;
    const uint64_t spread = kRssTypes & info.flow_type_rss_offloads;
    wants_rss_ = receive_queues > 1 && can_spread_ports(spread) &&
                 (info.hash_key_size == 0 || info.hash_key_size == options_.rss_key.size()) &&
                 info.reta_size != 0;
    if (wants_rss_) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_key = options_.rss_key.data();
        conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<uint8_t>(options_.rss_key.size());
        conf.rx_adv_conf.rss_conf.rss_hf = spread;
    }
    int error = rte_eth_dev_configure(id_, receive_queues, transmit_queues, &conf);
    if (error != 0 && wants_rss_) {  // works without: the workers spread in software
        wants_rss_ = false;
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
        conf.rx_adv_conf = {};
        error = rte_eth_dev_configure(id_, receive_queues, transmit_queues, &conf);
    }
    if (error != 0)
        return port_failure(options_,
                            "it does not take " + std::to_string(receive_queues) + " receive and " +
                                std::to_string(transmit_queues) + " transmit queues",
                            error);
    receive_queues_ = receive_queues;
    transmit_queues_ = transmit_queues;
    return {};
}

Result<void> Port::set_up_queues() {
    uint16_t receive_descriptors = kReceiveDescriptors;
    uint16_t transmit_descriptors = kTransmitDescriptors;
    rte_eth_dev_adjust_nb_rx_tx_desc(id_, &receive_descriptors, &transmit_descriptors);
    const unsigned node = static_cast<unsigned>(numa_node());
    for (uint16_t queue = 0; queue < receive_queues_; ++queue) {
        const int error =
            rte_eth_rx_queue_setup(id_, queue, receive_descriptors, node, nullptr, options_.pool);
        if (error != 0) return port_failure(options_, "a receive queue cannot be set up", error);
    }
    for (uint16_t queue = 0; queue < transmit_queues_; ++queue) {
        const int error = rte_eth_tx_queue_setup(id_, queue, transmit_descriptors, node, nullptr);
        if (error != 0) return port_failure(options_, "a transmit queue cannot be set up", error);
    }
    return {};
}

Port::~Port() {
    stop();
    rte_eth_dev_close(id_);
}

Result<void> Port::start() {
    if (const int error = rte_eth_dev_start(id_); error != 0)
        return port_failure(options_, "it does not start", error);
    is_started_ = true;
    rte_eth_promiscuous_enable(id_);  // a bridge hears everything; not all devices can tell
    rte_eth_allmulticast_enable(id_);
    if (wants_rss_) read_rss();
    return {};
}

void Port::stop() {
    if (is_started_) rte_eth_dev_stop(id_);
    is_started_ = false;
}

// What the device really does counts, not what it was asked for: the key as it reads back, and its
// redirection table.
void Port::read_rss() {
    std::vector<uint8_t> key(options_.rss_key.size());
    rte_eth_rss_conf conf{};
    conf.rss_key = key.data();
    conf.rss_key_len = static_cast<uint8_t>(key.size());
    rte_eth_dev_info info{};
    if (rte_eth_dev_rss_hash_conf_get(id_, &conf) != 0 || key != options_.rss_key ||
        !can_spread_ports(conf.rss_hf) || rte_eth_dev_info_get(id_, &info) != 0)
        return;
    std::vector<rte_eth_rss_reta_entry64> reta((info.reta_size + RTE_ETH_RETA_GROUP_SIZE - 1) /
                                               RTE_ETH_RETA_GROUP_SIZE);
    for (rte_eth_rss_reta_entry64& group : reta)
        group.mask = UINT64_MAX;
    if (rte_eth_dev_rss_reta_query(id_, reta.data(), info.reta_size) != 0) return;
    for (uint16_t i = 0; i < info.reta_size; ++i)
        rss_table_.push_back(reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE]);
}

int Port::numa_node() const noexcept {
    return rte_eth_dev_socket_id(id_);
}

bool Port::is_link_up() const noexcept {
    rte_eth_link link{};
    return rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

uint32_t Port::link_speed_mbps() const noexcept {
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(id_, &link) != 0) return 0;
    return link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
}

std::string Port::mac_address() const {
    rte_ether_addr address{};
    rte_eth_macaddr_get(id_, &address);
    char text[RTE_ETHER_ADDR_FMT_SIZE];
    rte_ether_format_addr(text, sizeof(text), &address);
    return text;
}

PortStatistics Port::statistics() const noexcept {
    rte_eth_stats stats{};
    if (rte_eth_stats_get(id_, &stats) != 0) return {};
    return {stats.imissed, stats.ierrors, stats.rx_nombuf, stats.oerrors};
}

}  // namespace rampart
