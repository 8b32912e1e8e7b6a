#include "conntrack/helpers/helpers.h"

namespace rampart {
namespace {

// By number; there is no helper 0.
constexpr const Helper* kHelpers[] = {&kFtpHelper, &kTftpHelper, &kIrcHelper, &kSipHelper,
                                      &kPptpHelper};
static_assert(sizeof(kHelpers) / sizeof(kHelpers[0]) + 1 == kHelperCount);

constexpr std::string_view kDropNames[] = {"none",     "incomplete",   "malformed",
                                           "conflict", "out_of_order", "no_port",
                                           "no_room",  "not_rewritten"};

}  // namespace

const Helper* helper_of(uint8_t number) noexcept {
    return number == 0 || number >= kHelperCount ? nullptr : kHelpers[number - 1];
}

std::span<const Helper* const> helpers() noexcept {
    return kHelpers;
}

std::string_view to_string(HelperDrop reason) noexcept {
    return kDropNames[static_cast<unsigned>(reason)];
}

}  // namespace rampart
