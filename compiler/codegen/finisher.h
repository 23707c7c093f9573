// The code of a vector core that finishes tiles of a product: its rows of a shared tile, if there
// are any, then those of its cube core's tiles, from slots of a workspace.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/mix.h"
#include "compiler/codegen/tiles.h"
#include "compiler/codegen/ub_addresses.h"
#include "compiler/schedule/mix_rows.h"

namespace dvmsim {

/// Slots of a cube core: one is filled while the other is finished.
inline constexpr std::int64_t kMixSlots = 2;

/// The pieces of shared tiles, as far as UB holds them, behind the values of their rows.
struct SharedPieces {
  VectorSchedule rows{};
  std::int64_t base = 0, bytes = 0;  // in UB
  std::int64_t members = 0;          // vector cores a tile
};

/// Code of one vector core: its rows of a shared tile, if there are any, then the tiles of its cube
/// core.
class Finisher {
 public:
  /// All outlive it.
  Finisher(const MixKernel& kernel, const MatmulSchedule& schedule, const Machine& machine,
           const MixRows& rows, const std::optional<SharedPieces>& pieces)
      : kernel_(kernel.epilogue),
        product_(kernel.product),
        schedule_(schedule),
        rows_(rows),
        pieces_(pieces),
        members_(machine.cores.per_group) {}

  void write(Program& program);

 private:
  /// A tensor and the register that holds the address of the core's first row in the tile.
  struct Stream {
    const KernelTensor* tensor = nullptr;
    Reg address{};
    int argument = 0;
  };

  void shared();
  void own_tiles();
  void locate(const TileRegisters& tile, Val first, Val share);
  void place_streams(const TileRegisters& tile);
  void add_offset(Reg address, Val count, std::int64_t stride);
  void rows();
  void rows_in_turn();
  void load_inputs();
  void work();
  void advance();
  [[nodiscard]] bool whole() const;
  void await_slot();
  void free_slot();
  void move(const Stream& stream, bool in);
  void load_accumulators();
  void add_pieces();
  [[nodiscard]] const VectorSchedule& layout() const {
    return in_pieces_ ? pieces_->rows : rows_.schedule;
  }
  [[nodiscard]] const KernelValue& value(int id) const {
    return kernel_.values[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] Val buffer(int id) const {
    if (turn_ != nullptr) return turn_->of(id);
    return layout().buffers[static_cast<std::size_t>(id)].base;
  }

  const VectorKernel& kernel_;
  const MatmulSpec& product_;
  const MatmulSchedule& schedule_;
  const MixRows& rows_;
  const std::optional<SharedPieces>& pieces_;
  std::int64_t members_;
  bool in_pieces_ = false;  // the rows are those of a shared tile
  Val count_{};             // its pieces
  Builder code_{CoreKind::Vector};
  std::vector<Stream> inputs_{}, outputs_{};
  Reg number_{}, slot_{}, slots_{}, from_{}, row_{}, left_{}, offset_{}, at_{};
  Val share_{}, columns_{}, height_{};
  std::vector<UbAddresses> turns_{};   // of unrolled pieces
  const UbAddresses* turn_ = nullptr;  // the one that is written
};

}  // namespace dvmsim
