// SetUse: where a rule looks at a set, "@name", and with what of the packet.
//
// A SetHandle is the set's place in a configuration. The rules of one generation keep the handle;
// publishing a generation puts the set itself in, which may be that of the generation before
// (carry_sets). Handles do not change afterwards.
// Parsed by the loader, immutable; holds(), count() and element_of() are on the packet path.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rules/match.h"
#include "rules/sets/named_set.h"

namespace rampart {

struct SetHandle {
    std::shared_ptr<NamedSet> set;
    uint32_t references = 0;      // rules' uses
    bool is_in_verdicts = false;  // a rule whose verdict flows may remember looks at it
    Location place;
    // What stands in the configuration itself; kept for dynamic sets and those with a file.
    SetContents contents = {};
};

enum class SetField : uint8_t { Src, Dst, Sport, Dport, Proto, MacSrc, In, Out };

struct SetUse {
    std::shared_ptr<const SetHandle> handle;
    std::array<SetField, 3> fields{};
    uint8_t count = 0;

    // False: the packet has no such thing, as ICMP has no ports.
    bool element_of(const RuleInput& input, SetElement& element) const noexcept;
    bool holds(const RuleInput& input) const noexcept;
};

// The sets among the values of one match.
class SetUses {
  public:
    void add(SetUse use) { uses_.push_back(std::move(use)); }
    bool is_empty() const noexcept { return uses_.empty(); }
    bool holds(const RuleInput& input) const noexcept {
        for (const SetUse& use : uses_)
            if (use.holds(input)) return true;
        return false;
    }
    // A packet that the whole rule matched.
    void note(const RuleInput& input) const noexcept;
    // A dynamic set, or one of MAC addresses.
    bool depend_on_packet() const noexcept;
    bool any_counted() const noexcept;
    void append_words(std::vector<std::string>& words) const;

  private:
    std::vector<SetUse> uses_;
};

// The set that "@name" or "name" means; reports E012 and then returns null.
std::shared_ptr<SetHandle> find_set(std::string_view name, const Location& at,
                                    ParseContext& context);
// A use of `handle` under these fields; reports E019 when the set is of another type.
std::optional<SetUse> use_set(const std::shared_ptr<SetHandle>& handle,
                              const std::vector<SetField>& fields, const Location& at,
                              ParseContext& context);
// For the values of `src`, `dport` and their kin: true when `item` is "@name", which is then in
// `uses`, or reported and `good` false.
bool read_set_use(const Value& item, SetField field, SetUses& uses, bool& good,
                  ParseContext& context);

std::string_view to_string(SetField field) noexcept;
std::vector<std::string_view> set_field_names();
// What a set of this type is looked up by when the rule does not say.
std::vector<SetField> default_fields(const SetType& type);

// Puts the sets of the running generation into the next where they go on: dynamic sets of an
// unchanged type and size as they are; of others what was added at run time. Control.
void carry_sets(const Names& from, Names& to, const Now& now);

}  // namespace rampart
