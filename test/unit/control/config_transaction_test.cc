// Changing the configuration: what runs, what a start begins with, and what is said about it.
#include <catch2/catch.hpp>

#include "transaction_bed.h"

using namespace rampart;
using namespace rampart::test;

namespace {

struct Box {
    TemporaryDirectory directory;
    FakeHost host;
    std::string state = directory / "state";

    Box() { host.file = configuration_named("first"); }
    // What a start begins with now.
    std::string after_restart() {
        Daemon daemon(host, state);
        return host.active;
    }
};

bool says(const std::string& text, const std::string& part) {
    INFO(text);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what was applied runs again after a restart") {
    Box box;
    {
        Daemon daemon(box.host, box.state);
        CHECK(box.host.active == "first");
        const CommandOutput output = daemon.apply("second");
        CHECK(output.exit == exit_code::kOk);
        CHECK(box.host.active == "second");
        CHECK(daemon->running_entry() == 2);
        CHECK(daemon->startup_entry() == 2);
    }
    CHECK(box.after_restart() == "second");
    CHECK(box.after_restart() == "second");
}

TEST_CASE("a file of --config that changed later comes before what was applied") {
    Box box;
    {
        Daemon daemon(box.host, box.state);
        daemon.apply("second");
    }
    box.host.file = configuration_named("edited");
    CHECK(box.after_restart() == "edited");
    // It is the startup configuration now, and what is applied after it counts again.
    {
        Daemon daemon(box.host, box.state);
        daemon.apply("third");
    }
    CHECK(box.after_restart() == "third");
}

TEST_CASE("a file that was edited and refused by a rollback does not come back with a restart") {
    Box box;
    {
        Daemon daemon(box.host, box.state);
        const std::string path = box.host.file->main.path;
        box.host.file = configuration_named("bad");
        box.host.file->main.path = path;
        CHECK(daemon.apply("bad", 60).exit == exit_code::kOk);
        box.host.pass(60'000);
        daemon->tick();
        CHECK(box.host.active == "first");
    }
    CHECK(box.after_restart() == "first");
}

TEST_CASE("a confirmation in time makes it permanent") {
    Box box;
    {
        Daemon daemon(box.host, box.state);
        const CommandOutput output = daemon.apply("second", 60);
        CHECK(says(output.out, "configuration 2 goes back to 1 in 1m unless"));
        REQUIRE(daemon->pending() != nullptr);
        CHECK(daemon->time_left_s() == 60);
        CHECK(daemon->startup_entry() == 1);
        box.host.pass(59'000);
        daemon->tick();
        CHECK(box.host.active == "second");
        CHECK(daemon->confirm("test").exit == exit_code::kOk);
        CHECK(daemon->store()->find(2)->outcome == "confirmed");
        box.host.pass(60'000);
        daemon->tick();
        CHECK(box.host.active == "second");
        CHECK(daemon->confirm("test").exit == exit_code::kFailure);
    }
    CHECK(box.after_restart() == "second");
}

TEST_CASE("without a confirmation it goes back at the deadline, not before") {
    Box box;
    Daemon daemon(box.host, box.state);
    daemon.apply("second", 60);
    box.host.pass(59'999);
    daemon->tick();
    CHECK(box.host.active == "second");
    box.host.pass(1);
    daemon->tick();
    CHECK(box.host.active == "first");
    CHECK(daemon->pending() == nullptr);
    CHECK(daemon->running_entry() == 1);
    CHECK(daemon->store()->find(2)->outcome == "rolled back: not confirmed in time");
}

TEST_CASE("a restart within the time goes on with the countdown") {
    Box box;
    {
        Daemon daemon(box.host, box.state);
        daemon.apply("second", 60);
        box.host.pass(20'000);
    }
    Daemon daemon(box.host, box.state);
    CHECK(box.host.active == "second");
    CHECK(daemon->time_left_s() == 40);
    SECTION("and goes back at the same moment") {
        box.host.pass(40'000);
        daemon->tick();
        CHECK(box.host.active == "first");
    }
    SECTION("and can be confirmed") {
        CHECK(daemon->confirm("test").exit == exit_code::kOk);
        CHECK(daemon->startup_entry() == 2);
    }
}

TEST_CASE("a restart after the time begins with what ran before") {
    Box box;
    {
        Daemon daemon(box.host, box.state);
        daemon.apply("second", 60);
    }
    SECTION("after the time") {
        box.host.pass(60'000);
    }
    SECTION("after a reboot, by the wall clock") {
        box.host.moment.wall_ms += 61'000;
        box.host.moment.boot_ms = 7'000;
        box.host.moment.boot_id = "second-boot";
    }
    SECTION("after a reboot with a clock that went back, at once") {
        box.host.moment.wall_ms = 0;
        box.host.moment.boot_ms = 7'000;
        box.host.moment.boot_id = "second-boot";
    }
    Daemon daemon(box.host, box.state);
    CHECK(box.host.active == "first");
    CHECK(daemon->pending() == nullptr);
    CHECK(daemon->store()->find(2)->outcome == "rolled back: not confirmed");
}

TEST_CASE("a wall clock that is set during the countdown changes nothing") {
    Box box;
    Daemon daemon(box.host, box.state);
    daemon.apply("second", 60);
    box.host.moment.wall_ms += 1'000'000'000;
    daemon->tick();
    CHECK(box.host.active == "second");
    box.host.moment.wall_ms -= 3'000'000'000;
    box.host.moment.boot_ms += 60'000;
    daemon->tick();
    CHECK(box.host.active == "first");
}

TEST_CASE("one confirmation at a time; rollback ends it") {
    Box box;
    Daemon daemon(box.host, box.state);
    daemon.apply("second", 60);
    const CommandOutput refused = daemon.apply("third");
    CHECK(refused.exit == exit_code::kFailure);
    CHECK(says(refused.err, "configuration 2 waits for confirmation, 1m left"));
    CHECK(box.host.active == "second");
    CHECK(daemon->roll_back(std::nullopt, {.who = "test"}).exit == exit_code::kOk);
    CHECK(box.host.active == "first");
    CHECK(daemon.apply("third").exit == exit_code::kOk);
    CHECK(box.host.active == "third");
}

TEST_CASE("rollback goes to what ran before, or to any of the history") {
    Box box;
    auto life = std::make_unique<Daemon>(box.host, box.state);
    Daemon& daemon = *life;
    CHECK(daemon->roll_back(std::nullopt, {}).exit == exit_code::kFailure);
    daemon.apply("second");
    daemon.apply("third");
    CHECK(daemon->roll_back(std::nullopt, {}).exit == exit_code::kOk);
    CHECK(box.host.active == "second");
    CHECK(daemon->roll_back(std::nullopt, {}).exit == exit_code::kOk);
    CHECK(box.host.active == "third");
    CHECK(daemon->roll_back(1, {}).exit == exit_code::kOk);
    CHECK(box.host.active == "first");
    CHECK(daemon->store()->history().back().how == "rollback to 1");
    const CommandOutput none = daemon->roll_back(77, {});
    CHECK(none.exit == exit_code::kFailure);
    CHECK(says(none.err, "there is no configuration 77"));
    CHECK(daemon->roll_back(2, {}).exit == exit_code::kOk);
    life.reset();
    CHECK(box.after_restart() == "second");
}

TEST_CASE("a temporary change runs until the restart") {
    Box box;
    {
        Daemon daemon(box.host, box.state);
        ChangeRequest request;
        request.sources = configuration_named("second");
        request.is_temporary = true;
        CHECK(daemon->apply(std::move(request)).exit == exit_code::kOk);
        CHECK(box.host.active == "second");
        CHECK(daemon->startup_entry() == 1);
        CHECK(daemon->running_entry() == 2);
    }
    CHECK(box.after_restart() == "first");
}

TEST_CASE("reload.confirm of the new configuration is the default of apply") {
    Box box;
    Daemon daemon(box.host, box.state);
    ChangeRequest request;
    request.sources = configuration_named("second", "reload: { confirm: 30s }\n");
    SECTION("taken when nothing else is said") {
        daemon->apply(std::move(request));
        CHECK(daemon->time_left_s() == 30);
    }
    SECTION("overruled by the option") {
        request.confirm_s = 0;
        daemon->apply(std::move(request));
        CHECK(daemon->pending() == nullptr);
        CHECK(daemon->startup_entry() == 2);
    }
}

TEST_CASE("a file with errors changes nothing, and the history does not know it") {
    Box box;
    Daemon daemon(box.host, box.state);
    ChangeRequest request;
    request.sources = {{"bad.yaml", "version: 1\nchains: {}\n"}, std::nullopt};
    const CommandOutput output = daemon->apply(std::move(request));
    CHECK(output.exit == exit_code::kConfiguration);
    CHECK(says(output.err, "configuration not changed"));
    CHECK(daemon->store()->history().size() == 1);
    CHECK(box.host.history.size() == 1);
}

TEST_CASE("workers that do not take it up in time: the former configuration is published again") {
    Box box;
    Daemon daemon(box.host, box.state);
    box.host.late_publications = 1;
    const CommandOutput output = daemon.apply("second");
    CHECK(output.exit == exit_code::kFailure);
    CHECK(says(output.err, "not every worker took it up in time"));
    CHECK(says(output.err, "the former configuration is active again"));
    CHECK(box.host.active == "first");
    CHECK(daemon->running_entry() == 1);
    CHECK(daemon->startup_entry() == 1);
    CHECK(daemon->store()->find(2)->outcome == "failed");
    box.host.late_publications = 1;
    CHECK(daemon.apply("third", 60).exit == exit_code::kFailure);
    CHECK(daemon->pending() == nullptr);
}

TEST_CASE("a going back that fails is tried again") {
    Box box;
    Daemon daemon(box.host, box.state);
    daemon.apply("second", 60);
    box.host.pass(60'000);
    box.host.loads_fail = true;
    daemon->tick();
    CHECK(box.host.active == "second");
    box.host.loads_fail = false;
    box.host.pass(1'000);
    daemon->tick();
    CHECK(box.host.active == "second");
    box.host.pass(5'000);
    daemon->tick();
    CHECK(box.host.active == "first");
}

TEST_CASE("without a state directory apply works, and says what does not") {
    Box box;
    box.state = "/proc/nothing/here";
    Daemon daemon(box.host, box.state);
    const CommandOutput output = daemon.apply("second");
    CHECK(output.exit == exit_code::kOk);
    CHECK(says(output.err, "not remembered over a restart"));
    CHECK(box.host.active == "second");
    const CommandOutput refused = daemon.apply("third", 60);
    CHECK(refused.exit == exit_code::kFailure);
    CHECK(says(refused.err, "configuration not changed"));
    CHECK(box.host.active == "second");
    CHECK(daemon->roll_back(std::nullopt, {}).exit == exit_code::kFailure);
}

TEST_CASE("the same configuration again is no new entry of the history") {
    Box box;
    Daemon daemon(box.host, box.state);
    for (int i = 0; i < 3; ++i)
        CHECK(daemon.apply("second").exit == exit_code::kOk);
    CHECK(daemon->store()->history().size() == 2);
    CHECK(box.host.history.size() == 4);
}
