// Each folder of test/import/corpus holds what some tool saved: v4.rules, v6.rules, ipset.save,
// nft.json. It is imported, and what comes of it is compared with imported.yaml, what is said about
// it with messages.txt; both without regard to what this release builds, so that they change only
// with the importer. RAMPART_UPDATE_GOLDEN=1 in the environment writes them anew; read the
// difference.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "config/loader.h"
#include "import/import.h"

using namespace rampart;

namespace {

const std::filesystem::path kFolder = RAMPART_SOURCE_ROOT "/test/import/corpus";

std::string read(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::optional<ImportSource> source(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) return std::nullopt;
    return ImportSource{path.filename(), read(path)};
}

ImportRequest request_of(const std::filesystem::path& folder) {
    ImportRequest request;
    request.ipv4 = source(folder / "v4.rules");
    request.ipv6 = source(folder / "v6.rules");
    request.ipset = source(folder / "ipset.save");
    request.nft = source(folder / "nft.json");
    request.partial = true;
    return request;
}

void compare(const std::filesystem::path& path, const std::string& text) {
    if (std::getenv("RAMPART_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
    CHECK(text == read(path));
}

// The document with devices that exist everywhere.
std::string with_devices(std::string yaml) {
    constexpr std::string_view kPlaceholder = "PCI-ADDRESS-OF-";
    unsigned number = 0;
    for (size_t at = 0; (at = yaml.find(kPlaceholder, at)) != yaml.npos;) {
        const size_t end = yaml.find('"', at);
        yaml.replace(at, end - at, "vdev:net_null" + std::to_string(number++));
    }
    return yaml;
}

}  // namespace

TEST_CASE("dumps of real tools are imported as expected") {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
        ++count;
        CAPTURE(entry.path().filename());
        ImportRequest request = request_of(entry.path());
        request.keep_unbuilt = true;
        const ImportResult result = import_rules(request);
        REQUIRE(result.yaml);
        compare(entry.path() / "imported.yaml", *result.yaml);
        compare(entry.path() / "messages.txt", result.messages);
    }
    CHECK(count >= 7);
}

TEST_CASE("what a partial import writes loads in this release") {
    for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
        CAPTURE(entry.path().filename());
        const ImportResult result = import_rules(request_of(entry.path()));
        REQUIRE(result.yaml);
        CAPTURE(*result.yaml, result.messages);
        Diagnostics diagnostics;
        load_configuration("imported.yaml", with_devices(*result.yaml), diagnostics);
        CHECK(diagnostics.to_text().find(": error:") == std::string::npos);
        CHECK_FALSE(diagnostics.has_errors());
    }
}

TEST_CASE("a problem stops an import that is not partial") {
    ImportRequest request = request_of(kFolder / "options");
    request.partial = false;
    const ImportResult result = import_rules(request);
    CHECK_FALSE(result.yaml);
    CHECK(result.messages.find("nothing imported") != std::string::npos);
}

TEST_CASE("files that were cut off or are something else are refused") {
    const auto messages_of = [](const std::string& text) {
        ImportRequest request;
        request.ipv4 = ImportSource{"dump", text};
        return import_rules(request).messages;
    };
    CHECK(messages_of("*filter\n:FORWARD DROP [0:0]\n")
              .find("dump:2: error: the last table has no "
                    "COMMIT") != std::string::npos);
    CHECK(messages_of("-A FORWARD -j ACCEPT\n").find("outside of a table") != std::string::npos);
    CHECK(messages_of("*filter\n:FORWARD MAYBE [0:0]\nCOMMIT\n").find("no chain of a dump") !=
          std::string::npos);
    CHECK(messages_of("*filter\n-A FORWARD -m comment --comment \"x\nCOMMIT\n")
              .find("do not match") != std::string::npos);
    CHECK(messages_of("*filter\n:FORWARD DROP [0:0]\n-A LOST -j DROP\nCOMMIT\n")
              .find("no chain 'LOST'") != std::string::npos);
    CHECK(messages_of("*filter\n:FORWARD DROP [0:0]\n[1:x] -A FORWARD -j DROP\nCOMMIT\n")
              .find("no counter") != std::string::npos);
    CHECK(messages_of(std::string("\0\xff\x1b[2J binary", 14)).find('\x1b') == std::string::npos);
}

TEST_CASE("interfaces that were named get their devices, and counters stay as comments") {
    ImportRequest request;
    request.ipv4 = ImportSource{
        "dump", "*filter\n:FORWARD DROP [0:0]\n[12:840] -A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n"};
    request.interfaces = {{"eth0", "0000:01:00.0", "eth1"}, {"eth1", "0000:01:00.1", ""}};
    request.counters = true;
    const ImportResult result = import_rules(request);
    REQUIRE(result.yaml);
    CHECK(result.yaml->find("eth0: { device: \"0000:01:00.0\", bridge: eth1 }") !=
          std::string::npos);
    CHECK(result.yaml->find("action: accept }  # [12:840]") != std::string::npos);
}
