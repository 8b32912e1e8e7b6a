// The checks of `rampartctl doctor`, in check_*.cc. Each adds one finding or more.
#pragma once

#include "control/doctor/doctor.h"

namespace rampart {

void check_cpu_features(Examination& examination);
void check_clock(Examination& examination);
void check_cores(Examination& examination);
void check_isolation(Examination& examination);
void check_hugepages(Examination& examination);
void check_hugetlbfs(Examination& examination);
void check_locked_memory(Examination& examination);
void check_iommu(Examination& examination);
void check_devices(Examination& examination);
void check_numa(Examination& examination);
void check_queues(Examination& examination);
void check_forwarding(Examination& examination);

}  // namespace rampart
