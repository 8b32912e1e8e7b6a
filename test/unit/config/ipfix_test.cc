#include <catch2/catch.hpp>

#include "config/loader.h"

using namespace rampart;

namespace {

std::optional<Configuration> load(const std::string& section, Diagnostics& diagnostics) {
    return load_configuration("a.yaml",
                              "version: 1\n"
                              "interfaces: { lan: { device: \"vdev:net_null0\", bridge: wan }, "
                              "wan: { device: \"vdev:net_null1\" } }\n"
                              "chains: { forward: { policy: drop } }\n" +
                                  section,
                              diagnostics);
}

// "192.0.2.10 4739", or what is wrong.
std::string endpoint(const std::string& text) {
    Diagnostics diagnostics;
    const auto configuration = load(
        "conntrack: { accounting: true }\nipfix: { collector: \"" + text + "\" }\n", diagnostics);
    if (!configuration) return "error";
    CHECK(diagnostics.to_text().empty());
    const IpfixSettings& ipfix = *configuration->system.ipfix;
    return ipfix.collector.to_string() + " " + std::to_string(ipfix.port);
}

}  // namespace

TEST_CASE("ipfix: addresses with and without a port, and nothing else") {
    CHECK(endpoint("192.0.2.10:2055") == "192.0.2.10 2055");
    CHECK(endpoint("192.0.2.10") == "192.0.2.10 4739");
    CHECK(endpoint("[2001:db8::1]:2055") == "2001:db8::1 2055");
    CHECK(endpoint("[2001:db8::1]") == "2001:db8::1 4739");
    CHECK(endpoint("2001:db8::1") == "2001:db8::1 4739");
    for (const char* wrong :
         {"", ":4739", "192.0.2.10:", "192.0.2.10:0", "192.0.2.10:65536", "192.0.2.10:04739",
          "[192.0.2.10]:4739", "[2001:db8::1", "[2001:db8::1]4739", "[]:1", "192.0.2.10:1:2",
          "localhost:4739", "192.0.2.10 :4739"}) {
        CAPTURE(wrong);
        CHECK(endpoint(wrong) == "error");
    }
}

TEST_CASE("ipfix: absent, it exports nothing; present, all keys are read") {
    Diagnostics none;
    CHECK(!load("", none)->system.ipfix);
    Diagnostics diagnostics;
    const auto configuration = load(
        "conntrack: { accounting: true }\n"
        "ipfix: { collector: \"192.0.2.10\", transport: tcp, source: 192.0.2.1, domain: "
        "4294967295, events: [new], template_refresh: 5m }\n",
        diagnostics);
    REQUIRE(configuration);
    const IpfixSettings& ipfix = *configuration->system.ipfix;
    CHECK(ipfix.transport == IpfixSettings::Transport::Tcp);
    CHECK(ipfix.source->to_string() == "192.0.2.1");
    CHECK(ipfix.domain == 4294967295u);
    CHECK(ipfix.tells_new);
    CHECK(!ipfix.tells_end);
    CHECK(ipfix.template_refresh_s == 300);
}

TEST_CASE("ipfix: a source of the other family, no event, no collector") {
    for (const char* section :
         {"ipfix: { collector: \"192.0.2.10\", source: \"2001:db8::1\" }\n",
          "ipfix: { collector: \"192.0.2.10\", events: [] }\n", "ipfix: { domain: 1 }\n",
          "ipfix: { collector: [a] }\n", "ipfix: on\n"}) {
        CAPTURE(section);
        Diagnostics diagnostics;
        CHECK(!load(section, diagnostics));
    }
}

TEST_CASE("ipfix: without counting, a warning says that there is little to report") {
    Diagnostics diagnostics;
    CHECK(load("ipfix: { collector: \"192.0.2.10\" }\n", diagnostics));
    CHECK(diagnostics.to_text().find("packets and bytes, which are not counted") !=
          std::string::npos);
}
