// SpreadBed: real workers behind two NICs that spread packets by themselves, and a routed network.
//
//   10.0.0.0/8 -- 192.168.1.10 -- lan 192.168.1.1 [workers] wan 192.0.2.1 -- 192.0.2.254 -- world
//
// The test plays all hosts: it puts frames by their tuples, which decide the queue (nic_model.h),
// and answers what it takes while the workers go on. Control thread.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "support/frame.h"
#include "support/network.h"
#include "support/nic_model.h"
#include "support/worker_bed.h"

namespace rampart::test {

inline constexpr InterfaceIndex kLan = 0, kWan = 1;

// A packet that has left, as its receiver reads it.
struct Seen {
    Tuple tuple;
    bool is_fragment = false;
    bool is_error = false;
    Tuple quoted;  // of an error
    uint8_t tcp_flags = 0;
    uint32_t seq = 0, ack = 0;
    std::string payload;
    Bytes frame;
};

// The spreading that `steering` knows of: Hardware has one symmetric NIC for both ports, Software
// another one with any key for each.
struct SpreadOptions {
    SteeringMode mode = SteeringMode::Software;
    uint16_t workers = 4;
    uint32_t seed = 1;
    uint32_t capacity = 4096;  // flows of each worker
    std::string config;        // behind the interfaces
};

class SpreadBed {
  public:
    explicit SpreadBed(const SpreadOptions& options);

    void put(InterfaceIndex port, const FrameSpec& spec);
    void put(InterfaceIndex port, const Bytes& frame);
    std::vector<Seen> take(InterfaceIndex port);
    // Calls step() until it returns true; false when that takes longer than a test may.
    static bool run(const std::function<bool()>& step);
    void start();

    WorkerBed& bed() { return bed_; }
    const NicModel& nic(InterfaceIndex port) const { return nics_[port]; }
    Network& network() { return network_; }
    uint64_t drops(DropReason reason) const;
    uint64_t rule_packets(const std::string& id) const;

    // Of all flows, once the workers have stopped.
    struct Homes {
        size_t flows = 0;
        size_t direct = 0;    // replies come to the owner by themselves
        size_t handed = 0;    // the worker they come to knows the owner
        size_t distinct = 0;  // reply tuples
    };
    Homes homes();

  private:
    SpreadOptions options_;
    std::mt19937 random_;
    std::vector<NicModel> nics_;
    Network network_;
    WorkerBed bed_;
};

// Of a tuple, with a payload. ICMP: an echo request or reply, as the tuple says.
FrameSpec spec_of(const Tuple& tuple, const std::string& payload = {}, uint8_t tcp_flags = 0,
                  uint32_t seq = 0, uint32_t ack = 0);
Tuple tuple_between(uint8_t protocol, const std::string& src, uint16_t src_port,
                    const std::string& dst, uint16_t dst_port);

}  // namespace rampart::test
