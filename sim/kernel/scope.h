// Many SystemC simulations in one process, one after another or taking turns: each has a simulation
// context of its own. Not for several threads at once.
#pragma once

namespace sc_core {
class sc_simcontext;
}

namespace dvmsim {

class SimScope {
 public:
  SimScope();
  /// Modules and events made inside must be gone by now.
  ~SimScope();
  SimScope(const SimScope&) = delete;

  /// While it lives, modules are made and simulations run in the scope.
  class Entered {
   public:
    explicit Entered(const SimScope& scope);
    ~Entered();
    Entered(const Entered&) = delete;

   private:
    sc_core::sc_simcontext* outer_;
  };

 private:
  sc_core::sc_simcontext* context_;
};

}  // namespace dvmsim
