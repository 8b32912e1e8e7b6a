// Port: one Ethernet device, configured, with its queues. The only place that sets up devices.
//
// Control thread: open, start, stop, statistics. Workers use rte_eth_rx_burst and rte_eth_tx_burst
// on their own queues between start and stop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct rte_mempool;

namespace rampart {

struct PortStatistics {
    uint64_t receive_missed = 0;  // the NIC had no room: packets lost before Rampart saw them
    uint64_t receive_errors = 0;
    uint64_t receive_no_mbuf = 0;  // no packet buffer was free
    uint64_t transmit_errors = 0;
};

class Port {
  public:
    struct Options {
        std::string name;             // the interface's name, for messages
        std::string device;           // "0000:3b:00.0" or devargs "net_tap0,iface=x"
        uint16_t receive_queues = 1;  // wanted; the device may have fewer
        uint16_t transmit_queues = 1;
        uint16_t mtu = 1500;
        rte_mempool* pool = nullptr;
        // Toeplitz key; used only when the device spreads by RSS.
        std::vector<uint8_t> rss_key;
    };

    // Finds or creates the device and configures it; it does not receive yet.
    static Result<std::unique_ptr<Port>> open(const Options& options);
    ~Port();
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    Result<void> start();
    void stop();

    uint16_t id() const noexcept { return id_; }
    const std::string& name() const noexcept { return options_.name; }
    const std::string& device() const noexcept { return options_.device; }
    const std::string& driver() const noexcept { return driver_; }
    uint16_t receive_queues() const noexcept { return receive_queues_; }
    uint16_t transmit_queues() const noexcept { return transmit_queues_; }
    // The device spreads TCP and UDP over its queues by the given key, through rss_table().
    bool has_rss() const noexcept { return !rss_table_.empty(); }
    const std::vector<uint16_t>& rss_table() const noexcept { return rss_table_; }
    int numa_node() const noexcept;
    bool is_link_up() const noexcept;
    uint32_t link_speed_mbps() const noexcept;
    std::string mac_address() const;
    PortStatistics statistics() const noexcept;

  private:
    Port() = default;
    Result<void> configure(uint16_t receive_queues, uint16_t transmit_queues);
    Result<void> set_up_queues();
    void read_rss();

    Options options_;
    std::string driver_;
    uint16_t id_ = 0;
    uint16_t receive_queues_ = 0;
    uint16_t transmit_queues_ = 0;
    bool wants_rss_ = false;
    bool is_started_ = false;
    std::vector<uint16_t> rss_table_;
};

}  // namespace rampart
