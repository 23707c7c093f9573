#include "compiler/runtime/strategy/bucket.h"

#include <algorithm>
#include <string>

#include "compiler/runtime/strategy/strategy.h"
#include "vm/base/error.h"

namespace dvmsim {

std::int64_t bucket_of(std::int64_t size, const StrategyConstants& constants) {
  const auto& bucket = constants.bucket;
  if (bucket.sizes.empty()) {
    std::int64_t found = std::max(1, bucket.least);
    while (found < size) found *= std::max(2, bucket.growth);
    return found;
  }
  const auto found = std::find_if(bucket.sizes.begin(), bucket.sizes.end(),
                                  [&](std::int64_t each) { return each >= size; });
  if (found != bucket.sizes.end()) return *found;
  throw Error("strategy bucket: size " + std::to_string(size) + " is beyond the largest bucket, " +
              std::to_string(bucket.sizes.back()) + "; add to bucket.sizes");
}

const Strategy kBucket = {.name = "bucket",
                          .fusion = Fusion::Patterns,
                          .path = CodePath::Native,
                          .code = Strategy::Code::Versions,
                          .compiles = false,
                          .before_launch = dispatch_launch,
                          .features = Features::all(),
                          .pads = true};

}  // namespace dvmsim
