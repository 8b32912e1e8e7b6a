// Fuzz target: any bytes as a configuration file. The loader must answer with a Configuration or
// with errors, never with neither, and what it says must be printable.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr size_t kMaxInput = 64u << 10;  // larger inputs only cost time
    if (size > kMaxInput) return 0;
    rampart::Diagnostics diagnostics;
    const auto configuration =
        rampart::load_configuration("fuzz.yaml", std::string(data, data + size), diagnostics);
    if (configuration.has_value() == diagnostics.has_errors()) std::abort();
    for (const char c : diagnostics.to_text()) {
        if (static_cast<uint8_t>(c) < 0x20 && c != '\n' && c != '\t') std::abort();
    }
    return 0;
}
