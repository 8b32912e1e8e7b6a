#include "nat/source_index.h"

#include <bit>

namespace rampart {

// One bucket per flow keeps the lists short: their length is that of a source with many flows.
SourceIndex::SourceIndex(FlowTable& table, const KeyedHash& hash)
    : table_(table), hash_(hash), heads_(std::bit_ceil(table.capacity()), kNoFlow) {}

uint32_t SourceIndex::bucket_of(const Tuple& tuple) const noexcept {
    uint32_t hash;
    if (tuple.family == Family::Ipv4) {
        FlowKey4 key;
        key.low_address = load<be32>(tuple.src.data());
        key.low_port = tuple.src_port;
        key.protocol = tuple.protocol;
        hash = hash_.hash(key);
    } else {
        FlowKey6 key;
        key.low_address = tuple.src;
        key.low_port = tuple.src_port;
        key.protocol = tuple.protocol;
        hash = hash_.hash(key);
    }
    return hash & static_cast<uint32_t>(heads_.size() - 1);
}

bool SourceIndex::has_source_of(FlowIndex index, const Tuple& tuple) const noexcept {
    const Tuple other = table_.original_tuple(index);
    return other.src == tuple.src && other.src_port == tuple.src_port &&
           other.protocol == tuple.protocol && other.family == tuple.family &&
           other.zone == tuple.zone && !table_.flow(index).has(flow_status::kDying);
}

void SourceIndex::add(FlowIndex index, const Tuple& original) noexcept {
    const uint32_t bucket = bucket_of(original);
    Forwarding& own = table_.forwarding(index);
    own.source_bucket = bucket + 1;
    own.source_previous = kNoFlow;
    own.source_next = heads_[bucket];
    if (own.source_next != kNoFlow) table_.forwarding(own.source_next).source_previous = index;
    heads_[bucket] = index;
}

void SourceIndex::remove(FlowIndex index) noexcept {
    Forwarding& own = table_.forwarding(index);
    if (own.source_bucket == 0) return;
    if (own.source_previous != kNoFlow)
        table_.forwarding(own.source_previous).source_next = own.source_next;
    else
        heads_[own.source_bucket - 1] = own.source_next;
    if (own.source_next != kNoFlow)
        table_.forwarding(own.source_next).source_previous = own.source_previous;
    own.source_bucket = 0;
    own.source_next = own.source_previous = kNoFlow;
}

}  // namespace rampart
