#include "control/kernel_watch.h"

#include <spdlog/spdlog.h>

#include "base/join.h"

namespace rampart {

KernelWatch::KernelWatch(KernelPath* path, const SystemSettings& system) : path_(path) {
    if (path_ == nullptr) return;
    for (const DeviceSettings& device : system.devices) {
        if (!device.twin.left_to_system.empty())
            spdlog::info("interface '{}': {} is left to the system's own clients on '{}'",
                         device.name, join(device.twin.left_to_system, ", "), device.twin.name);
    }
}

void KernelWatch::follow(const std::vector<DeviceSettings>& interfaces) {
    if (path_ == nullptr) return;
    std::vector<Error> errors;
    path_->run_inside([&] { errors = path_->set_addresses(interfaces); });
    for (const Error& error : errors)
        spdlog::error("{}", error.message);
}

void KernelWatch::each_second() {
    if (path_ == nullptr) return;
    std::vector<std::string> notes;
    path_->run_inside([&] { notes = path_->mirror().take_notes(); });
    for (const std::string& note : notes)
        spdlog::warn("{}", note);
}

}  // namespace rampart
