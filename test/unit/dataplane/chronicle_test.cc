// What is told about flows while somebody listens: the events of netfilter, in its order.
#include "dataplane/chronicle.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "conntrack/trackers/tcp_states.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

std::string kind_of(const JournalRecord& record) {
    switch (record.kind) {
        case JournalKind::New:
            return "new";
        case JournalKind::Update:
            return record.state_changed ? "update state" : "update";
        case JournalKind::Destroy:
            return "destroy";
        case JournalKind::Invalid:
            break;
    }
    return "invalid";
}

// "new 0 120", "update state 2 60", ...: kind, number of the state, seconds left.
std::string text_of(const JournalRecord& record) {
    return fmt::format("{} {} {}", kind_of(record), record.state, record.timeout / kTicksPerSecond);
}

class Bed {
  public:
    explicit Bed(const std::string& more = "")
        : pipeline_(load(config_with("{ policy: accept }", more))),
          journal_(std::move(*Journal::create("test-journal", -1))) {
        pipeline_.tell(journal_.get());
    }

    void send(std::initializer_list<std::string> lines) {
        std::vector<Arrival> arrivals;
        for (const std::string& line : lines)
            arrivals.push_back({static_cast<InterfaceIndex>(pipeline_.port_of(line.substr(0, 3))),
                                frame_of(line.substr(4))});
        pipeline_.send(arrivals);
    }
    std::vector<JournalRecord> records() {
        std::vector<JournalRecord> records(Journal::kSlots);
        records.resize(journal_->read(records.data(), Journal::kSlots));
        return records;
    }
    std::vector<std::string> told() {
        std::vector<std::string> texts;
        for (const JournalRecord& record : records())
            texts.push_back(text_of(record));
        return texts;
    }
    Pipeline& pipeline() { return pipeline_; }
    Journal& journal() { return *journal_; }

  private:
    Pipeline pipeline_;
    std::unique_ptr<Journal> journal_;
};

using Texts = std::vector<std::string>;

const std::string kSyn = "lan tcp 10.0.0.2:4000 > 192.0.2.1:80 S seq 1000";
const std::string kSynAck = "wan tcp 192.0.2.1:80 > 10.0.0.2:4000 SA seq 5000 ack 1001";
const std::string kAck = "lan tcp 10.0.0.2:4000 > 192.0.2.1:80 . seq 1001 ack 5001";

}  // namespace

TEST_CASE("the life of a TCP connection is told state by state, data is not") {
    Bed bed;
    bed.send({kSyn});
    CHECK(bed.told() == Texts{"new 1 120"});
    bed.send({kSyn});  // a repetition
    CHECK(bed.told().empty());
    bed.send({kSynAck});
    CHECK(bed.told() == Texts{"update state 2 60"});
    bed.send({kAck});
    CHECK(bed.told() == Texts{"update state 3 432000"});
    bed.send({"lan tcp 10.0.0.2:4000 > 192.0.2.1:80 P. seq 1001 ack 5001 len 10",
              "wan tcp 192.0.2.1:80 > 10.0.0.2:4000 . seq 5001 ack 1011"});
    CHECK(bed.told().empty());
    bed.send({"lan tcp 10.0.0.2:4000 > 192.0.2.1:80 F. seq 1011 ack 5001",
              "wan tcp 192.0.2.1:80 > 10.0.0.2:4000 F. seq 5001 ack 1012",
              "lan tcp 10.0.0.2:4000 > 192.0.2.1:80 . seq 1012 ack 5002"});
    CHECK(bed.told() == Texts{"update state 4 120", "update state 6 30", "update state 7 120"});
    bed.pipeline().advance(121 * kSecond);
    CHECK(bed.told() == Texts{"destroy 7 0"});
}

TEST_CASE("UDP is told when it is answered, and when it becomes a stream") {
    Bed bed;
    const std::string question = "lan udp 10.0.0.2:4000 > 192.0.2.1:53 len 9";
    const std::string answer = "wan udp 192.0.2.1:53 > 10.0.0.2:4000 len 9";
    bed.send({question, answer, question, answer});
    CHECK(bed.told() == Texts{"new 0 30", "update 0 30"});
    bed.pipeline().advance(3 * kSecond);
    bed.send({question, answer, question});
    CHECK(bed.told() == Texts{"update 0 120"});
}

TEST_CASE("a refused connection ends unreplied, and its reset is counted but no further event") {
    Bed bed("conntrack: { accounting: true }\n");
    bed.send({kSyn, "wan tcp 192.0.2.1:80 > 10.0.0.2:4000 R. seq 0 ack 1001"});
    const auto records = bed.records();
    REQUIRE(records.size() == 2);
    CHECK(text_of(records[0]) == "new 1 120");
    CHECK(text_of(records[1]) == "destroy 8 120");
    CHECK((records[1].status & flow_status::kSeenReply) == 0);
    CHECK(records[1].packets[1] == 1);
    CHECK(records[1].bytes[1] == 40);
}

TEST_CASE("a connection that is opened anew ends before it begins") {
    Bed bed;
    bed.send({kSyn, kSynAck, kAck});
    bed.told();
    // The reset closes, the SYN finds the closed entry and opens another, all in one burst.
    bed.send({"lan tcp 10.0.0.2:4000 > 192.0.2.1:80 R. seq 1001 ack 5001",
              "lan tcp 10.0.0.2:4000 > 192.0.2.1:80 S seq 90000"});
    const Texts told = bed.told();
    REQUIRE(told.size() == 3);
    CHECK(told[0] == "update state 8 10");
    CHECK(told[1].starts_with("destroy 8"));
    CHECK(told[2] == "new 1 120");
}

TEST_CASE("the record of an end has the counters, and which flow it was") {
    Bed bed("conntrack: { accounting: true }\n");
    bed.send({"lan udp 10.0.0.2:4000 > 192.0.2.1:53 len 9"});
    const auto begin = bed.records();
    REQUIRE(begin.size() == 1);
    bed.pipeline().advance(31 * kSecond);
    const auto end = bed.records();
    REQUIRE(end.size() == 1);
    CHECK(end[0].kind == JournalKind::Destroy);
    CHECK(end[0].packets[0] == 1);
    CHECK(end[0].bytes[0] == 37);
    CHECK(end[0].serial == begin[0].serial);
    CHECK(end[0].index == begin[0].index);
    CHECK(end[0].tuple == begin[0].tuple);
    CHECK(end[0].wall_ns - end[0].start_ns == 31 * kSecond);
}

TEST_CASE("without a listener nothing is written") {
    Bed bed;
    bed.pipeline().tell(nullptr);
    bed.send({kSyn, kSynAck, kAck});
    CHECK(bed.told().empty());
    CHECK(bed.journal().lost() == 0);
}

TEST_CASE("a full journal loses records and counts them") {
    Bed bed;
    const JournalRecord record;
    for (unsigned i = 0; i < Journal::kSlots + 9; ++i)
        bed.journal().write(record);
    CHECK(bed.journal().lost() == 10);  // a ring holds one less than its slots
    CHECK(bed.records().size() == Journal::kSlots - 1);
}

TEST_CASE("INVALID packets are told within their rate, and how many were not") {
    Bed bed("logging: { invalid: 2/second }\n");
    const std::string stray = "lan tcp 10.0.0.2:4000 > 192.0.2.1:80 SA seq 1 ack 2";
    bed.send({stray, stray, stray, stray, stray});
    auto records = bed.records();
    REQUIRE(records.size() == 2);
    CHECK(records[0].kind == JournalKind::Invalid);
    CHECK(records[0].reason == InvalidReason::TcpNoConnection);
    CHECK(records[0].bytes[0] == 40);
    CHECK(records[0].tuple.src_port.host() == 4000);
    CHECK(records[0].packets[0] == 0);
    bed.pipeline().advance(kSecond);
    bed.send({stray});
    records = bed.records();
    REQUIRE(records.size() == 1);
    CHECK(records[0].packets[0] == 3);
}

TEST_CASE("INVALID packets are not told unless the configuration says so") {
    Bed bed;
    bed.send({"lan tcp 10.0.0.2:4000 > 192.0.2.1:80 SA seq 1 ack 2"});
    CHECK(bed.told().empty());
}

}  // namespace rampart::test
