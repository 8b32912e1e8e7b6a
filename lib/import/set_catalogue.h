// SetCatalogue: the sets that rules refer to, from the output of `ipset save`, from nft, or made up
// by the import for `recent` lists.
//
// iptables-save names sets without saying what is in them, so without their definitions a rule that
// uses one cannot be imported.
// One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "import/report.h"

namespace rampart {

struct ImportedSet {
    std::string type;  // of the language: "ip", "net", "port", "ip,proto,port" ...
    Family family = Family::None;
    std::vector<std::vector<std::string>> elements;  // fields of each
    std::string timeout;                             // "10m"; empty: elements stay
    uint64_t max = 0;                                // 0: not said
    bool is_dynamic = false;
    std::string refusal;  // why rules cannot use it; empty: they can
    Origin origin;
};

class SetCatalogue {
  public:
    // The output of `ipset save`.
    void read_ipset(std::string_view text, uint32_t file, ImportReport& report);
    void add(std::string name, ImportedSet set) { sets_[std::move(name)] = std::move(set); }
    // Null: nobody defined it.
    ImportedSet* find(std::string_view name);
    const std::map<std::string, ImportedSet, std::less<>>& all() const noexcept { return sets_; }

  private:
    void create(const std::vector<std::string>& words, Origin origin);
    bool add_element(const std::vector<std::string>& words);

    std::map<std::string, ImportedSet, std::less<>> sets_;
};

}  // namespace rampart
