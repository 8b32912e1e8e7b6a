#include "doctor.h"

#include <iostream>

#include "config/loader.h"
#include "control/api_protocol.h"
#include "control/doctor/doctor.h"

namespace rampart {
namespace {

constexpr const char* kUsage =
    "usage: rampartctl doctor [--json] [FILE]\n"
    "Checks whether this machine is fit for the configuration in FILE; without one, what can be\n"
    "said of the machine alone. Reads sysfs and procfs, changes nothing, needs no daemon.\n"
    "Exit status: 0 nothing failed, 1 a check failed, 4 the file has errors.\n";

}  // namespace

int run_doctor(const std::vector<std::string>& arguments, bool json) {
    if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h")) {
        std::cout << kUsage;
        return exit_code::kOk;
    }
    if (arguments.size() > 1 || (arguments.size() == 1 && arguments[0].starts_with("-"))) {
        std::cerr << kUsage;
        return exit_code::kUsage;
    }
    const FileTree files;
    Demand demand;
    if (!arguments.empty()) {
        Diagnostics diagnostics;
        const auto configuration = load_configuration_file(arguments[0], diagnostics);
        if (!configuration) {
            std::cerr << diagnostics.to_text() << diagnostics.summary() << '\n';
            return exit_code::kConfiguration;
        }
        demand = demand_of(*configuration, files);
    }
    const std::vector<Finding> findings = examine(files, demand);
    if (json)
        std::cout << findings_to_json(findings).dump() << '\n';
    else
        std::cout << findings_to_text(findings);
    return has_failures(findings) ? exit_code::kFailure : exit_code::kOk;
}

}  // namespace rampart
