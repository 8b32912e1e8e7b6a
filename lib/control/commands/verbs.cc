#include "control/commands/verbs.h"

#include <fmt/format.h>

namespace rampart {

CommandOutput run_verb(const ApiRequest& request, Controller& controller,
                       std::span<const CommandVerb> verbs, std::string_view about,
                       std::string_view otherwise) {
    const std::string verb =
        request.arguments.empty() ? std::string(otherwise) : request.arguments[0];
    for (const CommandVerb& known : verbs) {
        if (known.name != verb) continue;
        ApiRequest rest = request;
        rest.command = fmt::format("{} {}", request.command, verb);
        if (!rest.arguments.empty()) rest.arguments.erase(rest.arguments.begin());
        return known.run(rest, controller);
    }
    std::string usage;
    for (const CommandVerb& known : verbs)
        usage += fmt::format("  {} {}\n", request.command, known.help);
    if (verb.empty() || verb == "--help" || verb == "-h" || verb == "help") {
        CommandOutput output;
        output.out = fmt::format("{}\n{}", about, usage);
        return output;
    }
    return CommandOutput::failed(
        exit_code::kUsage,
        fmt::format("{}: unknown verb {}\n{}", request.command, rampart::quoted(verb), usage));
}

}  // namespace rampart
