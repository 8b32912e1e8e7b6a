// TransactionBed: a ConfigTransaction in a temporary directory, with a daemon that only remembers
// what was published, and clocks that only the test moves.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "config/loader.h"
#include "control/config_transaction.h"

namespace rampart::test {

// A directory that is gone after the test.
class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = std::filesystem::temp_directory_path() / "rampart-test-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

// A configuration whose only rule has this id.
inline SourceTexts configuration_named(const std::string& id, const std::string& more = "") {
    return {{id + ".yaml",
             "version: 1\n"
             "interfaces: { a: { device: \"vdev:net_null0\", bridge: b }, "
             "b: { device: \"vdev:net_null1\" } }\n" +
                 more + "chains: { forward: { policy: drop, rules: [{ id: " + id +
                 ", proto: tcp, action: accept }] } }\n"},
            std::vector<SourceText>()};
}

class FakeHost : public ConfigTransaction::Host {
  public:
    std::optional<Configuration> load(const SourceTexts& sources,
                                      Diagnostics& diagnostics) override {
        if (loads_fail) diagnostics.error("E001", {}, "cannot be loaded");
        auto configuration = load_configuration(sources, diagnostics);
        return diagnostics.has_errors() ? std::nullopt : std::move(configuration);
    }
    Published publish(Configuration configuration) override {
        const Ruleset& ruleset = configuration.snapshot->ruleset;
        active = ruleset.chains[static_cast<size_t>(ruleset.forward)].rules[0].id;
        history.push_back(active);
        const bool is_late = late_publications != 0;
        if (is_late) --late_publications;
        return {static_cast<uint32_t>(history.size()), 1, !is_late};
    }
    void warn(const Configuration&, const ChangeRequest&, Diagnostics&) override {}
    std::string config_hash() override { return file ? hash_of(*file) : std::string(); }
    Moment now_on_both_clocks() override { return moment; }

    void pass(int64_t ms) {
        moment.wall_ms += ms;
        moment.boot_ms += ms;
    }

    std::string active;                // id of the only rule
    std::vector<std::string> history;  // of publications
    unsigned late_publications = 0;    // so many time out
    bool loads_fail = false;
    std::optional<SourceTexts> file;  // of --config
    Moment moment{1'700'000'000'000, 5'000'000, "first-boot"};
};

// One life of a daemon. Its store outlives it.
class Daemon {
  public:
    Daemon(FakeHost& host, const std::string& state, DurableDirectory::Probe probe = {}) {
        auto store = ConfigStore::open(state, std::move(probe));
        std::string why = store ? "" : store.error().message;
        std::unique_ptr<ConfigStore> opened = store ? std::move(*store) : nullptr;
        Startup startup = choose_startup(opened.get(), *host.file, host.moment);
        const SourceTexts sources = startup.sources;
        Diagnostics diagnostics;
        host.publish(std::move(*load_configuration(sources, diagnostics)));
        transaction_ = std::make_unique<ConfigTransaction>(host, std::move(opened), std::move(why));
        transaction_->begin(std::move(startup));
    }
    ConfigTransaction* operator->() { return transaction_.get(); }

    CommandOutput apply(const std::string& id, std::optional<uint32_t> confirm_s = std::nullopt) {
        ChangeRequest request;
        request.sources = configuration_named(id);
        request.who = "test";
        request.confirm_s = confirm_s;
        return transaction_->apply(std::move(request));
    }

  private:
    std::unique_ptr<ConfigTransaction> transaction_;
};

}  // namespace rampart::test
