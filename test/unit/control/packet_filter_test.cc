// The filters that workers interpret choose the frames that libpcap itself would.
#define ALLOW_EXPERIMENTAL_API

#include "control/packet_filter.h"

#include <random>
#include <vector>

#include <catch2/catch.hpp>
#include <pcap/pcap.h>
#include <rte_bpf.h>
#include <rte_mbuf.h>

#include "support/dpdk_session.h"
#include "support/frame.h"
#include "support/packet_line.h"

namespace rampart::test {
namespace {

constexpr const char* kExpressions[] = {
    "ip",
    "ip6",
    "arp",
    "icmp",
    "icmp6",
    "tcp",
    "udp",
    "host 10.0.0.2",
    "src host 10.0.0.2",
    "dst net 192.0.2.0/24",
    "net fd00::/8",
    "host fd00::2",
    "port 53",
    "dst port 80",
    "tcp port 80 or udp port 53",
    "portrange 50-90",
    "not tcp",
    "vlan",
    "vlan 7 and ip",
    "icmp[0] == 8",
    "icmp[icmptype] == icmp-echo",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[13] == 2",
    "ip[8] < 65",
    "ip[6:2] & 0x1fff != 0",
    "tcp[4:4] > 1000",
    "udp[4:2] > 20",
    "ip6[40] == 128",
    "greater 100",
    "less 80",
    "len > 70 and len < 500",
    "ether[0] & 1 = 0",
    "ether src 02:00:00:00:00:01",
    "ip proto 47",
    "ip[2:2] - 20 > 40",
    "udp[0:4] = 0x0fa00035",
    "ip[0] & 0xf != 5",
    "tcp and (ip[2:2] - ((ip[0]&0xf)<<2) - ((tcp[12]&0xf0)>>2)) != 0",
    "host 10.0.0.2 and not port 22",
    "ether proto 0x88cc",
    "udp[ip[0]] = 0",
    "tcp[20:4] = 1",
};

constexpr const char* kPackets[] = {
    "udp 10.0.0.2:4000 > 192.0.2.1:53 len 9",      "udp 10.0.0.2:4000 > 192.0.2.1:80 len 900",
    "tcp 10.0.0.2:4000 > 192.0.2.1:80 S",          "tcp 192.0.2.1:80 > 10.0.0.2:4000 SA",
    "icmp 10.0.0.2 > 192.0.2.1 echo-request id 1", "udp [fd00::2]:4000 > [fd00::1]:53 len 9",
};

struct Reference {
    explicit Reference(const char* expression) : handle(pcap_open_dead(DLT_EN10MB, 65535)) {
        REQUIRE(pcap_compile(handle, &program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0);
    }
    ~Reference() {
        pcap_freecode(&program);
        pcap_close(handle);
    }
    bool takes(const Bytes& frame) {
        pcap_pkthdr header{};
        header.caplen = header.len = static_cast<bpf_u_int32>(frame.size());
        return pcap_offline_filter(&program, &header, frame.data()) != 0;
    }
    pcap_t* handle;
    bpf_program program{};
};

bool takes(const PacketFilter& filter, const Bytes& frame) {
    rte_mbuf* mbuf = DpdkSession::get().make_mbuf(frame);
    const bool is_taken = rte_bpf_exec(filter.program(), mbuf) != 0;
    rte_pktmbuf_free(mbuf);
    return is_taken;
}

}  // namespace

TEST_CASE("filters choose what libpcap chooses, of real frames and of damaged ones") {
    DpdkSession::get();
    std::vector<Bytes> frames;
    for (const char* packet : kPackets)
        frames.push_back(frame_of(packet));
    std::mt19937 random(1);
    for (size_t i = 0, real = frames.size(); i < 300; ++i) {
        Bytes frame = frames[random() % real];
        for (unsigned changes = random() % 4; changes != 0; --changes)
            frame[random() % std::min<size_t>(frame.size(), 60)] = static_cast<uint8_t>(random());
        if (random() % 4 == 0) frame.resize(14 + random() % (frame.size() - 14));
        frames.push_back(std::move(frame));
    }
    for (const char* expression : kExpressions) {
        const auto filter = PacketFilter::compile(expression);
        INFO(expression);
        if (!filter) FAIL(filter.error().message);
        Reference reference(expression);
        unsigned different = 0;
        for (const Bytes& frame : frames)
            different += takes(**filter, frame) != reference.takes(frame);
        INFO(expression);
        CHECK(different == 0);
    }
}

TEST_CASE("what is no filter is refused with libpcap's words") {
    DpdkSession::get();
    const auto filter = PacketFilter::compile("no such word");
    REQUIRE_FALSE(filter.has_value());
    CHECK(filter.error().message.find("is no filter") != std::string::npos);
    CHECK((*PacketFilter::compile("")).get()->program() == nullptr);
}

}  // namespace rampart::test
