#include <array>
#include <iterator>

#include "conntrack/protocol_counts.h"
#include "conntrack/tracker.h"
#include "conntrack/trackers/trackers.h"
#include "packet/packet.h"

namespace rampart {
namespace {

constexpr const Tracker* kTrackers[] = {
    &kTcpTracker,    &kUdpTracker,  &kUdpLiteTracker, &kIcmpTracker,
    &kIcmpv6Tracker, &kSctpTracker, &kGreTracker,     &kGenericTracker,
};
static_assert(std::size(kTrackers) == kTrackerCount);

constexpr std::array<const Tracker*, 256> kByProtocol = [] {
    std::array<const Tracker*, 256> by_protocol{};
    by_protocol.fill(&kGenericTracker);
    by_protocol[ip_protocol::kTcp] = &kTcpTracker;
    by_protocol[ip_protocol::kUdp] = &kUdpTracker;
    by_protocol[ip_protocol::kUdpLite] = &kUdpLiteTracker;
    by_protocol[ip_protocol::kIcmp] = &kIcmpTracker;
    by_protocol[ip_protocol::kIcmpv6] = &kIcmpv6Tracker;
    by_protocol[ip_protocol::kSctp] = &kSctpTracker;
    by_protocol[ip_protocol::kGre] = &kGreTracker;
    return by_protocol;
}();

constexpr std::array<uint8_t, 256> kNumberByProtocol = [] {
    std::array<uint8_t, 256> numbers{};
    for (size_t protocol = 0; protocol < numbers.size(); ++protocol) {
        while (kTrackers[numbers[protocol]] != kByProtocol[protocol])
            ++numbers[protocol];
    }
    return numbers;
}();

}  // namespace

std::span<const Tracker* const> trackers() noexcept {
    return kTrackers;
}

const Tracker& tracker_of(uint8_t protocol) noexcept {
    return *kByProtocol[protocol];
}

uint8_t tracker_number(uint8_t protocol) noexcept {
    return kNumberByProtocol[protocol];
}

}  // namespace rampart
