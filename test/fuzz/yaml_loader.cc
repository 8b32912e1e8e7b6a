// Fuzz target: any bytes as a configuration file; what follows a NUL byte is an included file. The
// loader must answer with a Configuration or with errors, never with neither, and what it says must
// be printable.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "config/loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr size_t kMaxInput = 64u << 10;  // larger inputs only cost time
    if (size > kMaxInput) return 0;
    rampart::Diagnostics diagnostics;
    std::vector<rampart::SourceText> texts(1);
    for (size_t i = 0; i < size; ++i) {
        if (data[i] == 0)
            texts.emplace_back();
        else
            texts.back().text += static_cast<char>(data[i]);
    }
    rampart::SourceTexts sources{std::move(texts.front()), {}};
    texts.erase(texts.begin());
    sources.included = std::move(texts);
    const auto configuration = rampart::load_configuration(std::move(sources), diagnostics);
    if (configuration.has_value() == diagnostics.has_errors()) std::abort();
    for (const char c : diagnostics.to_text()) {
        if (static_cast<uint8_t>(c) < 0x20 && c != '\n' && c != '\t') std::abort();
    }
    return 0;
}
