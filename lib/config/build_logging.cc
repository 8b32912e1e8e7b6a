#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/schema.h"
#include "config/section.h"

namespace rampart {

constexpr std::string_view kPerSecond = "/second";

void build_logging(const Value& document, LoggingSettings& logging, Diagnostics& diagnostics) {
    const Section section(document.find("logging"), "logging", "'logging'", diagnostics);
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
