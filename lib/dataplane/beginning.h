// Beginning: a flow between its first packet and its entry into the table (stages/establish.cc),
// and the company that some of them have: helpers, other workers, translation
// (stages/in_company.cc).
//
// Lives on the stack of the worker that handles the packet; only that one calls these.
#pragma once

#include "conntrack/flow.h"
#include "dataplane/burst.h"
#include "dataplane/context.h"
#include "dataplane/stages.h"

namespace rampart {

struct Company;

struct Beginning {
    const Tuple& original;  // of its first packet; outlives this
    FlowIndex index;        // allocated
    Tick timeout;           // the tracker's
    Company* company = nullptr;
    Judged judged = {};
};

// Asks the rules about the first packet, which has this tuple for them. False: they do not accept
// it.
inline bool is_accepted(Burst& burst, uint32_t i, WorkerContext& context, const Tuple& tuple,
                        Judged& judged) noexcept {
    judged = judge(burst, i, context, nullptr, &tuple);
    return burst.verdict[i] == Verdict::Forward || burst.verdict[i] == Verdict::Deliver;
}
// Into the table, once it is accepted; or the packet is dropped, and the slot released.
void confirm_flow(Burst& burst, uint32_t i, WorkerContext& context,
                  const Beginning& beginning) noexcept;
// The part of that which enters the keys. False: the packet is dropped, the slot released.
bool insert_flow(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index, FlowInfo& info,
                 Tick deadline) noexcept;

// The packets of burst.starting whose flows may have company.
PacketMask in_company(const Burst& burst, const WorkerContext& context) noexcept;
// True: the packet goes to the worker that expects it, and so will those that follow.
bool is_expected_elsewhere(Burst& burst, uint32_t i, WorkerContext& context) noexcept;
// What establish does with a flow that has been allocated and tracked, for one in company.
void start_in_company(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                      Tick timeout) noexcept;
// Before it is admitted; returns the helper that it is to have.
uint8_t tie_to_helpers(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow,
                       const Company& company) noexcept;
// insert_flow() for such a flow.
bool insert_in_company(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                       const Company& company, FlowInfo& info, Tick deadline) noexcept;
// Once it is in the table; `helper` is not 0. Without a free slot the flow goes without it.
void attach_helper(Burst& burst, uint32_t i, WorkerContext& context, FlowIndex index,
                   uint8_t helper) noexcept;

}  // namespace rampart
