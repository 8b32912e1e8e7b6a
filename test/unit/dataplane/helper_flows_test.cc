// Helpers on real packet buffers: payloads and sequence numbers of a translated FTP connection.
#include "dataplane/helper_flows.h"

#include <string>

#include <catch2/catch.hpp>

#include "packet/parser.h"
#include "support/dpdk_session.h"
#include "support/frame.h"

namespace rampart::test {
namespace {

constexpr char kClient[] = "10.0.0.2", kServer[] = "192.0.2.1", kPublic[] = "203.0.113.100";
constexpr FlowIndex kFlow = 5;
constexpr Tick kNow = 1000;

Tuple tuple(const char* from, uint16_t from_port, const char* to, uint16_t to_port) {
    Tuple made;
    made.family = Family::Ipv4;
    made.protocol = ip_protocol::kTcp;
    made.src = IpAddress::parse(from)->bytes;
    made.dst = IpAddress::parse(to)->bytes;
    made.src_port = be16::from_host(from_port);
    made.dst_port = be16::from_host(to_port);
    return made;
}

FrameSpec frame(const Tuple& as, uint32_t seq, uint32_t ack, const std::string& payload) {
    FrameSpec spec;
    spec.src = as.src_address();
    spec.dst = as.dst_address();
    spec.transport = Transport::Tcp;
    spec.src_port = as.src_port.host();
    spec.dst_port = as.dst_port.host();
    spec.seq = seq;
    spec.ack = ack;
    spec.tcp_flags = tcp_flag::kAck;
    spec.payload = Bytes(payload.begin(), payload.end());
    return spec;
}

// An FTP connection behind a translated source.
struct Connection {
    explicit Connection(HelperFlows& worker)
        : flows(worker), slot(worker.attach(helper_number::kFtp)) {}

    // As it leaves: `expected` is the frame that it must be.
    HelperOutcome send(Direction direction, const FrameSpec& spec, const FrameSpec& expected,
                       std::span<const uint32_t> cuts = {}) {
        rte_mbuf* mbuf = DpdkSession::get().make_mbuf(build_frame(spec), cuts);
        Packet packet;
        parse_frame(packet, rte_pktmbuf_mtod(mbuf, uint8_t*), mbuf->data_len, mbuf->pkt_len, {});
        HelperPacket what{mbuf, packet, direction, original, reply, kFlow, 1, true, true};
        what.max_ip_length = mtu;
        const HelperOutcome outcome = flows.run(slot, what, kNow);
        CHECK(bytes_of(mbuf) == build_frame(expected));
        rte_pktmbuf_free(mbuf);
        return outcome;
    }
    HelperOutcome client(uint32_t seq, const std::string& sent, uint32_t seq_out,
                         const std::string& leaves, std::span<const uint32_t> cuts = {}) {
        const Tuple outside = invert(reply);
        return send(Direction::Original, frame(outside, seq, 5012, sent),
                    frame(outside, seq_out, 5012, leaves), cuts);
    }
    HelperOutcome server(uint32_t seq, uint32_t ack, const std::string& sent, uint32_t ack_out) {
        const Tuple inside = invert(original);
        return send(Direction::Reply, frame(inside, seq, ack, sent),
                    frame(inside, seq, ack_out, sent));
    }
    void begin() {
        server(5001, 1001, "220 ready\r\n", 1001);
        client(1001, "USER anonymous\r\n", 1001, "USER anonymous\r\n");
    }

    HelperFlows& flows;
    uint32_t slot;
    Tuple original = tuple(kClient, 40000, kServer, 21);
    Tuple reply = tuple(kServer, 21, kPublic, 61000);
    uint32_t mtu = 1500;
};

}  // namespace

TEST_CASE("a rewritten command shifts what follows, and acknowledgements back") {
    HelperFlows flows({});
    Connection ftp(flows);
    REQUIRE(ftp.slot != 0);
    ftp.begin();
    CHECK(flows.adjustment(ftp.slot) == nullptr);
    ftp.client(1017, "PORT 10,0,0,2,195,80\r\n", 1017, "PORT 203,0,113,100,195,80\r\n");
    REQUIRE(flows.adjustment(ftp.slot) != nullptr);
    ftp.client(1039, "LIST\r\n", 1044, "LIST\r\n");
    ftp.server(5012, 1044, "200 ok\r\n", 1039);
    // Again, as the sender sends it again.
    ftp.client(1017, "PORT 10,0,0,2,195,80\r\n", 1017, "PORT 203,0,113,100,195,80\r\n");
    ftp.client(1045, "PORT 10,0,0,2,195,81\r\n", 1050, "PORT 203,0,113,100,195,81\r\n");
    ftp.server(5020, 1077, "200 ok\r\n", 1067);

    Expectation found;
    REQUIRE(flows.expectations().take(tuple(kServer, 20, kPublic, 50001), kNow, found));
    CHECK(found.master == kFlow);
    CHECK(found.master_serial == 1);
    CHECK(found.master_original == ftp.original);
    CHECK(found.helper == helper_number::kFtp);
}

TEST_CASE("a packet in several pieces is read as one") {
    HelperFlows flows({});
    Connection ftp(flows);
    ftp.begin();
    const uint32_t cuts[] = {60, 70};
    ftp.client(1017, "PORT 10,0,0,2,195,80\r\n", 1017, "PORT 203,0,113,100,195,80\r\n", cuts);
    CHECK(flows.expectations().count() == 1);
}

TEST_CASE("what cannot be rewritten is dropped and leaves nothing behind it") {
    HelperFlows flows({});
    Connection ftp(flows);
    ftp.begin();
    ftp.mtu = 40 + 22 + 4;
    const std::string command = "PORT 10,0,0,2,195,80\r\n";
    CHECK(ftp.client(1017, command, 1017, command).drop == HelperDrop::NotRewritten);
    CHECK(flows.adjustment(ftp.slot) == nullptr);
    CHECK(ftp.client(1017, "PORT 10,0", 1017, "PORT 10,0").drop == HelperDrop::Incomplete);
}

TEST_CASE("once the helper has left, sequence numbers are still adjusted") {
    HelperFlows flows({});
    Connection ftp(flows);
    ftp.begin();
    ftp.client(1017, "PORT 10,0,0,2,195,80\r\n", 1017, "PORT 203,0,113,100,195,80\r\n");
    ftp.server(5012, 1044, "234 go\r\n", 1039);
    ftp.client(1039, "PORT 10,0,0,2,195,99\r\n", 1044, "PORT 10,0,0,2,195,99\r\n");
}

TEST_CASE("slots are used again, and a flow that ends takes its expectations along") {
    HelperFlows::Options options;
    options.flows = 2;
    HelperFlows flows(options);
    CHECK(flows.attach(0) == 0);
    CHECK(flows.attach(99) == 0);
    Connection first(flows);
    Connection second(flows);
    CHECK(first.slot != second.slot);
    CHECK(flows.attach(helper_number::kTftp) == 0);
    first.begin();
    first.client(1017, "PORT 10,0,0,2,195,80\r\n", 1017, "PORT 203,0,113,100,195,80\r\n");
    CHECK(flows.expectations().count() == 1);
    flows.release(first.slot, kFlow);
    CHECK(flows.expectations().count() == 0);
    const uint32_t again = flows.attach(helper_number::kTftp);
    CHECK(again == first.slot);
    CHECK(flows.helper_of_slot(again) == helper_number::kTftp);
    CHECK(flows.adjustment(again) == nullptr);
}

TEST_CASE("a port that another worker's helper expects is taken") {
    HelperFlows mine({}), other({});
    const HelperFlows* all[] = {&mine, &other};
    mine.share(all);
    other.share(all);
    Connection elsewhere(other);
    elsewhere.begin();
    elsewhere.client(1017, "PORT 10,0,0,2,195,80\r\n", 1017, "PORT 203,0,113,100,195,80\r\n");
    Connection here(mine);
    here.begin();
    const Tuple outside = invert(here.reply);
    rte_mbuf* mbuf = DpdkSession::get().make_mbuf(
        build_frame(frame(outside, 1017, 5012, "PORT 10,0,0,2,195,80\r\n")));
    Packet packet;
    parse_frame(packet, rte_pktmbuf_mtod(mbuf, uint8_t*), mbuf->data_len, mbuf->pkt_len, {});
    const HelperPacket what{mbuf, packet, Direction::Original, here.original, here.reply, kFlow, 1,
                            true, true};
    CHECK(mine.run(here.slot, what, kNow).drop == HelperDrop::None);
    Expectation found;
    for (uint32_t slot = 0; !mine.expectations().read(slot, found);)
        ++slot;
    CHECK(found.tuple.dst_port.host() > 50000);
    rte_pktmbuf_free(mbuf);
}

}  // namespace rampart::test
