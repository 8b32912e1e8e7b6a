// `port`: the ports and what they lost.
#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {
namespace {

Json to_json(const Port& port, const DeviceSettings& settings) {
    const PortStatistics lost = port.statistics();
    return {{"name", port.name()},
            {"device", port.device()},
            {"driver", port.driver()},
            {"mac", port.mac_address()},
            {"link", port.is_link_up()},
            {"speed_mbps", port.link_speed_mbps()},
            {"mtu", settings.mtu},
            {"receive_queues", port.receive_queues()},
            {"transmit_queues", port.transmit_queues()},
            {"rss", port.has_rss()},
            {"receive_missed", lost.receive_missed},
            {"receive_errors", lost.receive_errors},
            {"receive_no_mbuf", lost.receive_no_mbuf},
            {"transmit_errors", lost.transmit_errors}};
}

std::string to_text(const Port& port, const DeviceSettings& settings) {
    const PortStatistics lost = port.statistics();
    return fmt::format(
        "{}: {} ({}), {}, {}, mtu {}\n"
        "    queues {} receive{}, {} transmit; lost: missed {}, errors {}, no buffer {}, "
        "transmit errors {}\n",
        port.name(), port.device(), port.driver(), port.mac_address(),
        port.is_link_up() ? fmt::format("up {} Mbit/s", port.link_speed_mbps()) : "down",
        settings.mtu, port.receive_queues(), port.has_rss() ? " (RSS)" : "", port.transmit_queues(),
        lost.receive_missed, lost.receive_errors, lost.receive_no_mbuf, lost.transmit_errors);
}

}  // namespace

CommandOutput run_port(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("The ports: device, driver, link, queues, losses.");
    std::string only;
    parser.option("name", only, "only this port");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    CommandOutput output;
    output.result = {{"ports", Json::array()}};
    bool is_found = only.empty();
    for (size_t i = 0; i < controller.datapath().ports().size(); ++i) {
        const Port& port = *controller.datapath().ports()[i];
        if (!only.empty() && port.name() != only) continue;
        is_found = true;
        output.result["ports"].push_back(
            to_json(port, controller.system().devices[controller.datapath().interface_of(i)]));
        output.out +=
            to_text(port, controller.system().devices[controller.datapath().interface_of(i)]);
    }
    if (!is_found)
        return CommandOutput::failed(exit_code::kFailure,
                                     "no port " + rampart::quoted(only) + "\n");
    return output;
}

}  // namespace rampart
