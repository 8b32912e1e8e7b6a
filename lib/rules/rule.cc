#include "rules/rule.h"

namespace rampart {

void RuleList::push_back(Rule rule) {
    if (built_ == nullptr) built_ = std::make_shared<Block>();
    built_->push_back(std::move(rule));
    order_.push_back(&built_->back());
}

void RuleList::insert(size_t position, Rule rule) {
    inserted_.push_back(std::make_shared<Rule>(std::move(rule)));
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(position), inserted_.back().get());
}

void RuleList::erase(size_t position) {
    const auto at = order_.begin() + static_cast<std::ptrdiff_t>(position);
    const Rule* rule = *at;
    order_.erase(at);
    std::erase_if(inserted_, [rule](const auto& other) { return other.get() == rule; });
}

}  // namespace rampart
