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

// Every kind of match that looks into a packet, every statement, every kind of reject.
constexpr const char* kForward = R"({
      policy: accept, rules: [
      { in: wan, state: invalid, action: reject },
      { state: related, set_mark: 1 },
      { ct_mark: 5, counter: marked, set_mark: ct_mark },
      { proto: tcp, tcp_flags: "fin,psh,urg/fin,psh,urg", action: reject, reject_with: tcp-reset },
      { proto: tcp, tcp_flags: syn, tcp_mss: 1200, set_ct_mark: 5 },
      { proto: tcp, tcp_flags: "syn/syn", tcp_mss: clamp },
      { length: 0-60, set_dscp: ef },
      { dscp: ef, limit: 10/second burst 20, jump: more },
      { ttl: 0-3, action: reject, reject_with: policy-fail },
      { frag: true, limit: { rate: 1/second, per: [src, dst], max: 8, over: true }, action: drop },
      { state: new, connlimit: { above: 5, mask: 24, max: 8 }, action: reject,
        reject_with: admin-prohibited },
      { state: new, connlimit: { per: [dst, dport], above: 3 }, timeout: 7s, jump: more },
      { limit: { rate: 1KB/second, burst: 3KB, per: [src, sport, in], max: 16, over: true },
        action: reject, reject_with: reject-route },
      { in: wan, state: new, jump: more }] })";

constexpr const char* kRest = R"(  more:
    - { proto: tcp, dport: 80, action: accept }
    - { proto: udp, dport: 1, action: reject, reject_with: net-unreachable }
    - { proto: udp, dport: 2, action: reject, reject_with: host-unreachable }
    - { proto: udp, dport: 53, action: reject, reject_with: proto-unreachable }
    - { proto: icmp, action: reject, reject_with: net-prohibited }
    - { proto: icmpv6, action: reject, reject_with: host-prohibited }
    - { mark: 1, set_ct_mark: mark, action: accept }
    - { ct_status: seen_reply, action: accept }
    - { action: drop }
)";

Pipeline& pipeline() {
    static Pipeline* one = new Pipeline(load(config_with(kForward, kRest)), {.capacity = 64});
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
    if (path.snapshot()->counted_flows[0]->records() != 0) std::abort();
    return 0;
}
