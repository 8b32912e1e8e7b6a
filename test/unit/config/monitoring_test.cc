// The section `monitoring`: what it means, and what it refuses.
#include <catch2/catch.hpp>

#include "config/loader.h"

using namespace rampart;

namespace {

struct Loaded {
    std::optional<MonitoringSettings> settings;  // nothing: it was refused
    std::string problems;
};

Loaded load(const std::string& section) {
    Diagnostics diagnostics;
    const auto configuration =
        load_configuration({{"test.yaml",
                             "version: 1\n"
                             "interfaces: { a: { device: \"vdev:net_null0\", bridge: b }, "
                             "b: { device: \"vdev:net_null1\" } }\n" +
                                 section + "\nchains: { forward: { policy: drop } }\n"},
                            std::vector<SourceText>()},
                           diagnostics);
    Loaded loaded;
    loaded.problems = diagnostics.to_text();
    if (configuration && !diagnostics.has_errors())
        loaded.settings = configuration->system.monitoring;
    return loaded;
}

}  // namespace

TEST_CASE("nothing listens unless the section is there") {
    CHECK_FALSE(load("").settings->is_on());
    const auto plain = load("monitoring: {}").settings;
    REQUIRE(plain);
    CHECK(plain->is_on());
    CHECK(plain->endpoint() == "127.0.0.1:9482");
    CHECK(plain->metrics);
    CHECK(plain->rule_metrics);
    CHECK_FALSE(plain->status_page);
    CHECK(plain->place == "test.yaml:3");
}

TEST_CASE("an address with a port") {
    CHECK(load("monitoring: { listen: \"127.1.2.3:65535\" }").settings->endpoint() ==
          "127.1.2.3:65535");
    for (const char* bad : {"9482", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536",
                            "127.0.0.1:", "::1:9482", "[::1]", "[127.0.0.1]:9482", "[::1]:9482",
                            "localhost:9482", ":9482", "[]:9482", "127.0.0.1:9482 "}) {
        const Loaded loaded = load("monitoring: { listen: \"" + std::string(bad) + "\" }");
        CHECK_FALSE(loaded.settings);
        CHECK_THAT(loaded.problems, Catch::Contains("is not an IPv4 address with a port"));
        CHECK_THAT(loaded.problems, Catch::Contains("test.yaml:3:23: error"));
    }
}

TEST_CASE("an address that others can reach needs a word of its own") {
    for (const char* address : {"0.0.0.0:9482", "192.0.2.1:9482", "126.0.0.1:1"}) {
        const std::string listen = "listen: \"" + std::string(address) + "\"";
        CHECK_THAT(load("monitoring: { " + listen + " }").problems,
                   Catch::Contains("can be reached from other machines"));
        CHECK_FALSE(load("monitoring: { " + listen + ", remote: false }").settings);
        CHECK(load("monitoring: { " + listen + ", remote: true }").settings);
    }
}

TEST_CASE("something must be served") {
    CHECK_THAT(load("monitoring: { metrics: false }").problems,
               Catch::Contains("there is nothing to serve"));
    CHECK_THAT(
        load("monitoring: { metrics: false, rule_metrics: true, status_page: true }").problems,
        Catch::Contains("'rule_metrics' needs 'metrics: true'"));
    const auto page = load("monitoring: { metrics: false, status_page: true }").settings;
    REQUIRE(page);
    CHECK_FALSE(page->metrics);
    CHECK(page->status_page);
}
