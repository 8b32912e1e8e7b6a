#include "support/load.h"

#include <stdexcept>

#include "config/loader.h"

namespace rampart::test {

std::unique_ptr<Snapshot> load(const std::string& text, const std::string& path) {
    Diagnostics diagnostics;
    auto configuration = load_configuration(path, text, diagnostics);
    if (!configuration) throw std::runtime_error(diagnostics.to_text() + "in:\n" + text);
    return std::move(configuration->snapshot);
}

std::string config_with(const std::string& forward, const std::string& rest) {
    return "version: 1\n"
           "interfaces:\n"
           "  lan: { device: \"vdev:net_null0\", bridge: wan }\n"
           "  wan: { device: \"vdev:net_null1\" }\n"
           "chains:\n"
           "  forward: " +
           forward + "\n" + rest;
}

}  // namespace rampart::test
