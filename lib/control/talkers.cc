#include "control/talkers.h"

#include <algorithm>
#include <cstdlib>

#include "conntrack/flow_table.h"
#include "dataplane/worker.h"

namespace rampart {
namespace {

constexpr uint32_t kSlotsPerStep = 256;
constexpr size_t kMaxSources = 16384;

template <typename Busy>
bool is_busier(const Busy& left, const Busy& right) {
    return left.traffic.bytes > right.traffic.bytes;
}

}  // namespace

Talkers::Talkers(std::vector<Worker*> workers, size_t count)
    : workers_(std::move(workers)), count_(count) {
    // Zero pages that take memory, and time, only when a flow is noted in them.
    for (const Worker* worker : workers_)
        notes_.emplace_back(
            static_cast<Note*>(std::calloc(worker->flows().capacity(), sizeof(Note))), std::free);
}

Talkers::~Talkers() = default;

void Talkers::begin_look() {
    worker_ = 0;
    index_ = 0;
    flows_.clear();
    sources_.clear();
}

bool Talkers::go_on(const SliceTimer& timer) {
    for (; worker_ < workers_.size(); ++worker_, index_ = 0) {
        const Worker& worker = *workers_[worker_];
        Note* notes = notes_[worker_].get();
        const FlowTable& table = worker.flows();
        while (notes != nullptr && index_ < table.capacity()) {
            const FlowIndex end = std::min(index_ + kSlotsPerStep, table.capacity());
            for (; index_ < end; ++index_)
                if (table.sweep_at(index_) != 0) visit(worker, index_, notes[index_]);
            if (timer.is_over()) return false;
        }
    }
    is_first_ = false;
    std::sort_heap(flows_.begin(), flows_.end(), is_busier<BusyFlow>);
    return true;
}

void Talkers::visit(const Worker& worker, FlowIndex index, Note& note) {
    FlowInfo info;
    if (!worker.flows().read_info(index, info)) return;
    const FlowTraffic so_far = worker.flows().traffic(index);
    const uint64_t bytes = so_far.bytes[0] + so_far.bytes[1];
    const uint64_t packets = so_far.packets[0] + so_far.packets[1];
    const Note before = note;
    note = {bytes, static_cast<uint32_t>(packets), info.serial};
    if (is_first_) return;
    const bool is_known = before.serial == info.serial;
    // Less than before: `conntrack -L -z` has set it to zero.
    const Traffic traffic{
        .packets = is_known ? static_cast<uint32_t>(packets) - before.packets : packets,
        .bytes = is_known && bytes >= before.bytes ? bytes - before.bytes : bytes};
    if (traffic.bytes != 0) rank(info, traffic);
}

void Talkers::rank(const FlowInfo& info, const Traffic& traffic) {
    const BusyFlow flow{info.original, traffic};
    if (flows_.size() < count_) {
        flows_.push_back(flow);
        std::push_heap(flows_.begin(), flows_.end(), is_busier<BusyFlow>);
    } else if (is_busier(flow, flows_.front())) {
        std::pop_heap(flows_.begin(), flows_.end(), is_busier<BusyFlow>);
        flows_.back() = flow;
        std::push_heap(flows_.begin(), flows_.end(), is_busier<BusyFlow>);
    }
    if (sources_.size() >= kMaxSources) halve_sources();
    BusySource& source = sources_[info.original.src_address()];
    source.address = info.original.src_address();
    source.traffic.packets += traffic.packets;
    source.traffic.bytes += traffic.bytes;
    ++source.flows;
}

void Talkers::halve_sources() {
    std::vector<uint64_t> bytes;
    bytes.reserve(sources_.size());
    for (const auto& [address, source] : sources_)
        bytes.push_back(source.traffic.bytes);
    const auto middle = bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2);
    std::nth_element(bytes.begin(), middle, bytes.end());
    size_t to_go = bytes.size() / 2;
    std::erase_if(sources_, [&](const auto& entry) {
        if (to_go == 0 || entry.second.traffic.bytes > *middle) return false;
        --to_go;
        return true;
    });
}

std::vector<BusySource> Talkers::sources() const {
    std::vector<BusySource> all;
    for (const auto& [address, source] : sources_)
        all.push_back(source);
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(count_, all.size()));
    std::partial_sort(all.begin(), end, all.end(), is_busier<BusySource>);
    all.erase(end, all.end());
    return all;
}

}  // namespace rampart
