// conntrack -L expect and its kin: what the helpers of all workers expect.
#include <fmt/format.h>

#include "conntrack/helper_names.h"
#include "control/commands/conntrack_parts.h"
#include "control/conntrack_format.h"
#include "control/controller.h"

namespace rampart {
namespace {

// What of the tuple must be equal, as a tuple of ones and zeros.
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

void append_ends(std::string& out, std::string_view prefix, const Tuple& tuple) {
    out += fmt::format("{0}src={1} {0}dst={2} sport={3} dport={4} ", prefix,
                       tuple.src_address().to_string(), tuple.dst_address().to_string(),
                       tuple.src_port.host(), tuple.dst_port.host());
}

std::string line_of(const Expectation& expectation, uint32_t timeout_s) {
    std::string line = fmt::format("{} proto={} ", timeout_s, expectation.tuple.protocol);
    append_ends(line, "", expectation.tuple);
    append_ends(line, "mask-", mask_of(expectation));
    append_ends(line, "master-", expectation.master_original);
    if (expectation.has(expectation_flag::kPermanent)) line += "PERMANENT ";
    if (expectation.has(expectation_flag::kInactive)) line += "INACTIVE ";
    return line + fmt::format("class={} helper={}\n", expectation.flow_class,
                              kHelperNames[expectation.helper]);
}

template <typename Visit>
uint32_t for_each_expectation(Controller& controller, Visit visit) {
    uint32_t count = 0;
    const Tick now = controller.now().tick;
    for (const Worker* worker : controller.datapath().workers()) {
        const HelperFlows* helpers = worker->helpers();
        if (helpers == nullptr || helpers->expectations().count() == 0) continue;
        const ExpectationTable& table = helpers->expectations();
        for (uint32_t slot = 0; slot < table.capacity(); ++slot) {
            Expectation expectation;
            if (!table.read(slot, expectation) || is_past(expectation.deadline, now)) continue;
            visit(expectation, ticks_left(expectation.deadline, now) / kTicksPerSecond);
            ++count;
        }
    }
    return count;
}

}  // namespace

CommandOutput conntrack_expect(ConntrackCall call) {
    CommandOutput output;
    output.result = Json::array();
    switch (call.options.command) {
        case ConntrackCommand::Count: {
            const uint32_t count =
                for_each_expectation(call.controller, [](const Expectation&, uint32_t) {});
            output.out = fmt::format("{}\n", count);
            output.result = count;
            break;
        }
        case ConntrackCommand::List: {
            const uint32_t count = for_each_expectation(
                call.controller, [&](const Expectation& expectation, uint32_t timeout_s) {
                    output.out += line_of(expectation, timeout_s);
                    output.result.push_back(
                        {{"tuple", tuple_to_json(expectation.tuple)},
                         {"mask", tuple_to_json(mask_of(expectation))},
                         {"timeout", timeout_s},
                         {"class", expectation.flow_class},
                         {"helper", kHelperNames[expectation.helper]},
                         {"master", tuple_to_json(expectation.master_original)}});
                });
            output.err = conntrack_remark(fmt::format("{} expectations have been shown.", count));
            break;
        }
        default:
            return conntrack_usage_error("this does not go with the table 'expect'");
    }
    return output;
}

}  // namespace rampart
