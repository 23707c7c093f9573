// The rules that tie several parameters together. A single one's range stands in machine.def.
#include "vm/base/error.h"
#include "vm/machine/machine.h"

namespace dvmsim {
namespace {

class Rules {
 public:
  explicit Rules(const Machine& machine) : machine_(machine) {}

  void must(bool holds, const char* rule) const {
    if (!holds) throw Error("machine '" + machine_.name + "': " + rule);
  }
  void multiple(Bytes large, Bytes small, const char* rule) const {
    must(large.count() % small.count() == 0, rule);
  }

 private:
  const Machine& machine_;
};

}  // namespace

void check(const Machine& m) {
  const Rules rules(m);
  if (m.cores.unified) {
    rules.must(m.cores.vector == 0 && m.cores.per_group == 0,
               "with cores.unified, set cores.vector and cores.per_group to 0");
  } else {
    rules.must(m.cores.vector == m.cores.cube * m.cores.per_group,
               "set cores.vector to cores.cube x cores.per_group");
  }
  rules.multiple(m.ub.size, m.ub.align, "make ub.size a multiple of ub.align");
  rules.must(m.ub.reserved < m.ub.size, "make ub.reserved smaller than ub.size");
  rules.multiple(m.vector.repeat, m.ub.align, "make vector.repeat a multiple of ub.align");
  rules.multiple(m.dma.request, m.dma.least_request,
                 "make dma.request a multiple of dma.least_request");
  const std::int64_t request = m.dma.request.count();
  rules.must((request & (request - 1)) == 0, "make dma.request a power of two");
  rules.multiple(m.dma.chunk, m.dma.request, "make dma.chunk a multiple of dma.request");
  const std::int64_t line = m.l2.line.count();
  rules.must((line & (line - 1)) == 0, "make l2.line a power of two");
  const std::int64_t page = m.tlb.page.count();
  rules.must((page & (page - 1)) == 0, "make tlb.page a power of two");
  rules.multiple(m.l2.size, m.l2.line * m.l2.ways, "make l2.size a multiple of l2.line x l2.ways");
  rules.multiple(m.hbm.interleave, m.l2.line, "make hbm.interleave a multiple of l2.line");
  for (DType type : kDTypes) {
    const CubeStep step = m.step(type);
    const bool none = step.m == 0 && step.n == 0 && step.k == 0;
    rules.must(none || (step.m > 0 && step.n > 0 && step.k > 0),
               "make each cube.step three positive numbers, or 0x0x0");
  }
}

}  // namespace dvmsim
