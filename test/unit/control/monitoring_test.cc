// Metrics and the page's document as functions of a sample; the desk between threads; hosts.
#include <atomic>
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>

#include "control/json.h"
#include "control/monitoring/http_server.h"
#include "control/monitoring/metric_families.h"
#include "control/monitoring/sample_desk.h"
#include "control/monitoring/status_document.h"
#include "control/monitoring/status_page.h"

using namespace rampart;

namespace {

MonitoringSample sample_with_rule(const std::string& id) {
    MonitoringSample sample;
    auto catalogue = std::make_shared<RuleCatalogue>();
    catalogue->chains = {"forward"};
    catalogue->rules = {{0, id, 0, 0}};
    sample.rules = catalogue;
    sample.rule_counts = {{9007199254740991, 70, 0}};
    sample.rule_hits_s = {1795000000};
    sample.ports.push_back({.name = "lan", .queues = {{300, 30.0}, {100, 10.0}}});
    sample.ports[0].received_per_s = 40;
    sample.busy_rules.push_back({.chain = "forward",
                                 .id = id,
                                 .comment = "a\xff"
                                            "b"});
    sample.workers.resize(1);
    return sample;
}

bool has_line(const std::string& text, const std::string& wanted) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line == wanted) return true;
    return false;
}

}  // namespace

TEST_CASE("counters are exact as far as Prometheus's numbers go, and labels are escaped") {
    const std::string text = metrics_text(sample_with_rule("a\"b\\c\nd"));
    CHECK(has_line(text,
                   "rampart_rule_packets_total{chain=\"forward\",rule=\"a\\\"b\\\\c\\nd\"} "
                   "9007199254740991"));
    CHECK(has_line(text, "# TYPE rampart_rule_packets_total counter"));
    CHECK(has_line(text, "rampart_queue_imbalance_ratio{port=\"lan\",queue=\"0\"} 1.5"));
    CHECK(has_line(text, "rampart_queue_imbalance_ratio{port=\"lan\",queue=\"1\"} 0.5"));
}

TEST_CASE("every drop reason and every reason for INVALID is there, zeros included") {
    MonitoringSample sample;
    sample.totals.drops[static_cast<size_t>(DropReason::Policy)] = 3;
    const std::string text = metrics_text(sample);
    for (const DropReasonInfo& reason : kDropReasons)
        CHECK_THAT(text, Catch::Contains("rampart_drops_total{reason=\"" +
                                         std::string(reason.name) + "\"} "));
    CHECK(has_line(text, "rampart_drops_total{reason=\"policy\"} 3"));
}

TEST_CASE("each family has one name, a help and a type that fits its name") {
    std::vector<std::string> names;
    MonitoringSample sample = sample_with_rule("r");
    sample.flows_by_state = std::make_shared<FlowCounting>();
    for (const prometheus::MetricFamily& family : metric_families(sample)) {
        CAPTURE(family.name);
        CHECK(std::find(names.begin(), names.end(), family.name) == names.end());
        names.push_back(family.name);
        CHECK(family.help.ends_with('.'));
        CHECK((family.type == prometheus::MetricType::Counter) == family.name.ends_with("_total"));
    }
}

TEST_CASE("without rule metrics nothing is told of rules") {
    MonitoringSample sample = sample_with_rule("r");
    sample.rules = nullptr;
    CHECK_THAT(metrics_text(sample), !Catch::Contains("rampart_rule_"));
}

TEST_CASE("protocols and states are counted by distinct names") {
    for (size_t tracker = 0; tracker < kTrackerCount; ++tracker) {
        CHECK_FALSE(counted_protocol(tracker).empty());
        CHECK_FALSE(counted_state(tracker, 0).empty());
        CHECK(counted_state(tracker, FlowCounting::kStates).empty());
        for (size_t state = 0; state < FlowCounting::kStates; ++state)
            for (size_t other = 0; other < state; ++other)
                if (!counted_state(tracker, state).empty())
                    CHECK(counted_state(tracker, state) != counted_state(tracker, other));
    }
    CHECK(counted_protocol(tracker_number(6)) == "tcp");
    CHECK(counted_protocol(tracker_number(58)) == "icmpv6");
    CHECK(counted_protocol(tracker_number(253)) == "other");
}

TEST_CASE("the page's document is valid JSON whatever a comment holds") {
    const Json document = Json::parse(status_document(sample_with_rule("<script>")));
    CHECK(document["rules"]["busiest"][0]["id"] == "<script>");
    CHECK(document["rules"]["busiest"][0]["comment"] ==
          "a\xef\xbf\xbd"
          "b");
}

TEST_CASE("the page is complete and asks for nothing that it has not") {
    std::string all;
    for (const PageFile& file : status_page_files()) {
        CHECK_FALSE(file.text.empty());
        all += file.path;
        all += ' ';
        CHECK(file.text.find("innerHTML") == std::string_view::npos);
        CHECK(file.text.find("https://") == std::string_view::npos);
    }
    CHECK(all == "/ /status.css /status.js /icon.svg ");
}

TEST_CASE("only loopback addresses and localhost are local") {
    for (const char* host :
         {"localhost", "localhost:80", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:9482"})
        CHECK(is_local_host(host));
    for (const char* host : {"", "localhost.evil.example", "evil.example", "127.0.0.1.evil.example",
                             "128.0.0.1", "[::1", "[::2]:9482", "[127.0.0.1", "0.0.0.0", "::1"})
        CHECK_FALSE(is_local_host(host));
}

namespace {

// Control's loop on a thread of its own.
class DeskBed {
  public:
    DeskBed() {
        loop = std::move(*EventLoop::create());
        desk = std::move(*SampleDesk::open(*loop, [this]() -> SampleDesk::Sample {
            ++taken;
            auto sample = std::make_shared<MonitoringSample>();
            sample->generation = static_cast<uint32_t>(taken.load());
            return sample;
        }));
    }
    void run() {
        stopper = loop->every(5'000, [this] {
            if (is_over) loop->stop();
        });
        thread = std::thread([this] { loop->run(); });
    }
    ~DeskBed() {
        is_over = true;
        if (thread.joinable()) thread.join();
    }

    std::unique_ptr<EventLoop> loop;
    std::unique_ptr<SampleDesk> desk;
    std::atomic<int> taken{0};
    std::atomic<bool> is_over{false};
    EventLoop::Source stopper;
    std::thread thread;
};

}  // namespace

TEST_CASE("whoever asks gets a sample that is not older than his question") {
    DeskBed bed;
    bed.run();
    const auto first = bed.desk->ask(std::chrono::seconds(20));
    REQUIRE(first != nullptr);
    CHECK(first->generation == 1);
    CHECK(bed.desk->ask(std::chrono::seconds(20))->generation == 2);
}

TEST_CASE("many who ask at once share samples") {
    DeskBed bed;
    bed.run();
    std::vector<std::thread> threads;
    std::atomic<int> served{0};
    for (int i = 0; i < 16; ++i)
        threads.emplace_back([&] {
            for (int turn = 0; turn < 20; ++turn)
                served += bed.desk->ask(std::chrono::seconds(20)) != nullptr;
        });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(served == 320);
    CHECK(bed.taken < 320);
}

TEST_CASE("nobody waits for a control thread that does not come, or a desk that closes") {
    DeskBed bed;  // whose loop does not run
    CHECK(bed.desk->ask(std::chrono::milliseconds(1)) == nullptr);
    std::atomic<bool> is_back{false};
    std::thread waiting([&] {
        CHECK(bed.desk->ask(std::chrono::hours(1)) == nullptr);
        is_back = true;
    });
    bed.desk->close();
    waiting.join();
    CHECK(is_back);
    CHECK(bed.desk->ask(std::chrono::hours(1)) == nullptr);
    CHECK(bed.taken == 0);
}
