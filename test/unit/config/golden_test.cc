// Each golden/NAME.yaml is loaded and what is said about it is compared with NAME.expected.
// RAMPART_UPDATE_GOLDEN=1 in the environment writes the expectations anew; read the difference.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "config/loader.h"

using namespace rampart;

namespace {

const std::filesystem::path kFolder = RAMPART_SOURCE_ROOT "/test/unit/config/golden";

std::string read(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("the messages about bad files are as expected") {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
        if (entry.path().extension() != ".yaml") continue;
        ++count;
        CAPTURE(entry.path().filename());
        Diagnostics diagnostics;
        load_configuration(entry.path().filename(), read(entry.path()), diagnostics);
        const std::string said = diagnostics.to_text() + diagnostics.summary() + "\n";
        auto expected = entry.path();
        expected.replace_extension(".expected");
        if (std::getenv("RAMPART_UPDATE_GOLDEN") != nullptr) std::ofstream(expected) << said;
        CHECK(said == read(expected));
    }
    CHECK(count > 10);
}
