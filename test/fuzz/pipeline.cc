// Fuzz target of process(): a sequence of frames through the whole packet path.
//
// The input is read as records: a byte of time, a byte of port and cut, a byte of length, the
// frame. Every packet must end forwarded, held or dropped for one reason, and every mbuf come back.
#include "support/pipeline.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "support/load.h"

namespace {

using namespace rampart;
using namespace rampart::test;

Pipeline& pipeline() {
    static Pipeline* one = new Pipeline(
        load(
            config_with("{ policy: accept, rules: [{ in: wan, state: invalid, action: reject }, "
                        "{ in: wan, state: new, jump: more }] }",
                        "  more: [{ proto: tcp, dport: 80, action: accept }, { action: drop }]\n")),
        {.capacity = 64});
    return *one;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Pipeline& path = pipeline();
    std::vector<Arrival> arrivals;
    while (size >= 3 && arrivals.size() < kBurstSize) {
        const size_t length = std::min<size_t>(data[2], size - 3);
        path.advance(uint64_t{data[0]} << 26, data[0] & 1);
        Arrival arrival{static_cast<InterfaceIndex>(data[1] & 1), {data + 3, data + 3 + length}};
        if (data[1] >> 1 != 0) arrival.cuts = {uint32_t{data[1]} >> 1};
        arrivals.push_back(std::move(arrival));
        data += 3 + length;
        size -= 3 + length;
    }
    path.send(arrivals);
    if (!path.is_conserved()) std::abort();
    path.table().erase_range(0, path.table().capacity());
    path.table().end_burst();
    return 0;
}
