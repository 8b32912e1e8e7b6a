#include "control/monitoring/sampler.h"

#include <algorithm>

#include "control/controller.h"

namespace rampart {
namespace {

constexpr size_t kBusyRules = 20;

uint64_t wall_s(const Controller& controller) noexcept {
    return controller.now().wall_ns / 1'000'000'000;
}

std::string_view to_string(Policy policy) noexcept {
    return policy == Policy::Accept ? "accept" : "drop";
}

}  // namespace

Sampler::Sampler(const MonitoringSettings& settings, Controller& controller)
    : settings_(settings), controller_(controller), census_(controller.datapath().workers()) {
    if (watches_rules()) rules_.look(controller.publisher(), wall_s(controller));
}

bool Sampler::watches_rules() const noexcept {
    return settings_.status_page || (settings_.metrics && settings_.rule_metrics);
}

void Sampler::each_second() {
    const Now now = controller_.now();
    const uint64_t second = now.wall_ns / 1'000'000'000;
    if (watches_rules()) rules_.each_second(controller_.publisher(), second, now.ns);
    if (settings_.status_page)
        history_.add(controller_.stats(), controller_.datapath().flow_count(), second);
}

std::shared_ptr<const MonitoringSample> Sampler::take() {
    auto sample = std::make_shared<MonitoringSample>();
    read_daemon(*sample);
    read_ports(*sample);
    read_workers(*sample);
    read_rules(*sample);
    read_tables(*sample);
    sample->flows_by_state = census_.last();
    if (settings_.status_page) sample->history = history_.seconds();
    return sample;
}

void Sampler::read_daemon(MonitoringSample& sample) const {
    const Now now = controller_.now();
    const Snapshot& snapshot = controller_.publisher().current();
    const ChangeLog& log = controller_.transaction().log();
    sample.wall_ms = now.wall_ns / 1'000'000;
    sample.uptime_s = now.ns / 1'000'000'000;
    sample.is_ready = controller_.is_ready();
    sample.generation = snapshot.generation;
    sample.config_path = controller_.config_path();
    sample.totals = totals_of(controller_.datapath().workers());
    sample.changes.assign(log.changes().begin(), log.changes().end());
    sample.last_change_was_successful = log.last_was_successful();
    sample.last_success_ms = log.last_success_ms();
}

void Sampler::read_ports(MonitoringSample& sample) const {
    const Datapath& datapath = controller_.datapath();
    const Stats& stats = controller_.stats();
    const std::vector<DeviceSettings>& devices = controller_.system().devices;
    sample.ports.resize(devices.size());
    for (size_t i = 0; i < devices.size(); ++i) {
        const InterfaceIndex index = static_cast<InterfaceIndex>(i);
        PortSample& port = sample.ports[i];
        port.name = devices[i].name;
        port.totals = sample.totals.port[i];
        port.received_per_s = stats.port_rate(index, &PortTotals::received_packets);
        port.received_bytes_per_s = stats.port_rate(index, &PortTotals::received_bytes);
        port.transmitted_per_s = stats.port_rate(index, &PortTotals::transmitted_packets);
        port.transmitted_bytes_per_s = stats.port_rate(index, &PortTotals::transmitted_bytes);
    }
    for (size_t n = 0; n < datapath.ports().size(); ++n) {
        const Port& device = *datapath.ports()[n];
        const InterfaceIndex index = datapath.interface_of(n);
        PortSample& port = sample.ports[index];
        port.has_device = true;
        port.is_up = device.is_link_up();
        port.speed_mbps = port.is_up ? device.link_speed_mbps() : 0;
        port.lost = device.statistics();
        for (size_t queue = 0; queue < device.receive_queues(); ++queue) {
            const WorkerCounters& counters = datapath.workers()[queue]->counters();
            port.queues.push_back({counters.port[index].received_packets.load(),
                                   stats.queue_rate(queue, index, &PortTotals::received_packets)});
        }
    }
}

void Sampler::read_workers(MonitoringSample& sample) const {
    const Datapath& datapath = controller_.datapath();
    for (const Worker* worker : datapath.workers()) {
        const WorkerCounters& counters = worker->counters();
        sample.workers.push_back({.cpu = datapath.worker_cpus()[worker->index()],
                                  .busy_ratio = controller_.stats().busy_ratio(worker->index()),
                                  .busy_cycles = counters.busy_cycles.load(),
                                  .idle_cycles = counters.idle_cycles.load(),
                                  .flows = worker->flows().count(),
                                  .flows_max = worker->flows().limit()});
        sample.flows += worker->flows().count();
        const ProtocolCounts& counts = worker->flows().by_protocol();
        for (size_t tracker = 0; tracker < kTrackerCount; ++tracker) {
            sample.protocols[tracker].begun += counts.begun[tracker].load();
            sample.protocols[tracker].ended += counts.ended[tracker].load();
        }
    }
    for (const WorkerGuard::Stuck& stuck : controller_.worker_guard().stuck())
        sample.workers[stuck.worker].is_stuck = true;
}

void Sampler::read_rules(MonitoringSample& sample) {
    const Publisher& publisher = controller_.publisher();
    const std::vector<Chain>& chains = publisher.current().ruleset.chains;
    for (const Chain& chain : chains)
        sample.rule_count += chain.rules.size();
    std::vector<RuleCount> counts;
    if (watches_rules()) {
        rules_.look(publisher, sample.wall_ms / 1000);
        counts = rules_.counts();
    } else {
        counts = publisher.counts();
    }
    for (const Chain& chain : chains) {
        if (chain.policy == Policy::None || (mask_of(chain.hook) & kNatHooks) != 0) continue;
        sample.policies.push_back(
            {chain.name, to_string(chain.policy), counts[chain.policy_index]});
    }
    sample.rule_counts = std::move(counts);
    if (settings_.status_page) read_busy_rules(sample);
    if (!settings_.metrics || !settings_.rule_metrics) return;
    sample.rules = rules_.catalogue();
    sample.rule_hits_s = rules_.hits_s();
}

void Sampler::read_busy_rules(MonitoringSample& sample) const {
    const Ruleset& ruleset = controller_.publisher().current().ruleset;
    const std::vector<RuleCount>& counts = sample.rule_counts;
    std::vector<const RuleName*> order;
    for (const RuleName& rule : rules_.catalogue()->rules)
        if (counts[rule.index].packets != 0) order.push_back(&rule);
    const size_t kept = std::min(kBusyRules, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                      [&](const RuleName* left, const RuleName* right) {
                          return counts[left->index].packets > counts[right->index].packets;
                      });
    for (size_t i = 0; i < kept; ++i) {
        const RuleName& name = *order[i];
        const Rule* rule = ruleset.rules[name.index];  // null: nobody wrote it
        sample.busy_rules.push_back({.chain = rules_.catalogue()->chains[name.chain],
                                     .id = name.id,
                                     .text = rule == nullptr ? std::string() : rule->text,
                                     .comment = rule == nullptr ? std::string() : rule->comment,
                                     .count = counts[name.index],
                                     .packets_per_s = rules_.packets_per_s(name.index),
                                     .last_hit_s = rules_.hits_s()[name.index]});
    }
}

void Sampler::read_tables(MonitoringSample& sample) const {
    Datapath& datapath = controller_.datapath();
    const Snapshot& snapshot = controller_.publisher().current();
    sample.flows_max = snapshot.conntrack.max;
    sample.pools = controller_.nat_pools().rows();
    sample.buffers_free = datapath.pool().available();
    sample.buffers = datapath.pool().size();
    for (const std::shared_ptr<SetHandle>& handle : snapshot.ruleset.names.sets)
        sample.sets.push_back(
            {handle->set->options().name, handle->set->size(), handle->set->options().max});
    for (const Worker* worker : datapath.workers()) {
        const HelperFlows* helpers = worker->helpers();
        if (helpers == nullptr) continue;
        const ExpectationTable& table = helpers->expectations();
        sample.expectations_max += table.capacity();
        for (uint8_t helper = 1; helper < kHelperCount; ++helper)
            sample.helpers[helper].packets += helpers->packets(helper);
        if (table.count() == 0) continue;
        Expectation expectation;
        for (uint32_t slot = 0; slot < table.capacity(); ++slot)
            if (table.read(slot, expectation) && expectation.helper < kHelperCount)
                ++sample.helpers[expectation.helper].expectations;
    }
}

}  // namespace rampart
