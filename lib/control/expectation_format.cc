#include "control/expectation_format.h"

#include <fmt/format.h>

#include "conntrack/helper_names.h"
#include "packet/packet.h"

namespace rampart {
namespace {

void append_ends(std::string& out, std::string_view prefix, const Tuple& tuple) {
    out += fmt::format("{0}src={1} {0}dst={2} ", prefix, tuple.src_address().to_string(),
                       tuple.dst_address().to_string());
    const uint16_t source = tuple.src_port.host(), destination = tuple.dst_port.host();
    out += tuple.protocol == ip_protocol::kGre
               ? fmt::format("srckey={:#x} dstkey={:#x} ", source, destination)
               : fmt::format("sport={} dport={} ", source, destination);
}

}  // namespace

Tuple mask_of(const Expectation& expectation) {
    Tuple mask = expectation.tuple;
    mask.src = mask.dst = {};
    const size_t bytes = mask.family == Family::Ipv4 ? 4 : 16;
    for (size_t at = 0; at < bytes; ++at) {
        mask.dst[at] = 0xff;
        if (!expectation.has(expectation_flag::kAnySource)) mask.src[at] = 0xff;
    }
    mask.src_port = be16::from_host(
        expectation.has(expectation_flag::kAnySourcePort) ? uint16_t{0} : uint16_t{0xffff});
    mask.dst_port = be16::from_host(0xffff);
    return mask;
}

std::string format_expectation(const Expectation& expectation, uint32_t timeout_s) {
    std::string line = fmt::format("{} proto={} ", timeout_s, expectation.tuple.protocol);
    append_ends(line, "", expectation.tuple);
    append_ends(line, "mask-", mask_of(expectation));
    append_ends(line, "master-", expectation.master_original);
    if (expectation.has(expectation_flag::kPermanent)) line += "PERMANENT ";
    if (expectation.has(expectation_flag::kInactive)) line += "INACTIVE ";
    return line + fmt::format("class={} helper={}", expectation.flow_class,
                              kHelperNames[expectation.helper]);
}

}  // namespace rampart
