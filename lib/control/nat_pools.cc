#include "control/nat_pools.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "dataplane/worker.h"
#include "rules/nat_value.h"

namespace rampart {
namespace {

constexpr uint64_t kWarnAt_percent = 80;
constexpr uint64_t kBelow_percent = 75;
constexpr unsigned kIdleLooks = 3;  // after which a pool's number is free again
// Where a source that had a port above 1023 finds its new one (nat/binding.cc).
constexpr uint64_t kUsualPorts = 65536 - 1024;

// 0: more than anybody fills.
uint64_t ports_of(const NatAction& action) noexcept {
    const size_t words = action.first.size() / 4;
    const size_t last_word = action.family == Family::Ipv4 ? 0 : words - 1;
    for (size_t word = 0; word < last_word; ++word)
        if (load_host32(action.first.data() + word * 4) !=
            load_host32(action.last.data() + word * 4))
            return 0;
    const uint64_t addresses = uint64_t{load_host32(action.last.data() + last_word * 4)} -
                               load_host32(action.first.data() + last_word * 4) + 1;
    const uint64_t each =
        action.has_ports ? uint64_t{action.last_port} - action.first_port + 1 : kUsualPorts;
    return addresses * each;
}

}  // namespace

bool NatPools::Row::is_in_use() const noexcept {
    return std::any_of(used.begin(), used.end(), [](uint64_t flows) { return flows != 0; });
}

uint64_t NatPools::Row::used_percent() const noexcept {
    const uint64_t most = *std::max_element(used.begin(), used.end());
    return ports == 0 ? 0 : most * 100 / ports;
}

NatPools::NatPools(std::vector<Worker*> workers)
    : workers_(std::move(workers)), pools_(Nat::kMaxPools + kMaxInterfaces) {
    // Only routed ports translate.
    std::erase_if(workers_, [](const Worker* worker) { return worker->nat() == nullptr; });
}

void NatPools::attach(Snapshot& snapshot) {
    const Ruleset& ruleset = snapshot.ruleset;
    for (Pool& pool : pools_)
        pool.is_named = false;
    const std::vector<Interface>& interfaces = ruleset.names.interfaces;
    for (size_t index = 0; index < interfaces.size(); ++index) {
        Pool& pool = pools_[Nat::kMaxPools + index];
        pool.name = "masquerade " + interfaces[index].name;
        pool.ports = kUsualPorts;
    }
    snapshot.pools.assign(ruleset.pool_count, 0);
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules) {
            const NatAction* action = rule.decision.nat.get();
            if (action != nullptr && action->kind == NatKind::Snat)
                snapshot.pools[action->pool] = number_of(*action);
        }
    }
}

uint16_t NatPools::number_of(const NatAction& action) {
    const std::string name = print_nat_range(action);
    const auto last = pools_.begin() + Nat::kMaxPools;
    const auto find = [&](const std::string& wanted) {
        return std::find_if(pools_.begin(), last,
                            [&](const Pool& pool) { return pool.name == wanted; });
    };
    auto found = find(name);
    if (found == last) found = find({});
    if (found == last) {
        spdlog::warn("nat: more than {} pools: {} is not counted", Nat::kMaxPools, name);
        return 0;
    }
    const size_t number = static_cast<size_t>(found - pools_.begin());
    if (found->name.empty()) {
        found->failed_base = row_of(number).failed;
        found->name = name;
        found->ports = ports_of(action);
    }
    found->is_named = true;
    found->idle_looks = 0;
    return static_cast<uint16_t>(number + 1);
}

NatPools::Row NatPools::row_of(size_t number) const {
    const Pool& pool = pools_[number];
    Row row{.name = pool.name, .ports = pool.ports};
    for (const Worker* worker : workers_) {
        const Nat& nat = *worker->nat();
        const PoolUse& use =
            number < Nat::kMaxPools
                ? nat.pool(number)
                : nat.masquerade(static_cast<InterfaceIndex>(number - Nat::kMaxPools));
        for (size_t space = 0; space < kPortSpaces; ++space)
            row.used[space] += use.flows[space].load();
        row.failed += use.failed.load();
    }
    row.failed -= pool.failed_base;
    return row;
}

std::vector<NatPools::Row> NatPools::rows() const {
    std::vector<Row> rows;
    for (size_t number = 0; number < pools_.size(); ++number) {
        if (pools_[number].name.empty()) continue;
        Row row = row_of(number);
        // An interface whose address nobody takes is no pool.
        if (pools_[number].is_named || row.is_in_use() || row.failed != 0)
            rows.push_back(std::move(row));
    }
    return rows;
}

void NatPools::look() {
    for (size_t number = 0; number < pools_.size(); ++number) {
        Pool& pool = pools_[number];
        if (pool.name.empty()) continue;
        const Row row = row_of(number);
        tell(row, pool);
        // A worker that has not yet seen the rules that do not name it may still begin a flow.
        pool.idle_looks = pool.is_named || row.is_in_use() ? 0 : pool.idle_looks + 1;
        if (number < Nat::kMaxPools && pool.idle_looks > kIdleLooks) pool = {};
    }
}

void NatPools::tell(const Row& row, Pool& pool) const {
    const uint64_t percent = row.used_percent();
    if (!pool.is_above && percent >= kWarnAt_percent) {
        pool.is_above = true;
        spdlog::warn("nat: {}% of the ports of {} are in use", percent, row.name);
    } else if (pool.is_above && percent < kBelow_percent) {
        pool.is_above = false;
        spdlog::info("nat: {}% of the ports of {} are in use again", percent, row.name);
    }
    if (row.failed != pool.failed_told)
        spdlog::warn("nat: {} packets dropped (nat_exhausted): no port of {} was free for them",
                     row.failed - pool.failed_told, row.name);
    pool.failed_told = row.failed;
}

}  // namespace rampart
