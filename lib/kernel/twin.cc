#include "kernel/twin.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace rampart {
namespace {

std::string hint_for(int error, const std::string& name) {
    switch (error) {
        case ENOENT:
        case ENODEV:
        case ENXIO:
            return "load the kernel's module: modprobe tun";
        case EACCES:
        case EPERM:
            return "rampartd needs CAP_NET_ADMIN and /dev/net/tun";
        case EBUSY:
        case EINVAL:
            return fmt::format(
                "the kernel may have an interface '{}' already; name the twin otherwise with "
                "'kernel'",
                name);
        default:
            return {};
    }
}

tl::unexpected<Error> twin_failure(const Twin::Options& options, int error) {
    return failure(fmt::format("interface '{}': its twin '{}' cannot be made: {}",
                               options.interface, options.name, std::strerror(error)),
                   hint_for(error, options.name));
}

}  // namespace

Result<std::unique_ptr<Twin>> Twin::create(const Options& options, LinkSetup& links) {
    std::unique_ptr<Twin> twin(new Twin(options.name));
    twin->fd_ = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (twin->fd_ < 0) return twin_failure(options, errno);
    ifreq request{};
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL);
    options.name.copy(request.ifr_name, IFNAMSIZ - 1);
    if (ioctl(twin->fd_, TUNSETIFF, &request) != 0) return twin_failure(options, errno);
    twin->link_ = links.find(options.name);
    if (twin->link_ == 0) return twin_failure(options, ENODEV);
    if (const auto set = links.set_mac(twin->link_, options.mac); !set)
        return tl::unexpected(set.error());
    if (const auto set = links.set_mtu(twin->link_, options.mtu); !set)
        return tl::unexpected(set.error());
    if (const auto set = links.set_up(twin->link_); !set) return tl::unexpected(set.error());
    return twin;
}

Twin::~Twin() {
    if (fd_ >= 0) close(fd_);
}

void Twin::set_carrier(bool has_carrier) noexcept {
    if (has_carrier == has_carrier_) return;
    has_carrier_ = has_carrier;
    int value = has_carrier ? 1 : 0;
    ioctl(fd_, TUNSETCARRIER, &value);
}

}  // namespace rampart
