#include "dataplane/chronicle.h"

#include "dataplane/helper_flows.h"
#include "dataplane/nat.h"
#include "dataplane/notices.h"
#include "packet/parser.h"

namespace rampart {
namespace {

void write_flow(WorkerContext& context, FlowIndex index, JournalKind kind,
                bool state_changed) noexcept {
    const Flow& flow = context.flows.flow(index);
    const FlowInfo info = context.flows.info(index);
    JournalRecord record;
    record.tuple = info.original;
    record.reply = context.flows.tuple_of(index, Direction::Reply);
    record.wall_ns = context.now.wall_ns;
    record.start_ns = info.created_ns;
    const FlowTraffic traffic = context.flows.traffic(index);
    for (int side = 0; side < 2; ++side) {
        record.packets[side] = traffic.packets[side];
        record.bytes[side] = traffic.bytes[side];
    }
    record.index = index;
    record.serial = info.serial;
    record.timeout = ticks_left(flow.deadline.load(), context.now.tick);
    record.mark = flow.mark.load();
    record.status = flow.status.load();
    record.state = flow.state.load();
    record.kind = kind;
    record.state_changed = state_changed;
    context.journal->write(record);
}

}  // namespace

void chronicle_new(WorkerContext& context, FlowIndex index) noexcept {
    if (!context.tells_flows) [[likely]]
        return;
    chronicle_erased(context);  // the same tuple may have lived in another slot
    write_flow(context, index, JournalKind::New, true);
}

void chronicle_update(WorkerContext& context, FlowIndex index, uint16_t status_before,
                      uint8_t state_before) noexcept {
    const Flow& flow = context.flows.flow(index);
    if (flow.has(flow_status::kDying) || !flow.has(flow_status::kConfirmed)) return;
    const bool state_changed = flow.state.load() != state_before;
    if (state_changed || ((flow.status.load() ^ status_before) & ~flow_status::kCounted) != 0)
        write_flow(context, index, JournalKind::Update, state_changed);
}

void chronicle_erased(WorkerContext& context) noexcept {
    if (!context.tells_flows) [[likely]]
        return;
    for (FlowIndex next = context.flows.erased_after(context.told_erased); next != kNoFlow;
         next = context.flows.erased_after(next)) {
        write_flow(context, next, JournalKind::Destroy, true);
        context.told_erased = next;
    }
}

namespace {

template <typename Visit>
void for_each_erased(const FlowTable& flows, Visit visit) noexcept {
    for (FlowIndex index = flows.erased_after(kNoFlow); index != kNoFlow;
         index = flows.erased_after(index))
        visit(index);
}

// Nobody needs to hand over packets of this flow any more. False: not all can be told now.
bool end_arrivals(WorkerContext& context, FlowIndex index) noexcept {
    if (context.notices == nullptr) return true;
    FlowTies& ties = context.flows.ties(index);
    for (const Direction direction : {Direction::Original, Direction::Reply}) {
        uint8_t& at = ties.arrives_at[static_cast<unsigned>(direction)];
        if (at == 0) continue;
        if (!context.notices->tell(
                context.worker, static_cast<uint16_t>(at - 1),
                {.tuple = context.flows.tuple_of(index, direction), .kind = Notice::Kind::Remove}))
            return false;
        at = 0;
    }
    return true;
}

}  // namespace

void end_burst(WorkerContext& context) noexcept {
    chronicle_erased(context);
    context.told_erased = kNoFlow;
    if (context.helpers != nullptr) {
        for_each_erased(context.flows, [&](FlowIndex index) {
            const uint32_t slot = context.flows.ties(index).helper_slot;
            if (slot != 0) context.helpers->release(slot, index);
        });
    }
    if (context.nat != nullptr)
        for_each_erased(context.flows, [&](FlowIndex index) { context.nat->forget(index); });
    context.flows.end_burst([&](FlowIndex index) { return end_arrivals(context, index); });
}

void chronicle_invalid(WorkerContext& context, const Packet& packet) noexcept {
    const uint32_t rate = context.snapshot->logging.invalid_per_s;
    if (rate == 0 || context.journal == nullptr) [[likely]]
        return;
    if (rate != context.invalid_rate) {
        context.invalid_rate = rate;
        context.invalid_limit = TokenBucket(rate, rate);
    }
    if (!context.invalid_limit.take(context.now.ns)) {
        ++context.untold_invalid;
        return;
    }
    JournalRecord record;
    record.kind = JournalKind::Invalid;
    record.tuple = tuple_of(packet);
    record.wall_ns = context.now.wall_ns;
    record.reason = packet.invalid;
    record.in_port = packet.in_port;
    record.bytes[0] = packet.ip_length;
    record.packets[0] = context.untold_invalid;
    context.untold_invalid = 0;
    context.journal->write(record);
}

}  // namespace rampart
