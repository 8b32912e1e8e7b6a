#include "unit/catch.h"

int main(int argc, char** argv) {
    return rampart::run_tests(argc, argv);
}
