#include "support/spread_bed.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "packet/parser.h"
#include "support/load.h"

namespace rampart::test {
namespace {

std::string config_of(const SpreadOptions& options) {
    return "version: 1\n"
           "interfaces: { lan: { device: \"vdev:net_null0\" }, wan: { device: \"vdev:net_null1\" } "
           "}\n" +
           options.config;
}

std::vector<NicModel> nics_of(const SpreadOptions& options, std::mt19937& random) {
    if (options.mode == SteeringMode::Hardware)
        return std::vector<NicModel>(2, NicModel(random, options.workers));
    std::vector<NicModel> nics;
    for (int port = 0; port < 2; ++port)
        nics.emplace_back(random, options.workers, NicModel::Key::Any);
    return nics;
}

Network network_of(const SpreadOptions& options) {
    const NetworkSpec spec{
        .addresses = {{"lan", {"192.168.1.1/24"}}, {"wan", {"192.0.2.1/24"}}},
        .routes = {"default via 192.0.2.254 dev wan", "10.0.0.0/8 via 192.168.1.10 dev lan"},
        .neighbours = {{"192.168.1.10 dev lan 02:00:00:00:00:0a",
                        "192.0.2.254 dev wan 02:00:00:00:00:fe"}},
        .mtus = {}};
    return Network(spec, load(config_of(options))->ruleset.names.interfaces);
}

WorkerBed::Options bed_options(const SpreadOptions& options, const NicModel& nic,
                               Network& network) {
    return {.workers = options.workers,
            .capacity = options.capacity,
            .routing = &network.routing(),
            .steering = options.mode == SteeringMode::Hardware
                            ? Steering::hardware(options.workers, nic.rss())
                            : Steering::software(options.workers)};
}

}  // namespace

SpreadBed::SpreadBed(const SpreadOptions& options)
    : options_(options),
      random_(options.seed),
      nics_(nics_of(options, random_)),
      network_(network_of(options)),
      bed_(bed_options(options, nics_[0], network_)) {
    bed_.publish(load(config_of(options_)));
}

void SpreadBed::start() {
    for (uint16_t worker = 0; worker < options_.workers; ++worker)
        bed_.start(worker);
}

void SpreadBed::put(InterfaceIndex port, const FrameSpec& spec) {
    put(port, build_frame(spec));
}

// IPv4 without options or a tag.
void SpreadBed::put(InterfaceIndex port, const Bytes& frame) {
    Tuple outer;
    outer.family = Family::Ipv4;
    outer.protocol = frame[23];
    std::copy_n(frame.begin() + 26, 4, outer.src.begin());
    std::copy_n(frame.begin() + 30, 4, outer.dst.begin());
    outer.src_port = be16::from_host(load_host16(&frame[34]));
    outer.dst_port = be16::from_host(load_host16(&frame[36]));
    const bool is_fragment = (load_host16(&frame[20]) & 0x3fff) != 0;
    bed_.put(port, nics_[port].queue_of(outer, is_fragment), DpdkSession::get().make_mbuf(frame));
}

std::vector<Seen> SpreadBed::take(InterfaceIndex port) {
    std::vector<Seen> all;
    for (Bytes& frame : bed_.take(port)) {
        Seen seen;
        Packet packet;
        const auto length = static_cast<uint32_t>(frame.size());
        const ParseOutcome outcome =
            parse_frame(packet, frame.data(), length, length, {.verify_ip_checksum = true});
        seen.is_fragment = outcome.kind == FrameKind::Fragment;
        if (outcome.kind == FrameKind::Ip && packet.invalid == InvalidReason::None) {
            seen.is_error = packet.is_icmp_error;
            seen.tuple = tuple_of(packet);
            if (seen.is_error) seen.quoted = embedded_tuple_of(packet);
            uint32_t header = 8;
            if (packet.protocol == ip_protocol::kTcp) {
                header = (packet.l4()[12] >> 4) * 4u;
                seen.tcp_flags = packet.tcp_flags;
                seen.seq = load_host32(packet.l4() + 4);
                seen.ack = load_host32(packet.l4() + 8);
            }
            seen.payload.assign(reinterpret_cast<const char*>(packet.l4()) + header,
                                packet.l4_length - header);
        }
        seen.frame = std::move(frame);
        all.push_back(std::move(seen));
    }
    return all;
}

bool SpreadBed::run(const std::function<bool()>& step) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!step()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

uint64_t SpreadBed::drops(DropReason reason) const {
    uint64_t count = 0;
    for (uint16_t worker = 0; worker < options_.workers; ++worker)
        count += bed_.counters(worker).drops[static_cast<size_t>(reason)].load();
    return count;
}

uint64_t SpreadBed::rule_packets(const std::string& id) const {
    const Rule* rule = bed_.latest().ruleset.find_rule(id);
    return bed_.latest().counts()[rule->rule_index].packets;
}

SpreadBed::Homes SpreadBed::homes() {
    Homes homes;
    std::set<std::string> replies;
    for (uint16_t worker = 0; worker < options_.workers; ++worker) {
        const FlowTable& flows = bed_.worker(worker).flows();
        for (FlowIndex index = 0; index < flows.capacity(); ++index) {
            if (flows.sweep_at(index) == 0) continue;
            ++homes.flows;
            const Tuple reply = flows.tuple_of(index, Direction::Reply);
            const auto* bytes = reinterpret_cast<const char*>(&reply);
            replies.insert(std::string(bytes, sizeof(reply)));
            const Steering& steering = bed_.steering();
            const uint16_t home = steering.mode() == SteeringMode::Hardware
                                      ? nics_[kWan].queue_of(reply)
                                      : steering.owner_of(reply, flows.keys().hash_of(reply));
            homes.direct += home == worker;
            const TableEntry entry = bed_.worker(home).flows().keys().find(reply);
            homes.handed += home != worker && entry.is_foreign() && entry.worker() == worker;
        }
    }
    homes.distinct = replies.size();
    return homes;
}

FrameSpec spec_of(const Tuple& tuple, const std::string& payload, uint8_t tcp_flags, uint32_t seq,
                  uint32_t ack) {
    FrameSpec spec;
    spec.src = tuple.src_address();
    spec.dst = tuple.dst_address();
    spec.src_port = tuple.src_port.host();
    spec.dst_port = tuple.dst_port.host();
    spec.tcp_flags = tcp_flags;
    spec.seq = seq;
    spec.ack = ack;
    spec.payload = Bytes(payload.begin(), payload.end());
    spec.protocol = tuple.protocol;
    if (tuple.protocol == ip_protocol::kTcp) spec.transport = Transport::Tcp;
    if (tuple.protocol == ip_protocol::kUdp) spec.transport = Transport::Udp;
    if (tuple.protocol == ip_protocol::kIcmp) {
        spec.transport = Transport::Icmp;
        spec.icmp_type = tuple.icmp_type();
        spec.icmp_code = tuple.icmp_code();
        spec.icmp_id = tuple.src_port.host();
        spec.src_port = spec.dst_port = 0;
    }
    return spec;
}

Tuple tuple_between(uint8_t protocol, const std::string& src, uint16_t src_port,
                    const std::string& dst, uint16_t dst_port) {
    Tuple tuple;
    tuple.family = Family::Ipv4;
    tuple.protocol = protocol;
    tuple.src = IpAddress::parse(src)->bytes;
    tuple.dst = IpAddress::parse(dst)->bytes;
    tuple.src_port = be16::from_host(src_port);
    tuple.dst_port = be16::from_host(dst_port);
    return tuple;
}

}  // namespace rampart::test
