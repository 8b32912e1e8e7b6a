#include "control/datapath.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "dataplane/datagram_mark.h"
#include "dpdk/rss.h"

namespace rampart {
namespace {

constexpr int kAnyNumaNode = -1;

constexpr std::chrono::microseconds kPollInterval{200};

}  // namespace

Result<std::unique_ptr<Datapath>> Datapath::create(const SystemSettings& system,
                                                   const EalPlan& plan, uint32_t max_flows,
                                                   TscClock clock) {
    std::unique_ptr<Datapath> datapath(new Datapath);
    const uint16_t workers = static_cast<uint16_t>(plan.worker_cpus.size());
    datapath->worker_cpus_ = plan.worker_cpus;
    datapath->control_cpu_ = plan.control_cpu;
    datapath->rss_key_ = random_symmetric_key();
    if (const auto registered = register_datagram_mark(); !registered)
        return tl::unexpected<Error>(registered.error());
    auto pool = PacketPool::create("packets", mbufs_wanted(system), kAnyNumaNode);
    if (!pool) return tl::unexpected<Error>(pool.error());
    datapath->pool_ = std::move(*pool);
    if (const auto opened = datapath->open_ports(system, workers); !opened)
        return tl::unexpected<Error>(opened.error());
    datapath->choose_steering(workers);
    const bool has_routed_port = is_routed(system);
    if (workers > 1 || has_routed_port) {
        auto hand_off = HandOff::create(static_cast<uint16_t>(workers + has_routed_port));
        if (!hand_off) return tl::unexpected<Error>(hand_off.error());
        datapath->hand_off_ = std::move(*hand_off);
    }
    if (workers > 1) {
        auto notices = Notices::create(workers);
        if (!notices) return tl::unexpected<Error>(notices.error());
        datapath->notices_ = std::move(*notices);
    }
    if (has_routed_port) {
        auto routing = Routing::create({});
        if (!routing) return tl::unexpected<Error>(routing.error());
        datapath->routing_ = std::move(*routing);
    }
    if (const auto made = datapath->make_workers(system, workers, max_flows, clock); !made)
        return tl::unexpected<Error>(made.error());
    if (has_routed_port) {
        if (const auto made = datapath->make_kernel_path(system); !made)
            return tl::unexpected<Error>(made.error());
    }
    return datapath;
}

Datapath::~Datapath() {
    if (hand_off_ != nullptr) hand_off_->drain();
}

// Ports start here, before there are workers: a port tells how it really spreads packets only when
// it runs. What arrives until the workers poll waits in its queues.
Result<void> Datapath::open_ports(const SystemSettings& system, uint16_t workers) {
    for (size_t index = 0; index < system.devices.size(); ++index) {
        const DeviceSettings& device = system.devices[index];
        if (!device.has_device()) continue;
        Port::Options options;
        options.name = device.name;
        options.device = device.device;
        options.receive_queues = receive_queues_wanted(device, workers);
        options.transmit_queues = workers;
        options.mtu = device.mtu;
        options.pool = pool_->get();
        options.rss_key = rss_key_;
        auto port = Port::open(options);
        if (!port) return tl::unexpected<Error>(port.error());
        if (const auto started = (*port)->start(); !started)
            return tl::unexpected<Error>(started.error());
        auto& locks = locks_.emplace_back();
        if ((*port)->transmit_queues() < workers) {
            for (uint16_t queue = 0; queue < (*port)->transmit_queues(); ++queue)
                locks.push_back(std::make_unique<TransmitLock>());
        }
        ports_.push_back(std::move(*port));
        indexes_.push_back(static_cast<InterfaceIndex>(index));
    }
    return {};
}

void Datapath::choose_steering(uint16_t workers) {
    if (workers == 1) {
        steering_ = std::make_unique<Steering>(Steering::single());
        return;
    }
    const bool is_common = std::all_of(ports_.begin(), ports_.end(), [&](const auto& port) {
        return port->has_rss() && port->receive_queues() == workers &&
               port->rss_table() == ports_.front()->rss_table();
    });
    steering_ = std::make_unique<Steering>(
        is_common ? Steering::hardware(workers, {rss_key_, ports_.front()->rss_table()})
                  : Steering::software(workers));
}

std::vector<WorkerPort> Datapath::ports_of_worker(const SystemSettings& system, uint16_t worker,
                                                  uint16_t workers) {
    std::vector<WorkerPort> result(system.devices.size());
    for (size_t i = 0; i < ports_.size(); ++i) {
        const Port& port = *ports_[i];
        WorkerPort& own = result[indexes_[i]];
        own.port = indexes_[i];
        own.has_twin = !system.devices[indexes_[i]].twin.name.empty();
        own.port_id = port.id();
        own.receives = worker < port.receive_queues();
        own.receive_queue = worker;
        own.transmit_queue = static_cast<uint16_t>(worker % port.transmit_queues());
        if (port.transmit_queues() < workers) own.lock = locks_[i][own.transmit_queue].get();
    }
    // A VLAN sends by its parent, which receives for it.
    for (size_t i = 0; i < result.size(); ++i) {
        const DeviceSettings& device = system.devices[i];
        if (device.has_device()) continue;
        result[i] = result[device.twin.parent];
        result[i].receives = false;
    }
    return result;
}

Result<void> Datapath::make_workers(const SystemSettings& system, uint16_t count,
                                    uint32_t max_flows, TscClock clock) {
    // One secret for all: a flow has the same hash on every worker, which steering relies on.
    const KeyedHash hash = KeyedHash::random();
    sources_ = std::make_unique<SourceCounts>(max_flows, hash);
    helpers_.resize(count);
    for (uint16_t i = 0; i < count; ++i) {
        auto flows = FlowTable::create({.name = "flows-" + std::to_string(i),
                                        .capacity = flows_per_worker(max_flows, count),
                                        .keys_per_flow = keys_per_flow(system),
                                        .foreign_keys = foreign_keys(system, max_flows, count),
                                        .has_ways = is_routed(system),
                                        .has_accounting = system.has_counters,
                                        .has_ipv6 = system.tracks_ipv6,
                                        .sources = sources_.get(),
                                        .numa_node = kAnyNumaNode,
                                        .hash = hash,
                                        .index = system.key_index});
        if (!flows) return tl::unexpected<Error>(flows.error());
        auto mailbox = Mailbox::create("mailbox-" + std::to_string(i), kAnyNumaNode);
        if (!mailbox) return tl::unexpected<Error>(mailbox.error());
        auto journal = Journal::create("journal-" + std::to_string(i), kAnyNumaNode);
        if (!journal) return tl::unexpected<Error>(journal.error());
        auto rule_log = RuleLog::create("rule-log-" + std::to_string(i), kAnyNumaNode);
        if (!rule_log) return tl::unexpected<Error>(rule_log.error());
        auto trace = PacketTrace::create("trace-" + std::to_string(i), kAnyNumaNode);
        if (!trace) return tl::unexpected<Error>(trace.error());
        auto capture = PacketCapture::create("capture-" + std::to_string(i), kAnyNumaNode);
        if (!capture) return tl::unexpected<Error>(capture.error());
        auto helpers = std::make_unique<HelperFlows>(HelperFlows::Options{.hash = hash});
        helpers->share(helpers_);
        helpers_[i] = helpers.get();
        auto nat =
            routing_ == nullptr ? nullptr : std::make_unique<Nat>(**flows, hash, &reserved_ports_);
        workers_.push_back(std::make_unique<Worker>(Worker::Options{
            .index = i,
            .ports = ports_of_worker(system, i, count),
            .flows = std::move(*flows),
            .reassembly = std::make_unique<Reassembly>(Reassembly::Options{.hash = hash}),
            .mailbox = std::move(*mailbox),
            .journal = std::move(*journal),
            .rule_log = std::move(*rule_log),
            .trace = std::move(*trace),
            .capture = std::move(*capture),
            .steering = steering_.get(),
            .sources = sources_.get(),
            .notices = notices_.get(),
            .hand_off = hand_off_.get(),
            .workers = count,
            .routing = routing_.get(),
            .nat = std::move(nat),
            .unresolved = routing_ == nullptr ? nullptr : std::make_unique<Unresolved>(),
            .helpers = std::move(helpers),
            .all_helpers = helpers_,
            .clock = clock,
            .sleep_when_idle = system.cores.sleep_when_idle,
        }));
        worker_pointers_.push_back(workers_.back().get());
    }
    return {};
}

Result<void> Datapath::make_kernel_path(const SystemSettings& system) {
    KernelPath::Options options;
    options.interfaces = system.devices;
    options.macs.resize(system.devices.size());
    for (size_t i = 0; i < ports_.size(); ++i) {
        if (const auto mac = parse_mac_address(ports_[i]->mac_address()))
            options.macs[indexes_[i]] = *mac;
    }
    options.workers = static_cast<uint16_t>(workers_.size());
    options.hand_off = hand_off_.get();
    options.pool = pool_->get();
    options.routing = routing_.get();
    options.wait_for_workers = [this] { wait_for_turns(); };
    options.has_carrier = [this](InterfaceIndex index) {
        const auto at = std::find(indexes_.begin(), indexes_.end(), index);
        return at != indexes_.end() && ports_[at - indexes_.begin()]->is_link_up();
    };
    options.cpu = control_cpu_;
    auto path = KernelPath::create(std::move(options));
    if (!path) return tl::unexpected<Error>(path.error());
    kernel_path_ = std::move(*path);
    return {};
}

// Until every worker has ended the loop it was in: what that loop read is not read any more.
void Datapath::wait_for_turns() const {
    for (const Worker* worker : worker_pointers_) {
        const uint64_t turn = worker->turns();
        while (worker->turns() == turn && turn != UINT64_MAX)
            std::this_thread::sleep_for(kPollInterval / 10);
    }
}

Result<void> Datapath::get_ready_for(const ConntrackSettings& settings) {
    if (settings.max_per_source == 0 || sources_->make_ready()) return {};
    return failure("no memory to count the flows of each source (" +
                       std::to_string(sources_->bytes() >> 20) + " MiB)",
                   "lower conntrack.max, or leave out conntrack.limits.per_source");
}

Result<void> Datapath::launch(Eal& eal, const std::function<void()>& prepare) {
    is_running_ = true;
    for (Worker* worker : worker_pointers_) {
        ThreadClock* clock = worker_threads_.emplace_back(std::make_unique<ThreadClock>()).get();
        const auto run = [worker, clock, prepare] {
            prepare();
            clock->adopt_this_thread();
            worker->run();
        };
        if (!eal.launch(worker->index() + 1u, run))
            return failure("worker " + std::to_string(worker->index()) + " could not be launched");
    }
    if (kernel_path_ != nullptr) {
        kernel_path_->start();
        kernel_path_->run_inside(prepare);
    }
    return {};
}

void Datapath::stop(Eal& eal) {
    if (!is_running_) return;
    is_running_ = false;
    for (Worker* worker : worker_pointers_)
        worker->stop();
    eal.join();
    if (kernel_path_ != nullptr) kernel_path_->stop();
    for (const auto& port : ports_)
        port->stop();
}

uint64_t Datapath::flow_count() const noexcept {
    uint64_t count = 0;
    for (const Worker* worker : worker_pointers_)
        count += worker->flows().count();
    return count;
}

bool Datapath::wait_for_commands(Worker& worker, uint32_t timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    const auto wait_for = [&](auto is_done) {
        while (!is_done()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(kPollInterval);
        }
        return true;
    };
    if (!wait_for([&] { return worker.mailbox().is_empty(); })) return false;
    // What was taken last is done when the loop that took it has ended.
    const uint64_t loops = worker.counters().loops.load();
    return wait_for([&] { return worker.counters().loops.load() > loops + 1; });
}

}  // namespace rampart
