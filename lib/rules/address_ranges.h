// AddressRanges: the value of `src` and `dst`, addresses of both families as sorted ranges.
//
// Overlapping and adjacent ranges are merged, so a lookup is one binary search per packet. IPv4
// addresses are compared as host-order words, IPv6 addresses as pairs of them. IPv6 addresses with
// a mask are compared one by one. Parsed by the loader, immutable; contains() is on the packet
// path.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "base/endian.h"
#include "base/masked_ip6.h"
#include "rules/match.h"
#include "rules/sets/set_use.h"

namespace rampart {

struct Address6 {
    uint64_t high = 0;
    uint64_t low = 0;
    auto operator<=>(const Address6&) const noexcept = default;
};

class AddressRanges {
  public:
    SetUses sets;

    void add(const IpRange& range);
    void add_masked(const MaskedIp6& masked);
    // After the last add(): sorts and merges.
    void finish();

    bool contains(Family family, const AddressBytes& address) const noexcept;
    bool is_empty() const noexcept {
        return written_.empty() && masked_.empty() && sets.is_empty();
    }
    FamilyMask families() const noexcept;
    template <typename T>
    struct Range {
        T first;
        T last;
    };
    // Sorted, merged.
    const std::vector<Range<uint32_t>>& v4() const noexcept { return v4_; }
    const std::vector<Range<Address6>>& v6() const noexcept { return v6_; }
    // As written, with host bits cleared, in the order of the file.
    const std::vector<IpRange>& written() const noexcept { return written_; }

    struct Masked {
        Address6 value;  // nothing outside of the mask
        Address6 mask;
        MaskedIp6 written;
    };
    const std::vector<Masked>& masked() const noexcept { return masked_; }

  private:
    std::vector<Range<uint32_t>> v4_;
    std::vector<Range<Address6>> v6_;
    std::vector<IpRange> written_;
    std::vector<Masked> masked_;
};

// `field`: by what "@set" among the values is looked up.
Arguments parse_address_ranges(const Value& value, SetField field, ParseContext& context);
const SetUses* sets_of_address_ranges(const Arguments& arguments) noexcept;
std::string print_address_ranges(const Arguments& arguments, const Names& names);
template <typename T>
class Intervals;
// Narrows what a packet's address may be to match.
void project_address_ranges(const Arguments& arguments, bool negated, Intervals<uint32_t>& v4,
                            Intervals<Address6>& v6);
FamilyMask families_of_address_ranges(const Arguments& arguments) noexcept;

}  // namespace rampart
