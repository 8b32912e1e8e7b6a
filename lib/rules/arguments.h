// Arguments: what one match parsed from the configuration, with its type erased.
//
// Each match keeps its own struct in here and is the only one to read it back; the rest of the
// firewall moves Arguments around without knowing. Built by the loader, immutable afterwards, so
// workers read it freely. Not copyable.
#pragma once

#include <memory>
#include <utility>

namespace rampart {

class Arguments {
  public:
    Arguments() noexcept : data_(nullptr, [](void*) {}) {}

    template <typename T>
    static Arguments make(T value) {
        Arguments arguments;
        arguments.data_ = {new T(std::move(value)),
                           [](void* data) { delete static_cast<T*>(data); }};
        return arguments;
    }

    // T must be the type that make() was called with.
    template <typename T>
    const T& as() const noexcept {
        return *static_cast<const T*>(data_.get());
    }

    // While the ruleset is being built.
    template <typename T>
    T& as() noexcept {
        return *static_cast<T*>(data_.get());
    }

    explicit operator bool() const noexcept { return data_ != nullptr; }

  private:
    std::unique_ptr<void, void (*)(void*)> data_;
};

}  // namespace rampart
