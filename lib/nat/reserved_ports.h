// ReservedPorts: ports that no source is translated to, because the box serves them itself: a
// program listens there, or a dnat rule forwards them.
//
// An inside host that got such a port could be sent what is meant for the service (CVE-2021-3773,
// "port shadow"). The ports are reserved on all addresses. A source that keeps its address keeps
// its port, and a rule that names a single port gets it.
// Worker: contains(). Control thread: assign(). One for all workers, which it outlives.
#pragma once

#include <array>
#include <cstdint>

#include "base/port_set.h"
#include "base/shared.h"
#include "packet/ip_protocol.h"

namespace rampart {

class ReservedPorts {
  public:
    bool contains(uint8_t protocol, uint16_t port) const noexcept {
        if (protocol == ip_protocol::kTcp) return holds(tcp_, port);
        return protocol == ip_protocol::kUdp && holds(udp_, port);
    }

    void assign(const PortSets& sets) noexcept {
        assign(tcp_, sets.tcp);
        assign(udp_, sets.udp);
    }

  private:
    using Words = std::array<Shared<uint64_t>, 65536 / 64>;  // control: rw, worker: ro

    static bool holds(const Words& words, uint16_t port) noexcept {
        return (words[port / 64].load() >> port % 64 & 1) != 0;
    }
    static void assign(Words& words, const PortSet& set) noexcept {
        for (size_t word = 0; word < words.size(); ++word) {
            uint64_t bits = 0;
            for (size_t at = 0; at < 64; ++at)
                bits |= uint64_t{set[word * 64 + at]} << at;
            if (words[word].load() != bits) words[word].store(bits);
        }
    }

    Words tcp_, udp_;
};

}  // namespace rampart
