#include "control/rule_editor.h"

#include <exception>
#include <sys/resource.h>

#include <spdlog/spdlog.h>

namespace rampart {
namespace {

constexpr int kNiceness = 10;

}  // namespace

std::optional<RuleEditor::Done> RuleEditor::add(const std::string& chain, const std::string& text,
                                                const RulePosition& position,
                                                Diagnostics& diagnostics) {
    const auto since = Clock::now();
    auto changed = add_rule(publisher_.current().ruleset, chain, text, position, diagnostics);
    if (!changed) return std::nullopt;
    return publish(std::move(*changed), since);
}

std::optional<RuleEditor::Done> RuleEditor::remove(const std::string& id,
                                                   Diagnostics& diagnostics) {
    const auto since = Clock::now();
    auto changed = delete_rule(publisher_.current().ruleset, id, diagnostics);
    if (!changed) return std::nullopt;
    return publish(std::move(*changed), since);
}

RuleEditor::Done RuleEditor::publish(ChangedRuleset changed, Clock::time_point since) {
    Done done{.id = std::move(changed.id),
              .text = std::move(changed.text),
              .chain = changed.ruleset.chains[changed.chain].name,
              .number = changed.position + 1,
              .published = {},
              .took_us = 0};
    done.published = publish_(publisher_.current().with_ruleset(std::move(changed.ruleset)));
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(publisher_.active_since() - since);
    done.took_us = static_cast<uint64_t>(took.count());
    return done;
}

void RuleEditor::turn() {
    const Snapshot& current = publisher_.current();
    if (!compiled_.valid()) {
        if (current.ruleset.classifier == nullptr ||
            current.ruleset.classifier->changes() <= kMostUnknown)
            return;
        compiled_lineage_ = current.lineage;
        compiled_ = std::async(
            std::launch::async, [rules = std::make_shared<Ruleset>(current.ruleset.copy())] {
                setpriority(PRIO_PROCESS, 0, kNiceness);  // of this thread alone
                return std::make_unique<Classifier>(*rules, Ruleset::kLeastIndexedRules);
            });
        return;
    }
    if (compiled_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    try {
        const std::unique_ptr<Classifier> compiled = compiled_.get();
        if (compiled_lineage_ != current.lineage) return;  // another configuration since
        publish_(current.with_ruleset(current.ruleset.with_classifier(*compiled)));
    } catch (const std::exception& problem) {
        spdlog::error("the changed rules could not be compiled: {}", problem.what());
    }
}

}  // namespace rampart
