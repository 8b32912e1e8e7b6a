// `apply FILE`: check a configuration and make it active. The client sends the texts of the file
// and of what it includes, so that they are read with the rights of whoever asks.
#include "control/commands/arguments.h"
#include "control/commands/change_options.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {

CommandOutput run_apply(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser(
        "Checks a configuration file and makes it active, now and at each start.");
    std::string path;
    parser.required("file", path, "the configuration");
    bool wait = true;
    parser.flag("--wait", wait, "wait until every worker runs it; always so");
    ChangeOptions options;
    options.add_to(parser);
    if (auto answer = parser.parse(request)) return std::move(*answer);
    if (!request.file)
        return CommandOutput::failed(exit_code::kUsage, "apply: the text of the file is missing\n");
    ChangeRequest change;
    change.sources = {{request.file->path, request.file->text}, request.file->included};
    if (auto answer = options.fill(request, change)) return std::move(*answer);
    return controller.transaction().apply(std::move(change));
}

}  // namespace rampart
