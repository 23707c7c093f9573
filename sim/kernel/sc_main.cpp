// For executables that have a main of their own and only use simulations as a library.
#include <systemc>

extern "C" int sc_main(int, char**) {
  return 0;
}
