#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/schema.h"
#include "config/section.h"

namespace rampart {

void build_reload(const Value& document, ReloadSettings& reload, Diagnostics& diagnostics) {
    const Section section(document.find("reload"), "reload", "'reload'", diagnostics);
    reload.recheck = section.choice("established", {"keep", "recheck"}) == size_t{1};
    reload.reset_counters = section.choice("counters", {"keep", "reset"}) == size_t{1};
    const std::string* confirm = section.text("confirm");
    if (confirm == nullptr) return;
    const SchemaKey* limits = find_schema_key("reload", "confirm");
    const auto seconds = parse_duration_s(*confirm);
    if (seconds && *seconds >= limits->min && *seconds <= limits->max) {
        reload.confirm_s = *seconds;
        return;
    }
    diagnostics.error("E010", section.find("confirm")->location(),
                      fmt::format("{} is not a duration from {} to {}", quoted(*confirm),
                                  format_duration(static_cast<uint32_t>(limits->min)),
                                  format_duration(static_cast<uint32_t>(limits->max))),
                      "write it as 120s");
}

}  // namespace rampart
