#include "dataplane/datagram_mark.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

namespace rampart {

uint64_t datagram_flag = 0;
int datagram_shape_offset = -1;

Result<void> register_datagram_mark() {
    rte_mbuf_dynfield field{};
    rte_strscpy(field.name, "rampart_fragment_shape", sizeof(field.name));
    field.size = sizeof(FragmentShape);
    field.align = alignof(FragmentShape);
    rte_mbuf_dynflag flag{};
    rte_strscpy(flag.name, "rampart_datagram", sizeof(flag.name));
    datagram_shape_offset = rte_mbuf_dynfield_register(&field);
    const int bit = rte_mbuf_dynflag_register(&flag);
    if (datagram_shape_offset < 0 || bit < 0)
        return failure(std::string("no room for Rampart's marks in packet buffers: ") +
                           rte_strerror(rte_errno),
                       "a driver option in `eal` may take it; report this with your devices");
    datagram_flag = uint64_t{1} << bit;
    return {};
}

}  // namespace rampart
