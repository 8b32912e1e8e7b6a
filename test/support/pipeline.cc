#include "support/pipeline.h"

#include <cstring>
#include <stdexcept>

#include <rte_mbuf.h>

#include "conntrack/tracker.h"
#include "dataplane/chronicle.h"
#include "dataplane/datagram_mark.h"
#include "dataplane/fragmentation.h"
#include "dataplane/pipeline.h"
#include "rules/sets/set_use.h"
#include "support/frame_text.h"

namespace rampart::test {
namespace {

constexpr CtClass kNoClass = static_cast<CtClass>(0xff);

std::unique_ptr<FlowTable> make_table(const Pipeline::Options& options, SourceCounts* sources) {
    auto table = FlowTable::create({.name = DpdkSession::get().unique_name("flows"),
                                    .capacity = options.capacity,
                                    .sources = sources,
                                    .numa_node = -1,
                                    .hash = KeyedHash::from_seed(options.hash_seed),
                                    .index = options.index});
    if (!table) throw std::runtime_error(table.error().message);
    return std::move(*table);
}

std::vector<Bytes> cut(rte_mbuf* datagram, const Packet& packet) {
    rte_mbuf* fragments[kMaxOutputFragments];
    const uint32_t count = cut_datagram(datagram, packet, fragments);
    if (count == 0) rte_pktmbuf_free(datagram);
    std::vector<Bytes> frames;
    for (uint32_t i = 0; i < count; ++i)
        frames.push_back(bytes_of(fragments[i]));
    rte_pktmbuf_free_bulk(fragments, count);
    return frames;
}

std::string flow_text(const Flow& flow, const Tuple& original, const Tuple& reply, Tick now) {
    std::string text = tuple_text(original);
    const Tracker& tracker = tracker_of(original.protocol);
    if (!tracker.states.empty()) text += " " + std::string(tracker.states[flow.state.load()]);
    const Tick left = ticks_left(flow.deadline.load(), now);
    text += " " + std::to_string((left + kTicksPerSecond - 1) / kTicksPerSecond);
    if (!flow.has(flow_status::kSeenReply)) text += " unreplied";
    if (flow.has(flow_status::kAssured)) text += " assured";
    if (reply != invert(original)) text += " reply " + tuple_text(reply);
    return text;
}

}  // namespace

std::string Outcome::to_text() const {
    std::string text;
    switch (verdict) {
        case Verdict::Forward:
            text = "forward " + std::to_string(out_port);
            break;
        case Verdict::Drop:
            text = "drop " + std::string(to_string(reason));
            break;
        case Verdict::Consumed:
            text = "consumed";
            break;
        case Verdict::Held:
            text = "held";
            break;
        case Verdict::Deliver:
            text = "local";
            break;
        case Verdict::Pending:
            text = "pending";
            break;
    }
    return text + " " + (ct_class ? std::string(to_string(*ct_class)) : "none");
}

Pipeline::Pipeline(std::unique_ptr<Snapshot> snapshot, Options options)
    : options_(options),
      mbufs_before_(DpdkSession::get().mbufs_out()),
      states_(KeyedHash::from_seed(options.hash_seed)),
      sources_(new SourceCounts(options.capacity, KeyedHash::from_seed(options.hash_seed))),
      table_(make_table(options, sources_.get())),
      reassembly_(new Reassembly(options.reassembly)),
      counters_(new WorkerCounters),
      burst_(new Burst),
      context_(*table_, *reassembly_, *counters_, steering_, 0) {
    if (!sources_->make_ready()) throw std::bad_alloc();
    context_.sources = sources_.get();
    context_.rule_log = &endless_log_;
    context_.now = Now::at(1'000'000'000);
    if (options_.network && snapshot != nullptr) {
        network_ = std::make_unique<Network>(*options_.network, snapshot->ruleset.names.interfaces);
        enter_network();
    }
    if (options_.has_helpers) make_helpers();
    if (snapshot != nullptr) reload(std::move(snapshot));
}

Pipeline::~Pipeline() {
    if (unresolved_ != nullptr) unresolved_->clear([](rte_mbuf* mbuf) { rte_pktmbuf_free(mbuf); });
}

// What a worker with routed ports has besides.
void Pipeline::enter_network() {
    nat_ = std::make_unique<Nat>(*table_, KeyedHash::from_seed(options_.hash_seed));
    unresolved_ = std::make_unique<Unresolved>();
    context_.routing = &network_->routing();
    context_.nat = nat_.get();
    context_.unresolved = unresolved_.get();
}

void Pipeline::make_helpers() {
    helpers_ = std::make_unique<HelperFlows>(
        HelperFlows::Options{.hash = KeyedHash::from_seed(options_.hash_seed)});
    all_helpers_[0] = helpers_.get();
    helpers_->share(all_helpers_);
    context_.helpers = helpers_.get();
    context_.all_helpers = all_helpers_;
}

void Pipeline::renew_paths() {
    if (snapshot_->paths.size() == 1) add_up(earlier_packets_);
    snapshot_->generation = ++generation_;
    snapshot_->epoch.store(0);
    snapshot_->paths.clear();
    snapshot_->paths.push_back(
        std::make_unique<PathTable>(snapshot_->ruleset.index_count, options_.path_capacity));
    const uint32_t slots[] = {table_->capacity()};
    states_.attach(*snapshot_, slots);
    context_.use(*snapshot_);
    states_.collect(generation_);
}

void Pipeline::reload(std::unique_ptr<Snapshot> snapshot) {
    if (snapshot_ != nullptr) {
        add_up(earlier_packets_);
        carry_sets(snapshot_->ruleset.names, snapshot->ruleset.names, context_.now);
    }
    snapshot_ = std::move(snapshot);
    snapshot_->paths.clear();
    renew_paths();
}

void Pipeline::note_changed_set() {
    snapshot_->epoch.store(0x8000'0000 | ++set_changes_);
}

std::vector<Outcome> Pipeline::send(std::span<const Arrival> arrivals) {
    if (arrivals.size() > kBurstSize) throw std::invalid_argument("a burst holds 64 packets");
    if (options_.forget_verdicts && snapshot_ != nullptr) renew_paths();
    Burst& burst = *burst_;
    burst.count = static_cast<uint32_t>(arrivals.size());
    burst.ct_class.fill(kNoClass);
    burst.flow.fill(FlowRef{});
    burst.is_handed = false;
    burst.from_kernel = 0;
    for (uint32_t i = 0; i < burst.count; ++i) {
        burst.mbuf[i] = DpdkSession::get().make_mbuf(arrivals[i].frame, arrivals[i].cuts);
        burst.packet[i].in_port = arrivals[i].port;
        burst.packet[i].out_port = kNoInterface;
        if (arrivals[i].is_from_kernel) burst.from_kernel |= bit(i);
    }
    counters_->received.add(burst.count);
    process(burst, context_);

    std::vector<Outcome> outcomes(burst.count);
    for (uint32_t i = 0; i < burst.count; ++i) {
        Outcome& outcome = outcomes[i];
        outcome.verdict = burst.verdict[i];
        if (burst.ct_class[i] != kNoClass) outcome.ct_class = burst.ct_class[i];
        if (!burst.flow[i].is_none()) outcome.direction = burst.flow[i].direction();
        if (outcome.ct_class == CtClass::Invalid) outcome.invalid = burst.packet[i].invalid;
        end(burst, i, outcome);
    }
    replies_.clear();
    for (uint32_t i = 0; i < context_.replies.count; ++i) {
        const Replies::Reply& reply = context_.replies.items[i];
        replies_.push_back({reply.port, bytes_of(reply.mbuf), reply.is_for_kernel});
        rte_pktmbuf_free(reply.mbuf);
    }
    context_.replies.count = 0;
    return outcomes;
}

// As the worker does; what it delivers and sends ends here.
void Pipeline::end(const Burst& burst, uint32_t i, Outcome& outcome) {
    if (outcome.verdict == Verdict::Held) return;
    outcome.frame = bytes_of(burst.mbuf[i]);
    if (outcome.verdict == Verdict::Forward) {
        outcome.out_port = burst.packet[i].out_port;
        counters_->forwarded.add(1);
        if (is_datagram(burst.mbuf[i])) {
            outcome.fragments = cut(burst.mbuf[i], burst.packet[i]);
            return;
        }
    } else if (outcome.verdict == Verdict::Deliver) {
        counters_->local.add(1);
    } else if (outcome.verdict == Verdict::Drop) {
        outcome.reason = burst.reason[i];
        counters_->drops[static_cast<size_t>(outcome.reason)].add(1);
    }
    rte_pktmbuf_free(burst.mbuf[i]);
}

void Pipeline::advance(uint64_t ns, bool sweep) {
    context_.now = Now::at(context_.now.ns + ns);
    if (!sweep) return;
    for (FlowIndex index = 0; index < table_->capacity(); ++index) {
        const Tick at = table_->sweep_at(index);
        if (at != 0 && is_past(at, context_.now.tick) &&
            table_->expire_if_due(index, context_.now.tick))
            counters_->expired.add(1);
    }
    end_burst(context_);
    if (helpers_ != nullptr) helpers_->expectations().expire(context_.now.tick);
    while (const uint32_t freed = reassembly_->expire(context_.now.tick))
        counters_->drops[static_cast<size_t>(DropReason::FragmentTimeout)].add(freed);
}

std::vector<FlowView> Pipeline::flows() const {
    std::vector<FlowView> views;
    for (FlowIndex index = 0; index < table_->capacity(); ++index) {
        FlowInfo info;
        if (!table_->read_info(index, info)) continue;
        const FlowTable& table = *table_;
        const Tuple reply = table.tuple_of(index, Direction::Reply);
        views.push_back({info.original, reply,
                         flow_text(table.flow(index), info.original, reply, context_.now.tick)});
    }
    return views;
}

void Pipeline::add_up(std::map<std::string, uint64_t>& packets) const {
    const Ruleset& ruleset = snapshot_->ruleset;
    const std::vector<RuleCount> counts = snapshot_->counts();
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules) {
            packets[rule.id] += counts[rule.rule_index].packets;
            if (rule.logged_index == kNotNumbered) continue;
            packets[rule.id + " logged"] += counts[rule.logged_index].packets;
            packets[rule.id + " suppressed"] += counts[rule.logged_index + 1].packets;
        }
        if (chain.policy != Policy::None)
            packets[chain.name + " policy"] += counts[chain.policy_index].packets;
    }
    for (const NamedCounter& counter : ruleset.counters)
        packets["counter " + counter.name] += counts[counter.index].packets;
    if (ruleset.allow_neighbour_discovery)
        packets["neighbour-discovery"] += counts[ruleset.neighbour_discovery_index].packets;
}

std::map<std::string, uint64_t> Pipeline::rule_packets() const {
    std::map<std::string, uint64_t> packets = earlier_packets_;
    if (snapshot_ != nullptr) add_up(packets);
    return packets;
}

int Pipeline::port_of(std::string_view name) const {
    if (snapshot_ == nullptr) return 0;
    const std::vector<Interface>& interfaces = snapshot_->ruleset.names.interfaces;
    for (size_t i = 0; i < interfaces.size(); ++i)
        if (interfaces[i].name == name) return static_cast<int>(i);
    return -1;
}

bool Pipeline::is_conserved() const {
    const uint32_t waiting = unresolved_ == nullptr ? 0 : unresolved_->held();
    uint64_t ended = counters_->forwarded.load() + counters_->local.load() +
                     counters_->merged.load() + reassembly_->held() + waiting;
    for (const Counter& drops : counters_->drops)
        ended += drops.load();
    return ended == counters_->received.load() &&
           DpdkSession::get().mbufs_out() == mbufs_before_ + reassembly_->held_mbufs() + waiting;
}

}  // namespace rampart::test
