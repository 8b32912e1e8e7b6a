// The trackers that exist. Each is defined in the file of its name; registry.cc lists them.
#pragma once

#include "conntrack/tracker.h"

namespace rampart {

extern const Tracker kTcpTracker;
extern const Tracker kUdpTracker;
extern const Tracker kUdpLiteTracker;
extern const Tracker kIcmpTracker;
extern const Tracker kIcmpv6Tracker;
extern const Tracker kSctpTracker;
extern const Tracker kGreTracker;
extern const Tracker kGenericTracker;

}  // namespace rampart
