// A flood of twice what the table holds: who was there stays, and who comes is still let in.
#include <random>

#include <catch2/catch.hpp>

#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

constexpr uint32_t kCapacity = 4096;

std::unique_ptr<Snapshot> snapshot(const std::string& conntrack) {
    return load(
        config_with("{ policy: drop, rules: [{ id: est, state: established, action: "
                    "accept }, { id: new, state: new, action: accept }] }",
                    "conntrack: { max: 4096" + conntrack + " }\n"));
}

struct Connection {
    std::string client;
    uint32_t sent = 1001, received = 5001;
};

constexpr const char* kServer = " 192.0.2.1:22 ";

bool passes(Pipeline& pipeline, InterfaceIndex port, const std::string& line) {
    return pipeline.send({port, frame_of(line)}).verdict == Verdict::Forward;
}

std::string from_client(const Connection& one, const std::string& rest) {
    return "tcp " + one.client + " >" + kServer + rest;
}
std::string from_server(const Connection& one, const std::string& rest) {
    return "tcp" + std::string(kServer) + "> " + one.client + " " + rest;
}

bool begin(Pipeline& pipeline, const Connection& one) {
    return passes(pipeline, 0, from_client(one, "S seq 1000")) &&
           passes(pipeline, 1, from_server(one, "SA seq 5000 ack 1001")) &&
           passes(pipeline, 0, from_client(one, ". seq 1001 ack 5001"));
}

bool exchange(Pipeline& pipeline, Connection& one) {
    const auto number = [](uint32_t value) { return std::to_string(value); };
    const bool asked = passes(pipeline, 0,
                              from_client(one, "P. seq " + number(one.sent) + " ack " +
                                                   number(one.received) + " len 100"));
    one.sent += 100;
    const bool answered = passes(pipeline, 1,
                                 from_server(one, "P. seq " + number(one.received) + " ack " +
                                                      number(one.sent) + " len 300"));
    one.received += 300;
    return asked && answered;
}

std::string flood_line(uint32_t i) {
    return "tcp 10." + std::to_string(100 + i / 65536) + "." + std::to_string(i / 256 % 256) + "." +
           std::to_string(i % 256) + ":" + std::to_string(1024 + i % 60000) +
           " > 192.0.2.1:80 S seq 1";
}

// Plays a flood of `floods` SYNs against a hundred connections; returns how many of their packets
// and of the connections begun meanwhile were refused.
struct Losses {
    uint32_t established = 0, opened = 0, admitted = 0;
};

Losses play_flood(Pipeline& pipeline, uint32_t floods) {
    std::vector<Connection> connections;
    for (uint32_t i = 0; i < 100; ++i)
        connections.push_back({"10.0.0.2:" + std::to_string(2000 + i)});
    Losses losses;
    for (const Connection& one : connections)
        REQUIRE(begin(pipeline, one));
    for (uint32_t i = 0; i < floods; ++i) {
        pipeline.send({0, frame_of(flood_line(i))});
        if (i % 4 == 0) losses.established += !exchange(pipeline, connections[i / 4 % 100]);
        if (i % 64 == 0) {
            const Connection fresh{"10.0.0.3:" + std::to_string(10000 + i / 64)};
            ++losses.opened;
            losses.admitted += begin(pipeline, fresh);
        }
    }
    return losses;
}

}  // namespace

TEST_CASE("a SYN flood of twice the table costs established connections nothing") {
    Pipeline pipeline(snapshot(""), {.capacity = kCapacity});
    const Losses losses = play_flood(pipeline, 2 * kCapacity);
    CHECK(losses.established == 0);
    CHECK(losses.admitted == losses.opened);
    CHECK(pipeline.table().count() == kCapacity);
    CHECK(pipeline.counters().early_drop.load() > kCapacity / 2);
    CHECK(pipeline.drops(DropReason::TableFull) == 0);
    CHECK(pipeline.is_conserved());
}

TEST_CASE("with on_full: drop a flood keeps new connections out, but nobody in") {
    Pipeline pipeline(snapshot(", on_full: drop"), {.capacity = kCapacity});
    const Losses losses = play_flood(pipeline, 2 * kCapacity);
    CHECK(losses.established == 0);
    CHECK(losses.admitted < losses.opened);
    CHECK(pipeline.counters().early_drop.load() == 0);
    CHECK(pipeline.drops(DropReason::TableFull) > kCapacity / 2);
    CHECK(pipeline.is_conserved());
}

TEST_CASE("after a flood the table is back to normal when its entries have timed out") {
    Pipeline pipeline(snapshot(", adaptive: { start: 60%, end: 120% }"), {.capacity = kCapacity});
    play_flood(pipeline, 2 * kCapacity);
    pipeline.advance(120'000'000'000);
    CHECK(pipeline.table().count() == 100 + 2 * kCapacity / 64);
}

}  // namespace rampart::test
