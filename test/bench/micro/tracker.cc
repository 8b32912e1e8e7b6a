#include "conntrack/tracker.h"

#include <cstring>
#include <vector>

#include "bench/micro/tuples.h"
#include "conntrack/trackers/trackers.h"

namespace rampart::bench {
namespace {

constexpr uint32_t kFlows = 64;

// A segment of one connection, with what a tracker reads of it.
struct Segment {
    Segment(uint8_t flags, uint32_t seq, uint32_t ack) {
        std::memset(bytes, 0, sizeof(bytes));
        store_host32(bytes + 4, seq);
        store_host32(bytes + 8, ack);
        bytes[12] = 0x50;
        bytes[13] = flags;
        store_host16(bytes + 14, 0x4000);
        packet.family = Family::Ipv4;
        packet.protocol = ip_protocol::kTcp;
        packet.frame = bytes;
        packet.l4_offset = 0;
        packet.l4_length = 20;
        packet.invalid = InvalidReason::None;
        packet.in_port = 0;
    }

    uint8_t bytes[64];
    Packet packet{};
};

bool play(Flow& flow, const Segment& segment, Direction direction, bool is_first) {
    static const ConntrackSettings settings;
    const TrackInput input{segment.packet, flow, direction, settings, 1000};
    const TrackOutcome outcome = is_first ? kTcpTracker.first(input) : kTcpTracker.update(input);
    if (direction == Direction::Reply) flow.set_status(flow_status::kSeenReply);
    return outcome.result == TrackResult::Accept;
}

bool open(Flow& flow) {
    return play(flow, Segment(0x02, 1000, 0), Direction::Original, true) &&
           play(flow, Segment(0x12, 5000, 1001), Direction::Reply, false) &&
           play(flow, Segment(0x10, 1001, 5001), Direction::Original, false);
}

// ACKs of established connections, both directions.
void track_tcp(benchmark::State& state) {
    std::vector<Flow> flows(kFlows);
    bool is_good = true;
    for (Flow& flow : flows)
        is_good &= open(flow);
    const Segment forth(0x10, 1001, 5001), back(0x10, 5001, 1001);
    for (auto _ : state) {
        for (Flow& flow : flows) {
            is_good &= play(flow, forth, Direction::Original, false);
            is_good &= play(flow, back, Direction::Reply, false);
        }
    }
    count_cycles(state, 2 * kFlows);
    if (!is_good) state.SkipWithError("a segment was not accepted");
}

// Six segments from SYN to the last ACK, per connection.
void track_tcp_connections(benchmark::State& state) {
    std::vector<Flow> flows(kFlows);
    const Segment fin(0x11, 1001, 5001), fin_back(0x11, 5001, 1002), last(0x10, 1002, 5002);
    bool is_good = true;
    for (auto _ : state) {
        for (Flow& flow : flows)
            std::memset(static_cast<void*>(&flow), 0, sizeof(flow));
        for (Flow& flow : flows) {
            is_good &= open(flow) && play(flow, fin, Direction::Original, false) &&
                       play(flow, fin_back, Direction::Reply, false) &&
                       play(flow, last, Direction::Original, false);
        }
    }
    count_cycles(state, kFlows);
    if (!is_good) state.SkipWithError("a segment was not accepted");
}

BENCHMARK(track_tcp);
BENCHMARK(track_tcp_connections);

}  // namespace
}  // namespace rampart::bench
