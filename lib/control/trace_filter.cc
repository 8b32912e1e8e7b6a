#include "control/trace_filter.h"

namespace rampart {

Result<std::unique_ptr<CompiledTraceFilter>> CompiledTraceFilter::compile(
    const std::string& expression, InterfaceIndex in, bool drops_only) {
    auto packets = PacketFilter::compile(expression);
    if (!packets) return tl::unexpected<Error>(packets.error());
    std::unique_ptr<CompiledTraceFilter> result(new CompiledTraceFilter(std::move(*packets)));
    result->filter_ = {.program = result->packets_->program(), .in = in, .drops_only = drops_only};
    return result;
}

}  // namespace rampart
