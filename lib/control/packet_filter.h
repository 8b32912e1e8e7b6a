// PacketFilter: which frames somebody wants to see, in the words of tcpdump.
//
// libpcap compiles the expression for Ethernet frames; DPDK turns the program into its own, which
// the workers interpret. Made and freed by control; workers use what program() points to.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct rte_bpf;

namespace rampart {

class PacketFilter {
  public:
    // An empty expression means every frame.
    static Result<std::unique_ptr<PacketFilter>> compile(const std::string& expression);
    ~PacketFilter();
    PacketFilter(const PacketFilter&) = delete;
    PacketFilter& operator=(const PacketFilter&) = delete;

    // Null: none is needed.
    const rte_bpf* program() const noexcept { return program_; }

  private:
    explicit PacketFilter(rte_bpf* program) : program_(program) {}
    rte_bpf* program_;
};

}  // namespace rampart
