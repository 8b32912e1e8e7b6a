// What the encoder writes is read back by libfixbuf's collector, which is not told what to expect.
#include "control/flow_export/ipfix_encoder.h"

#include <cstring>
#include <fixbuf/public.h>
#include <vector>

#include <catch2/catch.hpp>

#include "conntrack/trackers/tcp_states.h"
#include "packet/ip_protocol.h"

using namespace rampart;

namespace {

constexpr uint32_t kDomain = 77;
constexpr uint64_t kSecond = 1'000'000'000;

struct Message {
    std::vector<uint8_t> bytes;
    uint32_t records;
};

struct Bench {
    std::vector<Message> messages;
    std::unique_ptr<IpfixEncoder> encoder;

    explicit Bench(bool with_new = true, bool with_end = true) {
        auto made = IpfixEncoder::create(
            kDomain, with_new, with_end, [this](std::span<const uint8_t> bytes, uint32_t records) {
                messages.push_back({{bytes.begin(), bytes.end()}, records});
            });
        REQUIRE(made);
        encoder = std::move(*made);
        encoder->add_templates();
    }
};

// A few elements of every kind, where the encoder has them.
struct Read {
    uint64_t observed_ms, start_ms, end_ms, packets, bytes, reverse_packets, reverse_bytes, flow_id;
    uint8_t src6[16], post_dst6[16];
    uint32_t src4, dst4, post_src4, post_dst4, mark;
    uint16_t sport, dport, post_sport, post_dport, icmp4, icmp6;
    uint8_t protocol, direction, end_reason, firewall_event, nat_event, padding[7];
};

class Collector {
  public:
    Collector() : model_(fbInfoModelAlloc()), session_(fbSessionAlloc(model_)) {
        fbInfoElement_t mark{};
        mark.ref.name = "mark";
        mark.ent = 21373;
        mark.num = 4;
        mark.len = 4;
        mark.flags = FB_IE_F_ENDIAN;
        fbInfoModelAddElement(model_, &mark);
        char names[][40] = {"observationTimeMilliseconds",
                            "flowStartMilliseconds",
                            "flowEndMilliseconds",
                            "packetDeltaCount",
                            "octetDeltaCount",
                            "reversePacketDeltaCount",
                            "reverseOctetDeltaCount",
                            "flowId",
                            "sourceIPv6Address",
                            "postNATDestinationIPv6Address",
                            "sourceIPv4Address",
                            "destinationIPv4Address",
                            "postNATSourceIPv4Address",
                            "postNATDestinationIPv4Address",
                            "mark",
                            "sourceTransportPort",
                            "destinationTransportPort",
                            "postNAPTSourceTransportPort",
                            "postNAPTDestinationTransportPort",
                            "icmpTypeCodeIPv4",
                            "icmpTypeCodeIPv6",
                            "protocolIdentifier",
                            "biflowDirection",
                            "flowEndReason",
                            "firewallEvent",
                            "natEvent",
                            "paddingOctets"};
        constexpr uint16_t kBytes[] = {8, 8, 8, 8, 8, 8, 8, 8, 16, 16, 4, 4, 4, 4,
                                       4, 2, 2, 2, 2, 2, 2, 1, 1,  1,  1, 1, 7};
        fbTemplate_t* made = fbTemplateAlloc(model_);
        for (size_t i = 0; i < std::size(kBytes); ++i) {
            fbInfoElementSpec_t spec{names[i], kBytes[i], 0};
            check(fbTemplateAppendSpec(made, &spec, 0, &error_));
        }
        check(fbSessionAddTemplate(session_, TRUE, 1000, made, &error_) != 0);
        buffer_ = fBufAllocForCollection(session_, nullptr);
        fBufSetAutomaticMode(buffer_, FALSE);
    }
    ~Collector() {
        fBufFree(buffer_);
        fbInfoModelFree(model_);
    }

    std::vector<Read> read(const std::vector<Message>& messages) {
        std::vector<Read> records;
        for (const Message& message : messages) {
            std::vector<uint8_t> bytes = message.bytes;
            fBufSetBuffer(buffer_, bytes.data(), bytes.size());
            check(fBufSetInternalTemplate(buffer_, 1000, &error_));
            const size_t before = records.size();
            for (;;) {
                Read record{};
                size_t size = sizeof record;
                if (!fBufNext(buffer_, reinterpret_cast<uint8_t*>(&record), &size, &error_)) break;
                records.push_back(record);
            }
            g_clear_error(&error_);
            CHECK(records.size() - before == message.records);
        }
        return records;
    }

  private:
    void check(bool is_good) {
        INFO((error_ != nullptr ? error_->message : ""));
        REQUIRE(is_good);
    }
    GError* error_ = nullptr;
    fbInfoModel_t* model_;
    fbSession_t* session_;
    fBuf_t* buffer_ = nullptr;
};

Tuple tuple_of(uint8_t protocol, const char* src, uint16_t sport, const char* dst, uint16_t dport) {
    Tuple tuple;
    tuple.src = IpAddress::parse(src)->bytes;
    tuple.dst = IpAddress::parse(dst)->bytes;
    tuple.family = IpAddress::parse(src)->family;
    tuple.src_port = be16::from_host(sport);
    tuple.dst_port = be16::from_host(dport);
    tuple.protocol = protocol;
    return tuple;
}

FlowEvent event_of(JournalKind kind, const Tuple& original, const Tuple& reply) {
    FlowEvent event;
    event.kind = kind;
    event.time_ns = 1700000010 * kSecond + 5'000'000;
    event.flow.original = original;
    event.flow.reply = reply;
    event.flow.start_ns = 1700000000 * kSecond;
    event.flow.stop_ns = kind == JournalKind::Destroy ? event.time_ns : 0;
    event.flow.packets[0] = 3;
    event.flow.packets[1] = 2;
    event.flow.bytes[0] = 300;
    event.flow.bytes[1] = 5'000'000'000;
    event.flow.mark = 0x1234;
    event.flow.id = 4'000'000'001;
    return event;
}

FlowEvent masqueraded(JournalKind kind) {
    FlowEvent event = event_of(kind, tuple_of(6, "10.0.0.2", 40000, "192.0.2.1", 80),
                               tuple_of(6, "192.0.2.1", 80, "203.0.113.9", 50000));
    event.flow.status = flow_status::kSrcNat;
    event.flow.state = static_cast<uint8_t>(TcpState::TimeWait);
    event.flow.timeout_s = 0;
    return event;
}

FlowEvent plain(JournalKind kind) {
    const Tuple tuple = tuple_of(17, "10.0.0.2", 40000, "192.0.2.1", 53);
    return event_of(kind, tuple, invert(tuple));
}

}  // namespace

TEST_CASE("the end of a translated flow has all that is known of it") {
    Bench bench;
    bench.encoder->add(masqueraded(JournalKind::Destroy));
    bench.encoder->flush();
    const auto records = Collector().read(bench.messages);
    REQUIRE(records.size() == 1);
    const Read& record = records[0];
    CHECK(record.observed_ms == 1700000010005);
    CHECK(record.start_ms == 1700000000000);
    CHECK(record.end_ms == 1700000010005);
    CHECK(record.packets == 3);
    CHECK(record.bytes == 300);
    CHECK(record.reverse_packets == 2);
    CHECK(record.reverse_bytes == 5'000'000'000);
    CHECK(record.flow_id == 4'000'000'001);
    CHECK(record.src4 == 0x0a000002);
    CHECK(record.dst4 == 0xc0000201);
    CHECK(record.post_src4 == 0xcb007109);
    CHECK(record.post_dst4 == 0xc0000201);
    CHECK(record.mark == 0x1234);
    CHECK(record.sport == 40000);
    CHECK(record.dport == 80);
    CHECK(record.post_sport == 50000);
    CHECK(record.post_dport == 80);
    CHECK(record.protocol == 6);
    CHECK(record.direction == 1);
    CHECK(record.end_reason == 3);
    CHECK(record.firewall_event == 2);
    CHECK(record.nat_event == 5);
}

TEST_CASE("the beginning of a flow has no counts, and no translation where there is none") {
    Bench bench;
    bench.encoder->add(plain(JournalKind::New));
    bench.encoder->flush();
    const auto records = Collector().read(bench.messages);
    REQUIRE(records.size() == 1);
    CHECK(records[0].packets == 0);
    CHECK(records[0].end_ms == 0);
    CHECK(records[0].end_reason == 0);
    CHECK(records[0].firewall_event == 1);
    CHECK(records[0].nat_event == 0);
    CHECK(records[0].post_src4 == 0);
    CHECK(records[0].dport == 53);
}

TEST_CASE("ICMP has a type and a code instead of ports, in both families") {
    Bench bench;
    const Tuple echo4 = tuple_of(ip_protocol::kIcmp, "10.0.0.2", 77, "192.0.2.1", 8 << 8);
    const Tuple echo6 = tuple_of(ip_protocol::kIcmpv6, "2001:db8::2", 77, "2001:db8::1", 128 << 8);
    bench.encoder->add(event_of(JournalKind::Destroy, echo4, invert(echo4)));
    bench.encoder->add(event_of(JournalKind::Destroy, echo6, invert(echo6)));
    bench.encoder->flush();
    const auto records = Collector().read(bench.messages);
    REQUIRE(records.size() == 2);
    CHECK(records[0].icmp4 == 8 << 8);
    CHECK(records[0].icmp6 == 0);
    CHECK(records[0].sport == 0);
    CHECK(records[1].icmp6 == 128 << 8);
    CHECK(records[1].icmp4 == 0);
    CHECK(std::memcmp(records[1].src6, echo6.src.data(), 16) == 0);
}

TEST_CASE("a translated IPv6 flow has its addresses, but no event of NAT44") {
    Bench bench;
    FlowEvent event =
        event_of(JournalKind::Destroy, tuple_of(17, "2001:db8::2", 1, "2001:db8::1", 2),
                 tuple_of(17, "2001:db8::99", 2, "2001:db8::2", 1));
    event.flow.status = flow_status::kDstNat;
    bench.encoder->add(event);
    bench.encoder->flush();
    const auto records = Collector().read(bench.messages);
    REQUIRE(records.size() == 1);
    CHECK(std::memcmp(records[0].post_dst6, event.flow.reply.src.data(), 16) == 0);
    CHECK(records[0].nat_event == 0);
}

TEST_CASE("why a flow ended") {
    const auto reason = [](uint8_t protocol, TcpState state, uint32_t timeout_s) {
        const Tuple tuple = tuple_of(protocol, "10.0.0.2", 1, "192.0.2.1", 2);
        FlowEvent event = event_of(JournalKind::Destroy, tuple, invert(tuple));
        event.flow.state = static_cast<uint8_t>(state);
        event.flow.timeout_s = timeout_s;
        return ipfix_record(event).end_reason;
    };
    CHECK(reason(17, TcpState::None, 0) == 1);
    CHECK(reason(17, TcpState::None, 20) == 4);
    CHECK(reason(6, TcpState::Established, 0) == 1);
    CHECK(reason(6, TcpState::Established, 9) == 4);
    CHECK(reason(6, TcpState::TimeWait, 0) == 3);
    CHECK(reason(6, TcpState::Close, 9) == 3);
    CHECK(reason(6, TcpState::SynSent, 0) == 1);
}

TEST_CASE("messages stay below the limit, in sequence and with whole records") {
    Bench bench;
    for (int i = 0; i < 500; ++i) {
        bench.encoder->add(i % 3 ? plain(JournalKind::Destroy) : masqueraded(JournalKind::Destroy));
        bench.encoder->add(plain(JournalKind::New));
    }
    bench.encoder->flush();
    uint32_t before = 0;
    for (const Message& message : bench.messages) {
        REQUIRE(message.bytes.size() <= IpfixEncoder::kMessageBytes);
        const auto number = [&](size_t at) {
            uint32_t word;
            std::memcpy(&word, &message.bytes[at], 4);
            return __builtin_bswap32(word);
        };
        CHECK(number(0) == (10u << 16 | message.bytes.size()));
        CHECK(number(8) == before);  // RFC 7011, 3.1: data records sent before this message
        CHECK(number(12) == kDomain);
        before += message.records;
    }
    CHECK(before == 1000);
    CHECK(Collector().read(bench.messages).size() == 1000);
}

TEST_CASE("templates can be repeated, and events that are not wanted have none") {
    Bench bench(/*with_new=*/false);
    bench.encoder->add(plain(JournalKind::New));
    bench.encoder->add(plain(JournalKind::Destroy));
    bench.encoder->add_templates();
    bench.encoder->add(plain(JournalKind::Destroy));
    bench.encoder->flush();
    CHECK(Collector().read(bench.messages).size() == 2);
}
