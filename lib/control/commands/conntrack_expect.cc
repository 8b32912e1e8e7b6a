// conntrack -L expect and its kin: what the helpers of all workers expect.
#include <fmt/format.h>

#include "conntrack/helper_names.h"
#include "control/commands/conntrack_parts.h"
#include "control/conntrack_format.h"
#include "control/controller.h"
#include "control/expectation_format.h"

namespace rampart {
namespace {

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
                    output.out += format_expectation(expectation, timeout_s) + "\n";
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
