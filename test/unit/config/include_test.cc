#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "config/loader.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

const std::string kMain =
    "version: 1\n"
    "include: [conf.d/*.yaml]\n"
    "interfaces:\n"
    "  inside: { device: \"vdev:net_null0\", bridge: outside }\n"
    "  outside: { device: \"vdev:net_null1\" }\n"
    "chains:\n"
    "  forward: { policy: drop, rules: [ { state: new, jump: web } ] }\n";
const std::string kWeb = "chains:\n  web: [ { proto: tcp, dport: 80, action: accept } ]\n";

// Files in a folder of their own, which goes away with this.
class Folder {
  public:
    Folder() {
        std::string name = std::filesystem::temp_directory_path() / "rampart-include-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    Folder& write(const std::string& name, const std::string& text) {
        const auto file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
        return *this;
    }
    std::string at(const std::string& name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

struct Loading {
    explicit Loading(const Folder& folder)
        : configuration(load_configuration_file(folder.at("main.yaml"), diagnostics)) {
        text = diagnostics.to_text();
        // The folder has another name each time.
        const std::string prefix = folder.at("");
        for (size_t at = 0; (at = text.find(prefix, at)) != text.npos;)
            text.erase(at, prefix.size());
    }
    Diagnostics diagnostics;
    std::optional<Configuration> configuration;
    std::string text;
};

std::vector<std::string> chain_names(const Loading& loading) {
    return loading.configuration->snapshot->ruleset.names.chains;
}

}  // namespace

TEST_CASE("chains, definitions and zones of included files are united with those of the main one") {
    Folder folder;
    folder.write("main.yaml", kMain)
        .write("conf.d/20-web.yaml", "version: 1\n" + kWeb)
        .write("conf.d/10-names.yaml",
               "define: { servers: 192.0.2.0/24 }\n"
               "zones: { lan: [inside] }\n"
               "chains:\n  ssh: [ { in: lan, dst: $servers } ]\n")
        .write("conf.d/30-use.yaml", "chains:\n  more: [ { dst: $servers, jump: ssh } ]\n")
        .write("conf.d/ignored.yaml~", "no yaml: [")
        .write("conf.d/40-empty.yaml", "# everything here is commented out\n");
    const Loading loading(folder);
    REQUIRE(loading.configuration);
    CHECK(chain_names(loading) == std::vector<std::string>{"forward", "ssh", "web", "more"});
    const Chain& web = loading.configuration->snapshot->ruleset.chains[2];
    CHECK(web.rules[0].place == folder.at("conf.d/20-web.yaml:3"));
}

TEST_CASE("included files are merged in the order of the patterns, and sorted within each") {
    Folder folder;
    folder
        .write("main.yaml", "version: 1\ninclude: [z.yaml, \"[ab].yaml\", a.yaml, none*.yaml]\n" +
                                kMain.substr(kMain.find("interfaces")))
        .write("a.yaml", "chains: { web: [], a: [] }\n")
        .write("b.yaml", "chains: { b: [] }\n")
        .write("z.yaml", "chains: { z: [] }\n");
    const Loading loading(folder);
    REQUIRE(loading.configuration);
    CHECK(chain_names(loading) == std::vector<std::string>{"forward", "z", "web", "a", "b"});
}

TEST_CASE("a folder whose name looks like a pattern stands for itself") {
    Folder folder;
    folder.write("[x]*/main.yaml", kMain).write("[x]*/conf.d/web.yaml", kWeb);
    Diagnostics diagnostics;
    CHECK(load_configuration_file(folder.at("[x]*/main.yaml"), diagnostics));
}

TEST_CASE("a name that two files define is an error that names both places") {
    Folder folder;
    folder.write("main.yaml", kMain)
        .write("conf.d/a.yaml", kWeb + "conntrack: { max: 1000 }\n")
        .write("conf.d/b.yaml", kWeb + "conntrack: { max: 2000 }\n");
    const Loading loading(folder);
    CHECK_FALSE(loading.configuration);
    const std::string first = "first defined at " + folder.at("conf.d/a.yaml");
    const auto& all = loading.diagnostics.all();
    REQUIRE(all.size() == 2);
    CHECK(all[0].code == "E021");
    CHECK(all[0].message == "'web' is defined twice");
    CHECK(all[0].hint == first + ":2");
    CHECK(loading.diagnostics.place(all[0].location) == folder.at("conf.d/b.yaml:2"));
    CHECK(all[1].code == "E021");
    CHECK(all[1].message == "'conntrack' is defined twice");
    CHECK(all[1].hint == first + ":3; this section stands in one file");
}

TEST_CASE("an error in an included file shows that file's line") {
    Folder folder;
    folder.write("main.yaml", kMain)
        .write("conf.d/web.yaml",
               "chains:\n  web:\n    - { proto: tcp, dport: 70000 }\n"
               "    - { id: x, proto: tcp }\n")
        .write("conf.d/x.yaml", "chains: { more: [ { id: x, goto: web } ] }\n");
    const Loading loading(folder);
    CHECK_FALSE(loading.configuration);
    CHECK(loading.text.find("conf.d/web.yaml:3:28: error: '70000' is not a port") == 0);
    CHECK(loading.text.find("    hint: first used at conf.d/web.yaml:4\n") != std::string::npos);
}

TEST_CASE("included files include nothing, and the whole must be readable") {
    Folder folder;
    folder.write("main.yaml", kMain).write("conf.d/web.yaml", "include: [x.yaml]\n" + kWeb);
    CHECK(Loading(folder).text ==
          "conf.d/web.yaml:1:1: error: an included file cannot include others\n"
          "    include: [x.yaml]\n"
          "    ^\n"
          "    hint: name all files in the first one\n");

    folder.write("main.yaml", "version: 1\ninclude: [missing.yaml]\n");
    CHECK(Loading(folder).text == "main.yaml:2:11: error: '" +
                                      folder.at("missing.yaml").substr(0, 0) +
                                      "missing.yaml' cannot be read: No such file or directory\n"
                                      "    include: [missing.yaml]\n"
                                      "              ^\n");

    folder.write("main.yaml", "version: 1\ninclude: \"*.yaml\"\n");
    CHECK(Loading(folder).text.find("the file includes itself") != std::string::npos);

    folder.write("main.yaml", "version: 1\ninclude: { a: b }\n");
    CHECK(Loading(folder).text.find("'include' takes a list of files") != std::string::npos);

    folder.write("main.yaml", "version: 1\ninclude: conf.d\n");
    CHECK(Loading(folder).text.find("not a regular file") != std::string::npos);
}

TEST_CASE("a text whose included files were not looked for is refused") {
    Diagnostics diagnostics;
    CHECK_FALSE(load_configuration("main.yaml", kMain + "", diagnostics));
    CHECK(problem_of(diagnostics) == "E001 the included files were not sent along");

    Diagnostics sent;
    SourceTexts sources{{"main.yaml", kMain}, {{{"conf.d/web.yaml", kWeb}}}};
    CHECK(load_configuration(std::move(sources), sent));
}
