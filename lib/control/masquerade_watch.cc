#include "control/masquerade_watch.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "base/interface_index.h"
#include "control/slice_timer.h"
#include "dataplane/worker.h"
#include "kernel/kernel_path.h"

namespace rampart {
namespace {

constexpr uint32_t kSlotsPerStep = 256;

std::vector<IpAddress> addresses_of(const Routing& routing) {
    std::vector<IpAddress> addresses;
    const auto add = [&](InterfaceIndex interface) {
        for (const InterfaceAddress& own : routing.addresses(interface))
            addresses.push_back(own.address);
    };
    for (size_t interface = 0; interface < kMaxInterfaces; ++interface)
        add(static_cast<InterfaceIndex>(interface));
    add(kNoInterface);
    std::sort(addresses.begin(), addresses.end());
    return addresses;
}

}  // namespace

void MasqueradeWatch::each_second() {
    if (path_ == nullptr) return;
    std::vector<IpAddress> present;
    path_->run_inside([&] { present = addresses_of(path_->routing()); });
    if (present == addresses_) return;
    addresses_ = std::move(present);
    walk_.emplace(workers_);
    ended_ = 0;
}

void MasqueradeWatch::turn(Tick now) {
    if (!walk_) return;
    const SliceTimer timer;
    FlowEntry flow;
    while (!walk_->is_at_end() && !timer.is_over()) {
        for (uint32_t slots = kSlotsPerStep; walk_->next(now, slots, flow);) {
            if (end(flow)) continue;
            walk_->back();
            return;
        }
    }
    if (!walk_->is_at_end()) return;
    walk_.reset();
    if (ended_ != 0)
        spdlog::info("nat: ended {} flows that were masqueraded to an address that has gone",
                     ended_);
}

bool MasqueradeWatch::end(const FlowEntry& flow) {
    if (flow.masquerade == kNoInterface ||
        std::binary_search(addresses_.begin(), addresses_.end(), flow.reply.dst_address()))
        return true;
    Mailbox& mailbox = workers_[flow.worker]->mailbox();
    if (!mailbox.has_room() || !mailbox.post({Command::Kind::Erase, flow.index, flow.serial}))
        return false;
    ++ended_;
    return true;
}

}  // namespace rampart
