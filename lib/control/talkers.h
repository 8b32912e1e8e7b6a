// Talkers: the busiest flows and sources between two looks at the flow tables.
//
//   look 1: bytes of every flow are noted    look 2: what came since then ranks flows and sources
//
// A look is a walk over the tables of all workers, a slice at a time, so that control stays free
// however many flows there are. What a flow moved between its last look and its end is not seen.
// Notes take 16 bytes per slot of the tables, from the first look to the end. Sources are counted
// in a map of bounded size: when it is full its smaller half goes, so that under a flood of new
// sources the busy ones stay. Needs conntrack.accounting. Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ip_address.h"
#include "conntrack/flow.h"
#include "conntrack/flow_record.h"
#include "control/slice_timer.h"

namespace rampart {

class Worker;

// Of both directions.
struct Traffic {
    uint64_t packets = 0;
    uint64_t bytes = 0;
};

struct BusyFlow {
    Tuple original;
    Traffic traffic;
};

struct BusySource {
    IpAddress address;  // of flows that it began
    Traffic traffic;
    uint64_t flows = 0;  // with traffic
};

class Talkers {
  public:
    // Of each kind the busiest `count` are found.
    Talkers(std::vector<Worker*> workers, size_t count);
    ~Talkers();

    void begin_look();
    // Goes on with the look; true when it is complete.
    bool go_on(const SliceTimer& timer);

    // After a look: what came since the one before it; after the first, nothing. Busiest first.
    const std::vector<BusyFlow>& flows() const noexcept { return flows_; }
    std::vector<BusySource> sources() const;

  private:
    struct Note {
        uint64_t bytes = 0;
        uint32_t packets = 0;  // modulo 2^32
        uint32_t serial = 0;
    };
    struct AddressHash {
        size_t operator()(const IpAddress& address) const noexcept {
            return std::hash<std::string_view>()(
                {reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
        }
    };
    void visit(const Worker& worker, FlowIndex index, Note& note);
    void rank(const FlowInfo& info, const Traffic& traffic);
    void halve_sources();

    std::vector<Worker*> workers_;
    const size_t count_;
    std::vector<std::unique_ptr<Note[], void (*)(void*)>> notes_;  // by worker; lazily zero
    bool is_first_ = true;
    size_t worker_ = 0;
    FlowIndex index_ = 0;
    std::vector<BusyFlow> flows_;  // during a look: a heap, the least busy on top
    std::unordered_map<IpAddress, BusySource, AddressHash> sources_;
};

}  // namespace rampart
