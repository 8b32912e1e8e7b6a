// FamilyList: collects metric families, one after the other.
//
//   list.counter("rampart_drops_total", "Dropped packets by reason.", {"reason"});
//   list.add({"policy"}, 12);
//
// Any thread.
#pragma once

#include <initializer_list>
#include <prometheus/metric_family.h>
#include <string>
#include <string_view>
#include <vector>

namespace rampart {

class FamilyList {
  public:
    using Names = std::initializer_list<std::string_view>;

    // Begins a family; `labels` are the names of what add() gives the values of.
    void counter(std::string_view name, std::string_view help, Names labels = {}) {
        begin(prometheus::MetricType::Counter, name, help, labels);
    }
    void gauge(std::string_view name, std::string_view help, Names labels = {}) {
        begin(prometheus::MetricType::Gauge, name, help, labels);
    }

    // To the family that was begun last.
    template <typename Number>
    void add(Names values, Number value) {
        add_value(values, static_cast<double>(value));
    }
    template <typename Number>
    void add(Number value) {
        add_value({}, static_cast<double>(value));
    }

    std::vector<prometheus::MetricFamily> take();

  private:
    void begin(prometheus::MetricType type, std::string_view name, std::string_view help,
               Names labels);
    void add_value(Names values, double value);

    std::vector<prometheus::MetricFamily> families_;
    std::vector<std::string> labels_;
};

}  // namespace rampart
