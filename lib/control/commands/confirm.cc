// `confirm`: keep what `apply --confirm` made active.
#include "control/caller.h"
#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {

CommandOutput run_confirm(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Keeps the configuration that waits for confirmation.");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    return controller.transaction().confirm(describe_caller(request.peer));
}

}  // namespace rampart
