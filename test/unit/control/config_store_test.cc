// The store on the disk: whole at any moment, bounded, and honest about what it cannot read.
#include <fstream>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "transaction_bed.h"

using namespace rampart;
using namespace rampart::test;

namespace {

constexpr int kCompleted = 77, kKilled = 78;

// Runs `act` in a process of its own that ends, without any farewell, at the `step`-th call that
// changes the disk. False: it came to its end before.
template <typename Act>
bool dies_at(unsigned step, Act act) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        unsigned calls = 0;
        act([&](std::string_view) {
            if (calls++ == step) _exit(kKilled);
            return 0;
        });
        _exit(kCompleted);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    REQUIRE((WEXITSTATUS(status) == kCompleted || WEXITSTATUS(status) == kKilled));
    return WEXITSTATUS(status) == kKilled;
}

std::string started_with(FakeHost host, const std::string& state) {
    Daemon daemon(host, state);
    return host.active;
}

}  // namespace

TEST_CASE("a daemon that dies at any step of an apply starts with the old or the new rules") {
    unsigned step = 0;
    unsigned olds = 0, news = 0;
    for (bool died = true; died; ++step) {
        TemporaryDirectory directory;
        const std::string state = directory / "state";
        FakeHost host;
        host.file = configuration_named("old");
        started_with(host, state);
        died = dies_at(step, [&](DurableDirectory::Probe probe) {
            FakeHost dying = host;
            Daemon daemon(dying, state, std::move(probe));
            if (daemon.apply("new").exit != exit_code::kOk) _exit(1);
        });
        const std::string after = started_with(host, state);
        INFO("step " << step);
        REQUIRE((after == "old" || after == "new"));
        if (!died) REQUIRE(after == "new");
        (after == "old" ? olds : news) += 1;
        // And the store still works.
        {
            Daemon daemon(host, state);
            REQUIRE(daemon.apply("next").exit == exit_code::kOk);
        }
        REQUIRE(started_with(host, state) == "next");
    }
    CHECK(step > 15);
    CHECK(olds > 5);
    CHECK(news > 1);
}

TEST_CASE("a daemon that dies at any step of a confirmed apply keeps to the deadline") {
    unsigned step = 0;
    for (bool died = true; died; ++step) {
        TemporaryDirectory directory;
        const std::string state = directory / "state";
        FakeHost host;
        host.file = configuration_named("old");
        started_with(host, state);
        died = dies_at(step, [&](DurableDirectory::Probe probe) {
            FakeHost dying = host;
            Daemon daemon(dying, state, std::move(probe));
            if (daemon.apply("new", 60).exit != exit_code::kOk) _exit(1);
            if (daemon->confirm("test").exit != exit_code::kOk) _exit(1);
        });
        INFO("step " << step);
        const std::string within = started_with(host, state);
        REQUIRE((within == "old" || within == "new"));
        FakeHost later = host;
        later.pass(61'000);
        const std::string after = started_with(later, state);
        REQUIRE((after == "old" || after == "new"));
        // What was not confirmed does not stay; what was not there within the time does not come.
        if (within == "old") REQUIRE(after == "old");
        if (!died) REQUIRE(after == "new");
    }
    CHECK(step > 20);
}

TEST_CASE("a daemon that dies at any step of a rollback starts with the old or the new rules") {
    unsigned step = 0;
    for (bool died = true; died; ++step) {
        TemporaryDirectory directory;
        const std::string state = directory / "state";
        FakeHost host;
        host.file = configuration_named("first");
        {
            Daemon daemon(host, state);
            daemon.apply("second");
        }
        died = dies_at(step, [&](DurableDirectory::Probe probe) {
            FakeHost dying = host;
            Daemon daemon(dying, state, std::move(probe));
            if (daemon->roll_back(std::nullopt, {}).exit != exit_code::kOk) _exit(1);
        });
        INFO("step " << step);
        const std::string after = started_with(host, state);
        REQUIRE((after == "first" || after == "second"));
        if (!died) REQUIRE(after == "first");
    }
    CHECK(step > 15);
}

TEST_CASE("a disk that fails at any step leaves the running configuration, and says why") {
    for (const int problem : {ENOSPC, EIO, EROFS}) {
        unsigned step = 0;
        unsigned failures = 0;
        for (bool was_reached = true; was_reached; ++step) {
            TemporaryDirectory directory;
            const std::string state = directory / "state";
            FakeHost host;
            host.file = configuration_named("old");
            started_with(host, state);
            unsigned calls = 0;
            bool is_armed = false;
            was_reached = false;
            Daemon daemon(host, state, [&](std::string_view) {
                if (!is_armed || calls++ != step) return 0;
                was_reached = true;
                return problem;
            });
            is_armed = true;
            const CommandOutput output = daemon.apply("new");
            is_armed = false;
            INFO("step " << step << ": " << output.err);
            if (output.exit == exit_code::kOk) {
                // What failed was a remark in the history, or nothing.
                REQUIRE(host.active == "new");
                REQUIRE(daemon->startup_entry() == 2);
            } else {
                ++failures;
                REQUIRE(host.active == "old");
                REQUIRE(output.err.find(std::strerror(problem)) != std::string::npos);
                REQUIRE(daemon->startup_entry() == 1);
            }
            const std::string wanted = host.active;
            REQUIRE(daemon->running().main.path == wanted + ".yaml");
            // A disk that works again.
            REQUIRE(daemon.apply("next").exit == exit_code::kOk);
        }
        CHECK(failures > 10);
    }
}

TEST_CASE("the history is bounded, and keeps what is in use") {
    TemporaryDirectory directory;
    FakeHost host;
    host.file = configuration_named("first");
    Daemon daemon(host, directory / "state");
    for (size_t i = 0; i < ConfigStore::kMaxEntries + 20; ++i) {
        ChangeRequest request;
        request.sources = configuration_named("rule" + std::to_string(i));
        request.is_temporary = i != 0;
        REQUIRE(daemon->apply(std::move(request)).exit == exit_code::kOk);
    }
    const ConfigStore& store = *daemon->store();
    CHECK(store.history().size() == ConfigStore::kMaxEntries);
    CHECK(store.find(1) != nullptr);  // before the startup configuration
    CHECK(store.find(2) != nullptr);  // the startup configuration
    CHECK(store.find(3) == nullptr);
    CHECK(store.sources(2)->main.path == "rule0.yaml");
    size_t files = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(directory / "state/history"))
        ++files;
    CHECK(files == 2 * ConfigStore::kMaxEntries);
}

TEST_CASE("a configuration comes back with all the files that it includes") {
    TemporaryDirectory directory;
    auto store = ConfigStore::open(directory / "state");
    REQUIRE(store);
    const SourceTexts sources{{"main.yaml", "version: 1\n"},
                              std::vector<SourceText>{{"a.yaml", "a\n"}, {"b.yaml", ""}}};
    const auto number = (*store)->add({.how = "apply"}, sources);
    REQUIRE(number);
    store->reset();
    store = ConfigStore::open(directory / "state");
    const auto read = (*store)->sources(*number);
    REQUIRE(read);
    CHECK(read->main.text == "version: 1\n");
    REQUIRE(read->included);
    CHECK(read->included->size() == 2);
    CHECK((*read->included)[0].path == "a.yaml");
    CHECK((*read->included)[1].text.empty());
    CHECK(hash_of(*read) == hash_of(sources));
}

TEST_CASE("a stored text that somebody changed is not used") {
    TemporaryDirectory directory;
    FakeHost host;
    host.file = configuration_named("first");
    {
        Daemon daemon(host, directory / "state");
        daemon.apply("second");
    }
    std::ofstream(directory / "state/history/2.1.yaml") << configuration_named("evil").main.text;
    CHECK(started_with(host, directory / "state") == "first");
}

TEST_CASE("a state that cannot be read counts as none") {
    TemporaryDirectory directory;
    FakeHost host;
    host.file = configuration_named("first");
    {
        Daemon daemon(host, directory / "state");
        daemon.apply("second");
    }
    for (const char* text : {"", "{", "[1]", R"({"startup":"x"})", R"({"startup":-5})"}) {
        std::ofstream(directory / "state/state.json") << text;
        INFO(text);
        CHECK(started_with(host, directory / "state") == "first");
    }
}

TEST_CASE("a store has one user at a time") {
    TemporaryDirectory directory;
    const auto first = ConfigStore::open(directory / "state");
    REQUIRE(first);
    const auto second = ConfigStore::open(directory / "state");
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find("another daemon is using it") != std::string::npos);
}

TEST_CASE("the store is readable by its owner and group only") {
    TemporaryDirectory directory;
    REQUIRE(ConfigStore::open(directory / "state"));
    const auto mode = std::filesystem::status(directory / "state").permissions();
    CHECK((mode & std::filesystem::perms::others_all) == std::filesystem::perms::none);
}
