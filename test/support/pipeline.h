// Pipeline: the packet path in one process, without threads, ports or a clock.
//
// Holds a FlowTable, the counters and a WorkerContext, as one worker does, and calls process() as
// the worker does. Time moves only by advance(), which also does the ager's job. Frees every mbuf:
// what is left out after a test is a leak in the packet path.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/burst.h"
#include "dataplane/context.h"
#include "dataplane/helper_flows.h"
#include "dataplane/nat.h"
#include "dataplane/unresolved.h"
#include "rules/rule_states.h"
#include "support/dpdk_session.h"
#include "support/frame.h"
#include "support/network.h"

namespace rampart::test {

struct Arrival {
    InterfaceIndex port = 0;
    Bytes frame;
    std::vector<uint32_t> cuts = {};  // segment boundaries
    bool is_from_kernel = false;      // then it leaves by `port`
};

struct Outcome {
    Verdict verdict = Verdict::Pending;
    DropReason reason{};
    std::optional<CtClass> ct_class;  // none when the packet was dropped before tracking
    InvalidReason invalid = InvalidReason::None;  // of the class Invalid
    std::optional<Direction> direction;           // none when it belongs to no flow
    InterfaceIndex out_port = kNoInterface;
    Bytes frame;  // as it left, or as it was when it was dropped; a datagram is whole here
    std::vector<Bytes> fragments = {};  // what a datagram that came in fragments left in

    bool operator==(const Outcome&) const = default;
    std::string to_text() const;  // "forward 1 new", "drop policy new"
};

struct SentReply {
    InterfaceIndex port;
    Bytes frame;
    bool is_for_kernel = false;
};

struct FlowView {
    Tuple original;
    Tuple reply;
    std::string text;  // proto, tuple, state, seconds left, unreplied, assured; reply, if it is no
                       // inverse
};

class Pipeline {
  public:
    struct Options {
        uint32_t capacity = 4096;
        uint64_t hash_seed = 1;
        KeyIndexKind index = KeyIndexKind::Buckets;
        uint32_t path_capacity = PathTable::kDefaultCapacity;
        Reassembly::Options reassembly = {};
        bool forget_verdicts = false;  // a fresh generation before each burst: nothing is cached
        std::optional<NetworkSpec> network = {};  // of routed ports; none: no port is routed
        bool has_helpers = false;                 // rules can give flows a helper
    };
    explicit Pipeline(std::unique_ptr<Snapshot> snapshot) : Pipeline(std::move(snapshot), {}) {}
    // `snapshot` may be null: a box without a configuration.
    Pipeline(std::unique_ptr<Snapshot> snapshot, Options options);
    ~Pipeline();

    // One burst of at most kBurstSize packets. Their answers are in replies().
    std::vector<Outcome> send(std::span<const Arrival> arrivals);
    Outcome send(const Arrival& arrival) { return send(std::span(&arrival, 1)).front(); }
    const std::vector<SentReply>& replies() const { return replies_; }

    // `sweep`: erase what has expired meanwhile, as the control core does.
    void advance(uint64_t ns, bool sweep = true);
    void reload(std::unique_ptr<Snapshot> snapshot);
    // What control does after it has changed a set of the snapshot.
    void note_changed_set();
    // From now on what happens is written there, until null.
    void tell(Journal* journal) {
        context_.journal = journal;
        context_.tells_flows = journal != nullptr;
    }

    // Where `log` statements write from now on; at first to a log that takes everything.
    void log_to(PacketLog* log) { context_.rule_log = log; }

    // Who captures from now on, until null.
    void capture_with(PacketCapture* capture) { context_.capture = capture; }

    // The live flows, by slot. A status word stands for netfilter's: "unreplied" for the lack of
    // SEEN_REPLY, "assured".
    std::vector<FlowView> flows() const;
    // Packets of each rule by its id, over all generations; policies as "forward policy", what a
    // rule logged as "ID logged" and "ID suppressed".
    std::map<std::string, uint64_t> rule_packets() const;
    uint64_t drops(DropReason reason) const {
        return counters_->drops[static_cast<size_t>(reason)].load();
    }
    const WorkerCounters& counters() const { return *counters_; }
    const Snapshot* snapshot() const { return snapshot_.get(); }
    FlowTable& table() { return *table_; }
    const Reassembly& reassembly() const { return *reassembly_; }
    Now now() const { return context_.now; }
    int port_of(std::string_view name) const;      // -1: no such interface
    Network* network() { return network_.get(); }  // null: no port is routed
    const Unresolved* unresolved() const { return unresolved_.get(); }
    const HelperFlows* helpers() const { return helpers_.get(); }  // null without has_helpers
    // received == forwarded + local + drops + merged + held, and every mbuf is back or held.
    bool is_conserved() const;

  private:
    void enter_network();
    void make_helpers();
    void end(const Burst& burst, uint32_t i, Outcome& outcome);
    void add_up(std::map<std::string, uint64_t>& packets) const;
    void renew_paths();

    struct EndlessLog final : PacketLog {
        bool write(const PacketLogRecord&) noexcept override { return true; }
    };

    Options options_;
    EndlessLog endless_log_;
    uint32_t generation_ = 0;
    uint32_t set_changes_ = 0;
    uint32_t mbufs_before_ = 0;
    RuleStates states_;
    std::unique_ptr<Snapshot> snapshot_;
    std::unique_ptr<SourceCounts> sources_;
    std::unique_ptr<FlowTable> table_;
    std::unique_ptr<Reassembly> reassembly_;
    std::unique_ptr<WorkerCounters> counters_;
    std::unique_ptr<Burst> burst_;
    std::unique_ptr<Network> network_;
    std::unique_ptr<Nat> nat_;
    std::unique_ptr<Unresolved> unresolved_;
    std::unique_ptr<HelperFlows> helpers_;
    const HelperFlows* all_helpers_[1] = {};
    Steering steering_ = Steering::single();
    WorkerContext context_;
    std::vector<SentReply> replies_;
    std::map<std::string, uint64_t> earlier_packets_;  // of generations that are gone
};

}  // namespace rampart::test
