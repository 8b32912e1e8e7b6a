// Every other protocol: one flow for each pair of addresses and protocol number. The number is part
// of the key, so a rule for one unknown protocol never lets another through (CVE-2014-8160).
#include "conntrack/trackers/trackers.h"

namespace rampart {
namespace {

constexpr TimeoutId kTimeoutIds[] = {TimeoutId::Generic};

TrackOutcome track(const TrackInput& input) noexcept {
    return TrackOutcome::accept(input.settings.timeout(TimeoutId::Generic));
}

}  // namespace

const Tracker kGenericTracker = {"unknown", 0, track, track, {}, kTimeoutIds};

}  // namespace rampart
