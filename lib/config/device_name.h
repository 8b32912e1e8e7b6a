// The value of `device`: a PCI address, or a virtual device of DPDK. Control thread only.
#pragma once

#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "base/value.h"

namespace rampart {

struct DeviceName {
    std::string device;    // what DPDK is given
    std::string identity;  // equal for two names of the same device
    bool is_virtual = false;
};

std::optional<DeviceName> parse_device_name(const Value& value, Diagnostics& diagnostics);

}  // namespace rampart
