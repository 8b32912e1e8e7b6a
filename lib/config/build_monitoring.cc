#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/schema.h"
#include "config/section.h"

namespace rampart {
namespace {

// "127.0.0.1:9482". False: it is not of that form. The server knows no IPv6.
bool parse_listen(std::string_view text, MonitoringSettings& monitoring) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return false;
    const SchemaKey* limits = find_schema_key("monitoring", "listen");
    const auto address = IpAddress::parse(text.substr(0, colon));
    const auto port = parse_decimal(text.substr(colon + 1), limits->max);
    if (!address || address->family != Family::Ipv4 || !port || *port < limits->min) return false;
    monitoring.address = *address;
    monitoring.port = static_cast<uint16_t>(*port);
    return true;
}

}  // namespace

bool is_loopback(const IpAddress& address) noexcept {
    constexpr IpAddress kLoopback6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, Family::Ipv6};
    return address == kLoopback6 || (address.family == Family::Ipv4 && address.bytes[0] == 127);
}

std::string MonitoringSettings::endpoint() const {
    return fmt::format("{}:{}", address.to_string(), port);
}

void build_monitoring(const Value& document, MonitoringSettings& monitoring,
                      Diagnostics& diagnostics) {
    const Value::Entry* entry = document.find_entry("monitoring");
    if (entry == nullptr) return;
    const Section section(&entry->value, "monitoring", "'monitoring'", diagnostics);
    const SchemaKey* known = find_schema_key("monitoring", "listen");
    const std::string* listen = section.text("listen");
    const Location location =
        listen != nullptr ? section.find("listen")->location() : entry->key.location();
    monitoring.place = diagnostics.place(location);
    if (!parse_listen(listen != nullptr ? *listen : known->default_text, monitoring)) {
        diagnostics.error("E005", location,
                          fmt::format("{} is not an IPv4 address with a port", quoted(*listen)),
                          "write \"127.0.0.1:9482\"");
        return;
    }
    const bool is_remote = section.flag("remote").value_or(false);
    if (!is_remote && !is_loopback(monitoring.address))
        diagnostics.error("E005", location,
                          fmt::format("{} can be reached from other machines", quoted(*listen)),
                          "listen on 127.0.0.1, behind a proxy that knows who may ask; or add "
                          "'remote: true', and "
                          "whoever reaches the port may read it");
    monitoring.metrics = section.flag("metrics").value_or(true);
    monitoring.rule_metrics = section.flag("rule_metrics").value_or(true);
    monitoring.status_page = section.flag("status_page").value_or(false);
    if (!monitoring.metrics && section.find("rule_metrics") != nullptr)
        diagnostics.error("E016", section.find_entry("rule_metrics")->key.location(),
                          "'rule_metrics' needs 'metrics: true'");
    if (!monitoring.metrics && !monitoring.status_page)
        diagnostics.error("E016", section.find_entry("metrics")->key.location(),
                          "with neither metrics nor a status page there is nothing to serve",
                          "leave 'monitoring' out, or add 'status_page: true'");
}

}  // namespace rampart
