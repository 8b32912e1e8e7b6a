// Text of protocols as helpers read and write it: bytes of packets, never terminated, never
// trusted.
//
// Pure functions over views; nothing allocates. Any thread.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/ip_address.h"

namespace rampart {

inline std::string_view as_text(std::span<const uint8_t> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr bool is_letter(char c) noexcept {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

constexpr bool equals_no_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (to_lower(a[i]) != to_lower(b[i])) return false;
    return true;
}
constexpr bool starts_no_case(std::string_view text, std::string_view prefix) noexcept {
    return equals_no_case(text.substr(0, prefix.size()), prefix);
}

// The decimal digits that `text` begins with are taken off it. Nothing without a digit, beyond
// `max`, or with more digits than `max` has; leading zeros count as digits.
constexpr std::optional<uint32_t> take_number(std::string_view& text, uint32_t max) noexcept {
    uint32_t digits = 0;
    for (uint32_t rest = max; rest != 0; rest /= 10)
        ++digits;
    uint64_t value = 0;
    uint32_t length = 0;
    while (length < text.size() && is_digit(text[length])) {
        if (length == digits) return std::nullopt;
        value = value * 10 + static_cast<uint64_t>(text[length++] - '0');
    }
    if (length == 0 || value > max) return std::nullopt;
    text.remove_prefix(length);
    return static_cast<uint32_t>(value);
}

// Text that is put together in place. What does not fit is left out, and is_whole() says so.
template <size_t Capacity>
class FixedText {
  public:
    FixedText& add(std::string_view text) noexcept {
        if (text.size() > Capacity - size_) {
            is_whole_ = false;
            return *this;
        }
        std::memcpy(text_.data() + size_, text.data(), text.size());
        size_ += text.size();
        return *this;
    }
    FixedText& add(uint32_t number) noexcept {
        char digits[10];
        const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
        return add(std::string_view(digits, static_cast<size_t>(end - digits)));
    }
    FixedText& add(const IpAddress& address) noexcept;
    bool is_whole() const noexcept { return is_whole_; }
    std::string_view view() const noexcept { return {text_.data(), size_}; }

  private:
    std::array<char, Capacity> text_;
    size_t size_ = 0;
    bool is_whole_ = true;
};

// Returns the length.
size_t write_address(const IpAddress& address, std::span<char, 46> text) noexcept;

template <size_t Capacity>
FixedText<Capacity>& FixedText<Capacity>::add(const IpAddress& address) noexcept {
    std::array<char, 46> text;  // INET6_ADDRSTRLEN
    return add(std::string_view(text.data(), write_address(address, text)));
}

}  // namespace rampart
