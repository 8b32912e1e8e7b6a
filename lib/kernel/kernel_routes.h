// KernelRoutes: the kernel's routes as it told of them, and what of them Routing gets.
//
// Follows the tables local, main and default with the kernel's own rules for adding, appending,
// replacing and deleting, resolves next hop objects, and chooses for each prefix: the local table
// goes first, then main, then default; within a table the least metric; of equal ones the first.
// Interfaces of the kernel that are no twins lead nowhere: a route that has only those is
// Unreachable. Routes of one TOS only, and those of other tables, are left out and counted.
// The mirror's thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "kernel/kernel_objects.h"
#include "routing/routing.h"

namespace rampart {

class KernelRoutes {
  public:
    // Which interface a link of the kernel stands for; kNoInterface: none.
    using FindInterface = std::function<InterfaceIndex(KernelIndex)>;

    // `flags`: those of the message (NLM_F_REPLACE, NLM_F_APPEND).
    void add(KernelRoute route, uint16_t flags);
    void remove(const KernelRoute& route);
    void set_next_hop(KernelNextHop next_hop);
    void remove_next_hop(uint32_t id);
    // Before a dump, which tells of them again.
    void clear(Family family);
    void clear_next_hops();
    // What interfaces stand for has changed.
    void mark_all();

    bool has_changes() const noexcept { return !changed_.empty(); }
    // Passes on what has changed.
    void flush(const FindInterface& find_interface, Routing& routing);

    // Routes that were not taken into account, since the beginning.
    uint64_t ignored() const noexcept { return ignored_; }

  private:
    struct PrefixOrder {
        bool operator()(const IpPrefix& a, const IpPrefix& b) const noexcept {
            return a.address != b.address ? a.address < b.address : a.length < b.length;
        }
    };
    using Routes = std::vector<KernelRoute>;  // of one prefix, in the kernel's order

    void add4(Routes& routes, KernelRoute route, uint16_t flags);
    void add6(Routes& routes, KernelRoute route, uint16_t flags);
    void remove6(Routes& routes, const KernelRoute& route);
    void resolve(uint32_t next_hop, unsigned depth, std::vector<KernelHop>& hops,
                 bool& is_blackhole) const;
    // False: nothing of it can be used.
    bool translate(const KernelRoute& route, const FindInterface& find_interface,
                   Routing::RouteEntry& entry) const;

    std::map<IpPrefix, Routes, PrefixOrder> routes_;
    std::unordered_map<uint32_t, KernelNextHop> next_hops_;
    std::set<IpPrefix, PrefixOrder> changed_;
    std::map<IpPrefix, Routing::RouteEntry, PrefixOrder> given_;
    uint64_t ignored_ = 0;
};

}  // namespace rampart
