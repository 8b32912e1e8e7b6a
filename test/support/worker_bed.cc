#include "support/worker_bed.h"

#include <chrono>
#include <stdexcept>

#include <rte_mbuf.h>

namespace rampart::test {
namespace {

constexpr unsigned kReceiveSlots = 8192;
constexpr auto kPatience = std::chrono::seconds(60);

template <typename T>
T value_of(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

template <typename Condition>
bool wait_for(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return true;
}

}  // namespace

WorkerBed::WorkerBed(const Options& options)
    : steering_(options.steering.value_or(Steering::software(options.workers))),
      helpers_(options.workers) {
    DpdkSession& session = DpdkSession::get();
    const bool is_routed = options.routing != nullptr;
    hand_off_ = value_of(HandOff::create(static_cast<uint16_t>(options.workers + is_routed)));
    if (options.workers > 1) notices_ = value_of(Notices::create(options.workers));
    for (int port = 0; port < 2; ++port)
        ports_.push_back(
            std::make_unique<RingPort>(options.workers, kReceiveSlots, options.transmit_slots));
    const TscClock clock = TscClock::start_now();
    for (uint16_t index = 0; index < options.workers; ++index) {
        Worker::Options worker{.index = index,
                               .steering = &steering_,
                               .notices = notices_.get(),
                               .hand_off = hand_off_.get(),
                               .workers = options.workers,
                               .clock = clock,
                               .sleep_when_idle = true};
        for (const auto& port : ports_)
            worker.ports.push_back({.port_id = port->id(),
                                    .receive_queue = index,
                                    .receives = true,
                                    .port = static_cast<InterfaceIndex>(worker.ports.size()),
                                    .has_twin = is_routed && options.has_twins,
                                    .transmit_queue = index});
        // One secret for all, as in the daemon: the owner of a flow must not depend on the asker.
        worker.flows = value_of(FlowTable::create({.name = session.unique_name("bed"),
                                                   .capacity = options.capacity,
                                                   .foreign_keys = options.capacity,
                                                   .numa_node = -1,
                                                   .hash = KeyedHash::from_seed(1)}));
        worker.reassembly = std::make_unique<Reassembly>(Reassembly::Options{
            .datagrams = 256, .fragments = 1024, .hash = KeyedHash::from_seed(1)});
        worker.mailbox = value_of(Mailbox::create(session.unique_name("mailbox"), -1));
        worker.rule_log = value_of(RuleLog::create(session.unique_name("log"), -1));
        if (is_routed) {
            worker.routing = options.routing;
            worker.nat = std::make_unique<Nat>(*worker.flows, KeyedHash::from_seed(1));
            worker.unresolved = std::make_unique<Unresolved>();
        }
        worker.helpers = std::make_unique<HelperFlows>(
            HelperFlows::Options{.hash = KeyedHash::from_seed(1), .flows = 1024});
        worker.helpers->share(helpers_);
        helpers_[index] = worker.helpers.get();
        worker.all_helpers = helpers_;
        worker.trace = value_of(PacketTrace::create(session.unique_name("trace"), -1));
        worker.capture = value_of(PacketCapture::create(session.unique_name("capture"), -1));
        workers_.push_back(std::make_unique<Worker>(std::move(worker)));
    }
    is_running_.resize(options.workers);
}

WorkerBed::~WorkerBed() {
    stop();
}

void WorkerBed::publish(std::unique_ptr<Snapshot> snapshot) {
    snapshot->generation = static_cast<uint32_t>(snapshots_.size() + 1);
    for (size_t i = 0; i < workers_.size(); ++i)
        snapshot->paths.push_back(std::make_unique<PathTable>(snapshot->ruleset.index_count));
    std::vector<uint32_t> flow_slots;
    for (const auto& worker : workers_)
        flow_slots.push_back(worker->flows().capacity());
    states_.attach(*snapshot, flow_slots);
    snapshots_.push_back(std::move(snapshot));
    const Snapshot* const published = snapshots_.back().get();
    for (const auto& worker : workers_)
        worker->publish(published);
    latest_.store(published, std::memory_order_release);
    for (size_t i = 0; i < workers_.size(); ++i)
        if (is_running_[i] &&
            !wait_for([&] { return workers_[i]->seen_generation() == published->generation; }))
            throw std::runtime_error("a worker does not take up the snapshot");
}

void WorkerBed::start(uint16_t worker) {
    is_running_[worker] = true;
    threads_.emplace_back([this, worker] { workers_[worker]->run(); });
}

void WorkerBed::stop() {
    for (const auto& worker : workers_)
        worker->stop();
    for (std::thread& thread : threads_)
        thread.join();
    threads_.clear();
    is_running_.assign(is_running_.size(), false);
}

void WorkerBed::put(InterfaceIndex port, uint16_t queue, rte_mbuf* mbuf) {
    if (!ports_[port]->put(queue, mbuf)) throw std::runtime_error("a receive ring is full");
    ++put_count_;
}

void WorkerBed::put_from_kernel(InterfaceIndex port, uint16_t worker, rte_mbuf* mbuf) {
    mbuf->port = static_cast<uint16_t>(port | kFromKernel);
    if (!hand_off_->give(static_cast<uint16_t>(workers_.size()), worker, mbuf))
        throw std::runtime_error("the ring from the kernel is full");
    ++put_count_;
}

uint32_t WorkerBed::take_for_kernel(uint16_t worker) {
    uint32_t count = 0;
    rte_mbuf* mbuf = nullptr;
    while (hand_off_->take(worker, static_cast<uint16_t>(workers_.size()), &mbuf, 1) == 1) {
        rte_pktmbuf_free(mbuf);
        ++count;
    }
    return count;
}

bool WorkerBed::is_settled() const {
    return sum(&WorkerCounters::received) == put_count_ &&
           sum(&WorkerCounters::handed_in) == sum(&WorkerCounters::handed_out) &&
           sum(&WorkerCounters::forwarded) + sum(&WorkerCounters::local) +
                   sum(&WorkerCounters::merged) + drops() + held() ==
               put_count_;
}

bool WorkerBed::settle() const {
    if (!wait_for([this] { return is_settled(); })) return false;
    // The end of one more turn of each publishes to this thread what workers wrote into packets.
    for (size_t i = 0; i < workers_.size(); ++i) {
        const uint64_t then = workers_[i]->turns();
        if (is_running_[i] && !wait_for([&] { return workers_[i]->turns() != then; })) return false;
    }
    return true;
}

uint64_t WorkerBed::held() const {
    uint64_t held = 0;
    for (const auto& worker : workers_)
        held += worker->reassembly().held();
    return held;
}

uint64_t WorkerBed::drops() const {
    uint64_t total = 0;
    for (const auto& worker : workers_)
        for (const Counter& reason : worker->counters().drops)
            total += reason.load();
    return total;
}

uint64_t WorkerBed::sum(Counter WorkerCounters::*counter) const {
    uint64_t total = 0;
    for (const auto& worker : workers_)
        total += (worker->counters().*counter).load();
    return total;
}

uint64_t WorkerBed::read_everything() const {
    uint64_t packets = 0;
    for (const auto& worker : workers_) {
        const FlowTable& flows = worker->flows();
        for (FlowIndex index = 0; index < flows.capacity(); ++index) {
            FlowInfo info;
            if (flows.sweep_at(index) == 0 || !flows.read_info(index, info)) continue;
            const Flow& flow = flows.flow(index);
            static_cast<void>(flows.traffic(index).packets[0] + flow.status.load() +
                              flow.deadline.load());
            if (info.original.family == Family::None)
                throw std::runtime_error("a torn record of a flow");
        }
    }
    const Snapshot* snapshot = latest_.load(std::memory_order_acquire);
    if (snapshot == nullptr) return 0;
    std::vector<RuleCount> counts(snapshot->ruleset.index_count);
    for (const auto& paths : snapshot->paths)
        paths->add_up(counts);
    for (const RuleCount& count : counts)
        packets += count.packets;
    return packets;
}

}  // namespace rampart::test
