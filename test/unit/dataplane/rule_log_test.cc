// What `log` statements leave for control: every packet is logged or counted as suppressed, on the
// walked path and on the cached one, and the record holds the packet as it was.
#include "dataplane/rule_log.h"

#include <cstring>

#include <catch2/catch.hpp>

#include "rules/log_statement.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

constexpr uint64_t kSecond_ns = 1'000'000'000;

struct LogBed {
    explicit LogBed(const std::string& rules)
        : pipeline(load(config_with("{ policy: drop, rules: [" + rules + "] }"))),
          log(std::move(*RuleLog::create(DpdkSession::get().unique_name("log"), -1))) {
        pipeline.log_to(log.get());
    }
    void send(const std::string& line, unsigned count = 1) {
        for (unsigned i = 0; i < count; ++i)
            pipeline.send({0, frame_of(line)});
    }
    std::vector<PacketLogRecord> records() {
        std::vector<PacketLogRecord> all(RuleLog::kSlots);
        all.resize(log->read(all.data(), RuleLog::kSlots));
        return all;
    }
    uint64_t count(const std::string& name) const { return pipeline.rule_packets().at(name); }

    Pipeline pipeline;
    std::unique_ptr<RuleLog> log;
};

constexpr const char* kUdp = "udp 10.0.0.2:4000 > 192.0.2.1:53 len 9";

}  // namespace

TEST_CASE("a rule logs its burst and then its rate, and counts the rest, first packet or not") {
    LogBed bed("{ id: r, log: { limit: 1/second burst 3 }, action: accept }");
    bed.send(kUdp, 10);
    CHECK(bed.records().size() == 3);
    CHECK(bed.count("r") == 10);
    CHECK(bed.count("r logged") == 3);
    CHECK(bed.count("r suppressed") == 7);
    bed.pipeline.advance(2 * kSecond_ns);
    bed.send(kUdp, 10);
    CHECK(bed.records().size() == 2);
    CHECK(bed.count("r logged") == 5);
    CHECK(bed.count("r suppressed") == 15);
}

TEST_CASE("a full log suppresses instead of waiting, and nothing is counted twice") {
    LogBed bed("{ id: r, log: { limit: none }, action: accept }");
    bed.send(kUdp, RuleLog::kSlots + 100);
    const size_t read = bed.records().size();
    CHECK(read == RuleLog::kSlots - 1);
    CHECK(bed.count("r logged") == read);
    CHECK(bed.count("r logged") + bed.count("r suppressed") == bed.count("r"));
}

TEST_CASE("action log goes on, and each rule of a path logs by itself") {
    LogBed bed(
        "{ id: a, proto: udp, action: log }, { id: b, set_mark: 7, log: \"b: \" }, "
        "{ id: c, log: true, action: drop }");
    bed.send(kUdp);
    const std::vector<PacketLogRecord> records = bed.records();
    REQUIRE(records.size() == 3);
    const Ruleset& ruleset = bed.pipeline.snapshot()->ruleset;
    CHECK(ruleset.rules[records[0].rule]->id == "a");
    CHECK(ruleset.rules[records[1].rule]->id == "b");
    CHECK(ruleset.rules[records[2].rule]->id == "c");
    // Statements run in the order of the registry: the log comes before the mark.
    CHECK(records[0].mark == 0);
    CHECK(records[1].mark == 0);
    CHECK(records[2].mark == 7);
    CHECK(log_statement_of(*ruleset.rules[records[1].rule])->prefix == "b: ");
}

TEST_CASE("a record holds the beginning of the frame, its ports and its state") {
    LogBed bed("{ id: r, log: true, action: accept }");
    const Bytes frame = frame_of("udp 10.0.0.2:4000 > 192.0.2.1:53 len 900 vlan 5");
    bed.pipeline.send({0, frame});
    const std::vector<PacketLogRecord> records = bed.records();
    REQUIRE(records.size() == 1);
    CHECK(records[0].in == 0);
    CHECK(records[0].out == 1);
    CHECK(records[0].vlan_tci == 5);
    CHECK(records[0].l3_offset == 18);
    CHECK(records[0].ct_class == CtClass::New);
    CHECK(records[0].generation == bed.pipeline.snapshot()->generation);
    CHECK(records[0].captured == PacketLogRecord::kFrameBytes);
    CHECK(std::memcmp(records[0].frame, frame.data(), records[0].captured) == 0);
}

TEST_CASE("raw logs as well, without a port to leave by") {
    Pipeline pipeline(load(
        config_with("{ policy: accept }", "  raw: [ { id: r, log: true, action: notrack } ]\n")));
    auto log = std::move(*RuleLog::create(DpdkSession::get().unique_name("log"), -1));
    pipeline.log_to(log.get());
    pipeline.send({0, frame_of(kUdp)});
    PacketLogRecord record;
    REQUIRE(log->read(&record, 1) == 1);
    CHECK(record.out == kNoInterface);
    CHECK(record.ct_class == CtClass::Untracked);
    CHECK(pipeline.rule_packets().at("r logged") == 1);
}

}  // namespace rampart::test
