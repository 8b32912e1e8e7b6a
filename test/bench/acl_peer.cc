#include "bench/acl_peer.h"

#include <cstring>

#include <rte_acl.h>
#include <rte_malloc.h>

#include "base/endian.h"

namespace rampart::bench {
namespace {

constexpr unsigned kMaxFields = 11;
RTE_ACL_RULE_DEF(AclRule, kMaxFields);

uint64_t heap_in_use() {
    rte_malloc_socket_stats stats;
    return rte_malloc_get_socket_stats(0, &stats) == 0 ? stats.heap_allocsz_bytes : 0;
}

unsigned fill_definitions(rte_acl_field_def* fields, Family family) {
    unsigned count = 0;
    const auto add = [&](uint8_t type, uint8_t size, uint8_t input, uint32_t offset) {
        fields[count] = {type, size, static_cast<uint8_t>(count), input, offset};
        ++count;
    };
    const unsigned words = family == Family::Ipv4 ? 2 : 8;
    add(RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, 0);
    for (unsigned i = 0; i < words; ++i)
        add(RTE_ACL_FIELD_TYPE_MASK, 4, static_cast<uint8_t>(i + 1), 4 + 4 * i);
    add(RTE_ACL_FIELD_TYPE_RANGE, 2, static_cast<uint8_t>(words + 1), 4 + 4 * words);
    add(RTE_ACL_FIELD_TYPE_RANGE, 2, static_cast<uint8_t>(words + 1), 6 + 4 * words);
    return count;
}

void fill_rule(AclRule& rule, const Filter& filter, Family family, size_t position) {
    rule = {};
    rule.data.category_mask = 1;
    rule.data.priority = RTE_ACL_MAX_PRIORITY - static_cast<int32_t>(position);
    rule.data.userdata = static_cast<uint32_t>(position) + 1;
    unsigned at = 0;
    rule.field[at].value.u8 = filter.protocol < 0 ? 0 : static_cast<uint8_t>(filter.protocol);
    rule.field[at++].mask_range.u8 = filter.protocol < 0 ? 0 : 0xff;
    const auto add_address = [&](const AddressBytes& bytes, unsigned length) {
        for (unsigned i = 0; i < (family == Family::Ipv4 ? 1u : 4u); ++i) {
            rule.field[at].value.u32 = load_host32(&bytes[4 * i]);
            rule.field[at++].mask_range.u32 = length < 32 * i ? 0 : std::min(32u, length - 32 * i);
        }
    };
    add_address(filter.src, filter.src_length);
    add_address(filter.dst, filter.dst_length);
    rule.field[at].value.u16 = filter.first_src_port;
    rule.field[at++].mask_range.u16 = filter.last_src_port;
    rule.field[at].value.u16 = filter.first_dst_port;
    rule.field[at++].mask_range.u16 = filter.last_dst_port;
}

}  // namespace

std::unique_ptr<AclPeer> AclPeer::create(const std::vector<Filter>& filters, Family family) {
    rte_acl_config config{};
    config.num_categories = 1;
    config.num_fields = fill_definitions(config.defs, family);
    rte_acl_param parameters{};
    parameters.name = "peer";
    parameters.socket_id = 0;
    parameters.rule_size = static_cast<uint32_t>(RTE_ACL_RULE_SZ(config.num_fields));
    parameters.max_rule_num = static_cast<uint32_t>(filters.size());
    std::unique_ptr<AclPeer> peer(new AclPeer);
    const uint64_t before = heap_in_use();
    peer->acl_ = rte_acl_create(&parameters);
    if (peer->acl_ == nullptr) return nullptr;
    rte_acl_set_ctx_classify(peer->acl_, RTE_ACL_CLASSIFY_AVX2);
    for (size_t i = 0; i < filters.size(); ++i) {
        AclRule rule;
        fill_rule(rule, filters[i], family, i);
        if (rte_acl_add_rules(peer->acl_, reinterpret_cast<const rte_acl_rule*>(&rule), 1) != 0)
            return nullptr;
    }
    const double start = thread_ms();
    if (rte_acl_build(peer->acl_, &config) != 0) return nullptr;
    peer->build_ms_ = thread_ms() - start;
    peer->size_bytes_ = heap_in_use() - before;
    return peer;
}

AclPeer::~AclPeer() {
    rte_acl_free(acl_);
}

AclPeer::Row AclPeer::row_of(const Header& header, Family family) {
    Row row{};
    row.bytes[0] = header.protocol;
    const size_t size = family == Family::Ipv4 ? 4 : 16;
    std::memcpy(&row.bytes[4], header.src.data(), size);
    std::memcpy(&row.bytes[4 + size], header.dst.data(), size);
    store_host16(&row.bytes[4 + 2 * size], header.src_port);
    store_host16(&row.bytes[6 + 2 * size], header.dst_port);
    return row;
}

void AclPeer::find(const uint8_t** rows, uint32_t* results, unsigned count) const {
    rte_acl_classify(acl_, rows, results, count, 1);
}

}  // namespace rampart::bench
