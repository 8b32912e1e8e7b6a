#include "control/monitoring/family_list.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace rampart {

void FamilyList::begin(prometheus::MetricType type, std::string_view name, std::string_view help,
                       Names labels) {
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
    labels_.assign(labels.begin(), labels.end());
}

void FamilyList::add_value(Names values, double value) {
    RAMPART_ASSERT(values.size() == labels_.size());
    prometheus::MetricFamily& family = families_.back();
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    auto label = labels_.begin();
    for (const std::string_view text : values)
        metric.label.push_back({*label++, std::string(text)});
    if (family.type == prometheus::MetricType::Counter)
        metric.counter.value = value;
    else
        metric.gauge.value = value;
}

// What a configuration has nothing of is left out.
std::vector<prometheus::MetricFamily> FamilyList::take() {
    std::erase_if(families_,
                  [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
    return std::move(families_);
}

}  // namespace rampart
