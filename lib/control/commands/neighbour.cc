// `neighbour`: the link addresses of neighbours, as workers know them.
#include <algorithm>

#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {
namespace {

std::string_view name_of(NeighbourWord::State state) {
    switch (state) {
        case NeighbourWord::State::None:
            return "none";
        case NeighbourWord::State::Unresolved:
            return "unresolved";
        case NeighbourWord::State::Resolved:
            return "resolved";
        case NeighbourWord::State::Failed:
            return "failed";
    }
    return "?";
}

}  // namespace

CommandOutput run_neighbour(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("The neighbours that the kernel has resolved, or tries to.");
    std::string only;
    parser.option("interface", only, "only those of this interface");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    KernelPath* path = controller.datapath().kernel_path();
    if (path == nullptr)
        return CommandOutput::failed(exit_code::kFailure,
                                     "no port is routed: there are no neighbours\n");
    std::vector<Routing::NeighbourEntry> entries;
    path->run_inside([&] { entries = path->routing().neighbours(); });
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return std::tie(a.key.interface, a.key.family, a.key.address) <
               std::tie(b.key.interface, b.key.family, b.key.address);
    });

    const std::vector<Interface>& interfaces =
        controller.publisher().current().ruleset.names.interfaces;
    CommandOutput output;
    output.result = {{"neighbours", Json::array()}};
    for (const Routing::NeighbourEntry& entry : entries) {
        const InterfaceIndex index = entry.key.interface;
        const std::string name = index < interfaces.size() ? interfaces[index].name : "-";
        if (!only.empty() && name != only) continue;
        const std::string address = IpAddress{entry.key.address, entry.key.family}.to_string();
        MacAddress mac{};
        entry.word.copy_mac(mac.data());
        const std::string_view state = name_of(entry.word.state());
        Json json{{"address", address}, {"interface", name}};
        if (entry.word.is_resolved()) json["mac"] = to_string(mac);
        json["state"] = state;
        output.result["neighbours"].push_back(std::move(json));
        output.out +=
            fmt::format("{} dev {}{} {}\n", address, name,
                        entry.word.is_resolved() ? " lladdr " + to_string(mac) : "", state);
    }
    return output;
}

}  // namespace rampart
