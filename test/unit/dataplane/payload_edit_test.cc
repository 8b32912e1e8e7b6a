// Payloads that helpers change in real packet buffers, compared with frames that were built so.
#include "dataplane/payload_edit.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "packet/parser.h"
#include "support/dpdk_session.h"
#include "support/frame.h"

namespace rampart::test {
namespace {

Bytes bytes_of_text(std::string_view text) {
    return {text.begin(), text.end()};
}

FrameSpec frame(bool is_six, bool is_udp, std::string_view payload) {
    FrameSpec spec;
    spec.src = *IpAddress::parse(is_six ? "2001:db8::2" : "10.0.0.2");
    spec.dst = *IpAddress::parse(is_six ? "2001:db8:f::1" : "192.0.2.1");
    spec.transport = is_udp ? Transport::Udp : Transport::Tcp;
    spec.src_port = 40000;
    spec.dst_port = 21;
    spec.seq = 1000;
    spec.ack = 5000;
    spec.tcp_flags = tcp_flag::kAck | tcp_flag::kPsh;
    spec.payload = bytes_of_text(payload);
    return spec;
}

// The packet, parsed in its buffer.
struct Buffer {
    explicit Buffer(const FrameSpec& spec) : mbuf(DpdkSession::get().make_mbuf(build_frame(spec))) {
        parse_frame(packet, rte_pktmbuf_mtod(mbuf, uint8_t*), mbuf->data_len, mbuf->pkt_len, {});
    }
    ~Buffer() { rte_pktmbuf_free(mbuf); }
    bool apply(const PayloadEdits& edits, uint32_t limit = 65535) {
        return apply_edits(mbuf, packet, edits, limit);
    }
    Bytes bytes() const { return bytes_of(mbuf); }

    rte_mbuf* mbuf;
    Packet packet;
};

bool add(PayloadEdits& edits, std::string_view payload, std::string_view from,
         std::string_view to) {
    const Bytes bytes = bytes_of_text(payload);
    return edits.replace(bytes, static_cast<uint32_t>(payload.find(from)),
                         static_cast<uint32_t>(from.size()), to);
}

}  // namespace

TEST_CASE("an edited payload is the packet that would have been sent so") {
    std::mt19937 random(1);
    const auto pick = [&](size_t below) { return static_cast<uint32_t>(random() % below); };
    for (int round = 0; round < 400; ++round) {
        const bool is_six = pick(2) != 0, is_udp = pick(2) != 0;
        std::string payload(1 + pick(300), ' ');
        for (char& c : payload)
            c = static_cast<char>(pick(256));
        FrameSpec spec = frame(is_six, is_udp, payload);
        spec.tcp_options = Bytes(4 * pick(6), 1);
        spec.pad = pick(3) * 7;
        if (is_udp && !is_six && pick(4) == 0) spec.checksum = ChecksumAs::Zero;

        PayloadEdits edits;
        std::string wanted;
        uint32_t at = 0;
        const Bytes bytes = bytes_of_text(payload);
        const auto size = static_cast<uint32_t>(payload.size());
        while (at < size) {
            const uint32_t kept = std::min(1 + pick(60), size - at);
            wanted.append(payload, at, kept);
            at += kept;
            const uint32_t gone = std::min(pick(9), size - at);
            const std::string text(pick(12), static_cast<char>('a' + pick(26)));
            if (gone + text.size() == 0) continue;
            REQUIRE(edits.replace(bytes, at, gone, text));
            wanted += text;
            at += gone;
        }
        Buffer buffer(spec);
        INFO(round);
        REQUIRE(buffer.apply(edits));
        FrameSpec expected = spec;
        expected.payload = bytes_of_text(wanted);
        if (!edits.is_empty()) expected.pad = 0;
        CHECK(buffer.bytes() == build_frame(expected));
        Packet again;
        parse_frame(again, rte_pktmbuf_mtod(buffer.mbuf, uint8_t*), buffer.mbuf->data_len,
                    buffer.mbuf->pkt_len, {});
        CHECK(buffer.packet.ip_length == again.ip_length);
        CHECK(buffer.packet.l4_length == again.l4_length);
        CHECK(buffer.packet.frame_contiguous == again.frame_contiguous);
    }
}

TEST_CASE("edits may be asked for in any order, but not over each other") {
    PayloadEdits edits;
    const std::string payload = "aaa bbb ccc ddd";
    CHECK(add(edits, payload, "ccc", "C"));
    CHECK(add(edits, payload, "aaa", "AAAAA"));
    CHECK(add(edits, payload, "ddd", "ddd"));
    CHECK_FALSE(add(edits, payload, "b ccc", "x"));
    CHECK_FALSE(add(edits, payload, "ccc", "x"));
    CHECK_FALSE(edits.replace(bytes_of_text(payload), 14, 2, "x"));
    CHECK(edits.growth() == 0);
    Buffer buffer(frame(false, false, payload));
    REQUIRE(buffer.apply(edits));
    CHECK(buffer.bytes() == build_frame(frame(false, false, "AAAAA bbb C ddd")));
}

TEST_CASE("H18: what does not fit into the buffer or on the wire leaves the packet as it is") {
    const std::string payload = "PORT 10,0,0,2,195,80\r\n";
    const FrameSpec spec = frame(false, false, payload);
    PayloadEdits edits;
    REQUIRE(add(edits, payload, "10,0,0,2", "203,0,113,100"));
    Buffer small(spec);
    const uint32_t ip_length = small.packet.ip_length;
    CHECK_FALSE(small.apply(edits, ip_length + 4));
    CHECK(small.bytes() == build_frame(spec));
    CHECK(small.apply(edits, ip_length + 5));

    Buffer full(spec);
    const uint16_t room = rte_pktmbuf_tailroom(full.mbuf);
    PayloadEdits large;
    const Bytes bytes = bytes_of_text(payload);
    uint32_t filled = 0;
    for (; filled + 100 <= room; filled += 100)
        if (!large.replace(bytes, filled / 100, 1, std::string(101, 'x'))) break;
    if (filled + 100 > room) {
        REQUIRE(large.replace(bytes, filled / 100, 1, std::string(101, 'x')));
        CHECK_FALSE(full.apply(large));
        CHECK(full.bytes() == build_frame(spec));
    }
    Buffer exact(spec);
    // No room at all behind the packet.
    const uint16_t old_room = rte_pktmbuf_tailroom(exact.mbuf);
    exact.mbuf->buf_len = static_cast<uint16_t>(exact.mbuf->buf_len - old_room);
    CHECK_FALSE(exact.apply(edits));
    CHECK(exact.bytes() == build_frame(spec));
    exact.mbuf->buf_len = static_cast<uint16_t>(exact.mbuf->buf_len + old_room);
}

TEST_CASE("a wrong checksum stays wrong, and none stays none") {
    const std::string payload = "PORT 10,0,0,2,195,80\r\n";
    PayloadEdits edits;
    REQUIRE(add(edits, payload, "10,0,0,2", "203,0,113,100"));
    FrameSpec spec = frame(false, false, payload);
    spec.checksum = ChecksumAs::Wrong;
    Buffer buffer(spec);
    REQUIRE(buffer.apply(edits));
    FrameSpec right = frame(false, false, "PORT 203,0,113,100,195,80\r\n");
    CHECK(buffer.bytes() != build_frame(right));
}

}  // namespace rampart::test
