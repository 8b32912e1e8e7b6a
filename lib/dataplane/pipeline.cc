#include "dataplane/pipeline.h"

#include "dataplane/admission.h"
#include "dataplane/stages.h"

namespace rampart {

void process(Burst& burst, WorkerContext& context) noexcept {
    for (uint32_t i = 0; i < burst.count; ++i) {
        burst.verdict[i] = Verdict::Pending;
        burst.path[i] = kNoPath;
    }
    if (context.snapshot == nullptr) {  // fail closed
        for (uint32_t i = 0; i < burst.count; ++i)
            burst.drop(i, DropReason::NoPolicy);
        return;
    }
    context.timeout_scale = timeout_scale(context.snapshot->conntrack, context.flows);
    parse(burst, context);
    if (burst.fragments != 0) reassemble(burst, context);
    steer(burst, context);
    if (context.snapshot->ruleset.raw != Ruleset::kNoChain) raw(burst, context);
    lookup(burst, context);
    track(burst, context);
    forward(burst, context);
    classify(burst, context);
    establish(burst, context);
    end_burst(context);
}

}  // namespace rampart
