// Fuzz target of the reassembly: fragments of a few datagrams, true and false, in any order.
//
// The input is read as records of six bytes: datagram and family, offset, length, flags and fill,
// identification, time. Whatever leaves must be exactly one of the datagrams that could be made of
// what came in; nothing may be lost, and no more be held than allowed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "support/fragment_frame.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace {

using namespace rampart;
using namespace rampart::test;

constexpr uint32_t kMaxHeld = 32;

Pipeline& pipeline() {
    static Pipeline* one =
        new Pipeline(load(config_with("{ policy: accept, rules: [{ in: wan, action: reject }] }")),
                     {.capacity = 64, .reassembly = {.datagrams = 8, .fragments = kMaxHeld}});
    return *one;
}

const std::vector<Bytes>& datagrams() {
    static const std::vector<Bytes>* all = new std::vector<Bytes>{
        frame_of("udp 10.0.0.2:1 > 192.0.2.1:53 len 592"),
        frame_of("udp [2001:db8:1::2]:1 > [2001:db8:2::1]:53 len 592"),
        frame_of("tcp 10.0.0.2:1 > 192.0.2.1:80 S opt mss,sackok len 300"),
        frame_of("icmp 2001:db8:1::2 > 2001:db8:2::1 echo-request id 1 len 200"),
    };
    return *all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Pipeline& path = pipeline();
    for (; size >= 6; data += 6, size -= 6) {
        PieceSpec piece;
        piece.offset = data[1] * 8u;
        piece.length = data[2] * 4u;
        if (data[3] & 1) piece.more = data[3] & 2;
        if (data[3] & 4) piece.fill = data[3];
        piece.id = data[4] % 4;
        path.advance(uint64_t{data[5]} << 26);
        const Arrival arrival{static_cast<InterfaceIndex>(data[0] >> 7),
                              fragment_frame(datagrams()[data[0] % 4], piece)};
        const Outcome outcome = path.send(arrival);
        if (!outcome.fragments.empty() &&
            joined_payload(outcome.fragments) != payload_of(outcome.frame))
            std::abort();
        if (path.reassembly().held() > kMaxHeld || !path.is_conserved()) std::abort();
    }
    path.advance(100'000'000'000);
    if (path.reassembly().held() != 0) std::abort();
    path.table().erase_range(0, path.table().capacity());
    path.table().end_burst();
    return 0;
}
