// Expands machine.def with whichever row macros are defined before including this, drops the other
// rows, and leaves no macro behind. Included many times on purpose: no #pragma once.
#ifndef SECTION
#define SECTION(...)
#endif
#ifndef END
#define END(...)
#endif
#ifndef FIELD_TOP
#define FIELD_TOP(...)
#endif
#ifndef FIELD
#define FIELD(...)
#endif
#ifndef CUBE_STEP
#define CUBE_STEP(...)
#endif
#ifndef VECTOR_RATE
#define VECTOR_RATE(...)
#endif
#ifndef DECODE_COST
#define DECODE_COST(...)
#endif

#include "vm/machine/machine.def"

#undef SECTION
#undef END
#undef FIELD_TOP
#undef FIELD
#undef CUBE_STEP
#undef VECTOR_RATE
#undef DECODE_COST
