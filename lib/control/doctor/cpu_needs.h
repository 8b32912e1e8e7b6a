// What the packet path of this build was compiled for, as /proc/cpuinfo names it.
#pragma once

#include <span>
#include <string_view>

namespace rampart {

std::span<const std::string_view> cpu_features_of_build() noexcept;

}  // namespace rampart
