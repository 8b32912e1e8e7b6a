#include "control/top_format.h"

#include <cmath>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace rampart {
namespace {

double number(const Json& json, const char* key) {
    return json.at(key).get<double>();
}

std::string rate(const Json& json, const char* key) {
    return short_rate(number(json, key));
}

std::string text(const Json& json, const char* key) {
    return json.at(key).get<std::string>();
}

std::string endpoint(const Json& flow, const char* address, const char* port) {
    const std::string host = text(flow, address);
    if (!flow.contains(port)) return host;
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
                       flow.at(port).get<unsigned>());
}

std::string summary(const Json& json) {
    const auto seconds = static_cast<time_t>(json.at("time_ns").get<uint64_t>() / 1'000'000'000);
    const double flows = number(json, "flows"), flows_max = number(json, "flows_max");
    return fmt::format(
        "rampart {:%H:%M:%S}, generation {}, flows {} of {} ({:.0f}%), {} new/s\n"
        "packets/s: received {}, forwarded {}, dropped {}\n",
        fmt::localtime(seconds), json.at("generation").get<uint32_t>(), flows, flows_max,
        flows_max == 0 ? 0 : 100 * flows / flows_max, rate(json, "flows_new_s"),
        rate(json, "received_packets_s"), rate(json, "forwarded_packets_s"),
        rate(json, "dropped_packets_s"));
}

std::string workers_line(const Json& workers) {
    std::string line = "workers:";
    for (const Json& worker : workers)
        line += fmt::format(" {}: {:.0f}%", worker.at("worker").get<unsigned>(),
                            100 * number(worker, "busy_ratio"));
    return line + '\n';
}

std::string ports(const Json& list) {
    std::string lines = fmt::format("\n{:<24} {:>9} {:>9} {:>9} {:>9}\n", "Ports", "rx pkt/s",
                                    "rx bit/s", "tx pkt/s", "tx bit/s");
    for (const Json& port : list)
        lines += fmt::format("{:<24} {:>9} {:>9} {:>9} {:>9}\n", text(port, "name"),
                             rate(port, "received_packets_s"), rate(port, "received_bits_s"),
                             rate(port, "transmitted_packets_s"), rate(port, "transmitted_bits_s"));
    return lines;
}

std::string drops(const Json& list) {
    if (list.empty()) return {};
    std::string lines = fmt::format("\n{:<44} {:>9}\n", "Drops", "pkt/s");
    for (const Json& drop : list)
        lines += fmt::format("{:<44} {:>9}\n", text(drop, "reason"), rate(drop, "packets_s"));
    return lines;
}

std::string rules(const Json& list) {
    if (list.empty()) return {};
    std::string lines = fmt::format("\n{:<44} {:>9} {:>9}\n", "Rules", "pkt/s", "bit/s");
    for (const Json& rule : list)
        lines += fmt::format("{:<44} {:>9} {:>9}\n",
                             fmt::format("{} {}", text(rule, "chain"), text(rule, "rule")),
                             rate(rule, "packets_s"), rate(rule, "bits_s"));
    return lines;
}

std::string talkers(const Json& json) {
    if (json.is_null()) return "\nTalkers: not known without `conntrack: { accounting: true }`\n";
    std::string lines;
    if (!json.at("sources").empty())
        lines = fmt::format("\n{:<34} {:>9} {:>9} {:>9}\n", "Sources", "flows", "pkt/s", "bit/s");
    for (const Json& source : json.at("sources"))
        lines += fmt::format("{:<34} {:>9} {:>9} {:>9}\n", text(source, "address"),
                             source.at("flows").get<uint64_t>(), rate(source, "packets_s"),
                             rate(source, "bits_s"));
    if (!json.at("flows").empty())
        lines += fmt::format("\n{:<50} {:>9} {:>9}\n", "Flows", "pkt/s", "bit/s");
    for (const Json& flow : json.at("flows"))
        lines +=
            fmt::format("{:<50} {:>9} {:>9}\n",
                        fmt::format("{} {} > {}", text(flow, "proto"),
                                    endpoint(flow, "src", "sport"), endpoint(flow, "dst", "dport")),
                        rate(flow, "packets_s"), rate(flow, "bits_s"));
    return lines;
}

}  // namespace

std::string short_rate(double rate) {
    constexpr std::string_view kUnits[] = {"", "k", "M", "G", "T"};
    size_t unit = 0;
    // What would be rounded to four digits has the next unit.
    for (; std::round(rate) >= 1000 && unit + 1 < std::size(kUnits); ++unit)
        rate /= 1000;
    if (unit == 0) return fmt::format("{:.0f}", rate);
    const int decimals = rate < 9.995 ? 2 : rate < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f}{}", rate, decimals, kUnits[unit]);
}

std::string top_text(const Json& document) {
    return summary(document) + workers_line(document.at("workers")) + ports(document.at("ports")) +
           drops(document.at("drops")) + rules(document.at("rules")) +
           talkers(document.at("talkers"));
}

}  // namespace rampart
