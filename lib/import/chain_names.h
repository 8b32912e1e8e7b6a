// ChainNames: what the chains of a dump are called in the language.
//
// Names that the language does not allow, or that something else has, are changed; the same chain
// of the same table has the same name in both families. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "import/report.h"

namespace rampart {

class ChainNames {
  public:
    explicit ChainNames(ImportReport& report) : report_(report) {}

    // Of a user chain. `table` is a table of iptables, or family and table of nft: "inet fw".
    const std::string& name_of(std::string_view table, std::string_view chain);
    // A name that nothing has, for a chain that the import makes.
    std::string fresh(std::string_view stem);

  private:
    ImportReport& report_;
    std::map<std::pair<std::string, std::string>, std::string> names_;
    std::set<std::string, std::less<>> used_;
};

}  // namespace rampart
