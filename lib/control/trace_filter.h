// CompiledTraceFilter: which packets a trace is about. Made and freed by control; workers use what
// filter() points to.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "control/packet_filter.h"
#include "dataplane/packet_trace.h"

namespace rampart {

class CompiledTraceFilter {
  public:
    // An empty expression means every packet.
    static Result<std::unique_ptr<CompiledTraceFilter>> compile(const std::string& expression,
                                                                InterfaceIndex in, bool drops_only);
    CompiledTraceFilter(const CompiledTraceFilter&) = delete;
    CompiledTraceFilter& operator=(const CompiledTraceFilter&) = delete;

    const TraceFilter* filter() const noexcept { return &filter_; }

  private:
    explicit CompiledTraceFilter(std::unique_ptr<PacketFilter> packets)
        : packets_(std::move(packets)) {}

    std::unique_ptr<PacketFilter> packets_;
    TraceFilter filter_;
};

}  // namespace rampart
