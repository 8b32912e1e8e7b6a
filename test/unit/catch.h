// What the main function of a test program calls.
#pragma once

namespace rampart {

// Runs what the command line asks for; the number of failures.
int run_tests(int argc, char** argv);

}  // namespace rampart
