// Result<T>: the value, or an Error that an operator can act on.
//
// For wrong environments and wrong requests (a port that does not exist, a socket that cannot be
// bound). A bad packet is never an Error: it is a Verdict with a DropReason. A wrong configuration
// file is not an Error either: its problems are collected in Diagnostics.
// Value type, any thread.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace rampart {

struct Error {
    std::string message;  // what failed and why, one sentence without a full stop
    std::string hint;     // what to do about it; may be empty
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string message, std::string hint = {}) {
    return tl::unexpected<Error>(Error{std::move(message), std::move(hint)});
}

}  // namespace rampart
