// KernelWatch: what the control thread has to do with the kernel's side of routed ports.
//
// Puts the addresses of a new configuration on the twins, and logs what the mirror notices. There
// may be no routed port; then it does nothing. Control thread only.
#pragma once

#include "config/system_settings.h"
#include "kernel/kernel_path.h"

namespace rampart {

class KernelWatch {
  public:
    // Says once which addresses are left to the system's own clients.
    KernelWatch(KernelPath* path, const SystemSettings& system);

    // Addresses may change while the daemon runs; nothing else of `interfaces` has.
    void follow(const std::vector<DeviceSettings>& interfaces);
    void each_second();

  private:
    KernelPath* path_;
};

}  // namespace rampart
