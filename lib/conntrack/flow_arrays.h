// FlowArrays: the records of a flow table's slots, one array per record, the same index in each.
//
//   flows        every packet             records    beginning, end, order of age
//   sweep_at     deadlines that control scans
//   addresses6   the keys of IPv6, where that is tracked, else null
//   accounting   only where flows are counted, else null
//   forwarding   worker; routes and translation, and its cold part reply: only where ports are
//                routed, else null
//
// Allocated at start, zeroed; nothing afterwards. Owner: a FlowTable, whose rules say which thread
// may do what.
#pragma once

#include "base/prefetch.h"
#include "base/seq_cell.h"
#include "conntrack/flow.h"
#include "conntrack/flow_record.h"
#include "conntrack/forwarding.h"
#include "packet/packet.h"

namespace rampart {

struct FlowArrays {
    FlowArrays() = default;
    ~FlowArrays();
    FlowArrays(const FlowArrays&) = delete;
    FlowArrays& operator=(const FlowArrays&) = delete;

    // Those that not every table has.
    struct Parts {
        bool ways = true;
        bool accounting = true;
        bool ipv6 = true;
    };
    // Needs EAL. False: no memory.
    bool create(uint32_t slots, Parts parts, int numa_node);
    static uint64_t bytes_for(uint32_t slots, Parts parts) noexcept;  // table_bytes.cc

    // Everything that a flow's end touches is on its way to the cache.
    void prefetch_end(FlowIndex index) const noexcept {
        prefetch_to_write(&flows[index]);
        prefetch_rank(index);
        if (forwarding != nullptr) prefetch_to_write(&forwarding[index]);
    }
    // The same of its beginning.
    void prefetch_begin(FlowIndex index, bool is_tcp, bool is_counted) const noexcept {
        prefetch_end(index);
        if (is_tcp) prefetch_to_write(reinterpret_cast<const char*>(&flows[index]) + 64);
        if (is_counted && accounting != nullptr) prefetch_to_write(&accounting[index]);
    }
    // What a change of its timeout and rank touches.
    void prefetch_rank(FlowIndex index) const noexcept {
        prefetch_to_write(&sweep_at[index]);
        prefetch_to_write(&records[index]);
    }

    // The key of a flow before it is entered; whether it is in the other order than the tuple.
    void store_key(FlowIndex index, const Packet& first_packet) noexcept {
        if (first_packet.family == Family::Ipv4)
            flows[index].key.store(first_packet.key4);
        else
            flows[index].key.store(first_packet.key6, addresses6[index]);
    }
    KeyOrder store_key(FlowIndex index, const Tuple& original) noexcept;
    FlowKey6 key6(FlowIndex index) const noexcept {
        return flows[index].key.key6(addresses6[index]);
    }
    // The tuple of packets whose key is not swapped.
    Tuple unswapped_tuple(FlowIndex index) const noexcept {
        const StoredKey& key = flows[index].key;
        return key.is_ipv6() ? tuple_of(key6(index)) : tuple_of(key.key4());
    }

    Flow* flows = nullptr;
    Forwarding* forwarding = nullptr;
    FlowAccounting* accounting = nullptr;
    FlowRecord* records = nullptr;
    StoredAddresses* addresses6 = nullptr;
    SeqCell<FlowReply>* reply = nullptr;
    Shared<Tick>* sweep_at = nullptr;  // worker: rw, control: ro
};

}  // namespace rampart
