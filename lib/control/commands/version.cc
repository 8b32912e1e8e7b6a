// `version`: of the daemon and of DPDK.
#include <fmt/format.h>
#include <rte_version.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {

CommandOutput run_version(const ApiRequest& request, Controller&) {
    ArgumentParser parser("The versions of the daemon and of DPDK.");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    CommandOutput output;
    output.out = fmt::format("rampartd {}, {}\n", RAMPART_VERSION, rte_version());
    output.result = {{"rampartd", RAMPART_VERSION}, {"dpdk", rte_version()}};
    return output;
}

}  // namespace rampart
