#include "check.h"

#include <iostream>

#include "config/loader.h"
#include "control/api_protocol.h"

namespace rampart {
namespace {

std::string_view to_string(Severity severity) noexcept {
    switch (severity) {
        case Severity::Error:
            return "error";
        case Severity::Warning:
            return "warning";
        case Severity::Note:
            return "note";
    }
    return "";
}

Json to_json(const Diagnostics& diagnostics) {
    Json list = Json::array();
    for (const Diagnostic& diagnostic : diagnostics.all())
        list.push_back({{"severity", to_string(diagnostic.severity)},
                        {"code", "RP-" + diagnostic.code},
                        {"file", diagnostics.path_of(diagnostic.location)},
                        {"line", diagnostic.location.line},
                        {"column", diagnostic.location.column},
                        {"end_column", diagnostic.location.end_column},
                        {"message", diagnostic.message},
                        {"hint", diagnostic.hint}});
    return {{"errors", diagnostics.error_count()},
            {"warnings", diagnostics.warning_count()},
            {"diagnostics", std::move(list)}};
}

}  // namespace

int run_check(const std::string& path, bool json) {
    Diagnostics diagnostics;
    const bool is_good = load_configuration_file(path, diagnostics).has_value();
    if (json) {
        std::cout << to_json(diagnostics).dump(-1, ' ', false, Json::error_handler_t::replace)
                  << '\n';
    } else {
        std::cerr << diagnostics.to_text();
        const std::string summary = diagnostics.summary();
        if (!summary.empty()) std::cerr << summary << '\n';
        if (is_good) std::cout << path << ": no errors\n";
    }
    return is_good ? exit_code::kOk : exit_code::kConfiguration;
}

}  // namespace rampart
