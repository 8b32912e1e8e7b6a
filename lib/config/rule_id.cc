#include "config/rule_id.h"

#include <cstdint>

#include <fmt/format.h>

namespace rampart {
namespace {

// FNV-1a: not a secret, only stable across releases.
uint64_t hash_of(std::string_view chain, std::string_view text) {
    uint64_t hash = 0xcbf29ce484222325;
    const auto add = [&hash](std::string_view part) {
        for (const char c : part) {
            hash ^= static_cast<uint8_t>(c);
            hash *= 0x100000001b3;
        }
    };
    add(chain);
    add("\n");
    add(text);
    return hash;
}

}  // namespace

std::string derived_rule_id(std::string_view chain, std::string_view text, unsigned repeat) {
    const std::string stem = fmt::format("r{:012x}", hash_of(chain, text) >> 16);
    return repeat == 1 ? stem : fmt::format("{}-{}", stem, repeat);
}

}  // namespace rampart
