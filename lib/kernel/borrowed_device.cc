#include "kernel/borrowed_device.h"

#include <net/if.h>
#include <nftables/libnftables.h>

#include <fmt/format.h>

namespace rampart {

std::string BorrowedDevice::name_in(std::string_view devargs) {
    constexpr std::string_view kDriver = "net_af_packet", kKey = "iface=";
    if (devargs.substr(0, kDriver.size()) != kDriver) return {};
    const size_t key = devargs.find(kKey);
    if (key == std::string_view::npos) return {};
    const std::string_view rest = devargs.substr(key + kKey.size());
    return std::string(rest.substr(0, rest.find(',')));
}

bool BorrowedDevice::run(const std::string& commands) {
    return nft_run_cmd_from_buffer(nft_, commands.c_str()) == 0;
}

Result<std::unique_ptr<BorrowedDevice>> BorrowedDevice::take(const std::string& name) {
    nft_ctx* nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (nft == nullptr) return failure("no memory for nftables");
    nft_ctx_buffer_output(nft);
    nft_ctx_buffer_error(nft);
    std::unique_ptr<BorrowedDevice> device(new BorrowedDevice(nft));
    // A name of an interface may hold what a name of a table may not.
    const std::string table = fmt::format("rampart_{}", if_nametoindex(name.c_str()));
    // What a daemon left behind that was killed goes with the first two.
    const bool is_done = device->run(fmt::format(
        "add table netdev {0}; delete table netdev {0}; add table netdev {0}; "
        "add chain netdev {0} ingress {{ type filter hook ingress device \"{1}\" priority 0; "
        "policy drop; }}",
        table, name));
    if (!is_done)
        return failure(fmt::format("the kernel cannot be kept from answering on '{}' as well: {}",
                                   name, nft_ctx_get_error_buffer(nft)),
                       "routed ports on net_af_packet need nftables with its netdev family, and "
                       "CAP_NET_ADMIN; or use net_af_xdp");
    device->table_ = table;
    return device;
}

BorrowedDevice::~BorrowedDevice() {
    if (!table_.empty()) run(fmt::format("delete table netdev {}", table_));
    nft_ctx_free(nft_);
}

}  // namespace rampart
