#include "dataplane/pipeline.h"

#include "dataplane/admission.h"
#include "dataplane/packet_capture.h"
#include "dataplane/packet_trace.h"
#include "dataplane/stages.h"

namespace rampart {
namespace {

// `note` is called between the stages (packet_trace.h, packet_capture.h).
template <typename Note>
inline void run_stages(Burst& burst, WorkerContext& context, Note note) noexcept {
    parse(burst, context);
    note(TracePoint::Parsed);
    if (burst.fragments != 0) reassemble(burst, context);
    note(TracePoint::Reassembled);
    steer(burst, context);
    if (context.snapshot->ruleset.raw != Ruleset::kNoChain) {
        raw(burst, context);
        note(TracePoint::Raw);
    }
    lookup(burst, context);
    note(TracePoint::LookedUp);
    track(burst, context);
    note(TracePoint::Tracked);
    route(burst, context);
    classify(burst, context);
    establish(burst, context);
    if (burst.departing != 0) translate(burst, context);
    note(TracePoint::Done);
}

// The same for whoever looks on.
void run_watched(Burst& burst, WorkerContext& context, bool is_traced) noexcept {
    if (is_traced) context.trace->choose(burst, context);
    run_stages(burst, context, [&](TracePoint point) {
        if (is_traced) context.trace->note(point, burst, context);
        if (context.capture == nullptr) return;
        if (point == TracePoint::Parsed) context.capture->note_received(burst, context);
        if (point == TracePoint::Raw) context.capture->note_raw(burst, context);
        if (point == TracePoint::Done) context.capture->note_decided(burst, context);
    });
}

}  // namespace

void begin_burst(Burst& burst, WorkerContext& context) noexcept {
    for (uint32_t i = 0; i < burst.count; ++i) {
        burst.verdict[i] = Verdict::Pending;
        burst.path[i] = kNoPath;
    }
    context.epoch = context.snapshot->verdict_epoch();
    if (context.routing != nullptr) context.route_epoch = context.routing->epoch();
    context.timeout_scale = timeout_scale(context.snapshot->conntrack, context.flows);
}

void process(Burst& burst, WorkerContext& context) noexcept {
    if (context.snapshot == nullptr) {  // fail closed
        for (uint32_t i = 0; i < burst.count; ++i)
            burst.drop(i, DropReason::NoPolicy);
        return;
    }
    begin_burst(burst, context);
    const bool is_traced = context.trace != nullptr && context.trace->is_wanted();
    if (is_traced || context.capture != nullptr) [[unlikely]] {
        run_watched(burst, context, is_traced);
    } else {
        run_stages(burst, context, [](TracePoint) {});
    }
    end_burst(context);
}

}  // namespace rampart
