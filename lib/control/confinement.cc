#include "control/confinement.h"

#include <algorithm>
#include <atomic>
#include <cap-ng.h>
#include <chrono>
#include <memory>
#include <pwd.h>
#include <string>
#include <sys/prctl.h>
#include <thread>

#include <rte_alarm.h>
#include <spdlog/spdlog.h>

#include "control/eal_arguments.h"
#include "control/system_call_filter.h"
#include "control/thread_capabilities.h"

namespace rampart {
namespace {

constexpr std::string_view kKernelDrivers[] = {"net_tap", "net_af_packet", "net_af_xdp"};
constexpr auto kInterruptPatience = std::chrono::seconds(1);

bool stands_on_kernel(const DeviceSettings& device) {
    return device.is_virtual &&
           std::any_of(std::begin(kKernelDrivers), std::end(kKernelDrivers),
                       [&](std::string_view driver) { return device.device.starts_with(driver); });
}

}  // namespace

Confinement::Confinement(const SystemSettings& system)
    : confine_(system.control.confine),
      keeps_net_admin_(is_routed(system) || std::any_of(system.devices.begin(),
                                                        system.devices.end(), stands_on_kernel)) {}

bool Confinement::drop_own(bool keep_net_admin) const noexcept {
    if (!drops_capabilities()) return true;
    if (capng_get_caps_process() != 0) return false;
    const bool had_net_admin = capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN) != 0;
    // The bounding set can be emptied only by who may change it; no_new_privs below does as well.
    const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
    capng_clear(CAPNG_SELECT_ALL);
    if (keep_net_admin && had_net_admin)
        capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                     CAP_NET_ADMIN);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (may_bound) capng_apply(CAPNG_SELECT_BOUNDS);
    return capng_apply(CAPNG_SELECT_CAPS) == 0;
}

bool Confinement::drop_those_of_interrupts() const {
    if (!drops_capabilities()) return true;
    struct Order {
        const Confinement* confinement;
        std::atomic<int> state{0};  // 1: dropped, 2: not
    };
    // Not freed when the thread does not answer: it may yet.
    auto* order = new Order{this};
    const auto run = [](void* argument) {
        auto* own = static_cast<Order*>(argument);
        own->state.store(own->confinement->drop_own_capabilities() ? 1 : 2);
    };
    if (rte_eal_alarm_set(1, run, order) != 0) return false;
    const auto end = std::chrono::steady_clock::now() + kInterruptPatience;
    while (order->state.load() == 0) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    const bool is_dropped = order->state.load() == 1;
    delete order;
    return is_dropped;
}

void Confinement::complete() const {
    if (!drops_capabilities()) {
        spdlog::warn("confine: none: all capabilities and system calls stay available");
        return;
    }
    // Loads what the C library looks users up with, while it may.
    getpwuid(0);
    drop_those_of_interrupts();
    drop_own_capabilities();
    const uint64_t kept = keeps_net_admin_ ? uint64_t{1} << CAP_NET_ADMIN : 0;
    // Those that libraries made, and that only wait.
    drop_capabilities_of(threads_with_more(kept), kept);
    for (const ThreadPower& thread : threads_with_more(kept))
        spdlog::warn("the thread {} keeps capabilities", thread.name);
    std::string calls = "all system calls";
    if (confine_ == Confine::Full) {
        if (const auto filter = install_system_call_filter())
            calls = "few system calls";
        else
            spdlog::warn("{}", filter.error().message);
    }
    spdlog::info("confined: {}, {}", keeps_net_admin_ ? "CAP_NET_ADMIN" : "no capabilities", calls);
}

void Confinement::each_second() {
    for (const RefusedCall& call : take_refused_calls())
        spdlog::error("the system call {} was refused {} times: it is not in the filter", call.name,
                      call.count);
}

}  // namespace rampart
