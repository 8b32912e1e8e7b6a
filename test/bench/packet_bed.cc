#include "packet_bed.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "config/loader.h"
#include "dataplane/datagram_mark.h"
#include "dataplane/pipeline.h"
#include "packet/checksum.h"

namespace rampart {
namespace {

bool is_routed(const PacketBed::Options& options) {
    return options.configuration.find("bridge:") == std::string::npos;
}

constexpr MacAddress kOwnMac{0, 0, 0, 0, 0, 1};  // that frames are sent to

// Clients and servers are behind one gateway each.
std::unique_ptr<Routing> make_routing() {
    auto routing = Routing::create({.max_routes4 = 1024, .max_routes6 = 64}).value();
    const auto add = [&](InterfaceIndex interface, const char* prefix, const char* gateway) {
        const IpAddress hop = *IpAddress::parse(gateway);
        routing->set_link(interface, true, 1500, {kOwnMac});
        routing->add(
            {.prefix = *IpPrefix::parse(prefix),
             .kind = RouteKind::OnLink,
             .hops = {{.interface = interface, .family = hop.family, .gateway = hop.bytes}}});
        routing->set_neighbour({interface, hop.family, hop.bytes}, NeighbourWord::State::Resolved,
                               {2, 0, 0, 0, 0, static_cast<uint8_t>(interface)});
    };
    add(kInside, "10.0.0.0/8", "172.16.0.2");
    add(kOutside, "192.168.0.0/16", "172.16.1.2");
    routing->add({.prefix = *IpPrefix::parse("192.0.2.1/32"), .kind = RouteKind::Local});
    routing->apply([] {});
    return routing;
}

}  // namespace

namespace {

void write_ethernet(uint8_t* frame, uint16_t type) {
    std::memset(frame, 0, kFrameBytes);
    std::copy(kOwnMac.begin(), kOwnMac.end(), frame);
    frame[11] = 2;
    store_host16(frame + 12, type);
}

// Header and payload, with the checksum; `pseudo` is the sum of what it covers besides.
void write_transport(uint8_t* head, uint16_t bytes, const Packet4& packet, uint64_t pseudo) {
    store_host16(head, packet.sport);
    store_host16(head + 2, packet.dport);
    if (packet.tcp) {
        store_host32(head + 4, packet.seq);
        store_host32(head + 8, packet.ack);
        head[12] = 0x50;
        head[13] = packet.flags;
        store_host16(head + 14, 65000);
    } else {
        store_host16(head + 4, bytes);
    }
    const uint64_t sum = checksum_add(pseudo, head, bytes);
    store(head + (packet.tcp ? 16 : 6), static_cast<uint16_t>(~checksum_fold(sum)));
}

}  // namespace

uint32_t write_frame6(uint8_t* frame, const Packet4& packet) {
    write_ethernet(frame, 0x86dd);
    uint8_t* ip = frame + 14;
    const uint16_t l4 = packet.tcp ? 20 : 26;
    ip[0] = 0x60;
    store_host16(ip + 4, l4);
    ip[6] = packet.tcp ? 6 : 17;
    ip[7] = 64;
    for (uint8_t* address : {ip + 8, ip + 24})
        store_host32(address, 0x20010db8);
    store_host32(ip + 20, packet.src);
    store_host32(ip + 36, packet.dst);
    write_transport(ip + 40, l4, packet, pseudo_header_sum6(ip, ip[6], l4));
    return 54 + l4;
}

uint32_t write_frame(uint8_t* frame, const Packet4& packet) {
    write_ethernet(frame, 0x0800);
    uint8_t* ip = frame + 14;
    const uint16_t l4 = packet.tcp ? 20 : 26;
    ip[0] = 0x45;
    store_host16(ip + 2, static_cast<uint16_t>(20 + l4));
    ip[8] = 64;
    ip[9] = packet.tcp ? 6 : 17;
    store_host32(ip + 12, packet.src);
    store_host32(ip + 16, packet.dst);
    store(ip + 10, checksum_of(ip, 20));
    write_transport(ip + 20, l4, packet, pseudo_header_sum4(ip, ip[9], l4));
    return 60;
}

bool has_option(int argc, char** argv, const std::string& option) {
    return std::find(argv + 1, argv + argc, option) != argv + argc;
}

std::unique_ptr<Eal> start_eal(int argc, char** argv) {
    std::vector<std::string> arguments{"--no-pci", "--no-telemetry", "-l",          "0",
                                       "-m",       "3072",           "--log-level", "error"};
    arguments.push_back(has_option(argc, argv, "--huge") ? "--in-memory" : "--no-huge");
    auto eal = Eal::start(arguments);
    if (!eal) std::fprintf(stderr, "%s\n", eal.error().message.c_str());
    if (eal && !register_datagram_mark()) return nullptr;
    return eal ? std::move(*eal) : nullptr;
}

PacketBed::PacketBed(const Options& options)
    : is_checked_(options.is_checked),
      pool_(PacketPool::create(options.name, 4096, -1).value()),
      table_(FlowTable::create({.name = options.name,
                                .capacity = options.capacity,
                                .keys_per_flow = is_routed(options) ? 2u : 1u,
                                .has_ways = is_routed(options),
                                .index = options.index})
                 .value()),
      rule_log_(RuleLog::create(options.name, -1).value()),
      steering_(Steering::single()),
      reassembly_({}),
      counters_(new WorkerCounters),
      context_(*table_, reassembly_, *counters_, steering_, 0),
      burst_(new Burst) {
    Diagnostics diagnostics;
    auto configuration = load_configuration("bench", options.configuration, diagnostics);
    if (!configuration) std::puts(diagnostics.to_text().c_str());
    snapshot_ = std::move(configuration->snapshot);
    snapshot_->generation = 1;
    snapshot_->conntrack.index = options.index;
    snapshot_->paths.push_back(std::make_unique<PathTable>(snapshot_->ruleset.index_count));
    if (is_routed(options)) {
        routing_ = make_routing();
        nat_ = std::make_unique<Nat>(*table_, KeyedHash::from_seed(1));
        unresolved_ = std::make_unique<Unresolved>();
        context_.routing = routing_.get();
        context_.nat = nat_.get();
        context_.unresolved = unresolved_.get();
    }
    context_.use(*snapshot_);
    context_.rule_log = rule_log_.get();
    context_.now = Now::at(1'000'000'000);
    rte_pktmbuf_alloc_bulk(pool_->get(), mbufs_, kBurstSize);
}

PacketBed::~PacketBed() {
    rte_pktmbuf_free_bulk(mbufs_, kBurstSize);
}

void PacketBed::load_frame(uint32_t i, const uint8_t* frame, uint32_t length, bool is_reply) {
    in_ports_[i] = is_reply ? kOutside : kInside;
    rte_pktmbuf_reset(mbufs_[i]);
    if (is_checked_)
        mbufs_[i]->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    std::memcpy(rte_pktmbuf_append(mbufs_[i], static_cast<uint16_t>(length)), frame, length);
}

void PacketBed::load_burst(uint32_t count) {
    burst_->count = count;
    for (uint32_t i = 0; i < count; ++i) {
        burst_->mbuf[i] = mbufs_[i];
        burst_->packet[i].in_port = in_ports_[i];
    }
}

double PacketBed::send(uint32_t count) {
    load_burst(count);
    const uint64_t start = rte_rdtsc_precise();
    process(*burst_, context_);
    return static_cast<double>(rte_rdtsc_precise() - start) / count;
}

}  // namespace rampart
