// `reload`: apply the daemon's own file again.
#include "control/commands/arguments.h"
#include "control/commands/change_options.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {

CommandOutput run_reload(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Applies the file that the daemon was started with, again.");
    ChangeOptions options;
    options.add_to(parser);
    if (auto answer = parser.parse(request)) return std::move(*answer);
    ChangeRequest change;
    if (auto answer = options.fill(request, change)) return std::move(*answer);
    return controller.reload(std::move(change));
}

}  // namespace rampart
