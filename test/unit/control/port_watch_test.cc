// Which ports of the box are not for translation.
#include "control/port_watch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "config/loader.h"
#include "kernel/listening_ports.h"
#include "nat/reserved_ports.h"

using namespace rampart;

namespace {

PortSets ports_of(const std::string& prerouting) {
    Diagnostics diagnostics;
    const auto configuration =
        load_configuration("test.yaml",
                           "version: 1\n"
                           "interfaces: { a: { device: \"vdev:net_null0\" } }\n"
                           "chains: { forward: { policy: drop } }\n"
                           "nat: { prerouting: [" +
                               prerouting + "] }\n",
                           diagnostics);
    INFO(diagnostics.to_text());
    REQUIRE(configuration);
    return forwarded_ports(configuration->snapshot->ruleset);
}

// A socket of this test that waits on a port of its own.
struct Listener {
    Listener(int kind, const char* address) {
        fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
        sockaddr_in own{};
        own.sin_family = AF_INET;
        inet_pton(AF_INET, address, &own.sin_addr);
        socklen_t size = sizeof own;
        REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
        if (kind == SOCK_STREAM) REQUIRE(listen(fd, 1) == 0);
        REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0);
        port = ntohs(own.sin_port);
    }
    ~Listener() { close(fd); }

    int fd;
    uint16_t port;
};

}  // namespace

TEST_CASE("ports that rules forward are those that they name") {
    const PortSets ports = ports_of(
        "{ in: a, proto: tcp, dport: [80, 8000-8002], dnat: 10.0.0.1 },"
        "{ in: a, proto: [tcp, udp], dport: 53, redirect: 5353 },"
        "{ in: a, proto: tcp, dport: 22, no_nat: true },"
        "{ in: a, proto: tcp, dport: 10000-60000, dnat: 10.0.0.2 },"
        "{ in: a, dnat: 10.0.0.3 }");
    CHECK(ports.tcp.count() == 5);
    for (const size_t port : {80, 8000, 8001, 8002, 53})
        CHECK(ports.tcp[port]);
    CHECK(ports.udp.count() == 1);
    CHECK(ports.udp[53]);
}

TEST_CASE("ports that programs listen on are asked of the kernel") {
    const Listener tcp(SOCK_STREAM, "0.0.0.0"), udp(SOCK_DGRAM, "0.0.0.0");
    const Listener own(SOCK_STREAM, "127.0.0.1");
    const auto ports = read_listening_ports();
    REQUIRE(ports);
    CHECK(ports->tcp[tcp.port]);
    CHECK(ports->udp[udp.port]);
    CHECK_FALSE(ports->tcp[own.port]);
}

TEST_CASE("a set of ports is reserved until another one is") {
    ReservedPorts reserved;
    CHECK_FALSE(reserved.contains(ip_protocol::kTcp, 65535));
    PortSets sets;
    sets.tcp.set(65535).set(64);
    sets.udp.set(0);
    reserved.assign(sets);
    CHECK(reserved.contains(ip_protocol::kTcp, 65535));
    CHECK(reserved.contains(ip_protocol::kTcp, 64));
    CHECK_FALSE(reserved.contains(ip_protocol::kTcp, 63));
    CHECK_FALSE(reserved.contains(ip_protocol::kUdp, 64));
    CHECK(reserved.contains(ip_protocol::kUdp, 0));
    CHECK_FALSE(reserved.contains(ip_protocol::kSctp, 64));
    reserved.assign({});
    CHECK_FALSE(reserved.contains(ip_protocol::kTcp, 64));
}
