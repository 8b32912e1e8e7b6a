#include "conntrack/flow_arrays.h"

#include <new>

#include <rte_malloc.h>

namespace rampart {

namespace {

template <typename T>
bool allocate(T*& array, const char* name, uint64_t count, int node) {
    array = static_cast<T*>(rte_zmalloc_socket(name, count * sizeof(T), RTE_CACHE_LINE_SIZE, node));
    for (uint64_t i = 0; array != nullptr && i < count; ++i)
        new (&array[i]) T;
    return array != nullptr;
}

}  // namespace

bool FlowArrays::create(uint32_t slots, Parts parts, int numa_node) {
    if (parts.ways && (!allocate(forwarding, "flow-forwarding", slots, numa_node) ||
                       !allocate(reply, "flow-reply", slots, numa_node)))
        return false;
    if (parts.accounting && !allocate(accounting, "flow-accounting", slots, numa_node))
        return false;
    if (parts.ipv6 && !allocate(addresses6, "flow-addresses6", slots, numa_node)) return false;
    return allocate(flows, "flows", slots, numa_node) &&
           allocate(records, "flow-records", slots, numa_node) &&
           allocate(sweep_at, "flow-sweep", slots, numa_node);
}

FlowArrays::~FlowArrays() {
    for (void* array :
         {static_cast<void*>(flows), static_cast<void*>(forwarding), static_cast<void*>(accounting),
          static_cast<void*>(records), static_cast<void*>(addresses6), static_cast<void*>(reply),
          static_cast<void*>(sweep_at)})
        rte_free(array);
}

KeyOrder FlowArrays::store_key(FlowIndex index, const Tuple& original) noexcept {
    KeyOrder order;
    if (original.family == Family::Ipv4) {
        FlowKey4 key;
        order = make_key(original, key);
        flows[index].key.store(key);
    } else {
        FlowKey6 key;
        order = make_key(original, key);
        flows[index].key.store(key, addresses6[index]);
    }
    return order;
}

}  // namespace rampart
