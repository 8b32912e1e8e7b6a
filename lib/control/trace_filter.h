// CompiledTraceFilter: which packets a trace is about, in the words of tcpdump.
//
// libpcap compiles the expression for Ethernet frames; DPDK turns the program into its own, which
// the workers run. Made and freed by control; workers use what filter() points to.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "dataplane/packet_trace.h"

namespace rampart {

class CompiledTraceFilter {
  public:
    // An empty expression means every packet.
    static Result<std::unique_ptr<CompiledTraceFilter>> compile(const std::string& expression,
                                                                InterfaceIndex in, bool drops_only);
    ~CompiledTraceFilter();
    CompiledTraceFilter(const CompiledTraceFilter&) = delete;
    CompiledTraceFilter& operator=(const CompiledTraceFilter&) = delete;

    const TraceFilter* filter() const noexcept { return &filter_; }

  private:
    explicit CompiledTraceFilter(rte_bpf* program) : program_(program) {}

    rte_bpf* program_;  // null: none is needed
    TraceFilter filter_;
};

}  // namespace rampart
