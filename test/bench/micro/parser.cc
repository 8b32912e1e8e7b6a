#include "packet/parser.h"

#include <array>
#include <cstring>
#include <vector>

#include "bench/micro/tuples.h"
#include "packet/checksum.h"

namespace rampart::bench {
namespace {

constexpr uint32_t kBatch = 64;
constexpr uint32_t kFrames = 4096;
constexpr uint32_t kFrameBytes = 80;

struct Kind {
    bool is_v6;
    bool is_tcp;
};

uint32_t write_frame(uint8_t* frame, uint32_t index, Kind kind) {
    const uint8_t protocol = kind.is_tcp ? 6 : 17;
    const Tuple tuple = tuple_of(index, protocol);
    const uint16_t l4_bytes = kind.is_tcp ? 20 : 26;
    std::memset(frame, 0, kFrameBytes);
    frame[0] = frame[6] = 2;
    uint8_t* ip = frame + 14;
    uint8_t* l4 = ip + (kind.is_v6 ? 40 : 20);
    if (kind.is_v6) {
        store_host16(frame + 12, 0x86dd);
        ip[0] = 0x60;
        store_host16(ip + 4, l4_bytes);
        ip[6] = protocol;
        ip[7] = 64;
        store_host32(ip + 8, 0x20010db8);
        store_host32(ip + 24, 0x20010db8);
        std::memcpy(ip + 20, tuple.src.data(), 4);
        std::memcpy(ip + 36, tuple.dst.data(), 4);
    } else {
        store_host16(frame + 12, 0x0800);
        ip[0] = 0x45;
        store_host16(ip + 2, static_cast<uint16_t>(20 + l4_bytes));
        ip[8] = 64;
        ip[9] = protocol;
        std::memcpy(ip + 12, tuple.src.data(), 4);
        std::memcpy(ip + 16, tuple.dst.data(), 4);
        store(ip + 10, checksum_of(ip, 20));
    }
    store(l4, tuple.src_port);
    store(l4 + 2, tuple.dst_port);
    if (kind.is_tcp) {
        l4[12] = 0x50;
        l4[13] = 0x10;
    } else {
        store_host16(l4 + 4, l4_bytes);
    }
    return static_cast<uint32_t>(l4 - frame) + l4_bytes;
}

void parse(benchmark::State& state, Kind kind) {
    std::vector<std::array<uint8_t, kFrameBytes>> frames(kFrames);
    uint32_t length = 0, at = 0;
    for (uint32_t i = 0; i < kFrames; ++i)
        length = write_frame(frames[i].data(), i, kind);
    std::vector<Packet> packets(kBatch);
    bool is_good = true;
    for (auto _ : state) {
        for (uint32_t i = 0; i < kBatch; ++i)
            is_good &= parse_frame(packets[i], frames[at + i].data(), length, length, {}).kind ==
                       FrameKind::Ip;
        benchmark::ClobberMemory();
        at = (at + kBatch) % kFrames;
    }
    count_cycles(state, kBatch);
    if (!is_good) state.SkipWithError("a frame was not parsed");
}

BENCHMARK_CAPTURE(parse, ipv4_udp, Kind{false, false});
BENCHMARK_CAPTURE(parse, ipv4_tcp, Kind{false, true});
BENCHMARK_CAPTURE(parse, ipv6_udp, Kind{true, false});
BENCHMARK_CAPTURE(parse, ipv6_tcp, Kind{true, true});

}  // namespace
}  // namespace rampart::bench
