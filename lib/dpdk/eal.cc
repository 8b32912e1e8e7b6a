#include "dpdk/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>

namespace rampart {

Result<std::unique_ptr<Eal>> Eal::start(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{"rampartd"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0)
        return failure(std::string("DPDK could not start: ") + rte_strerror(rte_errno),
                       "its own messages above name the cause; too little memory and a device that "
                       "is not bound to vfio-pci are the most frequent");
    return std::unique_ptr<Eal>(new Eal);
}

Eal::~Eal() {
    join();
    rte_eal_cleanup();
}

bool Eal::launch(unsigned lcore, std::function<void()> function) {
    running_.push_back(std::make_unique<std::function<void()>>(std::move(function)));
    const auto run = [](void* argument) {
        (*static_cast<std::function<void()>*>(argument))();
        return 0;
    };
    return rte_eal_remote_launch(run, running_.back().get(), lcore) == 0;
}

void Eal::join() {
    rte_eal_mp_wait_lcore();
    running_.clear();
}

}  // namespace rampart
