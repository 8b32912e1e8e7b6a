// What a packet of routed ports must look like as it leaves, from the words of an expectation.
//
//   Chosen    what the packet path chose and a scenario cannot know: "$p(1024-65535)" takes a port,
//             identifier or address from the packet, checks its range and calls it "$p"
//   with_endpoints()   the line of a packet, with other addresses and ports
//
// Throws std::runtime_error on words that it does not understand. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/frame.h"

namespace rampart::test {

class Chosen {
  public:
    // "$p" becomes what was chosen.
    std::string put_into(const std::string& line) const;
    // "$p(1024-65535)" becomes what `frame` has there. False: it is not in the range.
    bool read(std::string& line, const Bytes& frame);

  private:
    std::map<std::string, std::string> values_;
};

// `line` is "tcp A > B S"; `words` from `first` on are "C > D id 7": other ends, and words that
// come on top.
std::string with_endpoints(const std::string& line, const std::vector<std::string>& words,
                           size_t first);

// Addresses that stand in the words of a line.
std::vector<IpAddress> addresses_in(const std::string& line);

}  // namespace rampart::test
