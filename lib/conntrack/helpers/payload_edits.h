// PayloadEdits: what a helper wants changed in the payload of one packet.
//
// Replacements of byte ranges of the payload as it arrived; kept in ascending order, whatever order
// they are asked for in. dataplane/payload_edit.h carries them out.
// Owner: a worker, which reuses one for all packets. Fixed size; nothing allocates.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace rampart {

struct PayloadEdit {
    uint16_t offset;  // in the payload as it arrived
    uint16_t length;  // bytes that go
    uint16_t text;    // where the new bytes begin in PayloadEdits::text_
    uint16_t text_length;
};

class PayloadEdits {
  public:
    static constexpr uint32_t kEdits = 64, kTextBytes = 4096;

    void clear() noexcept { count_ = used_ = 0; }
    bool is_empty() const noexcept { return count_ == 0; }
    // False: no room, or it overlaps with another edit. What is already so is not an edit.
    bool replace(std::span<const uint8_t> payload, uint32_t offset, uint32_t length,
                 std::string_view text) noexcept;
    std::span<const PayloadEdit> edits() const noexcept { return {edits_.data(), count_}; }
    std::string_view text_of(const PayloadEdit& edit) const noexcept {
        return {text_.data() + edit.text, edit.text_length};
    }
    // Bytes by which the payload grows.
    int32_t growth() const noexcept;

  private:
    uint32_t count_ = 0;
    uint32_t used_ = 0;
    std::array<PayloadEdit, kEdits> edits_;
    std::array<char, kTextBytes> text_;
};

}  // namespace rampart
