// Answers to rejected packets, read by a second implementation: whatever arrives, an answer goes
// back where its cause came from, sums up, and none is given to what must not be answered
// (RFC 1122, 3.2.2; RFC 4443, 2.4 (e); RFC 9293, 3.5.2).
#include <catch2/catch.hpp>

#include "support/load.h"
#include "support/packet_line.h"
#include "support/samples.h"
#include "unit/dataplane/random_traffic.h"

namespace rampart::test {
namespace {

uint32_t word16(std::span<const uint8_t> bytes, size_t at) {
    return uint32_t{bytes[at]} << 8 | bytes[at + 1];
}

// RFC 1071, as it is written there: 0xffff when the sum that stands in the data is right.
uint32_t sum16(std::span<const uint8_t> bytes, uint32_t sum = 0) {
    for (size_t at = 0; at < bytes.size(); at += 2)
        sum += at + 1 < bytes.size() ? word16(bytes, at) : uint32_t{bytes[at]} << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

// An IP packet without extension headers.
struct IpView {
    explicit IpView(std::span<const uint8_t> packet) : bytes(packet) {
        is_ipv4 = packet[0] >> 4 == 4;
        header = is_ipv4 ? (packet[0] & 15u) * 4 : 40;
        protocol = packet[is_ipv4 ? 9 : 6];
        length = is_ipv4 ? word16(packet, 2) : 40 + word16(packet, 4);
        source = packet.subspan(is_ipv4 ? 12 : 8, is_ipv4 ? 4 : 16);
        destination = packet.subspan(is_ipv4 ? 16 : 24, is_ipv4 ? 4 : 16);
    }
    std::span<const uint8_t> payload() const { return bytes.subspan(header, length - header); }
    bool is_transport_sum_right() const {
        uint32_t pseudo = 0;
        if (!is_ipv4 || protocol != 1)
            pseudo = sum16(destination, sum16(source)) + protocol + (length - header);
        return sum16(payload(), pseudo) == 0xffff;
    }
    static bool is_many(std::span<const uint8_t> address) {
        return address.size() == 4 ? address[0] >= 224 : address[0] == 0xff;
    }

    std::span<const uint8_t> bytes, source, destination;
    bool is_ipv4;
    uint32_t header, protocol, length;
};

bool is_icmp_query(const IpView& packet) {
    const uint8_t type = packet.payload()[0];
    if (!packet.is_ipv4) return type == 128 || type == 129;
    return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

void check_quote(std::span<const uint8_t> quote, const IpView& answer) {
    REQUIRE(quote.size() >= 28);
    const IpView cause(quote);
    CHECK(cause.is_ipv4 == answer.is_ipv4);
    CHECK(std::equal(cause.source.begin(), cause.source.end(), answer.destination.begin()));
    CHECK(std::equal(cause.destination.begin(), cause.destination.end(), answer.source.begin()));
    CHECK_FALSE(IpView::is_many(cause.source));
    CHECK_FALSE(IpView::is_many(cause.destination));
    if (cause.is_ipv4) CHECK((word16(quote, 6) & 0x1fff) == 0);  // no later fragment
    const bool is_icmp = cause.protocol == (cause.is_ipv4 ? 1u : 58u);
    if (is_icmp && quote.size() > cause.header)
        CHECK(is_icmp_query(IpView(quote.first(std::min<size_t>(quote.size(), cause.length)))));
    if (cause.protocol == 6 && quote.size() >= cause.header + 14)
        CHECK((quote[cause.header + 13] & 4) == 0);  // no reset
}

void check_answer(const Arrival& cause, const SentReply& reply) {
    CHECK(reply.port == cause.port);
    const std::span<const uint8_t> frame(reply.frame), in(cause.frame);
    CHECK(std::equal(frame.begin(), frame.begin() + 6, in.begin() + 6));
    CHECK(std::equal(frame.begin() + 6, frame.begin() + 12, in.begin()));
    CHECK((in[0] & 1) == 0);  // not to a group
    const size_t l3 = word16(frame, 12) == 0x8100 ? 18 : 14;
    const IpView answer(frame.subspan(l3));
    REQUIRE(answer.length == frame.size() - l3);
    if (answer.is_ipv4) CHECK(sum16(frame.subspan(l3, answer.header)) == 0xffff);
    CHECK(answer.is_transport_sum_right());
    CHECK_FALSE(IpView::is_many(answer.destination));
    CHECK_FALSE(IpView::is_many(answer.source));
    const std::span<const uint8_t> payload = answer.payload();
    if (answer.protocol == 6) {
        CHECK(payload.size() == 20);
        CHECK((payload[13] & 4) != 0);
        return;
    }
    CHECK(answer.protocol == (answer.is_ipv4 ? 1u : 58u));
    CHECK(payload[0] == (answer.is_ipv4 ? 3 : 1));
    CHECK(answer.length <= (answer.is_ipv4 ? 576u : 1280u));
    check_quote(payload.subspan(8), answer);
}

bool is_other_frame(const Bytes& frame) {
    const size_t type = frame[12] == 0x81 && frame[13] == 0 ? 16 : 12;
    const unsigned number = frame[type] * 256u + frame[type + 1];
    return number != ether_type::kIpv4 && number != ether_type::kIpv6;
}

}  // namespace

TEST_CASE("whatever is rejected, in whatever way, is answered correctly or not at all") {
    for (const char* with : {"", ", reject_with: port-unreachable",
                             ", reject_with: net-unreachable", ", reject_with: host-unreachable",
                             ", reject_with: proto-unreachable", ", reject_with: net-prohibited",
                             ", reject_with: host-prohibited", ", reject_with: admin-prohibited",
                             ", reject_with: policy-fail", ", reject_with: reject-route"}) {
        CAPTURE(with);
        std::mt19937_64 random(21);
        Pipeline pipeline(load(
            config_with(std::string("{ policy: drop, rules: [{ action: reject") + with + " }] }")));
        std::vector<Bytes> samples;
        for (const std::string_view line : kSampleLines)
            samples.push_back(frame_of(line));
        size_t answers = 0;
        for (unsigned turn = 0; turn < 6000; ++turn) {
            Arrival arrival = random_arrival(random);
            if (turn % 2) {
                arrival.frame = samples[random() % samples.size()];
                if (random() % 4) mutate(arrival.frame, random);
            }
            const Outcome outcome = pipeline.send(arrival);
            // What is not IP passes a bridge by its EtherType, before any rule.
            if (outcome.verdict == Verdict::Forward) CHECK(is_other_frame(arrival.frame));
            for (const SentReply& reply : pipeline.replies())
                check_answer(arrival, reply);
            answers += pipeline.replies().size();
            pipeline.advance(2'000'000);  // slower than answers are limited
        }
        CHECK(answers > 2000);
        CHECK(pipeline.counters().replies_limited.load() == 0);
        CHECK(pipeline.is_conserved());
    }
}

}  // namespace rampart::test
