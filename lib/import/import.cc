#include "import/import.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "import/iptables_tables.h"
#include "import/nft_ruleset.h"
#include "import/raw_order.h"
#include "import/verify.h"

namespace rampart {

namespace {

class Importer {
  public:
    explicit Importer(const ImportRequest& request) : request_(request), names_(report_) {}

    ImportResult run();

  private:
    ImportedDocument read_dumps();
    ImportedDocument translate(const ImportSource& source, Family family);
    void complete(ImportedDocument& document);
    void name_interfaces(const ImportedDocument& document);
    void add_interface(std::string name);
    void remark_on_family();
    std::string title() const;

    const ImportRequest& request_;
    ImportReport report_;
    SetCatalogue sets_;
    ChainNames names_;
    std::vector<InterfaceMapping> interfaces_;
};

ImportResult Importer::run() {
    if (request_.ipset) {
        const uint32_t file = report_.add_source(request_.ipset->path, request_.ipset->text);
        sets_.read_ipset(request_.ipset->text, file, report_);
    }
    ImportedDocument document = read_dumps();
    refuse_early_notrack(document, report_);
    complete(document);
    name_interfaces(document);
    if (!request_.keep_unbuilt) refuse_what_does_not_load(document, sets_, interfaces_, report_);
    ImportResult result;
    const bool is_whole = !report_.has_problems();
    if (is_whole || request_.partial)
        result.yaml = write_yaml(document, sets_, interfaces_, report_,
                                 {.title = title(), .counters = request_.counters})
                          .text;
    result.messages = report_.to_text(request_.partial ? "warning" : "error");
    if (is_whole) return result;
    const size_t count = report_.problem_count();
    const std::string_view what = count == 1 ? "problem" : "problems";
    result.messages +=
        request_.partial
            ? fmt::format("{} {}; these rules are left out\n", count, what)
            : fmt::format("{} {}; nothing imported (--partial leaves such rules out)\n", count,
                          what);
    return result;
}

ImportedDocument Importer::translate(const ImportSource& source, Family family) {
    const uint32_t file = report_.add_source(source.path, source.text);
    return translate_tables(read_dump(source.text, file, family, report_), names_,
                            {report_, sets_});
}

ImportedDocument Importer::read_dumps() {
    ImportedDocument v4;
    ImportedDocument v6;
    if (request_.nft)
        return read_nft(request_.nft->text, request_.nft->path, names_, {report_, sets_});
    if (request_.ipv4) v4 = translate(*request_.ipv4, Family::Ipv4);
    if (request_.ipv6) v6 = translate(*request_.ipv6, Family::Ipv6);
    if (!request_.ipv6) return v4;
    if (!request_.ipv4) return v6;
    return combine(std::move(v4), std::move(v6), names_);
}

void Importer::complete(ImportedDocument& document) {
    if (document.find("forward") == nullptr) {
        document.chains.push_back({"forward", "accept", {}});
        sort_chains(document);
        report_.remark_once("the dump has no chain for forwarded packets: they are accepted");
    }
    // raw without rules is what there is without raw.
    std::erase_if(document.chains, [](const ImportedChain& chain) {
        return chain.name == "raw" && chain.rules.empty() && chain.policy == "accept";
    });
    for (const std::string_view name : {"input", "output"}) {
        const ImportedChain* chain = document.find(name);
        if (chain != nullptr && !chain->rules.empty())
            report_.remark_once(
                "the chains 'input' and 'output' have no effect on a transparent "
                "bridge, only where an interface is routed");
    }
    remark_on_family();
}

// The other family passes rules without a family only, and the policies.
void Importer::remark_on_family() {
    if (request_.nft || (request_.ipv4 && request_.ipv6)) return;
    report_.remark_once(request_.ipv4
                            ? "only rules for IPv4 were given: IPv6 meets the policies alone; "
                              "--ipv6-file adds its rules"
                            : "only rules for IPv6 were given: IPv4 meets the policies alone");
}

void Importer::add_interface(std::string name) {
    const bool is_known =
        std::any_of(interfaces_.begin(), interfaces_.end(),
                    [&name](const InterfaceMapping& i) { return i.name == name; });
    if (!is_known && name != "lo") interfaces_.push_back({std::move(name), {}, {}});
}

bool needs_routes(const ImportedDocument& document) {
    for (const ImportedChain& chain : document.chains) {
        const bool translates = chain.name == kNatPrerouting || chain.name == kNatPostrouting;
        for (const ImportedRule& rule : chain.rules) {
            const bool asks_routes = rule.find_match("check") != nullptr ||
                                     rule.find_match("src_type") != nullptr ||
                                     rule.find_match("dst_type") != nullptr;
            if (rule.is_imported() && (translates || asks_routes)) return true;
        }
    }
    return false;
}

void Importer::name_interfaces(const ImportedDocument& document) {
    interfaces_ = request_.interfaces;
    std::set<std::string> prefixes;
    for (const ImportedChain& chain : document.chains) {
        for (const ImportedRule& rule : chain.rules) {
            for (const Term& term : rule.matches) {
                if ((term.key != "in" && term.key != "out") || !rule.is_imported()) continue;
                for (const std::string& word : term.words) {
                    if (word.ends_with('*'))
                        prefixes.insert(word.substr(0, word.size() - 1));
                    else
                        add_interface(word);
                }
            }
        }
    }
    for (const std::string& prefix : prefixes) {
        const bool is_known = std::any_of(
            interfaces_.begin(), interfaces_.end(),
            [&prefix](const InterfaceMapping& i) { return i.name.starts_with(prefix); });
        if (is_known) continue;
        add_interface(prefix + "0");
        report_.remark_once(
            fmt::format("no interface begins with '{0}': '{0}0' stands for those "
                        "that did",
                        prefix));
    }
    // Without any name the document needs two ports all the same.
    if (interfaces_.empty())
        interfaces_ = {{"lan", {}, needs_routes(document) ? "" : "wan"}, {"wan", {}, {}}};
}

std::string Importer::title() const {
    std::string sources;
    for (const auto* source : {&request_.ipv4, &request_.ipv6, &request_.nft}) {
        if (!*source) continue;
        if (!sources.empty()) sources += " and ";
        sources += (*source)->path;
    }
    std::erase_if(sources, [](char c) { return c == '\n' || c == '\r'; });
    return fmt::format("Imported from {} by rampartctl import.", sources);
}

}  // namespace

ImportResult import_rules(const ImportRequest& request) {
    return Importer(request).run();
}

}  // namespace rampart
