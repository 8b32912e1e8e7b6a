// Datagrams that are put together at once, because their fragments come in order and one after the
// other: nobody can tell the difference.
#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "support/fragment_frame.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

constexpr const char* kRules =
    "{ policy: drop, rules: [{ id: inv, state: invalid, action: drop }, "
    "{ id: web, proto: tcp, dport: [80, 443], action: accept }, "
    "{ id: dns, proto: udp, dport: 53, action: accept }] }";

Arrival arrival_of(const std::string& line) {
    return {0, frame_of(line)};
}

template <typename Words>
auto any_of(std::mt19937_64& random, const Words& words) {
    return words[random() % std::size(words)];
}

// The fragments of one datagram, most often two in order and with nothing unusual about them.
std::vector<Arrival> random_datagram(std::mt19937_64& random, unsigned id) {
    const bool is_ipv6 = random() % 8 == 0;
    const std::string from =
        is_ipv6 ? "[2001:db8:1::2]:4000 > [2001:db8:2::1]:" : "10.0.0.2:4000 > 192.0.2.1:";
    constexpr const char* kUsually[] = {"", "", "", "", "", ""};
    const auto rarely = [&](const char* word) {
        return random() % 8 == 0 ? word : any_of(random, kUsually);
    };
    constexpr const char* kKinds[] = {"udp ", "udp ", "udp ", "tcp "};
    const std::string kind = any_of(random, kKinds);
    constexpr const char* kPorts[] = {"53", "53", "53", "99", "80"};
    const unsigned length = 24 + static_cast<unsigned>(random() % 200);
    std::string line = kind + from + any_of(random, kPorts) + (kind == "tcp " ? " S" : "") +
                       " len " + std::to_string(length) + rarely(" bad-checksum") +
                       rarely(" vlan 5") + rarely(" df");
    if (!is_ipv6) line += rarely(" ip-options 01010100");
    const unsigned total = length + (kind == "tcp " ? 20u : 8u);
    std::vector<Arrival> arrivals;
    for (unsigned offset = 0; offset < total;) {
        unsigned size = 8 * (1 + static_cast<unsigned>(random() % 12));
        if (random() % 2 || offset + size >= total) size = offset == 0 ? total / 16 * 8 : total;
        size = std::min(size, total - offset);
        constexpr const char* kCongestion[] = {"", "", "", " tos 1", " tos 3"};
        const std::string tos = is_ipv6 ? "" : any_of(random, kCongestion);
        arrivals.push_back(arrival_of(line + tos + " piece " + std::to_string(offset) + "+" +
                                      std::to_string(size) + " id " + std::to_string(id)));
        if (random() % 4 == 0) arrivals.back().frame.resize(arrivals.back().frame.size() + 6);
        if (random() % 16 == 0) arrivals.back().cuts = {40};
        offset += size;
    }
    const unsigned disorder = random() % 8;
    if (disorder == 0) std::shuffle(arrivals.begin(), arrivals.end(), random);
    if (disorder == 1) arrivals.insert(arrivals.begin(), arrivals.front());
    if (disorder == 2) arrivals.push_back(arrivals.front());
    if (disorder == 3) arrivals.pop_back();
    return arrivals;
}

std::vector<Arrival> random_burst(std::mt19937_64& random, unsigned& id) {
    std::vector<Arrival> burst;
    while (random() % 16 != 0) {
        // Some have the identification of another one.
        std::vector<Arrival> more = random_datagram(random, random() % 8 == 0 ? id : ++id);
        if (random() % 4 == 0) more.push_back(arrival_of("udp 10.0.0.3:7 > 192.0.2.1:53 len 9"));
        if (random() % 8 == 0) more.push_back(arrival_of("arp"));
        if (burst.size() + more.size() > kBurstSize) break;
        const size_t at =
            random() % 4 == 0 && !burst.empty() ? random() % burst.size() : burst.size();
        burst.insert(burst.begin() + static_cast<long>(at), more.begin(), more.end());
    }
    return burst;
}

void check_equal_counters(const Pipeline& a, const Pipeline& b) {
    CHECK(a.counters().merged.load() == b.counters().merged.load());
    CHECK(a.counters().datagrams.load() == b.counters().datagrams.load());
    CHECK(a.counters().forwarded.load() == b.counters().forwarded.load());
    for (size_t reason = 0; reason < kDropReasonCount; ++reason) {
        INFO(to_string(static_cast<DropReason>(reason)));
        CHECK(a.counters().drops[reason].load() == b.counters().drops[reason].load());
    }
    CHECK(a.reassembly().held() == b.reassembly().held());
    CHECK(a.reassembly().held_mbufs() == b.reassembly().held_mbufs());
}

void compare(Pipeline::Options options, unsigned seed) {
    // Each fragment alone, then none is beside another; and all of them together.
    Pipeline alone(load(config_with(kRules)), options);
    Pipeline together(load(config_with(kRules)), options);
    std::mt19937_64 random(seed);
    unsigned id = 0;
    for (unsigned round = 0; round < 4000; ++round) {
        const std::vector<Arrival> burst = random_burst(random, id);
        std::vector<Outcome> expected;
        for (const Arrival& arrival : burst)
            expected.push_back(alone.send(arrival));
        const std::vector<Outcome> outcomes = together.send(burst);
        INFO("round " << round);
        for (size_t i = 0; i < burst.size(); ++i) {
            INFO("packet " << i << " of " << burst.size());
            REQUIRE(outcomes[i].to_text() == expected[i].to_text());
            REQUIRE(outcomes[i] == expected[i]);
        }
        if (random() % 32 == 0)
            for (Pipeline* pipeline : {&alone, &together})
                pipeline->advance(31'000'000'000);
        if (round % 100 == 0) check_equal_counters(alone, together);
    }
    for (Pipeline* pipeline : {&alone, &together})
        pipeline->advance(61'000'000'000);  // what is held of IPv6 is gone, too
    check_equal_counters(alone, together);
    CHECK(alone.is_conserved());
    CHECK(together.is_conserved());
    CHECK(together.counters().datagrams.load() > 5000);
}

}  // namespace

TEST_CASE("datagrams of a burst become of it what becomes of their fragments one by one") {
    compare({}, 31);
}

TEST_CASE("the same where there is hardly room") {
    compare({.reassembly = {.datagrams = 4, .fragments = 7}}, 32);
    compare({.reassembly = {.datagrams = 2, .fragments = 3}}, 33);
}

TEST_CASE("a datagram in order is whole at once and takes no room") {
    Pipeline pipeline(load(config_with(kRules)));
    const std::string line = "udp 10.0.0.2:4000 > 192.0.2.1:53 len 1192 tos 1 df piece ";
    const std::vector<Arrival> burst = {arrival_of(line + "0+400 id 1"),
                                        arrival_of(line + "400+408 id 1"),
                                        arrival_of(line + "808+392 id 1")};
    const std::vector<Outcome> outcomes = pipeline.send(burst);
    CHECK(outcomes[0].verdict == Verdict::Held);
    CHECK(outcomes[1].verdict == Verdict::Held);
    REQUIRE(outcomes[2].verdict == Verdict::Forward);
    REQUIRE(outcomes[2].fragments.size() == 3);
    for (size_t i = 0; i < burst.size(); ++i)
        CHECK(outcomes[2].fragments[i] == burst[i].frame);
    CHECK(pipeline.reassembly().held() == 0);
    CHECK(pipeline.counters().merged.load() == 2);
    CHECK(pipeline.counters().datagrams.load() == 1);
    CHECK(pipeline.is_conserved());
}

}  // namespace rampart::test
