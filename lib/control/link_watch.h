// LinkWatch: says when the link of a port goes and comes back.
//
// Asks the ports once per second, so what is shorter may pass unseen. A link that is down at the
// first look is told, too; one that is up is as it should be. Control thread only.
#pragma once

#include <memory>
#include <vector>

namespace rampart {

class Port;

class LinkWatch {
  public:
    // The ports must outlive it.
    explicit LinkWatch(const std::vector<std::unique_ptr<Port>>& ports)
        : ports_(ports), was_up_(ports.size(), true) {}

    void look();

  private:
    const std::vector<std::unique_ptr<Port>>& ports_;
    std::vector<bool> was_up_;  // by port
};

}  // namespace rampart
