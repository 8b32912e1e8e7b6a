#include "dataplane/notices.h"

#include <string>

namespace rampart {
namespace {

constexpr uint32_t kSlots = 4096;

}  // namespace

Result<std::unique_ptr<Notices>> Notices::create(uint16_t workers) {
    std::unique_ptr<Notices> notices(new Notices(workers));
    notices->rings_.reserve(size_t{workers} * workers);
    for (uint16_t from = 0; from < workers; ++from) {
        for (uint16_t to = 0; to < workers; ++to) {
            auto ring = RecordRing<Notice>::create(
                "notices-" + std::to_string(from) + "-" + std::to_string(to),
                from == to ? 2 : kSlots, -1);
            if (!ring) return tl::unexpected<Error>(ring.error());
            notices->rings_.push_back(std::move(*ring));
        }
    }
    return notices;
}

}  // namespace rampart
