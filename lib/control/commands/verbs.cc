#include "control/commands/verbs.h"

#include <fmt/format.h>

#include "control/commands/describe.h"

namespace rampart {

CommandOutput run_verb(const ApiRequest& request, Controller& controller,
                       std::span<const CommandVerb> verbs, std::string_view about,
                       std::string_view otherwise) {
    if (Description* description = Description::current()) {
        for (const CommandVerb& known : verbs) {
            description->add(
                {request.command, std::string(known.name), false, std::string(known.help)});
            ApiRequest rest = request;
            rest.command = fmt::format("{} {}", request.command, known.name);
            known.run(rest, controller);
        }
        return CommandOutput{};
    }
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
