#include "conntrack/flow_arrays.h"

#include <new>

#include <rte_malloc.h>

namespace rampart {

static_assert(sizeof(SeqCell<FlowInfo>) == RTE_CACHE_LINE_SIZE);

namespace {

template <typename T>
bool allocate(T*& array, const char* name, uint64_t count, int node) {
    array = static_cast<T*>(rte_zmalloc_socket(name, count * sizeof(T), RTE_CACHE_LINE_SIZE, node));
    for (uint64_t i = 0; array != nullptr && i < count; ++i)
        new (&array[i]) T;
    return array != nullptr;
}

}  // namespace

bool FlowArrays::create(uint32_t slots, bool has_ways, bool has_accounting, int numa_node) {
    if (has_ways && (!allocate(forwarding, "flow-forwarding", slots, numa_node) ||
                     !allocate(reply, "flow-reply", slots, numa_node)))
        return false;
    if (has_accounting && !allocate(accounting, "flow-accounting", slots, numa_node)) return false;
    return allocate(flows, "flows", slots, numa_node) &&
           allocate(info, "flow-info", slots, numa_node) &&
           allocate(sweep_at, "flow-sweep", slots, numa_node) &&
           allocate(links, "flow-eviction", slots, numa_node);
}

FlowArrays::~FlowArrays() {
    for (void* array :
         {static_cast<void*>(flows), static_cast<void*>(forwarding), static_cast<void*>(accounting),
          static_cast<void*>(info), static_cast<void*>(reply), static_cast<void*>(sweep_at),
          static_cast<void*>(links)})
        rte_free(array);
}

void FlowArrays::prefetch(FlowIndex index) const noexcept {
    const auto* flow = reinterpret_cast<const char*>(&flows[index]);
    __builtin_prefetch(flow, 1);
    __builtin_prefetch(flow + 64, 1);
    __builtin_prefetch(&info[index], 1);
    prefetch_rank(index);
    if (forwarding != nullptr) __builtin_prefetch(&forwarding[index], 1);
    if (accounting != nullptr) __builtin_prefetch(&accounting[index], 1);
}

}  // namespace rampart
