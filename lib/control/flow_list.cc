#include "control/flow_list.h"

#include "conntrack/flow_table.h"
#include "dataplane/worker.h"

namespace rampart {

uint32_t flow_id(uint16_t worker, FlowIndex index, uint32_t serial) noexcept {
    // The finalizer of splitmix64: ids of neighbouring slots look unrelated.
    uint64_t mixed = (uint64_t{worker} << 59) ^ (uint64_t{index} << 32) ^ serial;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    const uint32_t id = static_cast<uint32_t>(mixed ^ (mixed >> 31));
    return id == 0 ? 1 : id;
}

bool read_flow(const FlowTable& flows, uint16_t worker, FlowIndex index, Tick now,
               FlowEntry& entry) noexcept {
    if (flows.sweep_at(index) == 0) return false;
    FlowInfo before, after;
    if (!flows.read_info(index, before)) return false;
    const Flow& flow = flows.flow(index);
    const Tick deadline = flow.deadline.load();
    entry.status = flow.status.load();
    entry.state = flow.state.load();
    entry.mark = flow.mark.load();
    entry.in = flow.in_port[0].load();
    const FlowTraffic traffic = flows.traffic(index);
    for (int side = 0; side < 2; ++side) {
        entry.packets[side] = traffic.packets[side];
        entry.bytes[side] = traffic.bytes[side];
    }
    const bool is_expected = entry.status & flow_status::kExpected;
    const uint32_t master = is_expected ? flow.master.flow.load() : 0;
    const uint32_t master_serial = flow.master.serial.load();
    const uint8_t helper = flow.ties.helper.load();
    const bool is_translated = flow_status::is_translated(entry.status);
    FlowReply translated;
    if (is_translated && !flows.read_reply(index, translated)) return false;
    if (!flows.read_info(index, after) || after.serial != before.serial) return false;
    if (is_past(deadline, now)) return false;
    entry.original = before.original;
    entry.reply = is_translated ? translated.reply : invert(before.original);
    entry.masquerade = is_translated && translated.masquerade != 0
                           ? static_cast<InterfaceIndex>(translated.masquerade - 1)
                           : kNoInterface;
    entry.helper = entry.status & flow_status::kHelper ? helper : uint8_t{0};
    entry.master = {};
    FlowInfo announcer;
    if (master != 0 && flows.read_info(master - 1, announcer) && announcer.serial == master_serial)
        entry.master = announcer.original;
    entry.start_ns = before.created_ns;
    entry.stop_ns = 0;
    entry.timeout_s = ticks_left(deadline, now) / kTicksPerSecond;
    entry.id = flow_id(worker, index, before.serial);
    entry.worker = worker;
    entry.index = index;
    entry.serial = before.serial;
    return true;
}

bool FlowCursor::next(Tick now, uint32_t& slots, FlowEntry& entry) noexcept {
    for (; worker_ < workers_->size(); ++worker_, index_ = 0) {
        const Worker& worker = *(*workers_)[worker_];
        const FlowTable& flows = worker.flows();
        while (index_ < flows.capacity()) {
            if (slots == 0) return false;
            --slots;
            if (read_flow(flows, worker.index(), index_++, now, entry)) return true;
        }
    }
    return false;
}

}  // namespace rampart
