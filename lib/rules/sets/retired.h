// Retired: memory that workers may still be reading, on its way to being freed.
//
// A structure that control changes under the eyes of the workers puts what it replaced in a list of
// these; whoever owns the structure keeps the list until every worker has gone through a loop since
// (control/set_keeper.h), or frees it at once when there are no workers. Control thread only.
#pragma once

#include <memory>
#include <vector>

namespace rampart {

class Retired {
  public:
    // Takes what `owner` owns.
    template <typename Owner>
    explicit Retired(Owner owner)
        : data_(new Owner(std::move(owner)), [](void* data) { delete static_cast<Owner*>(data); }) {
    }

  private:
    std::unique_ptr<void, void (*)(void*)> data_;
};

using RetiredList = std::vector<Retired>;

}  // namespace rampart
