// InterfaceMapping: an interface that a dump names, and what it is on this box.
#pragma once

#include <string>

namespace rampart {

struct InterfaceMapping {
    std::string name;
    std::string device;  // empty: the user has to fill it in
    std::string peer;    // the other port of a transparent pair, or empty
};

}  // namespace rampart
