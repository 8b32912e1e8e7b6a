// process(): the pure packet function (design D11).
//
// Takes a burst whose mbufs and in_ports are set and leaves every packet with a verdict: Forward
// (with out_port), Drop (with a reason) or Consumed (handed to burst.owner). Replies to rejected
// packets are left in context.replies. No I/O, no clock, no allocation but mbufs for replies. The
// workers, the scenarios, the replay tool, the fuzzers and the benchmarks call this one function.
#pragma once

#include "dataplane/burst.h"
#include "dataplane/context.h"

namespace rampart {

void process(Burst& burst, WorkerContext& context) noexcept;
// What it does before the first stage; for those that run the stages by themselves. Needs a
// snapshot.
void begin_burst(Burst& burst, WorkerContext& context) noexcept;

}  // namespace rampart
