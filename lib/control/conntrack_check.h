// What is wrong with conntrack's options as a whole: those that do not go together, and those that
// are missing. In the words of conntrack-tools, in its order.
//
// Pure function, any thread. Used by conntrack_options.cc alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/conntrack_option_table.h"
#include "control/conntrack_options.h"

namespace rampart {

// What stood on the command line, beside the values that are in ConntrackOptions already.
struct ConntrackGiven {
    uint32_t options = 0;  // bit per conntrack_option::Option
    std::optional<AddressBytes> mask_src, mask_dst;

    bool has(conntrack_option::Option option) const noexcept { return options >> option & 1; }
};

// Puts the masks in their place and sets has_filter. Empty: all is well.
std::string check_conntrack_options(char command, const ConntrackGiven& given,
                                    ConntrackOptions& options);

}  // namespace rampart
