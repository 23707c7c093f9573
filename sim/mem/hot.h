// What the memory server does for every granule is inline, whatever the compiler thinks of its
// size.
#pragma once

#define DVMSIM_HOT [[gnu::always_inline]] inline
