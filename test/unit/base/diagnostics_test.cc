#include "base/diagnostics.h"

#include <catch2/catch.hpp>

using namespace rampart;

TEST_CASE("a diagnostic is printed with its place, its line, a caret and its hint") {
    Diagnostics diagnostics;
    const uint32_t file = diagnostics.add_source("a.yaml", "version: 1\nstate: realted\n");
    diagnostics.error("E007", {file, 2, 8, 15}, "unknown state 'realted'",
                      "did you mean 'related'?");
    CHECK(diagnostics.to_text() ==
          "a.yaml:2:8: error: unknown state 'realted'\n"
          "    state: realted\n"
          "           ^\n"
          "    hint: did you mean 'related'?\n");
    CHECK(diagnostics.summary() == "1 error");
    CHECK(diagnostics.place({file, 2, 8, 15}) == "a.yaml:2");
}

TEST_CASE("diagnostics come in the order of the file") {
    Diagnostics diagnostics;
    const uint32_t file = diagnostics.add_source("a.yaml", "a\nb\n");
    diagnostics.warning("W101", {file, 2, 1, 2}, "second");
    diagnostics.error("E002", {file, 1, 1, 2}, "first");
    const std::string text = diagnostics.to_text();
    CHECK(text.find("first") < text.find("second"));
    CHECK(diagnostics.summary() == "1 error, 1 warning");
}

TEST_CASE("the caret stands under the character, whatever its bytes") {
    Diagnostics diagnostics;
    const uint32_t file = diagnostics.add_source("a.yaml", "\tm\xc3\xbcller: x\n");
    diagnostics.error("E002", {file, 1, 11, 12}, "here");
    CHECK(diagnostics.to_text().find("\n    \t        ^\n") != std::string::npos);
}

TEST_CASE("nothing from the file acts on the terminal") {
    Diagnostics diagnostics;
    const uint32_t file = diagnostics.add_source("a.yaml", "x: \x1b[31m\xe2\x80\xae\n");
    diagnostics.error("E002", {file, 1, 4, 5}, "bad \x1b[2J\n");
    const std::string text = diagnostics.to_text();
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("\xe2\x80\xae") == std::string::npos);
    CHECK(text.find("bad ?[2J?") != std::string::npos);
}

TEST_CASE("a long line is shown around the problem") {
    Diagnostics diagnostics;
    const uint32_t file = diagnostics.add_source("a.yaml", std::string(100000, 'x') + "Y");
    diagnostics.error("E002", {file, 1, 100001, 100002}, "here");
    CHECK(diagnostics.to_text().size() < 600);
    CHECK(diagnostics.to_text().find('Y') != std::string::npos);
}

TEST_CASE("the number of diagnostics is bounded and errors go before warnings") {
    Diagnostics diagnostics;
    for (int i = 0; i < 1000; ++i)
        diagnostics.warning("W101", {}, "warning");
    diagnostics.error("E002", {}, "the reason");
    CHECK(diagnostics.all().size() == Diagnostics::kMaxDiagnostics);
    CHECK(diagnostics.to_text().find("the reason") != std::string::npos);
    CHECK(diagnostics.summary() == "1 error, 1000 warnings");
}

TEST_CASE("a wrong word is compared with the known ones") {
    const std::vector<std::string_view> states = {"new", "established", "related", "invalid"};
    CHECK(nearest("realted", states) == "related");
    CHECK(nearest("ESTABLISHED", states) == "established");
    CHECK(nearest("nwe", states) == "new");
    CHECK(nearest("x", states).empty());
    CHECK(nearest("something", states).empty());
    CHECK(nearest(std::string(5000, 'n'), states).empty());
    CHECK(did_you_mean("invald", states) == "did you mean 'invalid'?");
}

TEST_CASE("a list of words ends somewhere") {
    CHECK(listed({"a", "b"}) == "a, b");
    CHECK(listed(std::vector<std::string_view>(1000, "a")).size() < 100);
    CHECK(quoted(std::string(5000, 'n')).size() < 100);
}
