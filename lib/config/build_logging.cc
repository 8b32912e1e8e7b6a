#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/schema.h"
#include "config/section.h"

namespace rampart {

namespace {

constexpr std::string_view kPerSecond = "/second";

void read_rules(const Section& logging, RuleLogSettings& rules, Diagnostics& diagnostics) {
    const Value* value = logging.find("rules");
    const Section section(value, "logging.rules", "'logging.rules'", diagnostics);
    if (const auto to = section.choice("to", {"daemon", "syslog", "journald", "file"}))
        rules.to = static_cast<RuleLogSettings::To>(*to);
    if (const auto format = section.choice("format", {"text", "json"}))
        rules.is_json = *format == 1;
    if (const std::string* path = section.text("path")) rules.path = *path;
    rules.max_bytes = section.size_bytes("max_size").value_or(rules.max_bytes);
    rules.files = static_cast<uint32_t>(section.number("files").value_or(rules.files));
    if (rules.to == RuleLogSettings::To::File) {
        if (!rules.path.starts_with('/'))
            diagnostics.error(rules.path.empty() ? "E006" : "E005",
                              (rules.path.empty() ? value : section.find("path"))->location(),
                              "'to: file' needs 'path', the whole path of the file",
                              "rules: { to: file, path: /var/log/rampart/rules.log }");
        return;
    }
    for (const std::string_view key : {"path", "max_size", "files"})
        if (const Value::Entry* entry = section.find_entry(key))
            diagnostics.error("E016", entry->key.location(),
                              fmt::format("'{}' needs 'to: file'", key));
}

}  // namespace

void build_logging(const Value& document, LoggingSettings& logging, Diagnostics& diagnostics) {
    const Section section(document.find("logging"), "logging", "'logging'", diagnostics);
    read_rules(section, logging.rules, diagnostics);
    const std::string* rate = section.text("invalid");
    if (rate == nullptr) return;
    const SchemaKey* limits = find_schema_key("logging", "invalid");
    std::string_view number = *rate;
    const bool has_unit = number.ends_with(kPerSecond);
    if (has_unit) number.remove_suffix(kPerSecond.size());
    const auto per_second = parse_decimal(number, limits->max);
    if (!has_unit || !per_second || *per_second < limits->min) {
        diagnostics.error("E010", section.find("invalid")->location(),
                          fmt::format("{} is not a rate from {}/second to {}/second", quoted(*rate),
                                      limits->min, limits->max),
                          "write it as 10/second");
        return;
    }
    logging.invalid_per_s = static_cast<uint32_t>(*per_second);
}

}  // namespace rampart
