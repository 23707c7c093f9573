#include "vm/base/error.h"

#include <cstdio>
#include <cstdlib>

namespace dvmsim {

void assertion_failed(const char* rule, const char* file, int line) {
  std::fprintf(stderr, "dvmsim: broken invariant: %s (%s:%d)\n", rule, file, line);
  std::abort();
}

}  // namespace dvmsim
