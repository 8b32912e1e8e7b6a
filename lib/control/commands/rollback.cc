// `rollback [N]`: back to what ran before, or to configuration N of the history.
#include <fmt/format.h>

#include "base/scalar.h"
#include "control/commands/arguments.h"
#include "control/commands/change_options.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {

CommandOutput run_rollback(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser(
        "Goes back: to what `apply --confirm` replaced while it waits, else to what ran before, or "
        "to "
        "a configuration of the history.");
    std::string number;
    parser.option("number", number, "of the configuration, as `history` shows it");
    ChangeOptions options;
    options.add_to(parser);
    if (auto answer = parser.parse(request)) return std::move(*answer);
    ChangeRequest change;
    if (auto answer = options.fill(request, change)) return std::move(*answer);
    if (number.empty()) return controller.transaction().roll_back(std::nullopt, std::move(change));
    const auto entry = parse_decimal(number, UINT32_MAX);
    if (!entry || *entry == 0)
        return CommandOutput::failed(
            exit_code::kUsage,
            fmt::format("rollback: '{}' is not a number of `history`\n", number));
    return controller.transaction().roll_back(*entry, std::move(change));
}

}  // namespace rampart
