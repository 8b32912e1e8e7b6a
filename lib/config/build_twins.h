// TwinBuilder: what the interfaces of a configuration are in the kernel: twins, VLANs, addresses.
//
// read() once for each interface, in the order of the file; finish() when all are known and the
// transparent pairs are closed. A port that is in no pair is routed, and has a twin unless it says
// `kernel: false`. Control thread, for the time of loading.
#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "base/value.h"
#include "config/section.h"
#include "config/system_settings.h"
#include "rules/names.h"

namespace rampart {

// As the kernel takes them, and without surprises. Reports what is wrong.
bool check_interface_name(const Value& word, Diagnostics& diagnostics);

class TwinBuilder {
  public:
    TwinBuilder(SystemSettings& system, Names& names, Diagnostics& diagnostics)
        : system_(system), names_(names), diagnostics_(diagnostics) {}

    void read(const Section& section, const Value::Entry& entry, DeviceSettings& device);
    void finish();

  private:
    // Where things stand in the file; null: they do not.
    struct Stated {
        const Value* kernel = nullptr;
        const Value* parent = nullptr;
        const Value* vlan = nullptr;
        const Value* address = nullptr;
        const Value* mtu = nullptr;
        bool has_twin = true;  // not `kernel: false`
    };

    void read_kernel(const Section& section, DeviceSettings& device, Stated& stated);
    void read_addresses(const Section& section, TwinSettings& twin);
    void read_vlan(const Section& section, const Value::Entry& entry, DeviceSettings& device);
    void add_address(const Value& word, bool is_ipv6_only, TwinSettings& twin);
    void join_parent(size_t index);
    void check_vlan(size_t index, size_t parent);
    void check_twin(size_t index);
    void check_name(size_t index);
    std::string parents_hint() const;
    void error(const Value& at, std::string message, std::string hint = {}) {
        diagnostics_.error("E005", at.location(), std::move(message), std::move(hint));
    }

    SystemSettings& system_;
    Names& names_;
    Diagnostics& diagnostics_;
    std::vector<Stated> stated_;  // by interface
};

}  // namespace rampart
