#include "conntrack/helpers/payload_edits.h"

#include <algorithm>
#include <cstring>

namespace rampart {

bool PayloadEdits::replace(std::span<const uint8_t> payload, uint32_t offset, uint32_t length,
                           std::string_view text) noexcept {
    if (offset > payload.size() || length > payload.size() - offset) return false;
    if (text.size() == length && std::memcmp(payload.data() + offset, text.data(), length) == 0)
        return true;
    if (count_ == kEdits || text.size() > kTextBytes - used_) return false;

    uint32_t place = count_;
    while (place > 0 && edits_[place - 1].offset >= offset)
        --place;
    const bool cuts_previous =
        place > 0 && edits_[place - 1].offset + edits_[place - 1].length > offset;
    const bool cuts_next = place < count_ && edits_[place].offset < offset + length;
    // Two insertions in one place have no order.
    if (cuts_previous || cuts_next || (place < count_ && edits_[place].offset == offset))
        return false;

    std::move_backward(edits_.begin() + place, edits_.begin() + count_,
                       edits_.begin() + count_ + 1);
    edits_[place] = {static_cast<uint16_t>(offset), static_cast<uint16_t>(length),
                     static_cast<uint16_t>(used_), static_cast<uint16_t>(text.size())};
    std::memcpy(text_.data() + used_, text.data(), text.size());
    used_ += static_cast<uint32_t>(text.size());
    ++count_;
    return true;
}

int32_t PayloadEdits::growth() const noexcept {
    int32_t growth = 0;
    for (const PayloadEdit& edit : edits())
        growth += edit.text_length - edit.length;
    return growth;
}

}  // namespace rampart
