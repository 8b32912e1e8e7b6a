// Fragments: whatever way a packet is cut, it gets the verdict of the whole, and leaves as the same
// bytes; whatever is thrown at the reassembly, it stays within its bounds.
#include <algorithm>
#include <random>

#include <catch2/catch.hpp>
#include <rte_mbuf.h>

#include "dataplane/datagram_mark.h"
#include "dataplane/fragmentation.h"
#include "packet/parser.h"
#include "support/fragment_frame.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

constexpr const char* kRules =
    "{ policy: drop, rules: [{ id: inv, state: invalid, action: drop }, "
    "{ id: web, proto: tcp, dport: [80, 443], action: accept }, "
    "{ id: dns, proto: udp, dport: 53, action: accept }, "
    "{ id: ping, proto: [icmp, icmpv6], action: accept }] }";

// Cuts a frame's datagram into pieces of random sizes.
std::vector<PieceSpec> random_pieces(std::mt19937_64& random, uint32_t total, uint32_t id) {
    std::vector<PieceSpec> pieces;
    for (uint32_t offset = 0; offset < total;) {
        const uint32_t left = total - offset;
        uint32_t length = 8 * (1 + static_cast<uint32_t>(random() % 60));
        if (pieces.size() == 50 || length >= left) length = left;
        pieces.push_back({.offset = offset, .length = length, .id = id});
        offset += length;
    }
    return pieces;
}

std::string random_line(std::mt19937_64& random, bool is_ipv6) {
    const std::string a = is_ipv6 ? "[2001:db8:1::2]:" : "10.0.0.2:";
    const std::string b = is_ipv6 ? "[2001:db8:2::1]:" : "192.0.2.1:";
    const std::string ports[] = {"80", "443", "22", "53", "99"};
    const std::string from = a + std::to_string(1000 + random() % 60000);
    const std::string to = b + ports[random() % 5];
    const std::string length = " len " + std::to_string(random() % 1700);
    const std::string broken = random() % 5 == 0 ? " bad-checksum" : "";
    if (random() % 2) return "udp " + from + " > " + to + length + broken;
    const std::string flags[] = {" S", " SF", " .", " P.", " R."};
    return "tcp " + from + " > " + to + flags[random() % 5] + " opt mss,sackok,wscale=7" + length +
           broken;
}

// In IPv6 the first fragment must hold the header chain; whatever else is cut is equal.
bool is_first_too_short(const std::vector<PieceSpec>& pieces, bool is_ipv6) {
    return is_ipv6 && pieces.size() > 1 && pieces[0].length < 20;
}

}  // namespace

TEST_CASE("ten thousand random fragmentations are judged like the whole and leave unchanged") {
    std::mt19937_64 random(21);
    for (unsigned round = 0; round < 10000; ++round) {
        const bool is_ipv6 = random() % 2;
        const Bytes whole = frame_of(random_line(random, is_ipv6));
        const Bytes payload = payload_of(whole);
        std::vector<PieceSpec> pieces =
            random_pieces(random, static_cast<uint32_t>(payload.size()), round);
        if (pieces.size() < 2 || is_first_too_short(pieces, is_ipv6)) continue;
        static Pipeline as_whole(load(config_with(kRules)));
        static Pipeline in_pieces(load(config_with(kRules)));
        const Outcome expected = as_whole.send({0, whole});
        std::shuffle(pieces.begin(), pieces.end(), random);
        if (random() % 4 == 0) pieces.insert(pieces.begin(), pieces.front());
        Outcome last;
        unsigned whole_ones = 0, largest = 0;
        for (const PieceSpec& piece : pieces) {
            Arrival arrival{0, fragment_frame(whole, piece)};
            if (random() % 8 == 0)
                arrival.cuts = {static_cast<uint32_t>(random() % arrival.frame.size())};
            largest = std::max(largest, ip_length_of(arrival.frame));
            const Outcome outcome = in_pieces.send(arrival);
            if (outcome.verdict == Verdict::Held ||
                (outcome.verdict == Verdict::Drop &&
                 outcome.reason == DropReason::FragmentDuplicate))
                continue;
            last = outcome;
            ++whole_ones;
        }
        INFO("round " << round);
        REQUIRE(whole_ones == 1);
        REQUIRE(last.to_text() == expected.to_text());
        if (last.verdict == Verdict::Forward) {
            REQUIRE(joined_payload(last.fragments) == payload);
            for (const Bytes& fragment : last.fragments)
                REQUIRE(ip_length_of(fragment) <= largest);
        }
        if (round % 500 == 0) {
            REQUIRE(in_pieces.is_conserved());
            as_whole.advance(1'000'000'000'000);
            in_pieces.advance(1'000'000'000'000);
        }
    }
}

TEST_CASE("overlapping fragments never let a byte through that the rules did not see") {
    std::mt19937_64 random(22);
    Pipeline pipeline(load(config_with(kRules)));
    for (unsigned round = 0; round < 20000; ++round) {
        const bool is_ipv6 = random() % 2;
        const Bytes whole = frame_of(random_line(random, is_ipv6));
        const Bytes payload = payload_of(whole);
        std::vector<PieceSpec> pieces =
            random_pieces(random, static_cast<uint32_t>(payload.size()), round);
        // One more piece, over two others, with other bytes.
        PieceSpec lie;
        lie.offset = static_cast<uint32_t>(random() % (payload.size() / 8 + 1)) * 8;
        lie.length = 8 * (1 + static_cast<uint32_t>(random() % 20));
        lie.id = round;
        lie.more = true;
        lie.fill = static_cast<uint8_t>(random());
        pieces.push_back(lie);
        std::shuffle(pieces.begin(), pieces.end(), random);
        for (const PieceSpec& piece : pieces) {
            const Outcome outcome = pipeline.send({0, fragment_frame(whole, piece)});
            if (outcome.verdict != Verdict::Forward || outcome.fragments.empty()) continue;
            REQUIRE(joined_payload(outcome.fragments) == payload_of(outcome.frame));
        }
        if (round % 500 == 0) {
            pipeline.advance(1'000'000'000'000);
            REQUIRE(pipeline.reassembly().held() == 0);
            REQUIRE(pipeline.is_conserved());
        }
    }
}

TEST_CASE("a flood of datagrams that never complete stays within its memory, others get through") {
    constexpr uint32_t kFragments = 512;
    Pipeline pipeline(load(config_with(kRules)),
                      {.reassembly = {.datagrams = 256, .fragments = kFragments}});
    unsigned honest = 0;
    for (uint32_t i = 0; i < 100'000; ++i) {
        const std::string source =
            std::to_string(1 + i % 223) + "." + std::to_string(i / 223 % 256);
        const std::string line = "udp " + (source.starts_with("127.") ? "10.1" : source) +
                                 ".0.9:7 > 192.0.2.1:53 len 2000 piece ";
        const std::string id = " id " + std::to_string(i % 65536);
        pipeline.send({1, frame_of(line + "0+800" + id)});
        pipeline.send({1, frame_of(line + "1600+408" + id)});
        REQUIRE(pipeline.reassembly().held() <= kFragments);
        if (i % 100 != 0) continue;
        const std::string mine = "udp 10.0.0.2:4000 > 192.0.2.1:53 len 1192 piece ";
        pipeline.send({0, frame_of(mine + "0+600" + id)});
        honest += pipeline.send({0, frame_of(mine + "600+600" + id)}).verdict == Verdict::Forward;
    }
    CHECK(honest == 1000);
    CHECK(pipeline.drops(DropReason::FragmentMemory) > 190'000);
    CHECK(pipeline.is_conserved());
    pipeline.advance(31'000'000'000);
    CHECK(pipeline.reassembly().held() == 0);
    CHECK(pipeline.is_conserved());
}

TEST_CASE("a datagram for which there are no mbufs is not cut") {
    DpdkSession& session = DpdkSession::get();
    const uint32_t before = session.mbufs_out();
    const Bytes frame = frame_of("udp 10.0.0.2:4000 > 192.0.2.1:53 len 1000");
    rte_mbuf* mbuf = session.make_mbuf(frame);
    mark_datagram(mbuf, {.id = 1, .largest = 420});
    Packet packet;
    const uint32_t size = static_cast<uint32_t>(frame.size());
    REQUIRE(parse_frame(packet, rte_pktmbuf_mtod(mbuf, uint8_t*), size, size, {}).kind ==
            FrameKind::Ip);
    std::vector<rte_mbuf*> taken;
    while (rte_mbuf* one = rte_pktmbuf_alloc(mbuf->pool))
        taken.push_back(one);
    rte_mbuf* out[kMaxOutputFragments];
    CHECK(cut_datagram(mbuf, packet, out) == 0);
    rte_pktmbuf_free(taken.back());  // one is not enough, and is given back
    taken.pop_back();
    CHECK(cut_datagram(mbuf, packet, out) == 0);
    for (rte_mbuf* one : taken)
        rte_pktmbuf_free(one);
    CHECK(cut_datagram(mbuf, packet, out) == 3);
    rte_pktmbuf_free_bulk(out, 3);
    CHECK(session.mbufs_out() == before);
}

}  // namespace rampart::test
